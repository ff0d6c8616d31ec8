"""Activations as functions and as names: Keras's, with its settings and values."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import brickwork as bw
from brickwork import activations, bricks
from brickwork.errors import ParameterError, ParameterTypeError

NOT_FUNCTIONS = {"get", "serialize", "deserialize"}

positive = st.floats(0.1, 3.0)
SETTINGS = {
    "relu": {"negative_slope": st.floats(0.0, 2.0), "max_value": st.none() | positive, "threshold": positive},
    "leaky_relu": {"negative_slope": st.floats(0.0, 2.0)},
    "elu": {"alpha": positive},
    "celu": {"alpha": positive},
    "gelu": {"approximate": st.booleans()},
    "glu": {"axis": st.sampled_from([1, 2, -1])},
    "softmax": {"axis": st.sampled_from([1, 2, -1])},
    "log_softmax": {"axis": st.sampled_from([1, 2, -1])},
    "squareplus": {"b": positive},
    "hard_shrink": {"threshold": positive},
    "soft_shrink": {"threshold": positive},
    "threshold": {"threshold": st.floats(-2.0, 2.0), "default_value": st.floats(-2.0, 2.0)},
}


@pytest.fixture(scope="module")
def keras():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras")


def theirs(keras) -> dict:
    """Keras's activations by name."""
    found = {name: getattr(keras.activations, name) for name in dir(keras.activations)}
    return {n: f for n, f in found.items() if inspect.isfunction(f) and n not in NOT_FUNCTIONS}


def test_what_keras_has_is_here(keras):
    missing = {name for name in theirs(keras) if not hasattr(activations, name)}
    assert not missing


@pytest.mark.parametrize("name", sorted({*activations.KNOWN, "threshold"}))
@given(data=st.data())
def test_values_and_slopes_are_those_of_keras(keras, name, data):
    """Also with settings by name, and by position."""
    if name not in theirs(keras) or name == "sparsemax":
        pytest.skip("Keras has none of that name, or other values")
    import jax

    ours, function = getattr(activations, name), theirs(keras)[name]
    settings = {key: data.draw(strategy, key) for key, strategy in SETTINGS.get(name, {}).items()}
    assert set(settings) == set(list(inspect.signature(function).parameters)[1:])
    x = np.random.default_rng(data.draw(st.integers(0, 99), "seed")).normal(0.0, 3.0, (4, 6, 2))
    x = x.astype(np.float32)
    wanted, pull = jax.vjp(lambda x: function(x, **settings), x)
    dy = np.random.default_rng(1).standard_normal(wanted.shape).astype(np.float32)
    found = ours(x, **settings)
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-6)
    np.testing.assert_array_equal(ours(x, *settings.values()), found)
    with bw.record() as tape:
        symbol = tape.input(x, "x")
        total = bricks.Sum()(bricks.Multiply()(ours(symbol, **settings), tape.input(dy, "dy")))
    np.testing.assert_allclose(tape.gradients(total)["x"], pull(dy)[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", sorted(activations.KNOWN))
def test_every_name_gives_its_brick(name):
    thing = activations.KNOWN[name]
    assert getattr(activations, name) is thing
    assert activations.get(name) is thing.brick is activations.get(thing)
    assert type(thing.brick).__name__ in thing.__doc__
    assert repr(thing) == f"<activation {thing.__name__}>"
    x = np.linspace(-1.0, 1.0, 4)[None]
    np.testing.assert_array_equal(thing(x), thing.brick(x))


@pytest.mark.parametrize("name", ["selu", "gelu", "silu", "mish", "glu", "maxout", "softplus", "hard_swish"])
def test_names_in_a_layer_and_in_a_file(name, tmp_path):
    model = bw.Sequential([bw.Input((3,)), bw.layers.Dense(4, activation=name)])
    x = np.random.default_rng(0).standard_normal((5, 3))
    model.save(tmp_path / "it.safetensors")
    again = bw.models.load_model(tmp_path / "it.safetensors")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_two_names_of_one():
    assert activations.swish is activations.silu
    assert activations.hard_swish is activations.hard_silu


def test_wrong_settings():
    x = np.zeros((1, 2))
    with pytest.raises(ParameterError, match="CELU: `alpha` must be a finite number above 0; got alpha=0"):
        activations.celu(x, 0)
    with pytest.raises(ParameterTypeError, match=r"ELU takes the arguments 'alpha'; it received `beta`"):
        activations.elu(x, beta=3)
    with pytest.raises(ParameterTypeError, match="takes at most 1 positional"):
        activations.elu(x, 1.0, 2.0)
    with pytest.raises(TypeError, match="default_value"):
        activations.threshold(x, 1.0)


@pytest.mark.parametrize(
    ("name", "meant"), [("swich", "swish"), ("gellu", "gelu"), ("hardtanh", "hard_tanh")]
)
def test_wrong_names(name, meant):
    with pytest.raises(ParameterError, match=f"must be one of .*; got '{name}'.* Did you mean '{meant}'"):
        activations.get(name)


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_sparsemax_is_the_nearest_distribution(keras, scale, rng):
    """tau by halving an interval; Keras agrees where one class alone is left, and else adds sums up twice."""
    x = scale * rng.normal(size=(40, 7))
    low, high = x.max(axis=1, keepdims=True) - 1.0, x.max(axis=1, keepdims=True)
    for _ in range(60):
        tau = (low + high) / 2.0
        too_much = np.maximum(x - tau, 0.0).sum(axis=1, keepdims=True) > 1.0
        low, high = np.where(too_much, tau, low), np.where(too_much, high, tau)
    y = activations.sparsemax(x)
    np.testing.assert_allclose(y, np.maximum(x - tau, 0.0), atol=1e-12)
    np.testing.assert_allclose(y.sum(axis=1), 1.0)
    alone = (y > 0).sum(axis=1) == 1
    told = np.asarray(keras.activations.sparsemax(x[alone].astype(np.float32)))
    np.testing.assert_allclose(told, y[alone], atol=1e-6)
    assert alone.any() == (scale > 0.1)


@pytest.mark.parametrize("given", ["relu", "sparsemax", bricks.LeakyReLU(0.5), bricks.GELU(True), "linear"])
def test_serialized_activations_come_back(given):
    told = json.loads(json.dumps(activations.serialize(given)))
    assert activations.deserialize(told) == activations.get(given)


def test_activations_of_ones_own_come_back_by_name():
    assert activations.deserialize("steep", {"steep": bricks.LeakyReLU(3.0)}) == bricks.LeakyReLU(3.0)
    with pytest.raises(ParameterError, match="got None"):
        activations.serialize(None)
    with pytest.raises(ParameterError, match=r"got 'steap'"):
        activations.deserialize("steap")
