"""A data set from a table: the target, the rules for columns, the statistics, what is refused."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from brickwork.data import DataWarning, TableEncoder, open_data, read_table, tables, tabular
from brickwork.errors import DataError, ParameterError, ParameterTypeError


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def people(tmp_path):
    """60 rows: numbers, texts, both with missing cells."""
    random = np.random.default_rng(0)
    lines = ["age,city,income,bought"]
    for row in range(60):
        age = "" if row % 7 == 3 else 20 + row % 41
        city = "NA" if row % 11 == 5 else ("Bonn", "Kiel", "Ulm")[row % 3]
        lines.append(f"{age},{city},{1000 + float(random.normal()):.2f},{'yes' if row % 2 else 'no'}")
    return write(tmp_path / "people.csv", *lines)


def test_columns_become_numbers(people):
    found = open_data(people, target="bought", seed=3)
    assert repr(found) == "Dataset('people': 48 training and 12 test samples of shape (6,), 2 classes)"
    assert found.feature_names == ("age", "city=Bonn", "city=Kiel", "city=Ulm", "city=(missing)", "income")
    assert found.class_names == ("no", "yes") and found.scale is None
    assert np.bincount(found.y_train).tolist() == [24, 24] and np.bincount(found.y_test).tolist() == [6, 6]
    assert found.x_train.dtype == np.float32 and np.isfinite(found.x_train).all()
    np.testing.assert_allclose(found.x_train[:, 1:5].sum(axis=1), 1.0)
    np.testing.assert_allclose(found.x_train[:, 5].mean(), 0.0, atol=1e-6)
    np.testing.assert_allclose(found.x_train[:, 5].std(), 1.0, rtol=1e-5)
    assert found.notes == (f"The task is classification, since {people}: the target 'bought' holds text.",)
    assert found.warnings == ()


def test_statistics_are_those_of_the_training_rows(people):
    found = open_data(people, target="bought", seed=3)
    rows = [line.split(",") for line in people.read_text().splitlines()[1:]]
    split = tabular.split_rows(60, test=0.2, seed=3, labels=[row[3] == "yes" for row in rows])
    ages = [float(rows[row][0]) for row in split.train if rows[row][0]]
    column = found.preprocessing.columns[0]
    assert column.median == np.median(ages)
    assert column.mean == pytest.approx(np.mean(ages)) and column.scale == pytest.approx(np.std(ages))
    for x, numbers in ((found.x_train, split.train), (found.x_test, split.test)):
        wanted = [
            ((float(rows[row][0]) if rows[row][0] else column.median) - column.mean) / column.scale
            for row in numbers
        ]
        np.testing.assert_allclose(x[:, 0], wanted, rtol=1e-5)
        np.testing.assert_array_equal(x, found.preprocessing.encode(people)[numbers])
        assert np.array_equal(
            found.preprocessing.encode_target(people)[numbers],
            found.y_train if len(numbers) == 48 else found.y_test,
        )


def test_blocks_do_not_matter(people, monkeypatch):
    whole = open_data(people, target="bought")
    monkeypatch.setattr(tables, "BLOCK_ROWS", 7)
    parts = open_data(people, target="bought")
    np.testing.assert_allclose(whole.x_train, parts.x_train, rtol=1e-5, atol=1e-6)
    assert whole.preprocessing.feature_names == parts.preprocessing.feature_names


def test_medians_of_many_rows_are_taken_from_some(people, monkeypatch):
    exact = open_data(people, target="bought").preprocessing.columns[0]
    monkeypatch.setattr(tabular, "_MEDIAN_ROWS", 20)
    monkeypatch.setattr(tables, "BLOCK_ROWS", 7)
    sampled = open_data(people, target="bought").preprocessing.columns[0]
    assert sampled.mean == pytest.approx(exact.mean) and abs(sampled.median - exact.median) < 8


def test_from_a_frame_or_dicts(people):
    rows = [
        dict(zip(("age", "city", "income", "bought"), line.split(","), strict=True))
        for line in people.read_text().splitlines()[1:]
    ]
    found = open_data(rows, target="bought")
    np.testing.assert_array_equal(found.x_train, open_data(people, target="bought").x_train)
    assert found.name == "table"
    pandas = pytest.importorskip("pandas")
    framed = open_data(pandas.read_csv(people), target="bought")
    np.testing.assert_allclose(framed.x_train, found.x_train, rtol=1e-6)


def test_regression(people):
    found = open_data(people, target="income")
    assert found.task == "regression" and found.class_names == () and found.y_train.dtype == np.float32
    assert repr(found).endswith("of shape (7,), regression)")
    mean, scale = found.target_scaling()
    assert mean == pytest.approx(1000, abs=1) and 0.5 < scale < 1.5
    assert found.notes == (
        f"The task is regression, since {people}: the target 'income' holds numbers with fractions.",
    )


def test_the_hash_changes_with_the_data(people):
    first = open_data(people, target="bought")
    assert first.content_hash() == open_data(people, target="bought").content_hash()
    others = [
        open_data(people, target="bought", seed=1),
        open_data(people, target="bought", columns={"age": "ignored"}),
        open_data(people, target="income"),
    ]
    people.write_text(people.read_text().replace("Ulm", "Hof"))
    others.append(open_data(people, target="bought"))
    assert len({one.content_hash() for one in [first, *others]}) == 5


# -- the target -------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["bought", 4, -1, "4", "-1"])
def test_a_target_by_name_or_number(people, target):
    assert open_data(people, target=target).preprocessing.target.name == "bought"


def test_a_name_that_is_a_number_comes_first(tmp_path):
    path = write(tmp_path / "a.csv", "x,2020,1", *(f"{row},{row * 0.5},{row % 2}.5" for row in range(10)))
    assert open_data(path, target="2020").preprocessing.target.name == "2020"
    assert open_data(path, target="1").preprocessing.target.name == "1"
    assert open_data(path, target=1).preprocessing.target.name == "x"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            None,
            "expected the name of the column that is to be learned; received none. Give target "
            "(--target NAME), one of 'age', 'city', 'income', 'bought'.",
        ),
        (
            "bougth",
            "expected the target, a column named 'bougth'; its columns are 'age', 'city', 'income', "
            "'bought'. Did you mean 'bought'?",
        ),
        (0, "columns are numbered 1 … 4 (or −1, the last, … −4); the target was 0. The columns are 'age'"),
        (5, "the target was 5"),
        ("-5", "the target was -5"),
    ],
)
def test_no_such_target(people, target, message):
    with pytest.raises(DataError, match=re.escape(message)):
        open_data(people, target=target)


def test_a_target_of_the_wrong_type(people):
    with pytest.raises(
        ParameterTypeError, match="`target` must be the name of a column, or its number from 1; got 1.5"
    ):
        open_data(people, target=1.5)


def test_the_usual_name_is_proposed(tmp_path):
    with pytest.raises(DataError, match="Perhaps 'Label'?"):
        open_data(write(tmp_path / "a.csv", "a,Label", "1,2"))


@pytest.mark.parametrize("cell", ["", "NA", "?", "null", "nan"])
def test_a_missing_target_is_named_by_its_line(tmp_path, cell):
    path = write(tmp_path / "a.csv", "a,y", "1,yes", "2,no", f"3,{cell}", "4,no")
    message = f"{path}, line 4: expected the target 'y'; the cell is missing. Fill it in, or drop the row."
    with pytest.raises(DataError, match=re.escape(message)):
        open_data(path, target="y")


def test_a_target_of_infinity(tmp_path):
    path = write(tmp_path / "a.csv", "a,y", "1,0.5", "2,inf")
    with pytest.raises(DataError, match="line 3: the target 'y' must be a finite number; it is inf."):
        open_data(path, target="y")


def test_a_text_in_a_regression_is_named(tmp_path):
    path = write(tmp_path / "a.csv", "a,y", "1,0.5", "2,much", "3,1")
    message = (
        f"{path}: the target 'y' must hold numbers for regression; it holds the text 'much' in line 3. Take"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        open_data(path, target="y", task="regression")


def test_classes_that_are_numbers_are_one_however_they_are_written(tmp_path):
    path = write(
        tmp_path / "a.csv", "a,y", *(f"{row * 0.5},{('3', '3.0', '07', '7')[row % 4]}" for row in range(20))
    )
    assert open_data(path, target="y").class_names == ("3", "7")
    path.write_text(path.read_text() + "1,many\n2,many\n")
    assert open_data(path, target="y").class_names == ("3", "7", "many")


def test_texts_from_a_later_block(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BLOCK_ROWS", 3)
    cells = ["1.0", "2", "1", "2.0", "x", "x", "1"]
    path = write(tmp_path / "a.csv", "a,y", *(f"{row * 0.5},{cell}" for row, cell in enumerate(cells)))
    assert open_data(path, target="y").class_names == ("1", "2", "x")


def test_decimal_commas(tmp_path):
    path = write(tmp_path / "a.csv", "a;b;y", *(f"{row},5;{row % 3};{row % 4},25" for row in range(20)))
    found = open_data(path, target="y")
    assert found.task == "regression" and set(found.y_train) <= {0.25, 1.25, 2.25, 3.25}
    assert found.preprocessing.columns[0].decimal == ","
    x = found.preprocessing.encode([{"a": "10,5", "b": 1}])
    assert np.array_equal(x, found.preprocessing.encode(path)[10:11])


def test_one_class_and_rare_classes(tmp_path):
    path = write(tmp_path / "a.csv", "a,y", *(f"{row},no" for row in range(10)))
    with pytest.raises(DataError, match="the target 'y' must hold at least 2 classes; every row is 'no'."):
        open_data(path, target="y")
    path.write_text(path.read_text() + "9,yes\n")
    with pytest.raises(
        DataError, match="at least 2 rows of every class; class 'yes' has 1. Add rows of it, drop or"
    ):
        open_data(path, target="y")
    assert len(open_data(path, target="y", test_split=0).x_test) == 0


# -- the columns ------------------------------------------------------------------------------------


def table(tmp_path, rows=40, **columns):
    """A CSV in which each column is a function of the row."""
    columns = {"x": lambda row: row * 0.5, **columns, "y": lambda row: "ab"[row % 2]}
    lines = [",".join(str(cell(row)) for cell in columns.values()) for row in range(rows)]
    return write(tmp_path / "a.csv", ",".join(columns), *lines)


@pytest.mark.parametrize(
    ("name", "cell", "reason"),
    [
        ("c", lambda row: 7, "it has one value, 7"),
        ("c", lambda row: "red", "it has one value, 'red'"),
        ("c", lambda row: "", "every cell is missing"),
        ("c", lambda row: f"person {row}", "its text is another in every row, as a name or an identifier is"),
        ("id", lambda row: row, "it numbers the rows"),
        ("Unnamed: 0", lambda row: row + 1, "it numbers the rows"),
        ("", lambda row: row, "it numbers the rows"),
    ],
)
def test_columns_that_tell_nothing_are_left_out_with_a_warning(tmp_path, name, cell, reason):
    path = table(tmp_path, **{name: cell})
    name = name or "column_2"
    message = f"{path}: column {name!r} is left out: {reason}."
    with pytest.warns(DataWarning, match=re.escape(message)):
        found = open_data(path, target="y")
    assert found.feature_names == ("x",)
    assert found.preprocessing.left_out == ((name, reason),)
    told = []
    open_data(path, target="y", report=told.append)
    assert message in told


@pytest.mark.parametrize(
    "cell",
    [
        lambda row: row,  # a day, a year: no name of an identifier
        lambda row: 5 if row else 6,
        lambda row: "" if row % 2 else "x",
        lambda row: f"group {row // 3}",
    ],
)
def test_columns_that_stay(tmp_path, cell):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "day" in {
            name.partition("=")[0] for name in open_data(table(tmp_path, day=cell), target="y").feature_names
        }


def test_mostly_different_texts(tmp_path):
    path = table(tmp_path, rows=120, note=lambda row: f"note {row - row % 10 // 9}")
    found = open_data(path, target="y", report=print)
    assert "most of its texts are different (108 in 120 rows)" in found.warnings[0]


def test_many_categories_share_one(tmp_path):
    path = table(tmp_path, rows=600, town=lambda row: f"t{row % 120 if row < 240 else row % 90:03}")
    found = open_data(path, target="y")
    names = [name for name in found.feature_names if name.startswith("town=")]
    assert len(names) == 101 and names[-1] == "town=(other)"
    x = found.preprocessing.encode([{"x": 1, "town": "t001"}, {"x": 1, "town": "never seen"}])
    assert x[0, 2] == 1 and x[1, -1] == 1 and x[1, 1:].sum() == 1


def test_too_many_texts_to_be_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("brickwork.data.facts._MOST_COUNTED", 20)
    monkeypatch.setattr(tables, "BLOCK_ROWS", 16)
    path = table(tmp_path, rows=80, town=lambda row: "" if row % 5 == 0 else f"t{row // 2}")
    found = open_data(path, target="y", report=print)
    assert found.warnings == (f"{path}: column 'town' is left out: it holds more than 20 different texts.",)


def test_the_rules_can_be_overruled(tmp_path):
    path = table(tmp_path, code=lambda row: row % 3, name=lambda row: f"p{row}")
    kinds = {"code": "categorical", "name": "ignored"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = open_data(path, target="y", columns=kinds)
    assert found.feature_names == ("x", "code=0", "code=1", "code=2")
    assert found.preprocessing.left_out == (("name", "it is not asked for"),)
    with pytest.raises(
        ParameterError, match="one of 'numeric', 'categorical', 'ignored'; got 'numerical' for 'code'"
    ):
        open_data(path, target="y", columns={"code": "numerical"})
    with pytest.raises(DataError, match="expected a column named 'cod'.*Did you mean 'code'"):
        open_data(path, target="y", columns={"cod": "numeric"})
    message = f"{path}, line 2, column 'name': expected a number; received 'p0'. Correct the cell, or take"
    with pytest.raises(DataError, match=re.escape(message)):
        open_data(path, target="y", columns={"name": "numeric"})


def test_a_column_of_nothing_is_no_number(tmp_path):
    with pytest.raises(DataError, match="column 'c' is to be numeric; every cell of it is missing. Drop it."):
        open_data(table(tmp_path, c=lambda row: ""), target="y", columns={"c": "numeric"})


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999", "1e39"])
def test_an_infinite_number_is_named(tmp_path, cell):
    path = table(tmp_path, c=lambda row: cell if row == 5 else row)
    message = f"{path}, line 7, the number "
    with pytest.raises(
        DataError, match=re.escape(message) + ".* in column 'c': expected finite numbers of at most"
    ):
        open_data(path, target="y")


def test_nothing_to_learn_from(tmp_path):
    path = write(tmp_path / "a.csv", "y", *("ab" * 5))
    with pytest.raises(
        DataError, match="expected columns to learn 'y' from; none is left: it is the only one. Add"
    ):
        open_data(path, target="y")
    path = write(tmp_path / "b.csv", "c,y", *(f"1,{letter}" for letter in "ab" * 5))
    with pytest.raises(
        DataError, match="none is left: 'c': it has one value, 1. Add columns, or say what they are"
    ):
        open_data(path, target="y")


def test_a_header_alone(tmp_path):
    with pytest.raises(
        DataError, match="expected rows beneath the header; there are none. Is it the right file?"
    ):
        open_data(write(tmp_path / "a.csv", "a,b"), target="b")


def test_a_ragged_line_far_below(tmp_path):
    path = table(tmp_path, rows=300)
    path.write_text(path.read_text() + "1\n")
    with pytest.raises(
        DataError, match="a.csv, line 302: expected 2 cells, as many as there are columns; received 1"
    ):
        open_data(path, target="y")


def test_without_a_header_it_is_told(tmp_path):
    path = write(tmp_path / "a.csv", *(f"{row},{row % 2}" for row in range(20)))
    found = open_data(path, target=2)
    assert found.feature_names == ("column_1",)
    assert "its first line is read as data, since it holds numbers; columns are column_1, …" in found.notes[1]


def test_small_deviations_of_large_numbers(tmp_path):
    path = table(tmp_path, time=lambda row: 1_700_000_000 + row % 10)
    found = open_data(path, target="y", test_split=0)
    np.testing.assert_allclose(found.x_train[:, 1].std(), 1.0, rtol=1e-4)
    assert len(np.unique(found.x_train[:, 1])) == 10


def test_memory_stays_bounded(tmp_path, monkeypatch):
    """No more than a block of texts is alive, however long the file is."""
    import tracemalloc

    peaks = []
    for rows in (5_000, 40_000):
        path = table(tmp_path, rows=rows, a=lambda row: row % 91, b=lambda row: f"word {row % 17}")
        tracemalloc.start()
        found = read_table(path, target="y")
        peaks.append(tracemalloc.get_traced_memory()[1] - found.x_train.nbytes - found.x_test.nbytes)
        tracemalloc.stop()
    # 35,000 more rows of 3 texts would be 8 MB and more; some numbers of 8 bytes are kept for each
    assert peaks[1] - peaks[0] < 35_000 * 150


def test_the_encoder_reads_back(people):
    import json

    found = open_data(people, target="bought")
    config = json.loads(json.dumps(found.preprocessing.get_config()))
    again = TableEncoder.from_config(config)
    assert again == found.preprocessing
    np.testing.assert_array_equal(again.encode(people), found.preprocessing.encode(people))
