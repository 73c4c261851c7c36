"""Is a run good enough: requirements on its numbers, for people and for continuous integration."""
