"""What does evaluating after every epoch cost?

`EvaluateEmbeddings` on 10,000 validation items of 128 dimensions, with a model that costs nothing: the seconds
that its ``on_epoch_end`` takes, the first of them (which compiles, or loads what was compiled) apart, and the
seconds of processor time on all cores together, which a busy machine does not change.
"""

from __future__ import annotations

import argparse
import statistics
import time

from clusters import clusters, report

from tripleteval.keras import EvaluateEmbeddings

import keras  # isort: skip  # after the names above, with which Keras came quietly


def main() -> None:
    """Call the callback as Keras does, and print one line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=10_000)
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--classes", type=int, default=1_000)
    options.add_argument("--epochs", type=int, default=6)
    given = options.parse_args()
    points, labels = clusters(given.n, given.dim, given.classes)
    model = keras.Sequential([keras.Input((given.dim,)), keras.layers.UnitNormalization()])
    model.compile(loss=None)
    callback = EvaluateEmbeddings((points, labels))
    callback.set_model(model)
    callback.on_train_begin()
    seconds, processor = [], []
    for epoch in range(given.epochs):
        started, busy = time.perf_counter(), time.process_time()
        callback.on_epoch_end(epoch, {"loss": 0.0})
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - busy)
    report(
        question="seconds that EvaluateEmbeddings adds per epoch",
        **vars(given),
        first=round(seconds[0], 3),
        median=round(statistics.median(seconds[1:]), 3),
        seconds=[round(one, 3) for one in seconds],
        processor_median=round(statistics.median(processor[1:]), 3),
        keras=keras.__version__,
        backend=keras.backend.backend(),
    )


if __name__ == "__main__":
    main()
