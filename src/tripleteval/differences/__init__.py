"""Is one run better than another: differences with paired intervals, and which queries and classes changed."""
