"""Batches that hold triplets: a few classes, equally many items of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from tripleteval.arrays import AnyArray, Ints
from tripleteval.data.labels import encode
from tripleteval.errors import LabelError, MissingExtra, ParameterError, nearest
from tripleteval.keras.batches import held, rows_of, taken

Transform = Callable[[AnyArray, np.random.Generator], AnyArray]

_SMALL = ("repeat", "leave_out")


class BalancedBatches(keras.utils.PyDataset):
    """Batches of ``classes_per_batch`` classes with ``samples_per_class`` items each, for ``model.fit``.

    An epoch has as many batches as it takes to show as many items as there are. Within it every class has its
    turn before any has a second one, and so have the items of a class; a batch holds no class twice. What a batch
    holds depends on ``seed``, the epoch and the number of the batch only. (`fit` visits the batches of an epoch in
    an order of its own, unless it is told ``shuffle=False``.)

    A class with a single item has no genuine pair and is never in a batch. A class with fewer than
    ``samples_per_class`` items repeats them, evenly; a repeated item is a positive at distance 0 of itself, unless
    ``transform`` changes it. ``small="leave_out"`` leaves such classes out.

    Args:
        labels: (n,) class of each item: integers, text, hashables of one type.
        classes_per_batch: How many classes, 2 or more, for without a second there is no negative.
        samples_per_class: How many items of each, 2 or more, for without a second there is no positive.
        seed: Whole number, 0 or more.
        inputs: (n, ...) array or tensor, memory-mapped or not, or a list or dictionary of them, whose rows are handed
            out; by default the row numbers themselves are, for a pipeline that loads by number.
        transform: Called with the inputs of a batch and a generator of its own; returns what is handed out.
        small: ``"repeat"`` or ``"leave_out"``.
        initial_epoch: The epoch to begin with, where a training goes on: what ``fit`` is told by that name.
        **workers: ``workers``, ``use_multiprocessing`` and ``max_queue_size`` of `keras.utils.PyDataset`.

    Attributes:
        classes: The class that each number in a batch stands for; batches hold int32 codes, not labels.
        left_out: Classes that are never in a batch.
        epoch: The epoch whose batches are handed out, from ``initial_epoch``.

    Raises:
        ParameterError: An impossible size or epoch (E308), seed (E511) or ``small`` (E510).
        LabelError: Unusable labels (E401-E408), or too few classes with enough items (E410).

    Source:
        Hermans, Beyer & Leibe 2017, section 2 (P classes with K images each).
    """

    def __init__(
        self,
        labels: Any,
        classes_per_batch: int,
        samples_per_class: int,
        seed: int = 0,
        *,
        inputs: Any = None,
        transform: Transform | None = None,
        small: str = "repeat",
        initial_epoch: int = 0,
        **workers: Any,
    ) -> None:
        super().__init__(**workers)
        self.classes_per_batch = _whole("classes_per_batch", classes_per_batch, least=2)
        self.samples_per_class = _whole("samples_per_class", samples_per_class, least=2)
        self.seed = _whole("seed", seed, least=0, code="E511")
        if small not in _SMALL:
            raise ParameterError("E510", f"small={small!r}", fix=nearest(str(small), _SMALL))
        found = encode(labels, "labels")
        self._codes = np.asarray(found.codes, dtype=np.int32)
        self._inputs = np.arange(len(found)) if inputs is None else held(inputs, len(found))
        items = rows_of(self._inputs)
        if items != len(found):
            raise LabelError("E401", f"{len(found):,} labels for {items:,} inputs", fix="give one per item")
        self._transform, self._initial = transform, _whole("initial_epoch", initial_epoch, least=0)
        self.epoch = self._begun = self._initial
        least = 2 if small == "repeat" else self.samples_per_class
        sizes = np.bincount(self._codes, minlength=len(found.classes))
        self.classes = list(found.classes)
        self.left_out = [name for name, size in zip(self.classes, sizes, strict=True) if size < least]
        self._members = [np.flatnonzero(self._codes == code) for code in np.flatnonzero(sizes >= least)]
        self._require_classes(least)
        self._rows: tuple[int, Ints] = (-1, np.empty((0, 0), np.int64))

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        shown = sum(map(len, self._members))
        return math.ceil(shown / (self.classes_per_batch * self.samples_per_class))

    def __getitem__(self, index: int) -> tuple[Any, AnyArray]:
        """Return (inputs, int32 codes) of one batch of the current epoch; items of a class stand together."""
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        return self._batch(self.epoch, index)

    def on_epoch_begin(self) -> None:
        """Go on to the next epoch, the first time to the initial one; Keras calls this.

        (On JAX it begins an epoch that it does not finish, to build the model: training starts with the second.)
        """
        self.epoch, self._begun = self._begun, self._begun + 1

    def rows(self, epoch: int) -> Ints:
        """Return (batches, items) which rows each batch of an epoch holds."""
        kept, rows = self._rows  # together: Keras prefetches from threads
        if kept != epoch:
            rows = self._dealt(np.random.default_rng([self.seed, epoch]))
            self._rows = (epoch, rows)
        return rows

    def tf_data(self) -> Any:
        """Return the same batches as a ``tf.data.Dataset``, to ``map`` and ``prefetch``; each pass is an epoch.

        Raises:
            MissingExtra: TensorFlow is not installed (E103).
        """
        try:
            import tensorflow as tf
        except ImportError:
            raise MissingExtra("tf.data", "tensorflow", extra="tensorflow") from None
        first = self._batch(0, 0)
        passes = iter(range(self._initial, 2**62))

        def batches() -> Iterator[tuple[Any, AnyArray]]:
            epoch = next(passes)
            for index in range(len(self)):
                yield self._batch(epoch, index)

        signature = tf.nest.map_structure(lambda part: tf.TensorSpec(np.shape(part), np.asarray(part).dtype), first)
        dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
        return dataset.apply(tf.data.experimental.assert_cardinality(len(self)))

    def _batch(self, epoch: int, index: int) -> tuple[Any, AnyArray]:
        rows = self.rows(epoch)[index]
        inputs = taken(self._inputs, rows)
        if self._transform is not None:
            inputs = self._transform(inputs, np.random.default_rng([self.seed, epoch, index]))
        return inputs, self._codes[rows]

    def _dealt(self, random: np.random.Generator) -> Ints:
        chosen = _Deck(len(self._members), random)
        decks = [_Deck(len(members), random) for members in self._members]
        batches = [
            [self._members[which][decks[which].deal(self.samples_per_class)] for which in batch]
            for batch in (chosen.deal(self.classes_per_batch) for _ in range(len(self)))
        ]
        return np.array(batches, dtype=np.int64).reshape(len(self), -1)

    def _require_classes(self, least: int) -> None:
        if len(self._members) < self.classes_per_batch:
            raise LabelError(
                "E410",
                f"{len(self._members):,} of {len(self.classes):,} classes have {least} items or more, "
                f"{self.classes_per_batch:,} are wanted in a batch",
                where="labels",
                fix="ask for fewer classes_per_batch, or add items",
            )


class _Deck:
    """Numbers from 0 to size − 1 in random order; all are dealt before any is dealt again."""

    def __init__(self, size: int, random: np.random.Generator) -> None:
        self._size, self._random = size, random
        self._left: list[int] = []

    def deal(self, count: int) -> list[int]:
        """Return ``count`` numbers, none of them twice unless there are too few, and then evenly."""
        whole, rest = divmod(count, self._size)
        hand = list(range(self._size)) * whole
        if len(self._left) < rest:
            fresh = self._random.permutation(self._size).tolist()
            # What is left comes first and, of the fresh deck, last: never twice in one hand, always in its turn.
            kept = set(self._left)
            self._left += sorted(fresh, key=kept.__contains__)
        dealt, self._left = self._left[:rest], self._left[rest:]
        return hand + dealt


def _whole(what: str, value: Any, *, least: int, code: str = "E308") -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise ParameterError(code, f"{what}={value!r}", fix=f"give a whole number, {least} or more")
    return int(value)
