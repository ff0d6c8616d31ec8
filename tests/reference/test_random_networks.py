"""Random functional networks in Brickwork and in Keras: the same layers, weights, numbers, and training step.

All in float64, so that what differs is a mistake and not rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import brickwork
from reference.networks import Network, build, compile_, data, networks

keras = pytest.importorskip("keras")
if keras.backend.backend() != "jax":
    pytest.skip("compares with Keras on JAX", allow_module_level=True)

pytestmark = [
    # Keras's own arrays, under NumPy's newest releases
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras"),
    pytest.mark.filterwarnings("ignore:(?s).*softmax over axis:UserWarning"),
]

ROWS = 5


@pytest.fixture(autouse=True, scope="module")
def float64() -> Iterator[None]:
    """Both libraries in float64."""
    import jax

    with jax.enable_x64(True):
        for dtype in ("float64", "float32"):
            keras.config.set_floatx(dtype)
            keras.config.set_dtype_policy(dtype)
            brickwork.config.set_floatx(dtype)
            if dtype == "float64":
                yield


def close(ours: Any, theirs: Any, what: str, tolerance: float = 2e-6) -> None:
    """Equal relative to the largest number; Keras's means are off by 1e-7 in float64 too."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, f"{what}: shape {ours.shape}, Keras has {theirs.shape}"
    scale = max(1.0, float(np.max(np.abs(theirs), initial=0.0)))
    worst = float(np.max(np.abs(ours - theirs), initial=0.0))
    assert worst <= tolerance * scale, f"{what}: differ by {worst:.3g}, numbers up to {scale:.3g}"


def pair(network: Network, seed: int) -> tuple[Any, Any]:
    """(Brickwork's model, Keras's model) with the same weights, none of them at a special value."""
    ours, theirs = build(network, brickwork), build(network, keras)
    rng = np.random.default_rng(seed)
    weights = []
    for variable in theirs.weights:
        drawn = 0.5 * rng.standard_normal(variable.shape)
        weights.append(np.abs(drawn) + 0.3 if "variance" in variable.path else drawn)
    theirs.set_weights(weights)
    assert [one.shape for one in ours.get_weights()] == [one.shape for one in weights]
    ours.set_weights(weights)
    return ours, theirs


def compare(network: Network, seed: int = 0) -> None:
    """Everything that must agree."""
    keras.utils.clear_session()  # or it keeps every network
    ours, theirs = pair(network, seed)
    assert [one.name for one in ours.layers] == [one.name for one in theirs.layers]
    assert [type(one).__name__ for one in ours.layers] == [
        KINDS.get(type(one).__name__, type(one).__name__) for one in theirs.layers
    ]
    assert ours.count_params() == theirs.count_params()
    for variables in ("weights", "trainable_weights", "non_trainable_weights"):
        assert [one.path for one in getattr(ours, variables)] == [
            one.path for one in getattr(theirs, variables)
        ]
    assert [tuple(one.shape) for one in ours.outputs] == [tuple(one.shape) for one in theirs.outputs]

    compile_(network, ours, brickwork, brickwork.optimizers.SGD(0.05, momentum=0.9))
    compile_(network, theirs, keras, keras.optimizers.SGD(0.05, momentum=0.9), run_eagerly=True)
    rng = np.random.default_rng(seed + 1)
    x, y = data(network, [tuple(one.shape) for one in theirs.outputs], rng, ROWS)
    # Keras multiplies a weight per row into losses of one axis
    few = all(len(one.shape) <= 2 for one in theirs.outputs)
    weights = [rng.random(ROWS) for _ in y] if few else None
    for step in range(2):
        predictions = listed(theirs.predict_on_batch(x))
        # Numbers that explode amplify Keras's rounding too
        if clipped(network, predictions) or any(np.abs(one).max() > 100 for one in predictions):
            return
        answers = listed(ours.predict_on_batch(x))
        for one, other, place in zip(answers, predictions, network.outputs, strict=True):
            close(one, other, f"prediction of place {place} after {step} steps")
        theirs.reset_metrics()
        told = theirs.test_on_batch(x, y, sample_weight=weights, return_dict=True)
        close_logs(ours.test_on_batch(x, y, sample_weight=weights, return_dict=True), told, "test", step)
        theirs.reset_metrics()
        told = theirs.train_on_batch(x, y, sample_weight=weights, return_dict=True)
        close_logs(ours.train_on_batch(x, y, sample_weight=weights, return_dict=True), told, "train", step)
        for variable, other in zip(ours.weights, theirs.weights, strict=True):
            close(variable.numpy(), other.numpy(), f"{variable.path} after step {step + 1}")


KINDS = {"Functional": "Model"}


def clipped(network: Network, predictions: list[Any]) -> bool:
    """Whether Keras's clip of probabilities at 1e-7 shows, which Brickwork's stable pairs do not need."""
    return any(
        name.endswith("entropy")
        and not arguments.get("from_logits")
        and not 1e-5 < one.min() <= one.max() < 1 - 1e-5
        for (name, arguments), one in zip(network.losses, predictions, strict=True)
    )


def close_logs(ours: dict[str, float], theirs: dict[str, Any], what: str, step: int) -> None:
    """The same losses and metrics under the same names."""
    assert sorted(ours) == sorted(theirs), f"{what} gives {sorted(ours)}, Keras {sorted(theirs)}"
    for name, value in ours.items():
        close(value, theirs[name], f"{name} of {what}, step {step + 1}")


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


# A description can be read as it is, and shrinking takes minutes
@settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=max(6, settings().max_examples // 3),  # Keras takes a second for each
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(network=networks(), seed=st.integers(0, 3))
def test_random_networks_agree_with_keras(network, seed):
    compare(network, seed)


def test_a_mistake_is_found(monkeypatch):
    """A running variance by n - 1, as PyTorch has it."""
    network = Network(
        inputs={"x": (4,)},
        layers={"norm": ("BatchNormalization", {}), "dense": ("Dense", {"units": 2})},
        calls=[("norm", [0]), ("dense", [1])],
        outputs=[2],
        losses=[("MeanSquaredError", {})],
    )
    compare(network)
    brick = brickwork.bricks.BatchNormalization
    right = brick.next_state

    def wrong(self, state, saved):
        by_n = right(self, state, saved)
        step = (by_n["running_var"] - self.momentum * state["running_var"]) * ROWS / (ROWS - 1)
        return {**by_n, "running_var": self.momentum * state["running_var"] + step}

    monkeypatch.setattr(brick, "next_state", wrong)
    with pytest.raises(AssertionError, match="norm/moving_variance after step 1"):
        compare(network)
