"""Rows of mapped files: read from the file itself, or through the map with its pages given back."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import hypothesis.extra.numpy as arrays_of
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickwork.data import array_files, read_npz, rows
from brickwork.data import mapped as mapped_module
from brickwork.data.mapped import MappedRows
from brickwork.data.rows import Rows
from brickwork.errors import DataError

on_linux = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="maps are looked up in /proc")

VIEWS = {
    "all": lambda x: x,
    "later rows": lambda x: x[3:],
    "every second row": lambda x: x[::2],
    "backwards": lambda x: x[::-1],
    "some columns": lambda x: x[:, 1:3],
    "one column": lambda x: x[:, :1],
    "plain": np.asarray,
    "reshaped": lambda x: x.reshape(len(x), 2, 2),
    "axes exchanged": lambda x: x.reshape(len(x), 2, 2).swapaxes(1, 2),
    "as bytes": lambda x: x.view(np.uint8),
}


@pytest.fixture(params=["file", "map"])
def way(request, monkeypatch):
    """How rows are read: from the file, or as on systems that do not tell what is mapped."""
    if request.param == "map":
        monkeypatch.setattr(mapped_module, "_mapping", lambda address: None)
    elif not Path("/proc/self/maps").exists():
        pytest.skip("maps are looked up in /proc")
    return request.param


def in_file(path, array):
    np.save(path, array)
    return np.load(path, mmap_mode="r")


@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f2", "?", "|u1", "<i8"])
@pytest.mark.parametrize("view", VIEWS)
def test_they_are_the_rows_of_the_array(tmp_path, way, view, kind):
    array = (np.arange(44).reshape(11, 4) % 7).astype(kind)
    found = Rows(VIEWS[view](in_file(tmp_path / "x.npy", array)))
    wanted = VIEWS[view](array)
    assert found.is_mapped and found.dtype == wanted.dtype
    for key in (slice(None), slice(2, 5), [4, 0, 0, 3], [1, 3], -1):
        np.testing.assert_array_equal(found[key], wanted[key], strict=True)


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_behind_others_in_an_archive(tmp_path, way, order, monkeypatch):
    monkeypatch.setattr(array_files, "COPIED_BELOW", 10)
    first, second = np.arange(5000.0), np.asfortranarray(np.arange(6000.0).reshape(300, 20))
    second = second if order == "F" else np.ascontiguousarray(second)
    np.savez(tmp_path / "xy.npz", first=first, second=second)
    found = Rows(read_npz(tmp_path / "xy.npz")["second"])
    np.testing.assert_array_equal(found[[299, 7, 8]], second[[299, 7, 8]])


@given(
    arrays_of.arrays(
        st.sampled_from([np.uint8, np.float32]), arrays_of.array_shapes(min_dims=1, max_dims=3, max_side=6)
    ),
    st.data(),
)
def test_any_shape_any_rows(tmp_path_factory, array, data):
    path = tmp_path_factory.getbasetemp() / "any.npy"
    mapped = in_file(path, array)
    wanted = data.draw(st.lists(st.integers(0, len(array) - 1), max_size=8).map(np.int64))
    wanted = np.atleast_1d(wanted).astype(np.int64)
    np.testing.assert_array_equal(Rows(mapped)[wanted], array[wanted])
    del mapped


@on_linux
def test_rows_lie_in_the_file_and_map_no_page(tmp_path):
    mapped = in_file(tmp_path / "x.npy", np.ones((4096, 1024), np.float32))
    found = Rows(mapped, np.random.default_rng(0).permutation(4096))
    assert sum(float(found[start : start + 128].sum()) for start in range(0, 4096, 128)) == 4096 * 1024
    assert resident(tmp_path / "x.npy") < 1000


@on_linux
def test_pages_of_a_map_are_given_back(tmp_path, monkeypatch):
    if not hasattr(mmap, "MADV_DONTNEED"):
        pytest.skip("this system cannot give pages back")
    monkeypatch.setattr(mapped_module, "_mapping", lambda address: None)
    mapped = in_file(tmp_path / "x.npy", np.ones((4096, 1024), np.float32))
    assert float(np.sum(mapped)) == 4096 * 1024
    assert resident(tmp_path / "x.npy") > 16_000
    found = Rows(mapped, np.random.default_rng(0).permutation(4096))
    assert sum(float(found[start : start + 128].sum()) for start in range(0, 4096, 128)) == 4096 * 1024
    assert resident(tmp_path / "x.npy") < 10_000


def resident(path) -> int:
    """Kilobytes of a mapped file that the process holds."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if str(path) in line:
            inside = True
        elif inside and line.startswith("Rss:"):
            return int(line.split()[1])
    return 0


def test_private_changes_of_a_map_stay(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((6, 4)))
    base = np.load(tmp_path / "x.npy", mmap_mode="c")
    base[0] = 7
    found = Rows(base)
    assert not found.is_mapped
    assert np.all(found[:] == base[:]) and np.all(found[0] == 7) and np.all(found[0] == 7)


def test_changes_that_others_see_are_seen(tmp_path, way):
    np.save(tmp_path / "x.npy", np.zeros((6, 4)))
    base = np.load(tmp_path / "x.npy", mmap_mode="r+")
    found = Rows(base)
    base[2] = 7
    np.testing.assert_array_equal(found[:], base)


def test_another_file_of_the_same_name_is_not_read(tmp_path):
    base = in_file(tmp_path / "x.npy", np.ones((6, 4)))
    np.save(tmp_path / "other.npy", np.zeros((6, 4)))
    os.replace(tmp_path / "other.npy", tmp_path / "x.npy")
    assert np.all(Rows(base)[[0, 5]] == 1)
    os.unlink(tmp_path / "x.npy")
    assert np.all(Rows(base)[[0, 5]] == 1)


@on_linux
def test_a_file_that_was_replaced_afterwards_is_read_on(tmp_path):
    found = Rows(in_file(tmp_path / "x.npy", np.ones((6, 4))))
    np.save(tmp_path / "other.npy", np.zeros((6, 4)))
    os.replace(tmp_path / "other.npy", tmp_path / "x.npy")
    assert np.all(found[:] == 1)


@on_linux
def test_a_file_that_shrank_is_an_error_and_no_crash(tmp_path):
    found = Rows(in_file(tmp_path / "x.npy", np.ones((600, 40))))
    os.truncate(tmp_path / "x.npy", 100_000)
    assert np.all(found[:300] == 1)
    with pytest.raises(DataError, match=r"must stay as long as it was; it ends before byte 192,128 now"):
        found[[1, 599]]


@on_linux
def test_files_are_closed(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    found = Rows(in_file(tmp_path / "x.npy", np.ones((6, 4))))
    views = [found.select([1]) for _ in range(20)]
    assert len(os.listdir("/proc/self/fd")) <= before + 2  # the file, and NumPy's own
    del found, views
    assert len(os.listdir("/proc/self/fd")) == before


def test_small_files_and_arrays_in_memory_stay_as_they_are(tmp_path, monkeypatch):
    mapped = in_file(tmp_path / "x.npy", np.ones((6, 4)))
    plain = np.ones((6, 4))
    assert rows.by_parts(mapped) is mapped and rows.by_parts(plain) is plain and rows.by_parts(None) is None
    monkeypatch.setattr(rows, "COPIED_BELOW", 10)
    assert rows.by_parts(plain) is plain
    large = rows.by_parts(mapped)
    assert isinstance(large, Rows) and rows.by_parts(large) is large
    assert [start for start, _ in rows.blocks(mapped, 9)] == [0, 2, 4]
    assert MappedRows.find(plain) is None
