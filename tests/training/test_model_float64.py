"""Networks in float64 stay in float64, in any session; and in float32 nothing is widened."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest
from small_models import ROWS, batches, classifier, digits, same, two_outputs

import brickwork as bw
from brickwork import layers


@contextmanager
def precision(name):
    before = bw.config.floatx()
    bw.config.set_floatx(name)
    try:
        yield
    finally:
        bw.config.set_floatx(before)


def convnet():
    bw.utils.set_random_seed(3)
    x = bw.Input((6, 6, 1), name="x")
    y = layers.BatchNormalization()(
        layers.Conv2D(2, 3, activation="relu", kernel_regularizer="l2")(layers.Rescaling(0.5)(x))
    )
    y = layers.Dropout(0.3)(layers.Flatten()(layers.MaxPooling2D(2)(y)))
    y = layers.Dense(4, "elu", activity_regularizer="l1", kernel_constraint="max_norm")(y)
    model = bw.Model(x, layers.Dense(3, "softmax")(y))
    # The reference engine, whose bricks can be looked at while they compute.
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], seed=1, engine="reference")
    return model


def spied(model):
    """dtypes of everything that the bricks compute in a step."""
    seen = {}
    graph = model._ready().program.graph
    inner = type(graph).forward

    def forward(self, *arguments, **options):
        passed = inner(self, *arguments, **{**options, "keep": None})
        seen.update({name: value.dtype for name, value in passed.values.items()})
        return passed

    return seen, forward


@pytest.mark.parametrize("make", [convnet, lambda: classifier(dropout=0.3, norm=True, engine="reference")])
@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("session", ["float32", "float64"])
def test_everything_stays_in_its_precision(rng, monkeypatch, make, kind, session):
    with precision(kind):
        model = make()
    shape = model.input_shape[1:]
    x = rng.normal(size=(ROWS, *shape)).astype(np.float32)
    y = rng.integers(0, 3, ROWS)
    weight = rng.uniform(0, 2, ROWS).astype(np.float16)
    with precision(session):
        seen, forward = spied(model)
        monkeypatch.setattr(type(model._plan.program.graph), "forward", forward)
        model.fit(
            x, y, sample_weight=weight, class_weight={0: 2.0}, epochs=2, validation_split=0.2, verbose=0
        )
        model.fit(batches(x, y), verbose=0)
        _, gradients = model.gradients(x, y)
        prediction = model.predict(x, verbose=0)
    assert {str(dtype) for name, dtype in seen.items() if dtype.kind == "f"} == {kind}
    assert all(w.dtype == kind for w in model.get_weights())
    assert all(gradient.dtype == kind for gradient in gradients.values())
    assert all(value.dtype == kind for slot in model._plan.slots.values() for value in slot.values())
    assert prediction.dtype == kind


def test_float64_is_more_than_a_name(rng):
    x, y = digits(rng)
    with precision("float64"):
        wide = classifier()
    narrow = classifier()
    wide.set_weights(narrow.get_weights())
    for model in (wide, narrow):
        model.fit(x, y, batch_size=6, epochs=3, shuffle=False, verbose=0)
    difference = np.abs(wide.get_weights()[0] - narrow.get_weights()[0]).max()
    assert 0 < difference < 1e-5
    assert wide.evaluate(x, y, verbose=0) == pytest.approx(narrow.evaluate(x, y, verbose=0), rel=1e-5)


def test_the_session_decides_when_a_network_is_wired(rng):
    """Also for a model that is compiled, trained, and saved in another session."""
    x, y = digits(rng)
    with precision("float64"):
        model, other = classifier(), classifier()
        other.fit(x, y, verbose=0)
    model.compile("adam", "sparse_categorical_crossentropy", seed=5)
    assert model._ready().program.graph.inputs["weight/out"].dtype == "float64"
    reference = classifier()
    assert reference._ready().program.graph.inputs["weight/out"].dtype == "float32"


def test_two_outputs_in_float64(rng):
    x, y = digits(rng)
    with precision("float64"):
        model = two_outputs(loss=["sparse_categorical_crossentropy", "mse"], loss_weights=[0.3, 0.7])
    z = rng.normal(size=(ROWS, 2))
    total, gradients = model.gradients(x, [y, z])
    losses = gradients.losses
    assert total == pytest.approx(0.3 * losses["classes_loss"] + 0.7 * losses["amounts_loss"], rel=1e-14)


def test_a_sequential_built_by_data_in_float64(rng):
    x, y = digits(rng)
    with precision("float64"):
        model = bw.Sequential([layers.Dense(3, "softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x, y, verbose=0)
    assert model.get_weights()[0].dtype == np.float64
    assert model.predict(x, verbose=0).dtype == np.float64


def test_numbers_beyond_float32_need_float64(rng):
    x, y = digits(rng)
    large = x.astype(np.float64)
    large[0, 0] = 1e39
    with precision("float64"):
        model = classifier()
    model.fit(large, y, verbose=0)
    with pytest.raises(
        ValueError, match=r"must hold numbers that fit into float32; it holds 1e\+39 in row 0"
    ):
        classifier().fit(large, y, verbose=0)


def test_both_precisions_side_by_side(rng):
    x, y = digits(rng)
    with precision("float64"):
        wide = classifier()
    narrow, alone = classifier(), classifier()
    for _ in range(3):
        wide.train_on_batch(x, y)
        narrow.train_on_batch(x, y)
        alone.train_on_batch(x, y)
    assert same(narrow, alone) and narrow.get_weights()[0].dtype == np.float32
