"""The encoder of a table: numbers by hand, configurations, rows it was not made for."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest

from brickwork.data import TableEncoder
from brickwork.data.columns import CategoricalColumn, NumericColumn, TargetColumn
from brickwork.errors import DataError, FormatError, ParameterError

ENCODER = TableEncoder(
    (
        NumericColumn("age", median=40.0, mean=30.0, scale=10.0),
        CategoricalColumn("color", ("blue", "red"), most_frequent="red"),
        CategoricalColumn("size", ("L", "S"), most_frequent="S", missing=True, other=True),
    ),
    TargetColumn("kind", "classification", ("cat", "dog")),
    (("id", "it numbers the rows"),),
)


def row(**cells):
    return {"age": 30, "color": "blue", "size": "S", **cells}


def test_by_hand():
    assert ENCODER.feature_names == (
        "age", "color=blue", "color=red", "size=L", "size=S", "size=(missing)", "size=(other)",
    )  # fmt: skip
    assert ENCODER.column_names == ("age", "color", "size")
    for cells, wanted in [
        (row(), [0, 1, 0, 0, 1, 0, 0]),
        (row(age="50"), [2, 1, 0, 0, 1, 0, 0]),
        (row(age=None), [1, 1, 0, 0, 1, 0, 0]),
        (row(color="NA"), [0, 0, 1, 0, 1, 0, 0]),
        (row(size="?"), [0, 1, 0, 0, 0, 1, 0]),
        (row(size="XXL"), [0, 1, 0, 0, 0, 0, 1]),
    ]:
        found = ENCODER.encode([cells])
        assert found.dtype == np.float32 and found.tolist() == [wanted]
    assert ENCODER.encode([[30, "blue", "S"]]).tolist() == [[0, 1, 0, 0, 1, 0, 0]]
    assert ENCODER.encode(row()).shape == (1, 7)


def test_other_columns_and_orders_do_not_matter(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("size;kind;extra;color;age\nS;cat;1;blue;30\n;bird;2;red;\n")
    assert ENCODER.encode(path).tolist() == [[0, 1, 0, 0, 1, 0, 0], [1, 0, 1, 0, 0, 1, 0]]


def test_unknown_categories(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("age,color,size\n30,blue,S\n31,bleu,S\n")
    message = (
        f"{path}, line 3, column 'color': 'bleu' is not one of the 2 categories seen in training, 'blue', "
        "'red'. Did you mean 'blue'? Correct the cell, leave it empty, or ask for unknown categories to be "
        "ignored."
    )
    with pytest.raises(DataError, match=re.escape(message)):
        ENCODER.encode(path)
    assert ENCODER.encode(path, unknown="ignore")[1].tolist() == pytest.approx([0.1, 0, 0, 0, 1, 0, 0])
    with pytest.raises(ParameterError, match="encode: `unknown` must be one of 'error', 'ignore'"):
        ENCODER.encode(path, unknown="skip")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            row(age="old"),
            "row 0, column 'age': expected a number, as in training; received 'old'. Correct the cell",
        ),
        (
            row(age="1e40"),
            "column 'age': expected a finite number of the size seen in training; received 1e+40",
        ),
        (row(age="inf"), "received inf"),
        (
            {"age": 3, "colour": "red", "size": "S"},
            "a column, as in training, named 'color'; its columns are 'age'",
        ),
        (
            {"age": 3, "color": "red"},
            "named 'size'; its columns are 'age', 'color'. Add it, its cells may be empty; or train without "
            "it: --column size=ignored.",
        ),
    ],
)
def test_cells_that_cannot_be_encoded(cells, message):
    with pytest.raises(DataError, match=re.escape(message)):
        ENCODER.encode([cells])


def test_no_rows(tmp_path):
    (tmp_path / "a.csv").write_text("age,color,size,kind\n")
    for encode in (ENCODER.encode, ENCODER.encode_target):
        with pytest.raises(DataError, match="expected rows; there are none. Is it the right file?"):
            encode(tmp_path / "a.csv")


def test_targets():
    rows = [row(kind="dog"), row(kind="cat")]
    assert ENCODER.encode_target(rows).tolist() == [1, 0]
    message = (
        "the rows, row 1: target 'dgo' is not one of the 2 classes seen in training, 'cat', 'dog'. "
        "Did you mean 'dog'?"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        ENCODER.encode_target([rows[0], row(kind="dgo")])
    with pytest.raises(DataError, match="row 0: expected the target 'kind'; the cell is missing."):
        ENCODER.encode_target([row(kind=None)])
    with pytest.raises(DataError, match="expected the target, a column named 'kind'"):
        ENCODER.encode_target([row()])
    with pytest.raises(DataError, match="This encoder was made without a target"):
        TableEncoder(ENCODER.columns).encode_target([row()])


def test_targets_that_are_numbers():
    encoder = TableEncoder(ENCODER.columns, TargetColumn("y", "regression"))
    found = encoder.encode_target([row(y="1.5"), row(y=-2)])
    assert found.dtype == np.float32 and found.tolist() == [1.5, -2.0]
    for cell, told in (("x", "'x'"), ("inf", "'inf'"), (None, "'missing'"), (1e39, "'1e+39'")):
        with pytest.raises(
            DataError, match=re.escape(f"the target 'y' must be a finite number; it is {told}.")
        ):
            encoder.encode_target([row(y=cell)])
    numbers = TableEncoder(ENCODER.columns, TargetColumn("y", "classification", ("3", "7")))
    assert numbers.encode_target([row(y="7.0"), row(y=3), row(y="07")]).tolist() == [1, 0, 1]


def test_the_lines_of_a_summary():
    assert ENCODER.describe() == [
        "age: number, (x - 30) / 10; missing cells become 40",
        "color: 2 categories, 'blue', 'red'; missing cells become 'red'",
        "size: 2 categories, 'L', 'S'; rarer ones share one; missing cells become a category of their own",
        "id: left out, since it numbers the rows",
        "kind: target, 2 classes, 'cat', 'dog'",
    ]


def test_configuration():
    config = ENCODER.get_config()
    assert TableEncoder.from_config(config) == ENCODER
    assert TableEncoder.from_config(TableEncoder(ENCODER.columns).get_config()).target is None
    newer = {**config, "version": 2}
    with pytest.raises(
        FormatError, match="known up to version 1; received version 2. Install a newer Brickwork."
    ):
        TableEncoder.from_config(newer)


def changed(change):
    config = copy.deepcopy(ENCODER.get_config())
    change(config)
    return config


@pytest.mark.parametrize(
    "config",
    [
        {},
        [],
        None,
        changed(lambda config: config.pop("columns")),
        changed(lambda config: config["columns"][0].pop("mean")),
        changed(lambda config: config["columns"][0].update(scale=0.0)),
        changed(lambda config: config["columns"][0].update(mean=float("nan"))),
        changed(lambda config: config["columns"][0].update(mean="much")),
        changed(lambda config: config["columns"][0].update(kind="odd")),
        changed(lambda config: config["columns"][1].update(more=1)),
        changed(lambda config: config["columns"][1].update(categories=3)),
        changed(lambda config: config["target"].update(task="odd")),
        changed(lambda config: config.update(left_out=[["a"]])),
    ],
)
def test_a_configuration_of_something_else(config):
    with pytest.raises(
        FormatError, match="Expected the preprocessing of a table, as TableEncoder.get_config tells it"
    ):
        TableEncoder.from_config(config)
