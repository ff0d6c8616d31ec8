"""What trains on arrays trains on rows that are read when asked for, and on loaders, with the same
numbers."""

from __future__ import annotations

import numpy as np
import pytest

import brickwork
from brickwork.data import Rows, generate, open_data
from brickwork.data import rows as rows_module

DATA = generate("moons", 60, 20)
SETTINGS = {"epochs": 2, "verbose": 0}


def fitted(x, y=None, engine="reference", **options):
    """Losses of each epoch and the weights of a small network trained on the data."""
    brickwork.utils.set_random_seed(7)
    model = brickwork.Sequential(
        [brickwork.Input((2,)), brickwork.layers.Dense(4, "tanh"), brickwork.layers.Dense(2, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], engine=engine)
    history = model.fit(x, y, **{**SETTINGS, **options}).history
    return history, model.get_weights(), model


def same(left, right):
    return left[0] == right[0] and all(np.array_equal(a, b) for a, b in zip(left[1], right[1], strict=True))


@pytest.fixture
def mapped(tmp_path, monkeypatch):
    """The training points as rows of a file, which may not be copied whole."""
    order = np.random.default_rng(0).permutation(60)
    np.save(tmp_path / "x.npy", DATA.x_train[np.argsort(order)])
    monkeypatch.setattr(rows_module, "LARGEST_COPY", 0)
    rows = Rows(np.load(tmp_path / "x.npy", mmap_mode="r"), order)
    assert np.array_equal(rows[:], DATA.x_train)
    return rows


@pytest.mark.parametrize("engine", ["reference", "jax"])
def test_rows_of_a_file_train_as_arrays_do(mapped, engine):
    options = {"batch_size": 16, "validation_split": 0.2}
    expected, found = (fitted(x, DATA.y_train, engine, **options) for x in (DATA.x_train, mapped))
    if engine == "reference":
        assert same(expected, found)
    else:  # one program for an epoch, or one for a step
        np.testing.assert_allclose(expected[0]["val_loss"], found[0]["val_loss"], rtol=1e-5)
    model = found[2]
    assert np.array_equal(model.predict(mapped, verbose=0), model.predict(DATA.x_train, verbose=0))
    by_rows, by_array = (model.evaluate(x, DATA.y_train, verbose=0) for x in (mapped, DATA.x_train))
    assert by_rows == by_array


def test_a_normalization_adapts_to_rows_of_a_file(mapped, monkeypatch):
    monkeypatch.setattr(rows_module, "LARGEST_COPY", 1 << 30)
    layers = [brickwork.layers.Normalization() for _ in range(2)]
    for layer, x in zip(layers, (mapped, DATA.x_train), strict=True):
        layer.adapt(x)
    for left, right in zip(layers[0].get_weights(), layers[1].get_weights(), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6)


class Tensor:
    """A tensor of another library, as far as NumPy can know."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array if dtype is None else self.array.astype(dtype)


class Loader:
    """Gives batches each time it is gone through, as lists of tensors."""

    def __init__(self, batch_size=16, kind=list):
        self.batch_size, self.kind = batch_size, kind

    def __len__(self):
        return -(-60 // self.batch_size)

    def __iter__(self):
        for start in range(0, 60, self.batch_size):
            part = slice(start, start + self.batch_size)
            yield self.kind([Tensor(DATA.x_train[part]), Tensor(DATA.y_train[part])])


EXPECTED = {"batch_size": 16, "shuffle": False}


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_loader_trains_as_arrays_do(kind):
    assert same(fitted(Loader(kind=kind)), fitted(DATA.x_train, DATA.y_train, **EXPECTED))


def test_any_iterable_of_batches():
    batches = [
        (DATA.x_train[start : start + 16], DATA.y_train[start : start + 16]) for start in range(0, 60, 16)
    ]
    expected = fitted(DATA.x_train, DATA.y_train, **EXPECTED)
    assert same(fitted(batches), expected)
    endless = (batch for _ in range(2) for batch in batches)
    assert same(fitted(endless, steps_per_epoch=4), expected)


def test_a_loader_of_pytorch():
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader, TensorDataset

    points = TensorDataset(torch.tensor(DATA.x_train), torch.tensor(DATA.y_train))
    found = fitted(DataLoader(points, batch_size=16), validation_data=DataLoader(points, batch_size=60))
    expected = fitted(DATA.x_train, DATA.y_train, validation_data=(DATA.x_train, DATA.y_train), **EXPECTED)
    np.testing.assert_allclose(found[0]["val_loss"], expected[0]["val_loss"], rtol=1e-6)
    assert all(np.array_equal(a, b) for a, b in zip(found[1], expected[1], strict=True))


def test_a_table_with_texts_trains(tmp_path):
    lines = [
        f"{x[0]},{'left' if x[0] < 0.5 else 'right'},{x[1]},{y}"
        for x, y in zip(DATA.x_train, DATA.y_train, strict=True)
    ]
    (tmp_path / "moons.csv").write_text("a,side,b,y\n" + "\n".join(lines))
    found = open_data(tmp_path / "moons.csv", target="y")
    model = brickwork.Sequential([brickwork.Input((4,)), brickwork.layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    losses = model.fit(found.x_train, found.y_train, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
