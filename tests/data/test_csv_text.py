"""CSV files as people have them."""

from __future__ import annotations

import re

import pytest

from brickwork.data.cells import is_missing, is_number, number_text, to_number, to_numbers
from brickwork.data.csv_text import open_csv
from brickwork.errors import DataError, FormatError, ParameterError
from brickwork.files import FileError


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def records(file, size=4):
    """(line, cells) of every row."""
    return [
        (int(line), row) for lines, rows in file.chunks(size) for line, row in zip(lines, rows, strict=True)
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiters_line_ends_and_encodings(tmp_path, delimiter, newline, encoding):
    rows = [["age", "name"], ["31", "Köln"], ["", f'"a {delimiter} ""b"""']]
    text = newline.join(delimiter.join(row) for row in rows) + newline
    file = open_csv(write(tmp_path / "a.csv", text, encoding))
    assert (file.delimiter, file.columns) == (delimiter, ("age", "name"))
    assert records(file) == [(2, ["31", "Köln"]), (3, ["", f'a {delimiter} "b"'])]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("1,5;2,5\n3,5;4,5\n", ";"),
        ("a,b\n1;2,3\n4;5,6\n", ","),
        ("name,text\nx,a;b\ny,c\n", ","),
        ("a\n1\n2\n", ","),
        ("a\tb\n1,2\t3\n", "\t"),
        ("a,b\n1,2\n3\n4,5\n", ","),  # a ragged line does not hide it
    ],
)
def test_the_delimiter_gives_equal_rows(tmp_path, text, delimiter):
    assert open_csv(write(tmp_path / "a.csv", text)).delimiter == delimiter


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a,b\n1,2\n", ("a", "b")),
        ("1,2\n3,4\n", ("column_1", "column_2")),
        ("cat,dog\nfish,bird\n", ("cat", "dog")),
        ("x,2019,2020\n0.5,1,2\n", ("x", "2019", "2020")),
        ("Bonn,3\nKiel,4\n", ("column_1", "column_2")),
        (",a\n0,1\n", ("column_1", "a")),
        ("a,\n1,2\n", ("a", "column_2")),
        ("a,b\n", ("a", "b")),
    ],
)
def test_the_header_is_found(tmp_path, text, columns):
    assert open_csv(write(tmp_path / "a.csv", text)).columns == columns


def test_the_user_knows_better(tmp_path):
    path = write(tmp_path / "a.csv", "Bonn,3\nKiel,4\n")
    assert open_csv(path, header=True).columns == ("Bonn", "3")
    assert open_csv(path, header=False).columns == ("column_1", "column_2")
    assert open_csv(path, delimiter="o").columns == ("B", "nn,3")
    with pytest.raises(ParameterError, match="`delimiter` must be one character; got ',,'. Write ';'"):
        open_csv(path, delimiter=",,")


def test_lines_are_those_of_the_file(tmp_path):
    file = open_csv(write(tmp_path / "a.csv", 'a,b\n\n1,"two\nlines"\n , \n3,4\n"\r\n\r",5\n6,7'))
    expected = [(3, ["1", "two\nlines"]), (6, ["3", "4"]), (7, ["\r\n\r", "5"]), (10, ["6", "7"])]
    for size in (1, 2, 3, 100):
        assert records(file, size) == expected


@pytest.mark.parametrize("kind", ["short", "long"])
def test_a_ragged_line_is_named(tmp_path, kind):
    path = write(tmp_path / "a.csv", "a,b,c\n1,2,3\n\n4,5" + (",6,7" if kind == "long" else "") + "\n")
    received = "4: '4,5,6,7'" if kind == "long" else "2: '4,5'"
    message = (
        f"{path}, line 4: expected 3 cells, as many as there are columns; received {received}. Complete the "
        "line, or put cells that hold ',' into quotes"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        records(open_csv(path))


@pytest.mark.parametrize("text", ["", "\n\n", "   \n", "\ufeff"])
def test_an_empty_file(tmp_path, text):
    with pytest.raises(
        DataError, match="expected a header and rows; the file is empty. Is it the right one?"
    ):
        open_csv(write(tmp_path / "a.csv", text))


def test_two_columns_of_one_name(tmp_path):
    with pytest.raises(
        DataError, match="line 1: expected a name of its own for each column; received 'a' 2 times"
    ):
        open_csv(write(tmp_path / "a.csv", "a,b,a\n1,2,3\n"))


def test_a_byte_that_is_no_text_is_named(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n3,K\xf6ln\n")
    message = "a.csv, line 3: expected UTF-8 text; received the byte 0xf6. Save the file as UTF-8."
    with pytest.raises(FormatError, match=re.escape(message)):
        records(open_csv(tmp_path / "a.csv"))
    (tmp_path / "b.csv").write_bytes(b"\xff\xfea\0,\0b\0\n\0\x00\xd8")
    with pytest.raises(FormatError, match="expected UTF-16 text"):
        records(open_csv(tmp_path / "b.csv"))


def test_a_quote_that_is_not_closed(tmp_path):
    path = write(tmp_path / "a.csv", 'a,b\n1,2\n3,"four\n5,6\n')
    with pytest.raises(
        FormatError, match="line 3: expected cells separated by ',', with quotes that are closed"
    ):
        records(open_csv(path))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileError, match="Cannot read .*There is no such file"):
        open_csv(tmp_path / "a.csv")


# -- cells ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["", "NA", "na", "NaN", "nan", "N/A", "null", "NULL", "?"])
def test_missing_cells(cell):
    assert is_missing(cell) and not is_number(cell)


@pytest.mark.parametrize("cell", ["none", "-", "0", "nano", "N", "??"])
def test_cells_that_say_something(cell):
    assert not is_missing(cell)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1", 1.0),
        ("-1.5e3", -1500.0),
        (".5", 0.5),
        ("+2", 2.0),
        ("1_000", None),
        ("١", None),
        ("1,5", None),
        ("0x10", None),
    ],
)
def test_numbers(cell, number):
    assert to_number(cell) == number


def test_decimal_commas():
    assert (
        to_number("1,5", ",") == 1.5 and to_number("1.5", ",") is None and to_number("1.234,5", ",") is None
    )


@pytest.mark.parametrize("rest", [[], ["NA"], [""]])
def test_a_column_of_numbers_ends_at_the_first_text(rest):
    found, stop = to_numbers(["1", "2.5", *rest])
    assert stop is None and found[:2].tolist() == [1.0, 2.5] and len(found) == 2 + len(rest)
    found, stop = to_numbers(["1", *rest, "x", "3"])
    assert stop == 1 + len(rest) and len(found) == stop


def test_numbers_as_one_writes_them():
    assert [number_text(x) for x in (3.0, 0.1, -2.5, 1e300, float("nan"))] == [
        "3",
        "0.1",
        "-2.5",
        "1e+300",
        "",
    ]
