"""Embeddings where TensorBoard's projector shows them; it needs no Keras, and lives with the report."""

from tripleteval.report.projector import export_projector

__all__ = ["export_projector"]
