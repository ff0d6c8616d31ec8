"""The same table from wherever it comes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from brickwork.data import tables
from brickwork.data.tables import as_table, cell_text
from brickwork.errors import DataError, FormatError

ROWS = [{"age": 31, "name": "Ann", "member": True}, {"age": None, "name": None, "member": False}]


def content(table):
    """column -> texts, and the places of the rows."""
    found = {name: [] for name in table.columns}
    places = []
    for block in table.blocks():
        for name, cells in block.cells.items():
            found[name] += [
                cell_text(cell) for cell in (cells.tolist() if isinstance(cells, np.ndarray) else cells)
            ]
        places += [block.place(row) for row in range(block.count)]
    return found, places


def test_dicts():
    found, places = content(as_table(ROWS))
    assert found == {"age": ["31", ""], "name": ["Ann", ""], "member": ["1", "0"]}
    assert places == ["row 0", "row 1"]
    assert content(as_table(ROWS[0]))[1] == ["row 0"]


def test_rows():
    for rows in (
        [[31, "Ann"], [None, ""]],
        [(31.0, "Ann"), (np.nan, None)],
        np.array([[31, "Ann"], [None, ""]], object),
    ):
        assert content(as_table(rows, ["age", "name"]))[0] == {"age": ["31", ""], "name": ["Ann", ""]}
    table = as_table(np.array([[1, 2.5], [3, np.nan]]))
    assert content(table)[0] == {"column_1": ["1", "3"], "column_2": ["2.5", ""]}


def test_csv(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BLOCK_ROWS", 2)
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "".join(f"{number},x{number}\n" for number in range(5)))
    table = as_table(path)
    found, places = content(table)
    assert found == {"a": list("01234"), "b": [f"x{number}" for number in range(5)]}
    assert places == [f"line {number}" for number in range(2, 7)]
    assert [block.first for block in table.blocks(["b"])] == [0, 1, 3]
    assert [list(block.cells) for block in table.blocks(["b"])] == [["b"]] * 3


class Series:
    """As much of pandas.Series as is used."""

    def __init__(self, values, dtype):
        self.values = np.array(values, dtype)
        self.dtype = self.values.dtype

    def to_numpy(self, dtype=None, na_value=None):
        return self.values.astype(dtype)

    def tolist(self):
        return self.values.tolist()

    def isna(self):
        return Series([value is None for value in self.values], bool)


class Frame:
    """As much of pandas.DataFrame as is used."""

    def __init__(self, **columns):
        self.columns = list(columns)
        series = list(columns.values())
        self.iloc = type("Iloc", (), {"__getitem__": lambda _, key: series[key[1]]})()


def test_a_frame():
    frame = Frame(
        age=Series([31, np.nan], float), name=Series(["Ann", None], object), member=Series([1, 0], bool)
    )
    assert content(as_table(frame))[0] == {"age": ["31", ""], "name": ["Ann", ""], "member": ["1", "0"]}


def test_a_frame_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "age": pandas.array([31, None], dtype="Int64"),
            "name": pandas.Categorical(["Ann", None]),
            "text": pandas.array(["x", None], dtype="string"),
            "day": pandas.to_datetime(["2020-01-02", None]),
            "member": [True, False],
            3: [0.5, np.nan],
        }
    )
    assert content(as_table(frame))[0] == {
        "age": ["31", ""],
        "name": ["Ann", ""],
        "text": ["x", ""],
        "day": ["2020-01-02 00:00:00", ""],
        "member": ["1", "0"],
        "3": ["0.5", ""],
    }
    twice = pandas.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(
        DataError, match="A frame needs a name of its own for each column; 'a' is there twice"
    ):
        as_table(twice)


@pytest.mark.parametrize(
    ("data", "columns", "message"),
    [
        (
            3,
            None,
            "A table is a path of .csv or .parquet, a pandas frame, a list of dicts, or rows; received int.",
        ),
        ([{"a": 1}, {"b": 1}], None, "Every row of a list of dicts needs the same keys; row 1 has "),
        ([{"age": 1}, {"aeg": 1}], None, "Did you mean"),
        ([[1, 2], [3]], None, "Row 1 needs 2 cells; received 1 cells. Complete the row."),
        ([1, 2], ["a"], "Row 0 needs 1 cells; received 1. Complete the row."),
        ([[1, 2]], ["a"], "Row 0 needs 1 cells; received 2 cells."),
        (
            np.zeros((2, 3)),
            ["a", "b"],
            "Rows need a cell for each of 2 columns, 'a', 'b'; received 3 cells in a row.",
        ),
        (["ab"], ["a"], "Row 0 needs 1 cells; received 'ab'"),
    ],
)
def test_what_is_no_table(data, columns, message):
    with pytest.raises(DataError, match=re.escape(message)):
        as_table(data, columns)


# -- Parquet ----------------------------------------------------------------------------------------


@pytest.fixture
def arrow():
    pytest.importorskip("pyarrow")
    import pyarrow
    import pyarrow.parquet

    return pyarrow


def test_parquet(tmp_path, arrow, monkeypatch):
    monkeypatch.setattr("brickwork.data.parquet.BLOCK_ROWS", 2)
    table = arrow.table(
        {
            "age": arrow.array([31, None, 3], arrow.int32()),
            "price": arrow.array([0.5, None, float("nan")]),
            "name": ["Ann", None, "Bob"],
            "kind": arrow.array(["a", "b", "a"]).dictionary_encode(),
            "member": [True, None, False],
            "lists": [[1], [2], [3]],
        }
    )
    arrow.parquet.write_table(table, tmp_path / "a.parquet")
    found = as_table(tmp_path / "a.parquet")
    assert found.skipped == ("lists",)
    cells, places = content(found)
    assert cells == {
        "age": ["31", "", "3"],
        "price": ["0.5", "", ""],
        "name": ["Ann", "", "Bob"],
        "kind": ["a", "b", "a"],
        "member": ["1", "", "0"],
    }
    assert places == ["row 0", "row 1", "row 2"]


@pytest.mark.parametrize("content", [b"", b"PAR1" * 10, None])
def test_damaged_parquet(tmp_path, arrow, content):
    if content is None:
        arrow.parquet.write_table(arrow.table({"a": list(range(100))}), tmp_path / "b.parquet")
        content = (tmp_path / "b.parquet").read_bytes()[:-40]
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(
        FormatError, match="expected a whole Parquet file; received one that is foreign, truncated"
    ):
        as_table(tmp_path / "a.parquet")


def test_without_pyarrow(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    message = (
        "reading Parquet needs pyarrow, which is not installed. Install it: pip install 'brickwork[parquet]'"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        as_table(tmp_path / "a.parquet")
