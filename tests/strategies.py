"""Data for property tests: small integer grids, so that arithmetic is exact and ties are everywhere."""

from __future__ import annotations

from hypothesis import strategies as st

Points = tuple[list[list[float]], list[int]]


@st.composite
def labelled_points(draw: st.DrawFn, *, most: int = 9, dims: int = 2, span: int = 3, classes: int = 3) -> Points:
    """Return points on an integer grid with labels, at least two of one class and two classes."""
    n = draw(st.integers(3, most))
    coordinate = st.integers(-span, span)
    points = draw(st.lists(st.lists(coordinate, min_size=dims, max_size=dims), min_size=n, max_size=n))
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=n - 3, max_size=n - 3))
    return [[float(x) for x in point] for point in points], [*labels, 0, 0, 1]
