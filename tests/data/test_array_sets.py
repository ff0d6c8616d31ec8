"""Data sets in NumPy's files: names of arrays, splits, large ones as views, what is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from brickwork.data import array_files, array_sets, open_data
from brickwork.data import rows as rows_module
from brickwork.data.rows import Rows
from brickwork.errors import DataError, ParameterError

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = np.arange(40) % 4


def save(path, **arrays):
    np.savez(path / "set.npz", **arrays)
    return path / "set.npz"


def test_x_and_y_are_split_alike_for_each_class(tmp_path):
    found = open_data(save(tmp_path, X=X, y=Y), test_split=0.25, seed=1)
    assert repr(found) == ("Dataset('set': 30 training and 10 test samples of shape (3,), 4 classes)")
    assert np.bincount(found.y_test).min() >= 2
    together = {row.tobytes(): label for row, label in zip(X, Y, strict=True)}
    for x, y in ((found.x_train, found.y_train), (found.x_test, found.y_test)):
        assert [together[row.tobytes()] for row in x] == y.tolist()
    assert found.notes == (
        f"The task is classification, since {tmp_path / 'set.npz'}, y holds 4 different whole numbers.",
    )


def test_parts_of_their_own(tmp_path):
    names = np.array(["a", "b", "c", "d"])
    path = save(tmp_path, x_train=X, y_train=Y, x_test=X[:8], y_test=Y[:8], class_names=names)
    found = open_data(path)
    assert found.class_names == ("a", "b", "c", "d")
    assert np.array_equal(found.x_test, X[:8]) and np.array_equal(found.y_test, Y[:8])
    assert sorted(found.x_train.tolist()) == sorted(X.tolist())
    assert set(found.y_train[-12:]) == set(range(4))  # mixed
    with pytest.raises(
        ParameterError, match="has x_test and y_test, so that no part can be split off; got test_split"
    ):
        open_data(path, test_split=0.5)


def test_texts_are_classes_and_floats_are_numbers(tmp_path):
    found = open_data(save(tmp_path, x=X, y=np.where(Y > 1, "yes", "no")))
    assert found.class_names == ("no", "yes")
    found = open_data(save(tmp_path, x=X, y=X[:, 0] * 2))
    assert found.task == "regression" and found.class_names == () and found.y_train.dtype == np.float32
    mean, scale = found.target_scaling()
    assert mean == pytest.approx(found.y_train.mean()) and scale == pytest.approx(
        found.y_train.std(), rel=1e-5
    )


def test_bytes_are_images(tmp_path):
    images = np.zeros((40, 5, 4), np.uint8)
    found = open_data(save(tmp_path, x=images, y=Y))
    assert found.x_train.shape[1:] == (5, 4, 1) and found.scale == 255.0
    found = open_data(save(tmp_path, x=np.zeros((40, 3, 32, 32), np.uint8), y=Y), report=print)
    assert "look like images with the channels first" in found.warnings[0]


def test_npy_files(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    folder, beside = open_data(tmp_path), open_data(tmp_path / "x.npy", target="y.npy")
    full = open_data(tmp_path / "x.npy", target=str(tmp_path / "y.npy"))
    for found in (beside, full):
        assert np.array_equal(found.x_train, folder.x_train) and np.array_equal(found.y_test, folder.y_test)
    message = (
        "expected the file of the targets too; received x alone. Give target (--target y.npy), or a folder"
    )
    with pytest.raises(DataError, match=re.escape(message) + ".* 'y.npy' lies beside it"):
        open_data(tmp_path / "x.npy")
    with pytest.raises(ParameterError, match="takes 'test_split'; got target='y.npy'. Leave `target` out"):
        open_data(tmp_path, target="y.npy")


def test_a_large_array_stays_in_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(array_files, "COPIED_BELOW", 100)
    monkeypatch.setattr(rows_module, "COPIED_BELOW", 100)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    found = open_data(tmp_path)
    assert isinstance(found.x_train, Rows) and isinstance(found.x_train.base, np.memmap)
    together = {row.tobytes(): label for row, label in zip(X, Y, strict=True)}
    assert [together[row.tobytes()] for row in found.x_train] == found.y_train.tolist()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"data": X, "y": Y},
            "expected the arrays x and y, or x_train, y_train, x_test and y_test; received 'data', 'y', "
            "without 'x'.",
        ),
        ({"x_train": X, "y_trian": Y}, "without 'y_train'. Did you mean 'y_trian'?"),
        ({"x": X, "y": Y, "x_test": X, "y_test": Y}, "without 'x_train'"),
        ({"x": X, "y": Y[:39]}, "expected as many targets as rows; x has 40 rows, y has shape (39,)."),
        (
            {"x": X[:, 0], "y": Y},
            "x needs rows of numbers, shape (N, F) or (N, H, W, C); its shape is (40,).",
        ),
        ({"x": X.astype(str), "y": Y}, "x must hold numbers; it holds <U"),
        ({"x": X, "y": Y - 1}, "y must hold class indices in 0 … K − 1; it holds -1 in row 0"),
        ({"x": X, "y": np.r_[Y[:39], 7]}, "y must hold every class index in 0 … K − 1; 4 is in no row"),
        ({"x": X[:5], "y": np.array([0, 0, 0, 0, 1])}, "at least 2 rows of every class; class '1' has 1"),
        ({"x": X, "y": Y, "class_names": np.array(["a"])}, "class_names must be 4 different texts"),
        (
            {"x_train": X, "y_train": Y, "x_test": X[:, :2], "y_test": Y},
            "expected rows of one shape; x_train has (3,), x_test has (2,)",
        ),
        (
            {"x_train": X, "y_train": Y, "x_test": X, "y_test": np.eye(4)[Y]},
            "must be of one kind and shape; received int64 (40,) and float64 (40, 4)",
        ),
    ],
)
def test_what_is_no_data_set(tmp_path, arrays, message):
    with pytest.raises(DataError, match=re.escape(message)):
        open_data(save(tmp_path, **arrays))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e39])
def test_nan_is_named_by_row_and_column(tmp_path, monkeypatch, wrong):
    monkeypatch.setattr(array_sets, "_BLOCK", 64)
    x = X.astype(np.float64)
    x[37, 1] = wrong
    message = (
        f"set.npz, x must hold finite numbers, at most 3.4e38; it holds {wrong} in row 37, column 1. Drop"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        open_data(save(tmp_path, x=x, y=Y))
    x = np.zeros((40, 2, 2, 1))
    x[3, 1, 0, 0] = wrong
    with pytest.raises(DataError, match=re.escape(f"it holds {wrong} in row 3, at (1, 0, 0)")):
        open_data(save(tmp_path, x=x, y=Y))


# not ru_maxrss, in which a new process begins with what its parent had
HUGE = """
import sys
import numpy as np
from brickwork.data import open_data
found = open_data(sys.argv[1])
rows, total = found.x_train, 0.0
order = np.random.default_rng(0).permutation(len(rows))
for start in range(0, len(order), 4096):
    total += float(rows[order[start : start + 4096]].sum())
print(rows.nbytes, total, found.content_hash())
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024)
"""


@pytest.mark.full
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_more_than_4_gigabytes_in_less_than_1(tmp_path):
    """The file has holes, so that it takes no place; its pages are read all the same."""
    count = 1_100_000
    made = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (count, 1024))
    made[::10_000] = 1.0
    made.flush()
    del made
    np.save(tmp_path / "y.npy", np.arange(count) % 2)
    result = subprocess.run([sys.executable, "-c", HUGE, tmp_path], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    (nbytes, total, _), (peak,) = (line.split() for line in result.stdout.splitlines())
    print(f"x_train {int(nbytes) / 1e9:.1f} GB, peak {peak} MB")
    assert int(nbytes) > 3.5e9 and float(total) > 0
    assert int(peak) < 1000
