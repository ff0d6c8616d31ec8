"""The hash by which data are known again, and what a regression is scaled by."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest

from brickwork.data import Rows, TableEncoder, load, open_data
from brickwork.data import dataset as dataset_module
from brickwork.data import rows as rows_module
from brickwork.data.columns import NumericColumn

IRIS = load("iris")


def changed(**fields):
    return dataclasses.replace(IRIS, **fields)


def flipped(array, place):
    array = array.copy()
    array[place] += 1
    return array


def encoder(median):
    return TableEncoder((NumericColumn("a", median, 0.0, 1.0),))


CHANGES = {
    "a number": lambda: changed(x_train=flipped(IRIS.x_train, (119, 3))),
    "a test number": lambda: changed(x_test=flipped(IRIS.x_test, (0, 0))),
    "a label": lambda: changed(y_train=flipped(IRIS.y_train, 5)),
    "the order": lambda: changed(x_train=IRIS.x_train[::-1]),
    "the type": lambda: changed(x_train=IRIS.x_train.astype(np.float64)),
    "the shape": lambda: changed(x_train=IRIS.x_train.reshape(240, 2)),
    "the classes": lambda: changed(class_names=("a", "b", "c")),
    "the columns": lambda: changed(feature_names=("a", "b", "c", "d")),
    "the task": lambda: changed(task="regression"),
    "the encoder": lambda: changed(preprocessing=encoder(1.0)),
}


def test_every_change_changes_the_hash():
    hashes = {name: change().content_hash() for name, change in CHANGES.items()}
    hashes["none"] = IRIS.content_hash()
    hashes["another median"] = changed(preprocessing=encoder(2.0)).content_hash()
    assert len(set(hashes.values())) == len(hashes)


def test_what_does_not_matter_does_not_change_it():
    same = changed(
        title="other", notes=("a note",), origin="elsewhere", source="", x_train=Rows(IRIS.x_train)
    )
    assert same.content_hash() == IRIS.content_hash()
    strided = np.repeat(IRIS.x_train, 2, axis=0)[::2]
    assert changed(x_train=strided).content_hash() == IRIS.content_hash()


@pytest.fixture
def large(tmp_path, monkeypatch):
    """The hash of an array of 2,000 rows that counts as large."""
    for module, name in ((dataset_module, "_WHOLE"), (rows_module, "COPIED_BELOW")):
        monkeypatch.setattr(module, name, 1000)
    monkeypatch.setattr("brickwork.data.array_files.COPIED_BELOW", 1000)
    monkeypatch.setattr(dataset_module, "_SAMPLE_BYTES", 64)
    np.save(tmp_path / "y.npy", np.arange(2000) % 2)

    def opened(x, time=1, **options):
        np.save(tmp_path / "x.npy", x)
        os.utime(tmp_path / "x.npy", ns=(time, time))
        found = open_data(tmp_path, **options)
        assert isinstance(found.x_train, Rows)
        return found.content_hash()

    return opened


def test_large_data_are_known_by_samples_and_by_their_files(large):
    x = np.random.default_rng(0).normal(size=(2000, 16)).astype(np.float32)
    first = large(x)
    assert large(x) == first
    others = [large(x, time=2), large(x + 1), large(x, seed=1), large(x[:, ::-1].copy())]
    assert len({first, *others}) == 5


def test_scaling_of_targets():
    one = changed(y_train=np.array([1.0, 3.0], np.float32))
    assert one.target_scaling() == (2.0, 1.0)
    several = changed(y_train=np.array([[1.0, 5.0], [3.0, 5.0]], np.float32))
    assert several.target_scaling() == ([2.0, 5.0], [1.0, 1.0])  # what never changes keeps its unit


def test_rows_in_another_order_are_other_data(monkeypatch):
    """Though no block that is read shows it."""
    monkeypatch.setattr(dataset_module, "_WHOLE", 1000)
    monkeypatch.setattr(dataset_module, "_SAMPLE_BYTES", 4)
    x = np.zeros((4000, 1), np.float32)
    order = np.arange(4000)
    swapped = order.copy()
    swapped[[10, 11]] = [11, 10]
    hashes = {changed(x_train=Rows(x, rows)).content_hash() for rows in (order, swapped)}
    assert len(hashes) == 2
