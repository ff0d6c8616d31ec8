"""Files larger than the memory that a process may take: how much it holds at most."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import brickwork as bw

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")

ROWS, FEATURES = 16_384, 8_192
MEGABYTES = ROWS * FEATURES * 4 / 1e6  # 537; the file has holes, so that it takes no room on the disk
ALLOWED = 200

CODE = """
import sys
import numpy as np
import brickwork as bw

path, engine, ask = sys.argv[1:]
x, y = np.load(path, mmap_mode="r"), np.zeros(len(np.load(path, mmap_mode="r")), int)

def network():
    model = bw.Sequential([bw.Input(x.shape[1:]), bw.layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", engine=engine)
    return model

def most():
    # not ru_maxrss, in which a new process begins with what its parent had
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1e3

few = x[:256].copy()
model = network()
model.fit(few, y[:256], batch_size=64, verbose=0)
model.evaluate(few, y[:256], batch_size=64, verbose=0)
model.predict(few, batch_size=64, verbose=0)
before = most()
{
    "fit": lambda: model.fit(x, y, batch_size=64, validation_split=0.25, verbose=0),
    "evaluate": lambda: model.evaluate(x, y, batch_size=64, verbose=0),
    "predict": lambda: model.predict(x, batch_size=64, verbose=0),
    "adapt": lambda: bw.layers.Normalization().adapt(x),
}[ask]()
print(most() - before)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "x.npy"
    np.lib.format.open_memmap(path, "w+", np.float32, (ROWS, FEATURES)).flush()
    return path


@pytest.mark.parametrize(
    "engine, ask",
    [("reference", "fit"), ("reference", "evaluate"), ("reference", "predict"), ("reference", "adapt")]
    + [("jax", "fit"), ("jax", "evaluate")],
)
def test_a_file_is_never_in_memory_as_a_whole(large, engine, ask):
    if engine == "jax":
        pytest.importorskip("jax")
    told = subprocess.run([sys.executable, "-c", CODE, large, engine, ask], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert float(told.stdout) < ALLOWED < MEGABYTES / 2


@pytest.mark.parametrize("engine", ["reference", "jax"])
def test_training_on_a_file_is_training_on_the_array(tmp_path, monkeypatch, engine):
    """Also where targets and weights lie in large files."""
    if engine == "jax":
        pytest.importorskip("jax")
    from brickwork.data import rows

    rng = np.random.default_rng(0)
    arrays = {"x": rng.normal(size=(50, 3)).astype("f4"), "y": rng.normal(size=(50, 2)), "w": rng.random(50)}
    mapped = {}
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
        mapped[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    found = []
    for given in (arrays, mapped):
        model = bw.Sequential([bw.Input((3,)), bw.layers.Dense(2)])
        model.compile("adam", "mse", engine=engine, seed=1)
        model.set_weights([np.ones((3, 2)), np.zeros(2)])
        monkeypatch.setattr(rows, "COPIED_BELOW", 10)
        model.fit(given["x"], given["y"], sample_weight=given["w"], batch_size=8, epochs=2, verbose=0)
        measured = model.evaluate(given["x"], given["y"], batch_size=8, verbose=0)
        found.append([*model.get_weights(), np.array(measured), model.predict(given["x"], verbose=0)])
    for one, two in zip(*found, strict=True):
        if engine == "reference":
            np.testing.assert_array_equal(one, two)
        else:  # an epoch on arrays in memory is one program, on a file it is many
            np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "loss, value, told",
    [
        ("sparse_categorical_crossentropy", 7, r"class indices in 0 … 1, .* it holds 7\.0 in row 41"),
        ("sparse_categorical_crossentropy", 0.5, r"class indices, whole numbers; it holds 0\.5 in row 41"),
        ("mse", np.nan, "finite numbers; it holds nan in row 41"),
    ],
)
def test_wrong_targets_in_a_file_are_named(tmp_path, monkeypatch, loss, value, told):
    from brickwork.data import rows
    from brickwork.training import data_checks

    monkeypatch.setattr(rows, "COPIED_BELOW", 10)
    monkeypatch.setattr(data_checks, "_BLOCK", 16)
    sparse = loss.startswith("sparse")
    y = np.zeros(50 if sparse else (50, 2), float)
    y[41] = value
    np.save(tmp_path / "y.npy", y)
    model = bw.Sequential([bw.Input((3,)), bw.layers.Dense(2, "softmax")])
    model.compile("sgd", loss)
    with pytest.raises(bw.errors.DataError, match=told):
        model.fit(np.zeros((50, 3)), np.load(tmp_path / "y.npy", mmap_mode="r"), verbose=0)


def test_classes_of_a_file_are_weighed(tmp_path, monkeypatch):
    from brickwork.data import rows
    from brickwork.training import data_checks

    x, y = np.eye(4, 3)[np.arange(40) % 4], np.arange(40) % 2
    weights = []
    for large in (False, True):
        if large:
            monkeypatch.setattr(rows, "COPIED_BELOW", 10)
            monkeypatch.setattr(data_checks, "_BLOCK", 16)
            np.save(tmp_path / "y.npy", y)
            y = np.load(tmp_path / "y.npy", mmap_mode="r")
        model = bw.Sequential([bw.Input((3,)), bw.layers.Dense(2, "softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy", seed=1)
        model.set_weights([np.ones((3, 2)), np.zeros(2)])
        model.fit(x, y, class_weight={0: 1.0, 1: 3.0}, verbose=0)
        weights.append(model.get_weights())
    for one, two in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, two)
