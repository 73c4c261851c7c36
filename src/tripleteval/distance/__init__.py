"""Distances: smaller is closer, always."""
