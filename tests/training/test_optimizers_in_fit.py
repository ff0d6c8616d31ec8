"""Optimizers in whole trainings: running means of weights, saving and resuming, batch descent, L-BFGS."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

import brickwork as bw
from brickwork import optimizers
from brickwork.callbacks import LambdaCallback
from brickwork.errors import ParameterError, ParameterTypeError
from brickwork.optimizers import LBFGS, SGD, Adam, AdamW
from brickwork.optimizers.schedules import GrowingMomentum, LinearDecay
from brickwork.training.run_folder import RunFolder
from engines.native_checks import needs_native
from optimizers.variants import NATIVE
from training.small_models import classifier, digits, regressor, same

needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
ENGINES = pytest.mark.parametrize("engine", ["reference", pytest.param("native", marks=needs_native), "jax"])
EVERY = {
    **NATIVE,
    "lbfgs": LBFGS,
    "lamb": optimizers.Lamb,
    "ftrl by its text": lambda: optimizers.Ftrl(0.1, learning_rate_power=-0.7),
}
EACH = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


# Running means of the weights.


@ENGINES
def test_training_ends_with_the_running_means(engine, rng):
    """w_t by a training without means; mean_1 = w_1, mean_t = 0.5 mean + 0.5 w_t."""
    x, y = digits(rng)
    plain = classifier(optimizer=SGD(0.1), engine=engine)
    averaged = classifier(optimizer=SGD(0.1, use_ema=True, ema_momentum=0.5), engine=engine)
    means = None
    for _ in range(4):
        plain.fit(x, y, batch_size="all", shuffle=False, verbose=0)
        now = plain.get_weights()
        means = now if means is None else [0.5 * m + 0.5 * w for m, w in zip(means, now, strict=True)]
    seen = []
    collect = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(averaged.get_weights()))
    averaged.fit(x, y, batch_size="all", epochs=4, shuffle=False, verbose=0, callbacks=[collect])
    for during, w, found, mean in zip(
        seen[-1], plain.get_weights(), averaged.get_weights(), means, strict=True
    ):
        np.testing.assert_allclose(during, w, atol=2e-6)  # until fit ends, the weights are the weights
        np.testing.assert_allclose(found, mean, atol=2e-6)


@ENGINES
def test_gradients_of_small_batches_make_the_step_of_a_large_one(engine, rng):
    x, y = digits(rng, rows=48)
    large = classifier(optimizer=SGD(0.1, momentum=0.9, weight_decay=0.1, clipvalue=0.02), engine=engine)
    small = classifier(
        optimizer=SGD(0.1, momentum=0.9, weight_decay=0.1, clipvalue=0.02, gradient_accumulation_steps=4),
        engine=engine,
    )
    small.set_weights(large.get_weights())
    large.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    small.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for one, other in zip(large.get_weights(), small.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_nothing_is_put_in_place_where_nothing_was_trained(rng):
    x, y = digits(rng)
    model = classifier(optimizer=SGD(0.1, use_ema=True))
    model.fit(x, y, verbose=0)
    weights = [w + 1 for w in model.get_weights()]
    model.set_weights(weights)
    model.fit(x, y, epochs=0, verbose=0)
    for now, w in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, w)


@ENGINES
def test_the_means_overwrite_the_weights_now_and_then(engine, rng):
    x, y = digits(rng)
    optimizer = SGD(0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)
    model = classifier(optimizer=optimizer, engine=engine)
    found = []
    collect = LambdaCallback(
        on_epoch_end=lambda epoch, logs: found.append(
            all(
                np.array_equal(np.asarray(model._plan.slots["average"][key]), w)
                for key, w in model.parameters.items()
            )
        )
    )
    model.fit(x, y, batch_size="all", epochs=5, verbose=0, callbacks=[collect])
    assert found == [True, True, False, True, False]  # the first mean is the weights themselves


# Saving and going on.


@pytest.mark.parametrize("engine", ["reference", pytest.param("native", marks=needs_native)])
@EACH
def test_a_saved_model_trains_on_bit_for_bit(make, engine, rng, tmp_path):
    x, y = digits(rng)
    model = classifier(optimizer=make(), engine=engine, norm=True)
    model.fit(x, y, batch_size="all", epochs=3, verbose=0)
    model.save(tmp_path / "model.safetensors")
    again = bw.models.load_model(tmp_path / "model.safetensors")
    assert again.optimizer.get_config() == model.optimizer.get_config()
    for one in (model, again):
        one.fit(x, y, batch_size="all", epochs=2, verbose=0)
    assert same(model, again)


@needs_native
@EACH
def test_an_interrupted_training_is_resumed_bit_for_bit(make, rng, tmp_path):
    x, y = digits(rng, rows=24)

    def fit(folder, epochs, resume=None):
        model = classifier(optimizer=make(), engine="native", dropout=0.2)
        size = "all" if model.optimizer.whole_data else 10
        callbacks = [RunFolder(str(folder), monitor="loss")]
        model.fit(x, y, batch_size=size, epochs=epochs, verbose=0, callbacks=callbacks, resume_from=resume)
        return model

    whole = fit(tmp_path / "whole", 4)
    fit(tmp_path / "part", 2)
    assert same(whole, fit(tmp_path / "part", 4, tmp_path / "part" / "last.safetensors"))


def test_a_momentum_schedule_and_the_exclusions_are_saved(rng, tmp_path):
    x, y = digits(rng)
    optimizer = SGD(LinearDecay(0.1, 10), momentum=GrowingMomentum(growth_steps=2), weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model = classifier(optimizer=optimizer)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.safetensors")
    again = bw.models.load_model(tmp_path / "model.safetensors").optimizer
    assert again.settings(2) == {"momentum": 0.75}
    assert [again.decays(key) for key in ("hidden/bias/b", "hidden/linear/W")] == [False, True]


# Weight decay.


@ENGINES
def test_excluded_variables_do_not_decay(engine, rng):
    x, y = digits(rng)
    model = classifier(optimizer=AdamW(0.0, weight_decay=0.5), engine=engine)
    model.set_weights([w + 1 for w in model.get_weights()])
    model.optimizer.exclude_from_weight_decay(
        var_list=model.get_layer("out").trainable_variables[:1], var_names=["bias"]
    )
    model.optimizer.learning_rate = 0.1
    before = model.get_weights()
    gradients = {key: np.zeros_like(w) for key, w in model.parameters.items()}
    model.apply(gradients)
    factors = [now.mean() / was.mean() for now, was in zip(model.get_weights(), before, strict=True)]
    assert factors == pytest.approx([0.95, 1.0, 1.0, 1.0])


def test_who_is_excluded_is_checked():
    optimizer = Adam(weight_decay=0.1)
    with pytest.raises(
        ParameterTypeError, match="`var_list` must hold variables of layers; got 3 of type int"
    ):
        optimizer.exclude_from_weight_decay(var_list=[3])
    with pytest.raises(ParameterTypeError, match=r"`var_names` must be a list of words.*Write \['bias'\]"):
        optimizer.exclude_from_weight_decay(var_names="bias")
    with pytest.raises(ParameterError, match=r"must be words or regular expressions; got '\('"):
        optimizer.exclude_from_weight_decay(var_names=["("])
    optimizer.exclude_from_weight_decay(var_names=["dense_2/"])
    assert [optimizer.decays(f"dense_{i}/bias/b") for i in (1, 2)] == [True, False]


# Batch, mini-batch and incremental descent.


def test_batch_descent_takes_all_rows(rng):
    x, y = digits(rng)
    by_word, by_number = classifier(), classifier()
    by_word.fit(x, y, batch_size="all", epochs=3, verbose=0)
    by_number.fit(x, y, batch_size=len(x), epochs=3, verbose=0)
    assert same(by_word, by_number)
    assert by_word._plan.step_number == 3


def test_validation_takes_rows_away_before_all_are_taken(rng):
    x, y = digits(rng)
    model = classifier()
    model.fit(x, y, batch_size="all", validation_split=0.5, verbose=0)
    assert model._plan.step_number == 1


@pytest.mark.parametrize("wrong", ["whole", 0, 1.5, True])
def test_other_words_and_numbers_are_refused(wrong, rng):
    with pytest.raises((ParameterError, ParameterTypeError), match="fit: `batch_size` must be"):
        classifier().fit(*digits(rng), batch_size=wrong)


@needs_native
def test_incremental_descent_on_the_native_engine_is_that_of_the_reference(rng):
    x, y = digits(rng)
    models = [classifier(optimizer=SGD(0.05), engine=engine) for engine in ("native", "reference")]
    for model in models:
        model.fit(x, y, batch_size=1, epochs=2, verbose=0)
        assert model._plan.step_number == 40
    for left, right in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(left, right, atol=2e-5)


# L-BFGS.


@ENGINES
def test_lbfgs_solves_least_squares(engine, rng):
    x, _ = digits(rng, rows=50)
    y = x @ np.array([[1.0], [2.0], [-3.0], [0.5]], np.float32) + 0.1 * rng.normal(size=(50, 1))
    model = regressor(optimizer="lbfgs", engine=engine)
    history = model.fit(x, y, epochs=20, verbose=0).history["loss"]
    exact, *_ = np.linalg.lstsq(np.c_[x, np.ones(50)], y, rcond=None)
    np.testing.assert_allclose(np.concatenate(model.get_weights(), axis=None), exact[:, 0], atol=2e-4)
    assert all(later <= earlier * (1 + 1e-6) for earlier, later in zip(history, history[1:], strict=False))


@ENGINES
def test_lbfgs_goes_down_faster_than_gradients_do(engine, rng):
    x, y = digits(rng, rows=60)
    losses = {}
    for name, optimizer in {"lbfgs": LBFGS(), "sgd": SGD(0.5)}.items():
        model = classifier(optimizer=optimizer, engine=engine)
        model.fit(x, y, batch_size="all", epochs=40, verbose=0)
        losses[name] = model.evaluate(x, y, verbose=0)
    assert losses["lbfgs"] < 0.7 * losses["sgd"]


def test_lbfgs_refuses_a_part_of_the_rows(rng):
    x, y = digits(rng)
    model = classifier(optimizer="lbfgs")
    with pytest.raises(ParameterError, match=r"takes all 20 rows; got batch_size=8. Write batch_size='all'"):
        model.fit(x, y, batch_size=8)
    with pytest.raises(ParameterError, match=r"an epoch is one step; got steps_per_epoch=2. Leave it out"):
        model.fit(x, y, steps_per_epoch=2)
    with pytest.raises(ParameterError, match="received an iterable of 2 batches. Pass arrays"):
        model.fit([(x[:10], y[:10]), (x[10:], y[10:])])
    model.fit([(x, y)], epochs=2, verbose=0)
    assert model._plan.step_number == 2


@ENGINES
def test_lbfgs_takes_no_gradients_of_ones_own(engine, rng):
    model = classifier(optimizer="lbfgs", engine=engine)
    _, gradients = model.gradients(*digits(rng))
    with pytest.raises(
        ParameterError, match="LBFGS looks at it again along a line. Call fit or train_on_batch"
    ):
        model.apply(gradients)


@ENGINES
def test_lbfgs_refuses_constraints(engine, rng):
    x, y = digits(rng)
    model = bw.Sequential([bw.Input((4,)), bw.layers.Dense(3, "softmax", kernel_constraint="non_neg")])
    model.compile("lbfgs", "sparse_categorical_crossentropy", engine=engine)
    with pytest.raises(
        ParameterError, match="LBFGS searches along lines, which constraints would bend; 'dense"
    ):
        model.fit(x, y, verbose=0)


@ENGINES
def test_a_search_that_is_broken_off_changes_nothing(engine, rng, monkeypatch):
    x, y = digits(rng)
    model = classifier(optimizer="lbfgs", engine=engine)
    model.fit(x, y, verbose=0)
    before = model.get_weights()
    plan, looks = model._plan, []
    original = type(plan).gradients

    def failing(self, *args, **kwargs):
        looks.append(1)
        if len(looks) == 2:
            raise KeyboardInterrupt
        return original(self, *args, **kwargs)

    monkeypatch.setattr(type(plan), "gradients", failing)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, verbose=0)
    assert len(looks) == 2
    for now, was in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, was)
    assert plan.step_number == 1


def test_lbfgs_in_a_scikit_learn_estimator(rng):
    pytest.importorskip("sklearn")
    from brickwork.estimators import BrickRegressor

    x = rng.normal(size=(300, 3))
    y = x @ [1.0, -2.0, 0.5]
    model = BrickRegressor((), optimizer="lbfgs", max_iter=30, tol=None, random_state=0).fit(x, y)
    assert model.score(x, y) > 0.9999
    with pytest.raises(ParameterError, match="takes all 300 rows; got batch_size=50"):
        BrickRegressor((), optimizer="lbfgs", batch_size=50, max_iter=2).fit(x, y)
