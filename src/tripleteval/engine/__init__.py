"""The engine: orders in, evidence out, through any ``map``."""
