"""Train it, embed it, watch it: what Keras 3 lacks for a Siamese network, on TensorFlow, JAX and PyTorch.

Guests of Keras: nothing else in the package imports them, and Keras itself is imported with the first name used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tripleteval.keras.callbacks import EvaluateEmbeddings as EvaluateEmbeddings
    from tripleteval.keras.collapse import CollapseWarning as CollapseWarning
    from tripleteval.keras.embedding import embed as embed
    from tripleteval.keras.embedding import embed_to_file as embed_to_file
    from tripleteval.keras.image_folder import ImageFolder as ImageFolder
    from tripleteval.keras.losses import TripletAllLoss as TripletAllLoss
    from tripleteval.keras.losses import TripletHardLoss as TripletHardLoss
    from tripleteval.keras.losses import TripletMarginLoss as TripletMarginLoss
    from tripleteval.keras.losses import TripletSemiHardLoss as TripletSemiHardLoss
    from tripleteval.keras.losses import triplet_cost as triplet_cost
    from tripleteval.keras.metrics import EmbeddingCollapse as EmbeddingCollapse
    from tripleteval.keras.metrics import TripletAccuracy as TripletAccuracy
    from tripleteval.keras.metrics import TripletComposition as TripletComposition
    from tripleteval.keras.metrics import triplet_composition as triplet_composition
    from tripleteval.keras.pictures import Pictures as Pictures
    from tripleteval.keras.projector import export_projector as export_projector
    from tripleteval.keras.sampling import BalancedBatches as BalancedBatches
    from tripleteval.keras.tensorboard import TensorBoardEmbeddings as TensorBoardEmbeddings
    from tripleteval.keras.tensorboard import write_scalars as write_scalars
    from tripleteval.keras.tensorboard_pairs import write_distances as write_distances
    from tripleteval.keras.tensorboard_pairs import write_pr_curve as write_pr_curve
    from tripleteval.keras.tower import embedding_tower as embedding_tower
    from tripleteval.keras.tracking import log_to_mlflow as log_to_mlflow

_HOMES = {
    "BalancedBatches": "sampling",
    "CollapseWarning": "collapse",
    "EmbeddingCollapse": "metrics",
    "EvaluateEmbeddings": "callbacks",
    "ImageFolder": "image_folder",
    "Pictures": "pictures",
    "TensorBoardEmbeddings": "tensorboard",
    "TripletAccuracy": "metrics",
    "TripletAllLoss": "losses",
    "TripletComposition": "metrics",
    "TripletHardLoss": "losses",
    "TripletMarginLoss": "losses",
    "TripletSemiHardLoss": "losses",
    "embed": "embedding",
    "embed_to_file": "embedding",
    "embedding_tower": "tower",
    "export_projector": "projector",
    "log_to_mlflow": "tracking",
    "triplet_composition": "metrics",
    "triplet_cost": "losses",
    "write_distances": "tensorboard_pairs",
    "write_pr_curve": "tensorboard_pairs",
    "write_scalars": "tensorboard",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605  # one list, compared with reality by a test


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tripleteval.keras' has no attribute {name!r}")
    from tripleteval.keras.framework import require_keras

    require_keras(f"tripleteval.keras.{name}")
    import_module("tripleteval.keras.metrics")  # and the losses: Keras loads models compiled with what it has seen
    return getattr(import_module(f"tripleteval.keras.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
