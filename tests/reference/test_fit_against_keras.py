"""fit, evaluate and predict give what Keras's give: names in the history, numbers, structures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brickwork

keras = pytest.importorskip("keras")
if keras.backend.backend() != "jax":
    pytest.skip("compares with Keras on JAX", allow_module_level=True)

# Keras's own arrays, under NumPy's newest releases
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")


def classifier(library: Any) -> Any:
    layers = library.layers
    return library.Sequential([
        library.Input((6,)),
        layers.Dense(8, activation="tanh"),
        layers.BatchNormalization(momentum=0.7),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def two_heads(library: Any) -> Any:
    layers = library.layers
    a, b = library.Input((3,), name="a"), library.Input((3,), name="b")
    hidden = layers.Dense(5, activation="relu", name="hidden")(layers.Concatenate(name="both")([a, b]))
    kind = layers.Dense(3, name="kind")(hidden)
    size = layers.Dense(1, name="size")(layers.Add(name="sum")([hidden, layers.Dense(5, name="skip")(a)]))
    return library.Model({"a": a, "b": b}, {"kind": kind, "size": size})


def twins(build: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """(Brickwork's, Keras's) with the same weights."""
    ours, theirs = build(brickwork), build(keras)
    weights = [0.5 * rng.standard_normal(one.shape) for one in theirs.weights]
    weights = [
        np.abs(drawn) + 0.3 if "variance" in one.path else drawn
        for one, drawn in zip(theirs.weights, weights, strict=True)
    ]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    return ours, theirs


def require_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert sorted(ours) == sorted(theirs)
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=2e-5, atol=1e-6, err_msg=name)


FITS = {
    "plain": {},
    "split": {"validation_split": 0.3, "batch_size": 7},
    "class_weight": {"class_weight": {0: 0.5, 2: 3.0}, "batch_size": 16},
    "sample_weight": {"sample_weight": "rows", "batch_size": 16, "validation_split": 0.3},
    "validation": {"validation_data": "rows", "validation_freq": 2, "initial_epoch": 1, "batch_size": 50},
    "steps": {"steps_per_epoch": 3, "batch_size": 8, "epochs": 2},
}


@pytest.mark.parametrize("arguments", FITS.values(), ids=FITS)
def test_histories_are_the_same(arguments, rng):
    ours, theirs = twins(classifier, rng)
    x, y = rng.standard_normal((50, 6)).astype("float32"), rng.integers(0, 3, 50)
    arguments = dict(arguments)
    if "sample_weight" in arguments:
        arguments["sample_weight"] = rng.random(50).astype("float32")
    if "validation_data" in arguments:
        arguments["validation_data"] = (x[:20], y[:20])
    histories = []
    for model, library in ((ours, brickwork), (theirs, keras)):
        model.compile(
            library.optimizers.SGD(0.1, momentum=0.9),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        histories.append(model.fit(x, y, **{"epochs": 4, "shuffle": False, "verbose": 0, **arguments}))
    require_same(histories[0].history, histories[1].history)
    assert list(histories[0].epoch) == list(histories[1].epoch)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


LOSSES = {
    "dict": {
        "loss": {"kind": "sparse_categorical_crossentropy", "size": "mse"},
        "loss_weights": {"kind": 0.3, "size": 2.0},
        "metrics": {"kind": ["accuracy"], "size": ["mae", "mse"]},
    },
    "one": {"loss": {"size": "mse"}, "metrics": {"size": ["mae"]}},
}


@pytest.mark.parametrize("compiled", LOSSES.values(), ids=LOSSES)
def test_dicts_of_inputs_and_outputs(compiled, rng):
    ours, theirs = twins(two_heads, rng)
    x = {name: rng.standard_normal((40, 3)).astype("float32") for name in "ab"}
    y = {"kind": rng.integers(0, 3, 40), "size": rng.standard_normal((40, 1)).astype("float32")}
    told = []
    for model in (ours, theirs):
        model.compile("sgd", **compiled)
        history = model.fit(x, y, epochs=2, shuffle=False, verbose=0).history
        told.append((history, model.evaluate(x, y, verbose=0, return_dict=True), model.predict(x, verbose=0)))
    for one, other in zip(*told, strict=True):
        require_same(one, other)


def test_evaluate_gives_a_list_in_keras_s_order(rng):
    ours, theirs = twins(classifier, rng)
    x, y = rng.standard_normal((50, 6)).astype("float32"), np.eye(3)[rng.integers(0, 3, 50)]
    told = []
    for model in (ours, theirs):
        model.compile(
            "sgd", "categorical_crossentropy", metrics=["mae", "accuracy"], weighted_metrics=["mse"]
        )
        told.append(model.evaluate(x, y, verbose=0, sample_weight=np.arange(50.0)))
    np.testing.assert_allclose(*told, rtol=1e-5)


def test_a_batch_at_a_time(rng):
    ours, theirs = twins(classifier, rng)
    x, y = rng.standard_normal((48, 6)).astype("float32"), rng.integers(0, 3, 48)
    batches = [(x[start : start + 16], y[start : start + 16]) for start in (0, 16, 32)]
    histories = []
    for model in (ours, theirs):
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        endless = (batch for _ in range(100) for batch in batches)
        histories.append(model.fit(endless, epochs=3, steps_per_epoch=3, shuffle=False, verbose=0).history)
    require_same(*histories)


def test_frozen_layers_stay(rng):
    ours, theirs = twins(classifier, rng)
    x, y = rng.standard_normal((48, 6)).astype("float32"), rng.integers(0, 3, 48)
    for model in (ours, theirs):
        model.layers[0].trainable = False
        model.layers[1].trainable = False
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x, y, epochs=2, shuffle=False, verbose=0)
    assert len(ours.trainable_weights) == len(theirs.trainable_weights) == 2
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_names_of_layers_are_keras_s():
    told = []
    for library in (brickwork, keras):
        library.utils.clear_session()
        layers = library.layers
        x = library.Input((8, 8, 1))
        y = layers.Conv2D(2, 3)(x)
        y = layers.MaxPooling2D()(layers.BatchNormalization()(y))
        y = layers.Add()([layers.ReLU()(y), layers.LeakyReLU()(y), layers.ELU()(y)])
        y = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 1)(y))
        model = library.Model(x, layers.Dense(1)(layers.Dense(2)(y)))
        first = library.Sequential([layers.Dense(1)])
        second = library.Sequential([layers.Flatten(), layers.Dense(1)])
        told.append([
            *(layer.name for layer in model.layers),
            model.name, first.name, second.name,
            *(layer.name for layer in second.layers),
        ])  # fmt: skip
    assert told[0] == told[1]


def test_regularizers_constraints_and_initial_weights(rng):
    """Penalties are in the loss, constraints hold after each step."""

    def build(library: Any) -> Any:
        regularizers, constraints = library.regularizers, library.constraints
        return library.Sequential([
            library.Input((6,)),
            library.layers.Dense(
                8,
                activation="relu",
                kernel_regularizer=regularizers.L1L2(0.01, 0.02),
                bias_regularizer=regularizers.L2(0.1),
                activity_regularizer=regularizers.L2(0.01),
                kernel_constraint=constraints.MaxNorm(0.8),
            ),
            library.layers.Dense(1, kernel_constraint=constraints.NonNeg()),
        ])  # fmt: skip

    ours, theirs = twins(build, rng)
    x, y = rng.standard_normal((40, 6)).astype("float32"), rng.standard_normal((40, 1)).astype("float32")
    histories = []
    for model in (ours, theirs):
        model.compile("sgd", "mse")
        histories.append(model.fit(x, y, epochs=3, shuffle=False, verbose=0).history)
    require_same(*histories)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
