"""Where the work runs: in this process, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tripleteval.errors import ParameterError

if TYPE_CHECKING:
    from tripleteval.engine.maps import Map

Command = TypeVar("Command", bound=Callable[..., Any])


def cluster_options(command: Command) -> Command:
    """Add ``--ray`` and ``--ray-gpus``."""
    gpus = click.option("--ray-gpus", type=float, metavar="SHARE", help="Share of a GPU that each worker reserves.")
    return ray_option("Run on a Ray cluster; local starts one of --threads workers.")(gpus(command))


def ray_option(what: str) -> Callable[[Command], Command]:
    """Return the option ``--ray``."""
    return click.option("--ray", metavar="local|auto|HOST:PORT", help=what)


@contextmanager
def cluster(
    address: str | None, gpus: float | None = None, threads: int | None = None, *, cpus: int = 1
) -> Iterator[Map | None]:
    """Yield the map over a cluster, and leave it in the end; ``None`` where the work stays here.

    ``threads`` is how many workers one of our own has, ``cpus`` how many cores each order takes.

    Raises:
        ParameterError: A share of GPUs without a cluster, or threads on one that is not ours (E101).
        BackendError: It cannot be used (E708, E709).
    """
    if address is None:
        if gpus is not None:
            raise ParameterError("E101", "--ray-gpus without --ray", fix="add --ray local, auto or HOST:PORT")
        yield None
        return
    if threads is not None and address != "local":
        raise ParameterError("E101", f"--threads with --ray {address}", fix="leave it out: the cluster has its workers")
    from tripleteval import ray_map

    with ray_map(address, workers=threads, gpus=gpus or 0.0, cpus=cpus) as mapping:
        yield mapping
