"""Models on each engine: the same numbers, files, callbacks and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import ROWS, batches, classifier, digits, regressor, same, two_outputs

import brickwork as bw
from brickwork.errors import DivergenceError
from brickwork.models import load_model

pytest.importorskip("jax")


def close(left, right, tolerance=2e-5):
    for w, v in zip(left.get_weights(), right.get_weights(), strict=True):
        np.testing.assert_allclose(w, v, rtol=0, atol=tolerance)


def pair(make=classifier, **arguments):
    return make(engine="reference", **arguments), make(engine="jax", **arguments)


def test_fit_agrees(rng):
    x, y = digits(rng)
    models = pair(dropout=0.3, norm=True, metrics=["accuracy"], weighted_metrics=["accuracy"])
    options = {"batch_size": 6, "epochs": 3, "verbose": 0, "validation_split": 0.2}
    weights = {"sample_weight": rng.uniform(0, 2, ROWS), "class_weight": {0: 2.0}}
    histories = [model.fit(x, y, **options, **weights).history for model in models]
    assert list(histories[0]) == list(histories[1])
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-4, atol=1e-6, err_msg=name)
    close(*models)
    np.testing.assert_allclose(*(model.predict(x, verbose=0) for model in models), rtol=1e-4, atol=1e-6)


@pytest.mark.full
def test_watching_steps_changes_nothing_on_jax(rng):
    x, y = digits(rng)
    plain, watched = classifier(dropout=0.3, engine="jax"), classifier(dropout=0.3, engine="jax")
    seen = []
    callbacks = [bw.callbacks.LambdaCallback(on_gradients=lambda step, found: seen.append(step))]
    plain.fit(x, y, batch_size=6, epochs=2, verbose=0)
    watched.fit(x, y, batch_size=6, epochs=2, callbacks=callbacks, verbose=0)
    close(plain, watched, 1e-6)
    assert seen == list(range(8))


@pytest.mark.full
def test_iterables_and_steps_per_epoch(rng):
    x, y = digits(rng)
    models = pair()
    for model in models:
        model.fit(batches(x, y), epochs=2, verbose=0)
        model.fit(x, y, batch_size=6, steps_per_epoch=3, epochs=3, verbose=0)
    close(*models)


@pytest.mark.full
def test_gradients_and_apply(rng):
    x, y = digits(rng)
    models = pair(norm=True, optimizer="sgd")
    for _ in range(2):
        (mine, own), (other, given) = (model.gradients(x, y) for model in models)
        assert mine == pytest.approx(other, rel=1e-5)
        for key, gradient in own.items():
            np.testing.assert_allclose(gradient, given[key], rtol=1e-3, atol=1e-6)
        models[0].apply(own)
        models[1].apply(given)
    close(*models)


@pytest.mark.full
def test_several_outputs(rng):
    x, y = digits(rng)
    z = rng.normal(size=(ROWS, 2))
    models = pair(
        two_outputs, loss=["sparse_categorical_crossentropy", "mse"], metrics=[["accuracy"], ["mae"]]
    )
    for model in models:
        model.fit(x, [y, z], verbose=0)
    told = [model.evaluate(x, [y, z], verbose=0) for model in models]
    np.testing.assert_allclose(*told, rtol=1e-4)


@pytest.mark.full
def test_training_goes_on_bit_for_bit_from_a_file(tmp_path, rng):
    x, y = digits(rng)
    model = classifier(dropout=0.3, norm=True, engine="jax")
    model.fit(x, y, batch_size=6, epochs=2, verbose=0)
    model.save(tmp_path / "model.safetensors")
    read = load_model(tmp_path / "model.safetensors")
    for each in (model, read):
        each.fit(x, y, batch_size=6, epochs=4, initial_epoch=2, verbose=0)
    assert same(model, read)


def test_a_diverging_run(rng):
    x, y = digits(rng)
    model, by_hand = (regressor(optimizer=bw.optimizers.SGD(1e6), engine="jax") for _ in range(2))
    with pytest.raises(
        DivergenceError, match=r"step 4 met one that is not, before the update\. First in node"
    ):
        model.fit(x, y, batch_size=ROWS, epochs=50, shuffle=False, verbose=0)
    for _ in range(3):
        by_hand.train_on_batch(x, y)
    close(model, by_hand, 1e12)
    assert model._plan.step_number == 3 and np.isfinite(model.get_weights()[0]).all()


def test_set_weights_is_seen_by_the_next_step(rng):
    x, y = digits(rng)
    models = pair()
    for model in models:
        model.train_on_batch(x, y)
        model.set_weights([0.5 * w for w in model.get_weights()])
        model.train_on_batch(x, y)
    close(*models)


def test_an_engine_of_ones_own(rng):
    """Anything that makes plans; here one that counts them."""
    from brickwork.engines import ReferenceEngine

    class Counting(ReferenceEngine):
        name = "counting"
        made = 0

        def plan(self, *arguments):
            Counting.made += 1
            return super().plan(*arguments)

    model = classifier(engine=Counting())
    model.fit(*digits(rng), verbose=0)
    assert Counting.made == 1
