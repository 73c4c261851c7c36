"""How good is this embedding space? Exact evaluation of embeddings trained with a triplet loss.

Everything public is named here and loaded on first use, so that importing the package costs nothing
and loads no framework.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tripleteval.data.embeddings import Embeddings as Embeddings
    from tripleteval.data.evaluation import Evaluation as Evaluation
    from tripleteval.differences.door import compare as compare
    from tripleteval.differences.result import Differences as Differences
    from tripleteval.distance.pairwise import pairwise_distances as pairwise_distances
    from tripleteval.engine.ray_map import ray_map as ray_map
    from tripleteval.errors import BackendError as BackendError
    from tripleteval.errors import DataError as DataError
    from tripleteval.errors import EvalError as EvalError
    from tripleteval.errors import FileError as FileError
    from tripleteval.errors import LabelError as LabelError
    from tripleteval.errors import MissingExtra as MissingExtra
    from tripleteval.errors import ParameterError as ParameterError
    from tripleteval.errors import ResourceError as ResourceError
    from tripleteval.evaluation.door import evaluate as evaluate
    from tripleteval.evaluation.given import evaluate_triplets as evaluate_triplets
    from tripleteval.evaluation.identification import evaluate_identification as evaluate_identification
    from tripleteval.evaluation.pairs import evaluate_pairs as evaluate_pairs
    from tripleteval.evaluation.search import evaluate_search as evaluate_search
    from tripleteval.gates.door import gate as gate
    from tripleteval.readers import read as read
    from tripleteval.runs import load as load

_HOMES = {
    "BackendError": "errors",
    "DataError": "errors",
    "Differences": "differences.result",
    "Embeddings": "data.embeddings",
    "EvalError": "errors",
    "Evaluation": "data.evaluation",
    "FileError": "errors",
    "LabelError": "errors",
    "MissingExtra": "errors",
    "ParameterError": "errors",
    "ResourceError": "errors",
    "compare": "differences.door",
    "evaluate": "evaluation.door",
    "evaluate_identification": "evaluation.identification",
    "evaluate_pairs": "evaluation.pairs",
    "evaluate_search": "evaluation.search",
    "evaluate_triplets": "evaluation.given",
    "gate": "gates.door",
    "load": "runs",
    "pairwise_distances": "distance.pairwise",
    "ray_map": "engine.ray_map",
    "read": "readers",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605  # one list, compared with reality by a test


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tripleteval' has no attribute {name!r}")
    return getattr(import_module(f"tripleteval.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
