"""Bad values, shapes, labels and options at the command line, row by row of the catalogue (1.A to 1.D).

Each case: the row, what is wrong, a function that writes the files and returns the arguments, the code, the exit
code, and words that the error must hold.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

GOOD = np.array([[0, 1], [1, 0.5], [4, 4], [5, 4], [0.5, 2], [4, 5]], dtype=np.float64)
LABELS = [3, 3, 8, 8, 3, 8]
COSINE = ["--distance", "cosine"]


def npz(vectors=GOOD, labels=LABELS, **more):
    np.savez("bad.npz", vectors=vectors, labels=labels, **more)
    return ["evaluate", "bad.npz"]


def npy(vectors):
    np.save("bad.npy", vectors)
    return ["evaluate", "bad.npy", "--labels", "labels.txt"]


def gallery(vectors=GOOD, labels=LABELS, **more):
    npz(vectors, labels, **more)
    return ["evaluate", "val.npz", "--gallery", "bad.npz"]


def parquet(**columns):
    pq.write_table(pa.table({"embedding": GOOD.tolist(), "label": LABELS, **columns}), "bad.parquet")
    return ["evaluate", "bad.parquet"]


def csv(text):
    with open("bad.csv", "w", encoding="utf-8") as file:
        file.write(text)
    return ["evaluate", "bad.csv"]


def labels(text):
    with open("bad.txt", "w", encoding="utf-8") as file:
        file.write(text)
    return ["evaluate", "val.npy", "--labels", "bad.txt"]


def label_array(values):
    np.save("labels.npy", values)
    return ["evaluate", "val.npy", "--labels", "labels.npy"]


def spoiled(value, row=2, column=1):
    points = GOOD.copy()
    points[row, column] = value
    return points


def with_options(*options):
    return lambda: ["evaluate", "val.npz", *options]


def rows(anchor, positive, negative, embeddings="val.npy"):
    np.savez("rows.npz", anchor=anchor, positive=positive, negative=negative)
    return ["triplets", "rows.npz", "--embeddings", embeddings]


def sides(anchors=GOOD, positives=GOOD[::-1], negatives=GOOD + 1):
    np.savez("bad.npz", anchors=anchors, positives=positives, negatives=negatives)
    return ["triplets", "bad.npz"]


VALUES = [
    (1, "a nan in the gallery", lambda: gallery(spoiled(np.nan)), "E201", 3, ("nan at row 2, column 1", "bad.npz")),
    (2, "a nan in a query", lambda: npz(spoiled(np.nan)), "E201", 3, ("1 of 6 rows", "--nonfinite", "bad.npz")),
    (3, "infinity in the gallery", lambda: gallery(spoiled(np.inf)), "E201", 3, ("inf at row 2, column 1", "bad.npz")),
    (4, "minus infinity", lambda: npy(spoiled(-np.inf)), "E201", 3, ("-inf at row 2, column 1", "bad.npy")),
    (5, "nothing but nan", lambda: npz(np.full((6, 2), np.nan)), "E201", 3, ("12 non-finite values in 6 of 6 rows",)),
    (5, "an anchor of nan", lambda: sides(spoiled(np.nan)), "E201", 3, ("row 2, column 1", "anchors")),
    (6, "a zero vector", lambda: [*npz(GOOD * [[0]] + [[0, 0]]), *COSINE], "E202", 3, ("6 zero vectors", "bad.npz")),
    (6, "one zero vector", lambda: [*npz(np.vstack([GOOD[:5], [[0, 0]]])), *COSINE], "E202", 3, ("first rows: 5",)),
    (6, "a zero anchor", lambda: [*sides(GOOD * 0), *COSINE], "E202", 3, ("anchors", "another distance")),
    (22, "integers beyond 2**53", lambda: npy(np.full((6, 2), 2**53 + 1)), "E203", 3, ("beyond 2**53",)),
    (24, "complex numbers", lambda: npy(GOOD.astype(complex)), "E203", 3, ("complex128", "bad.npy")),
    (25, "objects", lambda: npy(GOOD.astype(object)), "E603", 4, ("pickled", "bad.npy")),
    (26, "objects with None", lambda: npy(np.array([[1, None]] * 6)), "E603", 4, ("pickled",)),
    (27, "text", lambda: npy(GOOD.astype(str)), "E203", 3, ("str", "bad.npy")),
    (33, "records", lambda: npy(np.zeros(6, dtype=[("id", "i8"), ("v", "f4", 2)])), "E203", 3, ("'id', 'v'",)),
    (34, "dates", lambda: npy(GOOD.astype("datetime64[s]")), "E203", 3, ("datetime64", "bad.npy")),
    (112, "swapped bytes", lambda: npz(spoiled(1.8e27)), "E206", 3, ("row 2, column 1", "--allow-huge", "bad.npz")),
]

SHAPES = [
    (35, "an empty gallery", lambda: gallery(np.zeros((0, 2)), np.zeros(0, int)), "E301", 3, ("no rows", "bad.npz")),
    (36, "no query", lambda: npz(np.zeros((0, 2)), np.zeros(0, int)), "E301", 3, ("no rows", "bad.npz")),
    (36, "no triplet", lambda: rows([], [], []), "E301", 3, ()),
    (36, "a header and no row", lambda: csv("e0,e1,label\n"), "E301", 3, ("bad.csv",)),
    (36, "a filter that nothing passes", with_options("--where", "split = 'tset'"), "E101", 2, ("val.npz",)),
    (37, "one item", lambda: npz(GOOD[:1], [1]), "E302", 3, ("a single item",)),
    (38, "no coordinate", lambda: npz(np.zeros((6, 0))), "E303", 3, ("(6, 0)", "bad.npz")),
    (40, "one vector", lambda: npy(np.zeros(6)), "E304", 3, ("x[None, :]", "bad.npy")),
    (41, "feature maps", lambda: npy(np.zeros((6, 2, 3, 3))), "E304", 3, ("mean(axis", "bad.npy")),
    (42, "a scalar", lambda: npy(np.array(1.0)), "E304", 3, ("bad.npy",)),
    (43, "transposed", lambda: npy(np.ones((2, 6))), "E305", 3, ("6 labels", "(2, 6)")),
    (44, "a gallery of another model", lambda: gallery(np.ones((6, 3))), "E306", 3, ("2 dimensions", "of 3")),
    (44, "anchors of another model", lambda: sides(np.ones((6, 3))), "E306", 3, ("anchors of 3",)),
    (46, "k = 0", with_options("-k", "0"), "E308", 2, ("k=0",)),
    (47, "a negative k", with_options("-k", "5", "-k", "-1"), "E308", 2, ("k=-1",)),
    (48, "half a k", with_options("-k", "1.5"), "E101", 2, ("'1.5' is not a valid integer", "--help")),
    (48, "a k of nan", with_options("-k", "nan"), "E101", 2, ("'nan' is not a valid integer",)),
    (50, "a short row", lambda: csv("e0,e1,label\n1,2,x\n1,x\n"), "E205", 3, ("line 3 has 2 cells", "bad.csv")),
    (50, "ragged lists", lambda: parquet(embedding=[[1.0, 2.0]] * 5 + [[1.0]]), "E205", 3, ("row 5", "bad.parquet")),
]

LABELLED = [
    (51, "a label too few", lambda: labels("3\n3\n8\n8\n3\n"), "E401", 3, ("5 labels", "6", "val.npy")),
    (51, "a label too many", lambda: labels("3\n" * 7), "E401", 3, ("7 labels", "6", "val.npy")),
    (51, "labels of other length inside", lambda: npz(labels=[1] * 5), "E401", 3, ("5 labels", "bad.npz")),
    (51, "no labels", lambda: ["evaluate", "val.npy"], "E401", 3, ("val.npy",)),
    (51, "sides of other length", lambda: sides(GOOD[:5]), "E401", 3, ("5 anchors", "6 positives")),
    (52, "labels of nan", lambda: label_array(np.array([3, 3, 8, 8, 3, np.nan])), "E403", 3, ("val.npy",)),
    (52, "labels that are floats", lambda: label_array(np.array([3.0] * 6)), "E403", 3, ("val.npy",)),
    (53, "a null label", lambda: parquet(label=[3, 3, None, 8, 3, 8]), "E402", 3, ("first rows: 2", "bad.parquet")),
    (53, "an empty label", lambda: labels("3\n3\n8\n\n3\n8\n"), "E402", 3, ("first rows: 3", "val.npy")),
    (53, "an empty cell", lambda: csv("e0,e1,label\n1,2,x\n2,3,\n"), "E402", 3, ("first rows: 1", "bad.csv")),
    (59, "text and integers", lambda: gallery(GOOD + 1, list("aabbab")), "E403", 3, ("int", "str")),
    (65, "nothing but singletons", lambda: npz(labels=range(6)), "E406", 3, ("none of 6 queries",)),
    (67, "no label in the gallery", lambda: gallery(GOOD + 1, [1] * 6), "E406", 3, ("none of 6 queries",)),
    (71, "an id used twice", lambda: npz(ids=list("abcdea")), "E407", 3, ("'a' in rows 0, 5 of ", "bad.npz")),
    (71, "an id without a value", lambda: parquet(id=["a", "b", None, "d", "e", "f"]), "E402", 3, ("first rows: 2",)),
    (73, "labels in two columns", lambda: label_array(np.ones((6, 2), int)), "E304", 3, ("(6, 2)", "labels.npy")),
    (
        74,
        "a category without a name",
        lambda: parquet(label=pa.array(["a", "a", None, "b", "a", "b"]).dictionary_encode()),
        "E402",
        3,
        ("first rows: 2", "bad.parquet"),
    ),
]

PARAMETERS = [
    (79, "a row beyond the end", lambda: rows([0, 6], [1, 1], [2, 2]), "E501", 2, ("anchor 6 of triplet 1", "0 to 5")),
    (79, "an unknown id", lambda: rows(["a"], ["b"], ["x"], "val.npz"), "E501", 2, ("negative 'x' of triplet 0",)),
    (80, "row -1", lambda: rows([0, 1], [1, 4], [2, -1]), "E501", 2, ("negative -1 of triplet 1",)),
    (79, "half a row", lambda: rows([0.5], [1.0], [2.0]), "E403", 3, ("anchor of rows.npz",)),
    (81, "anchor and positive alike", lambda: rows([0, 1], [1, 1], [2, 2]), "E502", 2, ("triplet 1", "--drop-deg")),
    (82, "positive and negative alike", lambda: rows([0], [1], [1]), "E502", 2, ("triplet 0",)),
    (83, "against the labels", lambda: rows([0], [2], [1], "val.csv"), "E503", 2, ("triplet 0", "'3'", "'8'")),
    (87, "a negative margin", with_options("--margin", "-0.2"), "E505", 2, ("margin=-0.2",)),
    (87, "given triplets, negative", lambda: [*sides(), "--margin", "-10"], "E505", 2, ("margin=-10",)),
    (88, "a margin of nan", with_options("--margin", "nan"), "E505", 2, ("margin=nan",)),
    (88, "given triplets, nan", lambda: [*sides(), "--margin", "nan"], "E505", 2, ("margin=nan",)),
    (89, "an infinite margin", with_options("--margin", "inf"), "E505", 2, ("margin=inf",)),
    (88, "a curve of nan", with_options("--margin-curve", "nan:1:0.1"), "E505", 2, ("nan:1:0.1", "LOW:HIGH:STEP")),
    (88, "half a curve", with_options("--margin-curve", "0:1"), "E505", 2, ("'0:1'",)),
    (88, "a curve that stands", with_options("--margin-curve", "0:1:0"), "E505", 2, ("STEP above 0",)),
    (88, "a curve backwards", with_options("--margin-curve", "1:0:0.1"), "E505", 2, ("'1:0:0.1'",)),
    (88, "a curve without end", with_options("--margin-curve", "0:inf:1"), "E505", 2, ("'0:inf:1'",)),
    (88, "a curve beyond numbers", with_options("--margin-curve", "0:1e999:1e998"), "E505", 2, ("margin",)),
    (88, "a curve too fine", with_options("--margin-curve", "0:1:0.001"), "E505", 2, ("1,001 margins", "200")),
    (94, "one side normalised", lambda: gallery(GOOD / np.linalg.norm(GOOD, axis=1)[:, None]), "E507", 3, ("unit",)),
    (95, "one file as both", gallery, "E509", 3, ("every query would find itself",)),
    (101, "an unknown metric", with_options("--metric", "recal@10"), "E510", 2, ("did you mean 'recall@k'",)),
    (101, "an unknown distance", with_options("--distance", "l2"), "E101", 2, ("'l2' is not one of", "euclidean")),
    (101, "no neighbours", with_options("--neighbors", "-1"), "E308", 2, ("neighbors=-1",)),
    (101, "no threads", with_options("--threads", "0"), "E101", 2, ("threads=0",)),
    (101, "no memory", with_options("--memory", "lots"), "E101", 2, ("'lots'", "2GiB")),
    (101, "too little memory", with_options("--memory", "1KiB"), "E802", 5, ("MiB",)),
    (101, "no groups", lambda: [*npz(), "--ignore", "group"], "E101", 2, ("--group-column", "bad.npz")),
    (101, "a gallery that is not there", with_options("--gallery-labels", "labels.txt"), "E101", 2, ("--gallery",)),
    (101, "a filter without such a test", with_options("--where", "split in ('a', 'b')"), "E101", 2, ("--where", "!=")),
    (101, "a filter with or", with_options("--where", "a = 1 or b = 2"), "E101", 2, ("--where", "'or'", "no or")),
    (
        101,
        "a bad filter of a gallery",
        with_options("--gallery", "val.npz", "--gallery-where", "split"),
        "E101",
        2,
        ("--gallery-where",),
    ),
    (101, "a filter of a gallery alone", with_options("--gallery-where", "a = 1"), "E101", 2, ("--gallery",)),
]


@pytest.mark.parametrize(
    ("make", "code", "exit_code", "words"),
    [pytest.param(*case[2:], id=f"{case[0]}: {case[1]}") for case in (*VALUES, *SHAPES, *LABELLED, *PARAMETERS)],
)
def test_bad_input_is_refused_with_its_code_and_nothing_is_touched(refused, make, code, exit_code, words):
    refused(make(), code, exit_code, *words)


ACCEPTED = [
    (7, "a zero vector as a point", lambda: npy(np.vstack([GOOD[:4], [[0, 0]], GOOD[5:]]))),
    (8, "half precision", lambda: npy(GOOD.astype(np.float16))),
    (12, "squares beyond float32", lambda: [*npy(GOOD.astype(np.float32) * np.float32(1e25)), "--allow-huge"]),
    (13, "squares below float32", lambda: npy(GOOD.astype(np.float32) * np.float32(1e-30))),
    (14, "subnormals", lambda: npy(GOOD * 1e-310)),
    (21, "small integers", lambda: npy((GOOD * 2).astype(np.int8))),
    (29, "bytes in the other order", lambda: npy(GOOD.astype(">f4"))),
    (30, "columns stored together", lambda: npy(np.asfortranarray(GOOD))),
    (39, "many coordinates", lambda: npy(np.repeat(GOOD, 1000, axis=1))),
    (45, "k beyond the gallery", lambda: [*npy(GOOD), "-k", "1", "-k", "1000"]),
    (54, "labels called NA and nan", lambda: labels("NA\nNA\nnan\nnan\nNA\nnan\n")),
    (55, "labels 007 and 7", lambda: labels("007\n007\n7\n7\n007\n7\n")),
    (56, "labels beyond 2**53", lambda: label_array(np.array([2**53, 2**53, 2**53 + 1, 2**53 + 1, 2**53, 2**53 + 1]))),
    (57, "labels beyond 2**24", lambda: label_array(np.array(LABELS) + 2**24)),
    (58, "unsigned labels", lambda: label_array(np.array(LABELS, np.uint64) + np.uint64(2**63))),
    (
        60,
        "one name in two spellings",
        lambda: labels("Zo\u00eb\nZo\u00eb\nZoe\u0308\nZoe\u0308\nZo\u00eb\nZoe\u0308\n"),
    ),
    (63, "labels that differ by a space", lambda: labels("a\na\na \na \na\na \n")),
    (76, "labels that would move the cursor", lambda: labels("\x1b[2J\n\x1b[2J\n\u202e\n\u202e\n\x1b[2J\n\u202e\n")),
]


@pytest.mark.parametrize("make", [pytest.param(case[2], id=f"{case[0]}: {case[1]}") for case in ACCEPTED])
def test_odd_input_that_is_well_defined_is_measured_exactly(run, document, make):
    """Whatever the type or the names, these are the same two classes of points, each nearest to its own."""
    arguments = make()
    printed = document(*arguments)
    assert printed["accounting"]["classes"] == 2
    assert printed["values"]["hit_rate@1"]["value"] == 1.0
    assert "\x1b" not in run(*arguments, "--no-save").stdout
