"""Given triplets: anchors, positives and negatives in, an `Evaluation` out.

Each triplet is evidence of one positive and one negative, read by the metrics of `metrics.triplets`, so
that every definition stands once. Triplets of one anchor are put together before anchors are averaged.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Floats, Ints, as_column
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.evaluation import Evaluation
from tripleteval.data.labels import Labels, LabelSets, encode
from tripleteval.distance.formula import Distance, distance_for, row_blocks, squared_pairs
from tripleteval.errors import DataError, LabelError, ParameterError
from tripleteval.evaluation.accounting import describe
from tripleteval.evaluation.door import environment
from tripleteval.evaluation.intake import Intake, admit
from tripleteval.evaluation.settings import check
from tripleteval.evaluation.summary import Measured, summarise
from tripleteval.evidence.ranks import Positives, Ranks
from tripleteval.evidence.triplets import Triplets
from tripleteval.metrics import Column, Named, number, parse, spell

if TYPE_CHECKING:
    import pyarrow as pa

ROLES = ("anchors", "positives", "negatives")
_AT_MARGIN = ("triplet_satisfied", "at_margin", "easy", "semi_hard", "hard", "triplet_loss", "triplet_loss_nonzero")
_PER_TRIPLET = ("triplet_accuracy", "triplet_satisfied", "triplet_loss")
_COORDINATES = 2**21  # per set and step: 16 MiB in float64
_FIXES = {
    "E201": "remove these rows and the triplets they are part of",
    "E202": "remove these rows and the triplets they are part of, or use another distance",
    "E304": "pass (n, dim) vectors; or row positions, together with embeddings=",
}


class _Given(NamedTuple):
    """Triplets as rows of three sets of vectors.

    Attributes:
        intakes: The sets that anchors, positives and negatives are rows of; one and the same with ``embeddings``.
        rows: (triplets, 3) int64, the row of each in its set.
        items: (triplets, 3) int64, equal where the item is.
        weights: (triplets,) float64 or ``None``.
        numbers: (triplets,) int64, the place of each in what was given.
    """

    intakes: list[Intake]
    rows: Ints
    items: Ints
    weights: Floats | None
    numbers: Ints

    @property
    def placed(self) -> bool:
        """Whether positions were given rather than vectors."""
        return self.intakes[0] is self.intakes[1]

    def take(self, which: Bools) -> _Given:
        weights = None if self.weights is None else self.weights[which]
        return _Given(self.intakes, self.rows[which], self.items[which], weights, self.numbers[which])


def evaluate_triplets(
    anchors: Any,
    positives: Any,
    negatives: Any,
    *,
    embeddings: Any = None,
    margin: float | None = None,
    margins: Sequence[float] = (0.2,),
    distance: str = "euclidean",
    weights: Any = None,
    drop_degenerate: bool = False,
) -> Evaluation:
    """Measure what share of the given triplets a space has in order.

    A triplet is satisfied where d(a,p) + margin < d(a,n): strictly, in float64, as written. The headline
    weighs every triplet alike, ``averages["query"]`` every anchor. Triplets given twice count twice. Equal
    distances get half credit in ``triplet_accuracy`` and are ``hard``.

    Args:
        anchors: (n, dim) vectors; or with ``embeddings`` (n,) row positions. If those carry ids, values of
            the type of the ids are ids: an integer is a position unless the ids are integers too.
        positives: As ``anchors``.
        negatives: As ``anchors``.
        embeddings: `Embeddings` or an (N, dim) array that the triplets point into. Its labels, if any,
            must agree: the positive shares a class with the anchor, the negative does not.
        margin: One margin, short for ``margins=(margin,)``.
        margins: Margins, >= 0, in the unit of the distance.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        weights: (n,) finite and >= 0; only their ratios matter. Means become weighted means, over the
            triplets of an anchor too; ``n`` then counts the triplets of positive weight.
        drop_degenerate: Drop and count triplets that name one row twice, instead of refusing them. Vectors
            do not tell one item from two alike: there, distances of 0 are counted and noted.

    Returns:
        An `Evaluation` whose ``per_query`` table has one row per triplet. An anchor is a position or,
        where vectors are given, a distinct vector, so that both ways give the same numbers.

    Raises:
        DataError: Non-finite values (E201), zero vectors under cosine (E202), no triplets (E301), other
            than (n, dim) vectors (E203-E205, E303, E304), different dimensions (E306).
        LabelError: Not one of each per triplet (E401); positions that are missing or floats (E402, E403).
        ParameterError: ``margin`` beside ``margins`` (E101), a row or id that does not exist (E501), a
            degenerate triplet (E502), a triplet against the labels (E503), an impossible margin or weight
            (E505), an unknown distance (E510).

    Source:
        Schroff, Kalenichenko & Philbin 2015 (FaceNet), equations 1 and 2, there with squared distances.

    Example:
        >>> evaluate_triplets([[0.0], [0.0]], [[1.0], [3.0]], [[2.0], [2.0]])["triplet_accuracy"]
        0.5
    """
    started = time.monotonic()
    checked = _margins(margin, margins, distance)
    three = (anchors, positives, negatives)
    given = _by_vectors(three, distance) if embeddings is None else _by_rows(three, embeddings, distance)
    given = given._replace(weights=_weights(weights, len(given.rows)))
    inputs = _inputs(given)
    kept = _sound(given, drop=drop_degenerate) if given.placed else given
    fitted = distance_for(distance, *(intake.embeddings.vectors for intake in kept.intakes))
    squared = _squared(kept, fitted)
    metrics, columns = _measure(kept, squared, fitted, checked)
    accounting = _account(kept, squared, len(given.rows))
    settings: dict[str, Any] = {
        "triplets": "given",
        "average": "pooled",
        "distance": distance,
        "margins": list(checked),
    }
    settings |= {"weighted": weights is not None, "drop_degenerate": bool(drop_degenerate)}
    return Evaluation(
        metrics=metrics,
        accounting=accounting,
        settings=settings,
        inputs=inputs,
        notes=_notes(kept, accounting, settings, fitted.from_squared(squared)),
        environment=environment(time.monotonic() - started),
        per_query=_table(kept, fitted.from_squared(squared), columns),
    )


def _margins(margin: float | None, margins: Sequence[float], distance: str) -> tuple[float, ...]:
    if margin is not None and margins != (0.2,):
        raise ParameterError("E101", "both margin and margins", fix="margin=m is short for margins=(m,)")
    rest = {"ks": (), "margin_curve": (), "metrics": (), "ties": "expected", "average": "pooled", "neighbors": 0}
    wanted = margins if margin is None else (margin,)
    return check(distance=distance, margins=wanted, ignore_label=None, **rest).margins


def _by_vectors(three: tuple[Any, ...], distance: str) -> _Given:
    named = zip(three, ROLES, strict=True)
    intakes = [_admit(getattr(values, "vectors", values), role, distance) for values, role in named]
    rows = _together([np.arange(len(intake.embeddings)) for intake in intakes])
    dims = [intake.embeddings.dim for intake in intakes]
    if len(set(dims)) > 1:
        found = ", ".join(f"{role} of {dim}" for role, dim in zip(ROLES, dims, strict=True)) + " dimensions"
        raise DataError("E306", found, where="triplets", fix="all three must come from the same model")
    seen: dict[bytes, int] = {}
    items = np.stack([_alike(intake.embeddings.vectors, seen) for intake in intakes], axis=1)
    return _Given(intakes, rows, items, None, rows[:, 0])


def _by_rows(three: tuple[Any, ...], embeddings: Any, distance: str) -> _Given:
    intake = _admit(embeddings, "embeddings", distance)
    rows = _together([_rows(values, intake.embeddings, role) for values, role in zip(three, ROLES, strict=True)])
    return _Given([intake] * 3, rows, rows, None, np.arange(len(rows)))


def _admit(values: Any, name: str, distance: str) -> Intake:
    try:
        return admit(values if isinstance(values, Embeddings) else Embeddings(values, name=name), distance=distance)
    except DataError as error:  # the repairs it offers are not offered here
        fix = _FIXES.get(error.code, error.fix)
        raise type(error)(error.code, error.found, where=error.where, fix=fix) from None


def _together(columns: list[Ints]) -> Ints:
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        found = ", ".join(f"{length:,} {role}" for role, length in zip(ROLES, lengths, strict=True))
        raise LabelError("E401", found, where="triplets", fix="a triplet has one of each, in the same order")
    return np.stack(columns, axis=1)


def _rows(values: Any, embeddings: Embeddings, role: str) -> Ints:
    """Return the row of each position or id."""
    column = as_column(values, role)
    if not len(column):
        raise DataError("E301", "no triplets", where=role, fix="check the filter or the file that made them")
    if np.ndim(column[0]):
        raise DataError("E304", "vectors beside embeddings", where=role, fix="pass positions or ids, or no embeddings")
    given, ids, size = encode(column, role), embeddings.ids, len(embeddings)
    classes: tuple[Any, ...] = given.classes
    kind = type(classes[0])
    if ids is not None and kind is type(ids.classes[0]):
        place = dict(zip(ids.values(), range(size), strict=True))
        where = f"{size:,} ids of {embeddings.name}"
    elif kind is int:
        place = {row: row for row in classes if 0 <= row < size}
        where = f"{embeddings.name}: positions 0 to {size - 1}"
    else:
        known = "no ids" if ids is None else f"ids of type {type(ids.classes[0]).__name__}"
        fix = f"the embeddings have {known}; positions are integers"
        raise ParameterError("E501", f"{role} of type {kind.__name__}", where=embeddings.name, fix=fix)
    rows = np.array([place.get(value, -1) for value in classes], dtype=np.int64)[given.codes]
    if (rows < 0).any():
        first = int(np.argmax(rows < 0))
        found = f"{role[:-1]} {classes[given.codes[first]]!r} of triplet {first} (0-based) does not exist"
        raise ParameterError("E501", found, where=where, fix=f"{int((rows < 0).sum())} such {role} in all")
    return rows


def _alike(vectors: AnyArray, seen: dict[bytes, int]) -> Ints:
    """Return one integer per row, equal where the rows are, also from one set to another."""
    codes = [
        seen.setdefault(blake2b(row.tobytes(), digest_size=16).digest(), len(seen))
        for block in row_blocks(vectors)
        for row in block.astype(np.float64) + 0.0  # -0.0 and 0.0 are one value
    ]
    return np.array(codes, dtype=np.int64)


def _weights(values: Any, count: int) -> Floats | None:
    if values is None:
        return None
    try:
        weights = as_column(values, "weights").astype(np.float64)
    except (TypeError, ValueError):
        raise ParameterError("E505", "weights that are no numbers", fix="give one number >= 0 per triplet") from None
    if len(weights) != count:
        raise LabelError("E401", f"{len(weights):,} weights for {count:,} triplets", fix="give one per triplet")
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any() or not weights.any():
        first = int(np.argmax(bad))
        found = f"weight {weights[first]} of triplet {first} (0-based)" if bad.any() else "weights that are all 0"
        raise ParameterError("E505", found, where="weights", fix="give one finite number >= 0 per triplet")
    return weights


def _sound(given: _Given, *, drop: bool) -> _Given:
    """Return the triplets of three different rows, whose labels agree that they are triplets."""
    a, p, n = given.rows.T
    degenerate = (a == p) | (a == n) | (p == n)
    if degenerate.any() and not drop:
        first = int(np.argmax(degenerate))
        raise ParameterError(
            "E502",
            f"{int(degenerate.sum()):,} triplets name a row twice; first: triplet {first} (0-based), "
            f"anchor {a[first]}, positive {p[first]}, negative {n[first]}",
            where="triplets",
            fix="remove them, or drop_degenerate=True (drops and counts them)",
        )
    if degenerate.all():
        raise DataError("E301", f"no triplets left: all {len(a):,} are degenerate", where="triplets")
    given, labels = given.take(~degenerate), given.intakes[0].embeddings.labels
    if labels is not None:
        _require_agreement(given, labels)
    return given


def _require_agreement(given: _Given, labels: Labels | LabelSets) -> None:
    a, p, n = given.rows.T
    wrong = ~_share(labels, a, p) | _share(labels, a, n)
    if wrong.any():
        first = int(np.argmax(wrong))
        listed = dict(zip(("anchor", "positive", "negative"), labels.take(given.rows[first]).values(), strict=True))
        raise ParameterError(
            "E503",
            f"{int(wrong.sum()):,} triplets contradict the labels; first: triplet {given.numbers[first]} (0-based), "
            + ", ".join(f"{role} {label!r}" for role, label in listed.items()),
            where="triplets",
            fix="anchor and positive share a class, anchor and negative do not; or pass embeddings without labels",
        )


def _share(labels: Labels | LabelSets, left: Ints, right: Ints) -> Bools:
    if isinstance(labels, Labels):
        same: Bools = labels.codes[left] == labels.codes[right]
        return same
    sets = [set(row) for row in labels.values()]
    return np.array([bool(sets[i] & sets[j]) for i, j in zip(left.tolist(), right.tolist(), strict=True)])


def _squared(given: _Given, fitted: Distance) -> Floats:
    """Return (2, triplets) ``squared`` of anchor and positive, and of anchor and negative, block by block."""
    squared = np.empty((2, len(given.rows)))
    step = max(1, _COORDINATES // given.intakes[0].embeddings.dim)
    for start in range(0, len(given.rows), step):
        cut = slice(start, start + step)
        vectors = [i.embeddings.vectors[rows] for i, rows in zip(given.intakes, given.rows[cut].T, strict=True)]
        anchor, positive, negative = map(fitted.prepare, vectors)
        each = np.arange(len(vectors[0]))
        squared[0, cut] = squared_pairs(anchor, each, positive)
        squared[1, cut] = squared_pairs(anchor, each, negative)
    return squared


def _measure(
    given: _Given, squared: Floats, fitted: Distance, margins: tuple[float, ...]
) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return the entry of each metric, and of those that say something of one triplet the value of each."""
    _, first, anchor = np.unique(given.items[:, 0], return_index=True, return_inverse=True)
    labels = given.intakes[0].embeddings.labels if given.placed else None
    classes = labels.codes[given.rows[first, 0]] if isinstance(labels, Labels) else None
    # Over the power of two that makes the largest about 1, so that no sum of weights overflows.
    weights = None if given.weights is None else np.ldexp(given.weights, -int(np.frexp(given.weights.max())[1]))
    metrics, columns = {}, {}
    for named, column in _columns(squared, fitted, margins):
        metrics[named.spelling] = _summary(named, column, weights, anchor, classes)
        if named.metric.pattern.removesuffix("@margin") in _PER_TRIPLET:
            columns[named.spelling] = column.values()
    return metrics, columns


def _columns(squared: Floats, fitted: Distance, margins: tuple[float, ...]) -> Iterator[tuple[Named, Column]]:
    named = parse("triplet_accuracy")
    yield named, named.measure(_ranks(squared))
    for margin in margins:
        triplets = _triplets(squared, fitted, margin)
        for metric in _AT_MARGIN:
            named = parse(spell(f"{metric}@margin", margin))
            yield named, named.measure(triplets)


def _ranks(squared: Floats) -> Ranks:
    """Return the evidence of triplets that each have an anchor of their own."""
    (to_positive, to_negative), count = squared, squared.shape[1]
    none, one = np.zeros(count, np.int64), np.ones(count, np.int64)
    return Ranks(
        Positives(np.arange(count + 1), none, to_positive, np.ones(count)),
        closer=_counts(to_negative < to_positive)[:, 0],
        tied=_counts(to_negative == to_positive)[:, 0],
        tied_before=none,
        negatives=one,
        coincident=_counts(to_negative == 0)[:, 0],
    )


def _triplets(squared: Floats, fitted: Distance, margin: float) -> Triplets:
    """Return the evidence about a margin, of the same."""
    to_positive, to_negative = fitted.from_squared(squared)
    t, count = to_positive + margin, len(to_positive)
    below = to_negative < t
    # Distances as integers of 62 bits, in steps that stay clear of the ends of float64; see `Triplets`.
    steps = replace(fitted, exponent=0)
    unit = steps.span * 2.0**-31 * steps.factor
    unscaled = steps.from_squared(squared[1])
    coarse = np.floor(unscaled / unit)
    fine = np.floor((unscaled - coarse * unit) / (unit * 2.0**-31))
    return Triplets(
        np.arange(count + 1),
        to_positive,
        np.array([margin]),
        below=_counts(below),
        upto=_counts(to_negative <= t),
        hard=_counts(to_negative <= to_positive)[:, 0],
        coarse=_counts(coarse * below),
        fine=_counts(fine * below),
        unit=fitted.span * 2.0**-31 * fitted.factor,
        curve_margins=np.zeros(0),
        curve_upto=np.zeros((count, 0), np.int64),
        negatives=np.ones(count, np.int64),
        nearest_negative=to_negative,
    )


def _counts(values: AnyArray) -> Ints:
    return values[:, None].astype(np.int64)


def _summary(
    named: Named, column: Column, weights: Floats | None, anchor: Ints, classes: Ints | None
) -> dict[str, Any]:
    weighted = column if weights is None else Column(column.part * weights, column.whole * weights)
    sums = [np.bincount(anchor, weights=half).astype(half.dtype) for half in weighted]  # integers below 2**53: exact
    entry = summarise(Measured(named, Column(*sums)), classes, "pooled")
    if weights is not None:
        entry["n"] = int(column.whole[weights > 0].sum())
    return entry


def _account(given: _Given, squared: Floats, asked: int) -> dict[str, Any]:
    at_zero = (squared == 0).sum(axis=1).tolist()
    return {
        "triplets": len(given.rows),
        "anchors": len(np.unique(given.items[:, 0])),
        "duplicates": len(given.rows) - len(np.unique(given.items, axis=0)),
        "degenerate_dropped": asked - len(given.rows),
        "zero_distance": dict(zip(("positive", "negative"), at_zero, strict=True)),
    }


def _notes(given: _Given, counts: dict[str, Any], settings: dict[str, Any], distances: Floats) -> list[str]:
    found = []
    if counts["degenerate_dropped"]:
        found.append(f"{counts['degenerate_dropped']:,} degenerate triplets, which name a row twice, were dropped.")
    if counts["duplicates"]:
        found.append(
            f"{counts['duplicates']:,} of {counts['triplets']:,} triplets repeat another one; "
            "each counts as often as it is given."
        )
    if not distances.any():
        found.append("Collapsed: every positive and every negative is at distance 0 from its anchor.")
    elif counts["zero_distance"]["positive"]:
        found.append(
            f"{counts['zero_distance']['positive']:,} positives are at distance 0 from their anchor; "
            "if they are the same item, these triplets prove nothing."
        )
    farthest = float(distances[1].max())
    found.extend(
        f"No triplet can satisfy margin={number(margin)}: the farthest negative is at {farthest:.6g} from its anchor."
        for margin in settings["margins"]
        if margin >= farthest
    )
    unit = {role: intake.unit_norm for role, intake in zip(ROLES, given.intakes, strict=True)}
    if len(set(unit.values())) > 1 and settings["distance"] != "cosine":
        unit_roles = " and ".join(role for role, is_unit in unit.items() if is_unit)
        others = " and ".join(role for role, is_unit in unit.items() if not is_unit)
        found.append(f"E507: {unit_roles} have unit vectors, {others} have not; normalise all or none, or use cosine.")
    return found


def _inputs(given: _Given) -> list[dict[str, Any]]:
    """Return what the numbers are made of: the vectors, and what tells which of them form triplets."""
    sets = [intake.embeddings for intake in (given.intakes[:1] if given.placed else given.intakes)]
    if given.placed:
        sets.append(Embeddings(given.rows, name="triplets"))
    if given.weights is not None:
        sets.append(Embeddings(given.weights[:, None], name="weights"))
    return [describe(each) for each in sets]


def _table(given: _Given, distances: Floats, columns: dict[str, Floats]) -> pa.Table:
    """Return one row per triplet: its number, its rows if they were given, its distances and its metrics."""
    import pyarrow as pa

    table: dict[str, AnyArray] = {"triplet": given.numbers}
    if given.placed:
        table |= dict(zip(("anchor", "positive", "negative"), given.rows.T, strict=True))
    if given.weights is not None:
        table["weight"] = given.weights
    table |= dict(zip(("d_ap", "d_an"), distances, strict=True))
    return pa.table({name: pa.array(np.ascontiguousarray(column)) for name, column in (table | columns).items()})
