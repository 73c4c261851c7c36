"""Further columns of a set: a mapping or a table, of one value per row, or nothing at all."""

import numpy as np
import pyarrow as pa
import pytest

import tripleteval as te

LABELS = [0, 0, 1, 1]
YEARS = [2019, 2020, 2019, 2020]


class Frame:
    """As much of a data frame as counts: it can be taken from by rows, and has columns by name."""

    def keys(self):
        return ["year"]

    def __getitem__(self, name):
        return {"year": YEARS}[name]

    def take(self, rows):
        raise AssertionError(rows)


@pytest.mark.parametrize(
    "meta", [pa.table({"year": YEARS}), pa.record_batch({"year": YEARS}), Frame(), {"year": np.array(YEARS)}]
)
def test_a_table_is_its_columns_by_name(meta):
    found = te.Embeddings(np.arange(8.0).reshape(4, 2), LABELS, meta=meta)
    assert list(found.meta) == ["year"]
    assert list(map(int, map(str, found.take(np.array([3, 0])).meta["year"]))) == [2020, 2019]
    with pytest.raises(te.ParameterError, match="E101 no column 'yaer' .*did you mean 'year'"):
        te.evaluate(found, by="yaer", kernel="reference", verification=False)


@pytest.mark.parametrize("meta", ["year", [YEARS], 3])
def test_what_has_no_columns_by_name_is_refused(meta):
    with pytest.raises(te.ParameterError, match=f"E101 meta of type {type(meta).__name__}"):
        te.Embeddings(np.eye(4), LABELS, meta=meta)


@pytest.mark.parametrize("year", [2019, YEARS[:1], pa.array(YEARS[:1])])
def test_a_single_value_is_no_column(year):
    with pytest.raises(te.LabelError, match="E401 1 value of column 'year' for 4 vectors"):
        te.Embeddings(np.eye(4), LABELS, meta={"year": year})
    with pytest.raises(te.LabelError, match="E401 3 values of column 'year' for 4 vectors"):
        te.Embeddings(np.eye(4), LABELS, meta=pa.table({"year": YEARS[:3]}))
