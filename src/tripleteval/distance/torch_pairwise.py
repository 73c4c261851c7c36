"""Pairwise distances of PyTorch tensors; see `tripleteval.distance.pairwise`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from tripleteval.errors import DataError


def pairwise(x: Any, y: Any, distance: str) -> Any:
    """Return (n, m) distances on the device and in the dtype of ``x``."""
    torch = import_module("torch")
    _require_dense_neighbours(torch, x, y)
    # Apple's GPUs have no float64.
    wide = torch.float64 if x.element_size() >= 4 and x.device.type != "mps" else torch.float32
    a = x.to(wide)
    b = a if y is x else y.to(wide)
    return _distances(torch, a, b, distance).to(x.dtype)


def _require_dense_neighbours(torch: Any, x: Any, y: Any) -> None:
    for where, tensor in (("x", x), ("y", y)):
        if tensor.layout != torch.strided:
            raise DataError("E203", f"a tensor of layout {tensor.layout}", where=where, fix="pass x.to_dense()")
    if x.device != y.device:
        raise DataError("E203", f"x on {x.device} and y on {y.device}", where="x and y", fix="move one of them")


def _distances(torch: Any, x: Any, y: Any, distance: str) -> Any:
    if distance == "cosine":
        (x, far_x), (y, far_y) = _directions(torch, x), _directions(torch, y)
        half = _squared().apply(x, y) / 2
        return torch.where((far_x | far_y.T) & ~half.isnan(), torch.ones_like(half), half)
    squared = _squared().apply(x, y)
    return squared if distance == "sqeuclidean" else _root(torch, squared)


def _directions(torch: Any, rows: Any) -> tuple[Any, Any]:
    """Return unit rows (zero rows stay zero), and (n, 1) which rows are zero."""
    far = (rows == 0).all(dim=1, keepdim=True)
    # The direction does not depend on the scale, so the gradient need not know of it; squares stay in range.
    scale = rows.detach().abs().amax(dim=1, keepdim=True)
    rows = rows / torch.where(far, torch.ones_like(scale), scale)
    squares = (rows * rows).sum(dim=1, keepdim=True)
    return rows / torch.where(far, torch.ones_like(squares), squares).sqrt(), far


def _root(torch: Any, squared: Any) -> Any:
    # The derivative at 0 is infinite, and infinity times the 0 of equal rows is NaN: keep 0 out of the root.
    zero = squared == 0
    return torch.where(zero, torch.zeros_like(squared), torch.where(zero, torch.ones_like(squared), squared).sqrt())


@cache
def _squared() -> Any:
    torch = import_module("torch")
    methods: dict[str, Any] = {"forward": forward, "setup_context": setup_context, "backward": backward}
    return type("Squared", (torch.autograd.Function,), {name: staticmethod(f) for name, f in methods.items()})


def forward(x: Any, y: Any) -> Any:
    """Return (n, m) squared distances, coordinate by coordinate."""
    total = x.new_zeros(len(x), len(y))
    for one, other in zip(x.T, y.T, strict=True):
        difference = one[:, None] - other[None, :]
        total += difference * difference
    return total


def setup_context(ctx: Any, inputs: tuple[Any, Any], output: Any) -> None:
    """Keep what `backward` needs: the vectors alone."""
    del output
    ctx.save_for_backward(*inputs)


def backward(ctx: Any, upstream: Any) -> tuple[Any, Any]:
    """Return 2 Σ_j G_ij (x_i − y_j) as matrix products, and the same for y."""
    x, y = ctx.saved_tensors
    # It depends on differences only, so a common centre is taken out: far away the products would cancel.
    centre = y.mean(dim=0)
    p, q = x - centre, y - centre
    of_x = 2 * (p * upstream.sum(dim=1)[:, None] - upstream @ q)
    of_y = 2 * (q * upstream.sum(dim=0)[:, None] - upstream.T @ p)
    return of_x, of_y
