"""The one door: what data is, which options go with it, what is proposed for what is not there."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from brickwork.data import load, names, open_data
from brickwork.errors import DataError, ParameterError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """One of each kind of data."""
    (tmp_path / "table.csv").write_text(
        "x,z,y\n" + "".join(f"{row},{row % 3},{'ab'[row % 2]}\n" for row in range(20))
    )
    (tmp_path / "table.tsv").write_text(
        "x\tz\ty\n" + "".join(f"{row}\t1{row}\t{'ab'[row % 2]}\n" for row in range(20))
    )
    x, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    np.savez(tmp_path / "arrays.npz", x=x, y=y)
    (tmp_path / "arrays").mkdir()
    np.save(tmp_path / "arrays" / "x.npy", x)
    np.save(tmp_path / "arrays" / "y.npy", y)
    for name in "ab":
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("L", (4, 4), 9).save(tmp_path / "pictures" / name / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("data", "options", "shape"),
    [
        ("digits", {}, (1438, 8, 8, 1)),
        (" Iris ", {}, (120, 4)),
        ("table.csv", {"target": "y"}, (16, 2)),
        ("table.tsv", {"target": "y"}, (16, 2)),
        ("arrays.npz", {}, (16, 2)),
        ("arrays", {}, (16, 2)),
        ("arrays/x.npy", {"target": "y.npy"}, (16, 2)),
        ("pictures", {}, (6, 4, 4, 1)),
        ("./pictures", {"image_size": 2, "test_split": 0.5}, (4, 2, 2, 1)),
    ],
)
def test_every_kind(folder, data, options, shape):
    found = open_data(data, **options)
    assert found.x_train.shape == shape
    assert len(found.y_train) == shape[0] and len(found.content_hash()) == 64


def test_paths_and_what_is_open_already(folder):
    assert open_data(folder / "arrays.npz").name == "arrays"
    digits = load("digits")
    assert open_data(digits) is digits


def test_a_name_comes_before_a_folder(folder):
    (folder / "iris").mkdir()
    assert open_data("iris").title == "Iris"
    with pytest.raises(DataError, match="iris: expected a folder for each class"):
        open_data("./iris")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("dgits", "Did you mean 'digits'?"),
        ("Digit", "Did you mean 'digits'?"),
        ("tabel.csv", "Did you mean 'table.csv'?"),
        ("./tabel.csv", "Did you mean './table.csv'?"),
        ("pictures/c", ""),
        ("nothing/like/it.npz", ""),
        ("arrays/z.npy", "Did you mean 'arrays/y.npy'?"),
    ],
)
def test_what_is_not_there(folder, word, hint):
    message = f"Data is one of 'digits', .*, a folder of images, or a file of .csv, .*; there is no '{word}'"
    with pytest.raises(DataError, match=message) as raised:
        open_data(word)
    assert str(raised.value).endswith(hint or ".")


def test_an_ending_that_is_none(folder):
    (folder / "a.xlsx").write_text("")
    (folder / "a.jpg").write_text("")
    with pytest.raises(
        DataError,
        match="expected a folder of images, or a file of .csv, .*; received a file ending in '.xlsx'",
    ):
        open_data("a.xlsx")
    with pytest.raises(DataError, match="For images give the folder that holds a folder for each class."):
        open_data("a.jpg")


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (
            "digits",
            {"target": "y"},
            "the data set 'digits' takes no such option; got target='y'. Leave `target` out.",
        ),
        ("digits", {"test_split": 0.5}, "the data set 'digits' takes no such option; got test_split=0.5."),
        (
            "table.csv",
            {"target": "y", "image_size": 3},
            "the table table.csv takes 'target', 'columns', 'test_split'; got image_size=3.",
        ),
        (
            "pictures",
            {"target": "y"},
            "the folder of images pictures takes 'image_size', 'test_split'; got target='y'.",
        ),
        (
            "arrays.npz",
            {"columns": {"a": "ignored"}},
            "arrays.npz takes 'test_split'; got columns={'a': 'ignored'}.",
        ),
        (
            "digits",
            {"task": "regression"},
            "Digits, 8 x 8 pixels is data for classification; got task='regression'.",
        ),
        ("pictures", {"task": "regression"}, "pictures is data for classification; got task='regression'."),
        ("digits", {"task": "clasification"}, "Did you mean 'classification'?"),
        ("table.csv", {"target": "y", "test_split": 1.5}, "`test` must be in [0, 1); got test=1.5."),
        (
            "table.csv",
            {"target": "y", "seed": -1},
            "`seed` must be a whole number of at least 0; got seed=-1.",
        ),
    ],
)
def test_options_that_do_not_go_with_the_data(folder, data, options, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        open_data(data, **options)


def test_a_split_that_leaves_nothing(folder):
    with pytest.raises(
        DataError, match="A test share of 0.001 of 20 rows leaves 0 for test and 20 for training"
    ):
        open_data("table.csv", target="y", test_split=0.001)


def test_a_folder_that_may_not_be_read(folder):
    import os

    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (folder / "pictures" / "a").chmod(0)
    with pytest.raises(OSError, match="Cannot read"):
        open_data("pictures")


def test_all_names_are_told_in_messages():
    with pytest.raises(DataError) as raised:
        open_data("nothing at all")
    assert all(repr(name) in str(raised.value) for name in names())
