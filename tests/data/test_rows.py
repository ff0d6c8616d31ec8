"""Rows that are read when they are asked for: like the array they look at, and never whole in memory."""

from __future__ import annotations

import re

import hypothesis.extra.numpy as arrays_of
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickwork.data import rows as rows_module
from brickwork.data.rows import LazyRows, Rows, take_rows
from brickwork.data.source import ArraySource
from brickwork.errors import DataError, ShapeError

BASE = np.arange(24, dtype=np.float32).reshape(6, 2, 2)


@pytest.fixture
def mapped(tmp_path):
    """The same numbers in a file."""
    np.save(tmp_path / "x.npy", BASE)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


class Growing:
    """Gives rows as h5py does: by slices, or by row numbers that grow."""

    shape, dtype = BASE.shape, BASE.dtype

    def __len__(self):
        return len(BASE)

    def __getitem__(self, key):
        if not isinstance(key, slice):
            assert np.all(np.diff(key) > 0)
        return BASE[key]


def test_it_looks_like_an_array():
    rows = Rows(BASE, [5, 0, 3])
    assert (rows.shape, rows.dtype, rows.ndim, rows.size, rows.nbytes) == ((3, 2, 2), np.float32, 3, 12, 48)
    assert len(rows) == 3
    assert repr(rows) == "Rows(shape=(3, 2, 2), dtype=float32)"
    np.testing.assert_array_equal(np.asarray(rows), BASE[[5, 0, 3]])
    assert np.asarray(rows, np.float64).dtype == np.float64


KEYS = st.one_of(
    st.integers(-4, 3),
    st.slices(4),
    st.lists(st.integers(-4, 3), max_size=6).map(lambda numbers: np.array(numbers, np.int64)),
    arrays_of.arrays(bool, 4),
    st.tuples(st.slices(4), st.integers(0, 1)),
    st.tuples(st.integers(0, 3), st.just(slice(None)), st.integers(0, 1)),
    st.just(Ellipsis),
    st.just((Ellipsis, 0)),
    st.just((slice(None), 1, 1)),
    st.just((slice(1, 3), Ellipsis)),
)


@given(KEYS, st.sampled_from(["memory", "mapped", "growing"]))
def test_it_gives_what_the_array_would_give(tmp_path_factory, key, kind):
    index = [4, 1, 1, 5]
    base = BASE
    if kind == "mapped":
        path = tmp_path_factory.getbasetemp() / "given.npy"
        np.save(path, BASE)
        base = np.load(path, mmap_mode="r")
    rows = Rows(Growing() if kind == "growing" else base, index)
    found, wanted = rows[key], BASE[index][key]
    np.testing.assert_array_equal(found, wanted)
    assert type(found) is np.ndarray


def test_rows_of_rows_look_at_the_array_itself(mapped):
    rows = Rows(Rows(mapped, slice(1, 6, 2)), [2, 0]).select([True, False])
    assert rows.base is mapped and rows.index.tolist() == [5]
    np.testing.assert_array_equal(rows[:], BASE[[5]])


def test_another_shape_of_each_row(mapped):
    rows = Rows(mapped, [3, 2])
    np.testing.assert_array_equal(rows.reshape(2, 4)[:], BASE[[3, 2]].reshape(2, 4))
    np.testing.assert_array_equal(rows.reshape((-1, 2, 2, 1)).select([1])[0], BASE[2][..., None])
    assert rows.reshape(2, -1).shape == (2, 4)
    message = (
        "Rows of shape (2, 2, 2) can be reshaped within a row only; received (8,). Keep the first axis 2 and "
    )
    with pytest.raises(ShapeError, match=re.escape(message) + "4 numbers in each row"):
        rows.reshape(8)


def test_rows_that_do_not_exist():
    rows = Rows(BASE)
    with pytest.raises(IndexError, match=r"row 6 of 6; rows are numbered 0 … 5"):
        rows[6]
    with pytest.raises(IndexError, match="a mask of 2 for 6 rows"):
        rows[[True, False]]
    with pytest.raises(IndexError, match="whole numbers, a slice or a mask; received float64"):
        rows[[0.5]]
    assert [row.tolist() for row in Rows(BASE, [1])] == [BASE[1].tolist()]  # iteration ends


def test_a_large_file_is_never_copied_whole(mapped, monkeypatch):
    monkeypatch.setattr(rows_module, "LARGEST_COPY", 10)
    message = "These rows, shape (6, 2, 2), are 0.0 GiB on the disk, and one array of them would have to fit"
    with pytest.raises(DataError, match=re.escape(message)):
        np.asarray(Rows(mapped))


def test_small_arrays_are_copied_and_large_ones_are_looked_at(monkeypatch):
    assert type(take_rows(BASE, [1])) is np.ndarray
    monkeypatch.setattr(rows_module, "COPIED_BELOW", 10)
    assert isinstance(take_rows(BASE, [1]), Rows)
    assert isinstance(take_rows(Rows(BASE), [1]), Rows)


def test_a_source_of_lazy_rows(mapped):
    labels = np.arange(6)
    source = ArraySource(
        {"x": Rows(mapped, [5, 4, 3, 2, 1, 0]), "y": labels, "w": None}, dict.fromkeys("xyw", "float32")
    )
    batch = source.gather(np.array([0, 2]))
    np.testing.assert_array_equal(batch["x"], BASE[[5, 3]])
    assert batch["y"].tolist() == [0, 2] and batch["w"].tolist() == [1, 1]
    part = source.slice(4, 6)
    assert isinstance(part.arrays["x"], LazyRows) and len(part) == 2
    np.testing.assert_array_equal(part.gather(slice(0, 2))["x"], BASE[[1, 0]])
