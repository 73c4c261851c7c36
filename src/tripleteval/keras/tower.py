"""The tower of a Siamese model: the part that turns one item into its vector."""

from __future__ import annotations

from typing import Any

import keras

from tripleteval.errors import FileError

_FIX = "pass the tower itself, the model that turns one item into one vector"


def embedding_tower(model: Any) -> Any:
    """Return the model from one input to its embedding that a two- or three-input Siamese model shares.

    A functional model is followed from each input to where it first meets another one; what stands there is the
    embedding, and all ways there must use the same weights. What happens to the vectors later is not part of it: a
    normalisation after they are stacked, say. A subclassed model of several inputs (as in the Siamese example of
    keras.io, with a ``train_step`` of its own) is searched for the models it is made of. A model of one input is
    its own tower, whatever it is made of.

    Args:
        model: A Keras model, built or such that the models inside it tell what it takes.

    Raises:
        FileError: There is no one tower: the ways of two inputs use different weights, meet nowhere, or meet more
            than once, or several models could be meant (E616); the message says which.
    """
    if isinstance(model, keras.Sequential):
        return model
    if _is_functional(model):
        return model if len(model.inputs) == 1 else _shared(model)
    inside = [layer for layer in model.layers if _is_functional(layer) or isinstance(layer, keras.Sequential)]
    if not inside or _takes_one(model, inside):
        return model
    siamese = [layer for layer in inside if _is_functional(layer) and len(layer.inputs) > 1]
    towers = _distinct([_shared(layer) for layer in siamese] or [layer for layer in inside if _gives_vectors(layer)])
    if len(towers) == 1 and _weights(towers[0]) == _weights(model):
        return towers[0]
    raise _none(_why(model, towers))


def _takes_one(model: Any, inside: list[Any]) -> bool:
    """Return whether a subclassed model takes one input: it has been given one, or can do with one of its parts'."""
    built = model.get_build_config() or {}
    if built:
        shape = built.get("input_shape")
        return isinstance(shape, (list, tuple)) and all(size is None or isinstance(size, int) for size in shape)
    for start in (layer.inputs[0] for layer in inside if getattr(layer, "inputs", None)):
        try:
            found = model.compute_output_spec(keras.KerasTensor(start.shape, start.dtype))
        except Exception:  # noqa: BLE001, S112  # whatever the call of a model for other inputs raises
            continue
        if len(getattr(found, "shape", ())) == 2:
            return True
    return False


def _shared(model: Any) -> Any:
    """Return the tower of a functional model with several inputs."""
    fed = {id(tensor): {number} for number, tensor in enumerate(model.inputs)}
    tips: dict[int, dict[int, Any]] = {number: {} for number in range(len(model.inputs))}
    for operation in model.operations:  # each after those it depends on
        for node in operation._inbound_nodes:  # noqa: SLF001  # Keras has no public way to walk a graph
            _follow(node, fed, tips)
    for number, tip in tips.items():
        if len(tip) != 1:
            meets = "meets no other one" if not tip else "meets the others at several places"
            raise _none(f"input {model.inputs[number].name!r} of {model.name!r} {meets}")
    ends = [next(iter(tip.values())) for tip in tips.values()]
    towers = [keras.Model(start, end) for start, end in zip(model.inputs, ends, strict=True)]
    apart = [tower for tower in towers if _weights(tower) != _weights(towers[0])]
    if apart:
        raise _none(f"inputs {model.inputs[0].name!r} and {apart[0].inputs[0].name!r} go through different weights")
    return towers[0]


def _follow(node: Any, fed: dict[int, set[int]], tips: dict[int, dict[int, Any]]) -> None:
    """Note which inputs of the model an operation depends on, and where one of them stood before it met another."""
    if not node.input_tensors or any(id(tensor) not in fed for tensor in node.input_tensors):
        return  # an input itself, or a call of the layer in another model
    depends = set().union(*(fed[id(tensor)] for tensor in node.input_tensors))
    for tensor in node.output_tensors:
        fed[id(tensor)] = depends
    if len(depends) > 1:
        for tensor in node.input_tensors:
            if len(fed[id(tensor)]) == 1:
                (number,) = fed[id(tensor)]
                tips[number][id(tensor)] = tensor


def _is_functional(model: Any) -> bool:
    return isinstance(model, keras.Model) and hasattr(model, "operations")


def _gives_vectors(model: Any) -> bool:
    return len(getattr(model, "output_shape", ())) == 2


def _weights(model: Any) -> set[int]:
    return {id(weight) for weight in model.weights}


def _distinct(towers: list[Any]) -> list[Any]:
    return list({frozenset(_weights(tower)): tower for tower in towers}.values())


def _why(model: Any, towers: list[Any]) -> str:
    names = ", ".join(repr(tower.name) for tower in towers)
    if len(towers) > 1:
        return f"{model.name!r} holds several models that give vectors: {names}"
    if towers:
        return f"{model.name!r} holds the model {names}, and weights besides"
    return f"no model inside {model.name!r} turns one item into one vector"


def _none(why: str) -> FileError:
    return FileError("E616", why, where="embedding_tower", fix=_FIX)
