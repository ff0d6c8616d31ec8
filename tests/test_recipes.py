"""Networks that are ready for `fit`: what they are made of, what they reach, and what is refused."""

from __future__ import annotations

import inspect
import math
import os
from pathlib import Path

import numpy as np
import pytest

import brickwork as bw
from brickwork.engines.native_module import load_native
from brickwork.errors import BrickworkError, ParameterError, ParameterTypeError
from brickwork.layers import Normalization
from brickwork.models import load_model
from brickwork.recipes import default_dnn

ENGINES = ["reference", "jax", *(["native"] if load_native() else [])]


def test_every_part_of_the_default():
    model = default_dnn((8, 8, 1), 10, hidden=(20, 12), dropout=0.3, scale=16)
    block = ["Dense", "BatchNormalization", "ELU", "Dropout"]
    assert [type(layer).__name__ for layer in model.layers] == [
        "Rescaling",
        "Flatten",
        *block,
        *block,
        "Dense",
    ]
    hidden = [layer for layer in model.layers if type(layer).__name__ == "Dense"][:-1]
    assert [layer.units for layer in hidden] == [20, 12]
    assert all(not layer.use_bias for layer in hidden)
    assert all(type(layer.kernel_initializer).__name__ == "HeNormal" for layer in hidden)
    assert {layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"} == {0.3}
    assert (model.optimizer.momentum, model.optimizer.nesterov) == (0.9, True)
    assert model.output_shape == (None, 10)


def test_he_initialisation_has_its_spread():
    bw.utils.set_random_seed(1)
    kernel = default_dnn((400,), 3, hidden=(300,)).get_weights()[0]
    assert kernel.std() == pytest.approx(math.sqrt(2 / 400), rel=0.02)


@pytest.mark.parametrize("engine", ENGINES)
def test_it_learns_digits(engine):
    if engine == "jax":
        pytest.importorskip("jax")
    (x, y), (x_test, y_test) = bw.datasets.digits.load_data()
    bw.utils.set_random_seed(0)
    model = default_dnn((8, 8, 1), hidden=(64, 32), scale=16)
    model.compile(model.optimizer, model.loss, metrics=["accuracy"], engine=engine)
    model.fit(x, y, batch_size=32, epochs=8, verbose=0)
    assert model.evaluate(x_test, y_test, verbose=0)[1] > 0.94


def test_it_learns_mnist_from_a_tenth_of_it():
    if not (Path(os.environ.get("BRICKWORK_DATA", "")) / "mnist").is_dir():
        pytest.skip("MNIST is not on this machine: BRICKWORK_DATA names no folder with it")
    (x, y), (x_test, y_test) = bw.datasets.mnist.load_data()
    bw.utils.set_random_seed(0)
    model = default_dnn((28, 28, 1), 10, scale=255)
    model.fit(x[:6000].reshape(-1, 28, 28, 1), y[:6000], batch_size=64, epochs=4, verbose=0)
    assert model.evaluate(x_test.reshape(-1, 28, 28, 1), y_test, verbose=0)[1] > 0.91


def test_one_number(rng):
    bw.utils.set_random_seed(0)
    x = rng.normal(size=(400, 3)).astype(np.float32)
    y = x[:, 0] * 2 - np.abs(x[:, 1])
    model = default_dnn((3,), None, hidden=(32,), dropout=0.0, scale=Normalization(mean=0.0, variance=1.0))
    model.fit(x, y, epochs=30, verbose=0)
    assert model.output_shape == (None, 1)
    assert model.evaluate(x, y, verbose=0) < 0.15


def test_it_is_saved_and_read_again(tmp_path, rng):
    x = rng.normal(size=(30, 4)).astype(np.float32)
    model = default_dnn((4,), 3, hidden=(5,))
    model.fit(x, rng.integers(0, 3, 30), verbose=0)
    model.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(load_model(tmp_path / "model.safetensors").predict(x), model.predict(x))


WRONG = {
    "input_shape": [3.5, (0,), "wide", None],
    "classes": [1, 2.5, "ten", True],
    "hidden": [(0,), 10, ("many",), None],
    "dropout": [1.0, -0.1, "half", None],
    "learning_rate": [0.0, -1.0, "fast", math.nan],
    "momentum": [1.0, -0.1, "much", None],
    "scale": [0.0, -1.0, "large"],
}


@pytest.mark.parametrize(("name", "value"), [(name, one) for name in WRONG for one in WRONG[name]])
def test_wrong_arguments(name, value):
    with pytest.raises((ParameterError, ParameterTypeError)) as caught:
        default_dnn(**{"input_shape": (4,), name: value})
    assert isinstance(caught.value, BrickworkError)
    assert str(caught.value).startswith(f"default_dnn: `{name}` must be ")
    assert f"got {name}={value!r}" in str(caught.value)


def test_wrong_arguments_are_drawn_for_every_argument():
    assert set(WRONG) == set(inspect.signature(default_dnn).parameters)
