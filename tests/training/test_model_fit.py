"""`fit` on arrays: what repeats, what goes on where it stopped, what callbacks may do."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from small_models import ROWS, batches, classifier, compiled, digits, regressor, same

import brickwork as bw
from brickwork.callbacks import Callback, LambdaCallback

# The same numbers again.


def test_the_same_seed_gives_the_same_weights(rng):
    x, y = digits(rng)
    models = [classifier(dropout=0.3) for _ in range(2)]
    for model in models:
        model.fit(x, y, batch_size=6, epochs=3, verbose=0)
    assert same(*models)


def test_set_random_seed_is_enough(rng):
    x, y = digits(rng)
    models = []
    for _ in range(2):
        bw.utils.set_random_seed(11)
        model = bw.Sequential([bw.layers.Dense(4, "relu"), bw.layers.Dropout(0.5), bw.layers.Dense(3)])
        model.compile("adam", bw.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(x, y, batch_size=6, epochs=3, verbose=0)
        models.append(model)
    assert same(*models)


def test_another_seed_shuffles_otherwise(rng):
    x, y = digits(rng)
    models = [classifier(seed=seed) for seed in (1, 2)]
    for model in models:
        model.fit(x, y, batch_size=6, verbose=0)
    assert not same(*models)


def test_without_shuffling_rows_come_in_their_order(rng):
    x, y = digits(rng)
    ours, by_hand = classifier(), classifier()
    ours.fit(x, y, batch_size=6, epochs=2, shuffle=False, verbose=0)
    for _ in range(2):
        for part in batches(x, y, 6):
            by_hand.train_on_batch(*part)
    assert same(ours, by_hand)


def test_shuffling_uses_each_row_once_in_an_epoch_and_another_order_in_the_next(rng):
    x, y = digits(rng)
    model = classifier(engine="reference")  # which makes each step in Python
    seen = []
    step = model._ready().step

    def spied(batch, *arguments):
        seen.append(batch["x"].copy())
        return step(batch, *arguments)

    model._plan.step = spied
    model.fit(x, y, batch_size=6, epochs=2, verbose=0)
    model.fit(x, y, batch_size=6, verbose=0)
    assert [len(part) for part in seen] == [6, 6, 6, 2] * 3
    epochs = [np.concatenate(seen[4 * epoch : 4 * epoch + 4]) for epoch in range(3)]
    for rows in epochs:
        assert not np.array_equal(rows, x)
        np.testing.assert_array_equal(np.sort(rows, axis=0), np.sort(x, axis=0))
    assert not np.array_equal(epochs[0], epochs[1]) and not np.array_equal(epochs[0], epochs[2])


def test_two_fits_are_one_long_fit(rng):
    x, y = digits(rng)
    one, two, resumed = (classifier(dropout=0.3, norm=True) for _ in range(3))
    one.fit(x, y, batch_size=6, epochs=4, verbose=0)
    for _ in range(4):
        two.fit(x, y, batch_size=6, verbose=0)
    resumed.fit(x, y, batch_size=6, epochs=3, verbose=0)
    history = resumed.fit(x, y, batch_size=6, epochs=4, initial_epoch=3, verbose=0)
    assert same(one, two) and same(one, resumed)
    assert history.epoch == [3]


def test_some_steps_per_epoch_go_on_where_they_stopped(rng):
    x, y = digits(rng)
    one, resumed = (classifier() for _ in range(2))
    one.fit(x, y, batch_size=6, epochs=5, steps_per_epoch=3, verbose=0)
    resumed.fit(x, y, batch_size=6, epochs=2, steps_per_epoch=3, verbose=0)
    resumed.fit(x, y, batch_size=6, epochs=5, steps_per_epoch=3, initial_epoch=2, verbose=0)
    assert same(one, resumed)


@pytest.mark.parametrize("size, steps", [(5, 3), (6, 3), (6, 11), (20, 2), (50, 3), (1, 7)])
def test_steps_per_epoch_are_the_batches_of_pass_after_pass(rng, size, steps):
    """With 20 rows: batches of 6, 6, 6, 2, then from the first row again."""
    x, y = digits(rng)
    ours, by_hand = classifier(), classifier()
    ours.fit(x, y, batch_size=size, epochs=3, steps_per_epoch=steps, shuffle=False, verbose=0)
    parts = batches(x, y, size)
    for index in range(3 * steps):
        by_hand.train_on_batch(*parts[index % len(parts)])
    assert same(ours, by_hand)


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_a_handful_of_rows(rng, rows):
    x, y = digits(rng, rows)
    model = classifier(metrics=["accuracy"])
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all() and len(history["accuracy"]) == 2
    assert model.predict(x, verbose=0).shape == (rows, 3)
    assert isinstance(model.evaluate(x, y, verbose=0), list)


def test_no_epochs_train_nothing(rng):
    x, y = digits(rng)
    model, fresh = classifier(), classifier()
    seen = []
    hooks = {
        "on_train_begin": lambda logs: seen.append("begin"),
        "on_train_end": lambda logs: seen.append("end"),
    }
    history = model.fit(x, y, epochs=0, verbose=0, callbacks=[LambdaCallback(**hooks)])
    assert same(model, fresh) and history.history == {} and seen == ["begin", "end"]


def test_the_loss_is_the_mean_over_all_rows(rng):
    """Batches of 6, 6, 6 and 2 at learning rate 0: the epoch's loss is that of all 20 rows."""
    x, y = digits(rng)
    model = classifier(optimizer=bw.optimizers.SGD(0.0), metrics=["accuracy"])
    history = model.fit(x, y, batch_size=6, verbose=0).history
    whole = model.evaluate(x, y, batch_size=ROWS, verbose=0, return_dict=True)
    for name, value in whole.items():
        assert history[name][0] == pytest.approx(value, rel=1e-6)


def test_the_loss_of_a_long_epoch_keeps_its_digits(rng):
    """In float32 a sum of 3,000 equal terms would be off in the fifth digit."""
    x = np.full((3000, 4), 0.1, np.float32)
    model = regressor(optimizer=bw.optimizers.SGD(0.0))
    y = np.full(3000, 0.1, np.float32)
    each = model.evaluate(x[:1], y[:1], verbose=0)
    assert model.fit(x, y, batch_size=1, verbose=0).history["loss"][0] == pytest.approx(each, rel=1e-7)


def test_one_step_worked_by_hand():
    """y = 2 at x = 1, t = 1: E = 1, dE/dw = 2, so that w = 2 − 0.1 · 2."""
    model = bw.Sequential([bw.Input((1,)), bw.layers.Dense(1, use_bias=False)])
    model.compile(bw.optimizers.SGD(0.1), "mse")
    model.set_weights([np.array([[2.0]])])
    history = model.fit(np.array([[1.0]]), np.array([[1.0]]), verbose=0).history
    assert history == {"loss": [1.0]}
    np.testing.assert_allclose(model.get_weights()[0], [[1.8]], rtol=1e-6)


def test_weights_of_rows_worked_by_hand():
    """Errors 1 and 3, weights 2 and 1: E = (2 · 1 + 1 · 9) / 2; weighted mse 11 / 3, unweighted 10 / 2."""
    model = bw.Sequential([bw.Input((1,)), bw.layers.Dense(1, use_bias=False)])
    model.compile(bw.optimizers.SGD(0.1), "mse", metrics=["mse"], weighted_metrics=["mse"])
    model.set_weights([np.array([[1.0]])])
    told = model.evaluate(
        np.array([[1.0], [3.0]]),
        np.array([[0.0], [0.0]]),
        sample_weight=np.array([2.0, 1.0]),
        verbose=0,
        return_dict=True,
    )
    assert told == {"loss": 5.5, "mse": 5.0, "weighted_mse": pytest.approx(11 / 3)}


def test_class_weights_multiply_weights_of_rows(rng):
    x, y = digits(rng)
    weight = rng.uniform(0, 2, ROWS)
    ours, by_hand = classifier(), classifier()
    options = {"batch_size": 6, "epochs": 2, "verbose": 0}
    ours.fit(x, y, class_weight={0: 0.5, 2: 3.0}, sample_weight=weight, **options)
    by_hand.fit(x, y, sample_weight=weight * np.array([0.5, 1.0, 3.0])[y], **options)
    assert same(ours, by_hand)


@pytest.mark.parametrize(
    "weight", [np.ones((ROWS, 1)), np.ones(ROWS, np.int64), [1] * ROWS, np.ones(ROWS, bool)]
)
def test_weights_of_rows_in_any_form(rng, weight):
    x, y = digits(rng)
    ours, plain = classifier(), classifier()
    ours.fit(x, y, sample_weight=weight, verbose=0)
    plain.fit(x, y, verbose=0)
    assert same(ours, plain)


def test_rows_of_weight_zero_do_not_count_in_the_gradient(rng):
    x, y = digits(rng)
    model = regressor(optimizer=bw.optimizers.SGD(0.1))
    before = model.get_weights()
    model.fit(x, y.astype("f"), sample_weight=np.zeros(ROWS), verbose=0)
    for w, v in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, v)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float64, np.float16, bool])
def test_data_of_any_type_is_converted_batch_by_batch(rng, kind):
    x = (rng.integers(0, 2, (ROWS, 4))).astype(kind)
    y = rng.integers(0, 3, ROWS)
    ours, plain = classifier(), classifier()
    ours.fit(x, y.astype(np.uint8), verbose=0)
    plain.fit(x.astype(np.float32), y, verbose=0)
    assert same(ours, plain)


def test_lists_strided_and_read_only_arrays_are_data_too(rng):
    x, y = digits(rng)
    wide = np.zeros((ROWS, 8), np.float32)
    wide[:, ::2] = x
    kept = wide[:, ::2]
    kept.flags.writeable = False
    models = [classifier() for _ in range(3)]
    for model, data in zip(models, (x, x.tolist(), kept), strict=True):
        model.fit(data, y.tolist(), verbose=0)
    assert same(models[0], models[1]) and same(models[0], models[2])


def test_fit_leaves_its_data_as_it_was(rng):
    x, y = digits(rng)
    kept = x.copy(), y.copy()
    classifier(dropout=0.5, norm=True).fit(x, y, epochs=2, verbose=0)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(y, kept[1])


# Callbacks.


class Nothing(Callback):
    """Asks for every batch and does nothing with it."""

    def on_train_batch_end(self, batch, logs=None):
        self.last = dict(logs)


class Looking(Callback):
    """Asks for the gradients and leaves them."""

    def on_gradients(self, step, gradients):
        self.seen = {key: value.shape for key, value in gradients.items()}
        self.steps = [*getattr(self, "steps", []), step]


@pytest.mark.parametrize("watcher", [Nothing, Looking])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_watching_every_step_changes_no_bit(rng, watcher, optimizer):
    x, y = digits(rng)
    models = [classifier(dropout=0.3, norm=True, optimizer=optimizer, metrics=["accuracy"]) for _ in range(2)]
    options = {"batch_size": 6, "epochs": 3, "verbose": 0, "validation_split": 0.2}
    plain = models[0].fit(x, y, **options).history
    callback = watcher()
    assert models[1].fit(x, y, callbacks=[callback], **options).history == plain
    assert same(*models)
    if watcher is Nothing:
        assert callback.last["loss"] == plain["loss"][-1]
    else:
        assert callback.seen["hidden/linear/W"] == (4, 5) and callback.steps == list(range(9))


def test_gradients_can_be_replaced(rng):
    class Stand(Callback):
        def on_gradients(self, step, gradients):
            return {key: 0 * value for key, value in gradients.items()}

    x, y = digits(rng)
    model, fresh = classifier(optimizer="sgd"), classifier()
    model.fit(x, y, callbacks=[Stand()], verbose=0)
    assert same(model, fresh)


def test_a_schedule_counts_steps_over_all_fits(rng):
    seen = []

    def rate(step):
        seen.append(step)
        return 0.1 / (1 + step)

    x, y = digits(rng)
    model = classifier(optimizer=bw.optimizers.SGD(rate))
    model.fit(x, y, batch_size=6, epochs=2, verbose=0)
    model.fit(x, y, batch_size=6, callbacks=[Nothing()], verbose=0)
    assert seen == list(range(12))


def test_learning_rate_may_be_set_within_an_epoch(rng):
    """Set to 0 after the first batch: the weights are those of one step."""
    x, y = digits(rng)
    model, once = classifier(optimizer="sgd"), classifier(optimizer="sgd")

    def stop_learning(batch, logs):
        model.optimizer.learning_rate = 0.0

    model.fit(
        x,
        y,
        batch_size=6,
        shuffle=False,
        callbacks=[LambdaCallback(on_train_batch_end=stop_learning)],
        verbose=0,
    )
    once.train_on_batch(x[:6], y[:6])
    assert same(model, once)


def test_stopping_within_an_epoch_keeps_the_steps_that_were_made(rng):
    x, y = digits(rng)
    model, by_hand = classifier(), classifier()

    def stop(batch, logs):
        model.stop_training = batch == 1

    history = model.fit(
        x,
        y,
        batch_size=6,
        epochs=5,
        shuffle=False,
        validation_data=(x, y),
        callbacks=[LambdaCallback(on_train_batch_end=stop)],
        verbose=0,
    )
    for part in batches(x, y, 6)[:2]:
        by_hand.train_on_batch(*part)
    assert same(model, by_hand)
    assert history.epoch == [0] and len(history.history["val_loss"]) == 1


def test_a_second_fit_forgets_that_the_first_was_stopped(rng):
    x, y = digits(rng)
    model = classifier()

    def stop(epoch, logs):
        model.stop_training = True

    assert model.fit(x, y, epochs=5, callbacks=[LambdaCallback(on_epoch_end=stop)], verbose=0).epoch == [0]
    assert model.fit(x, y, epochs=2, verbose=0).epoch == [0, 1]


def test_history_is_kept_by_the_model(rng):
    x, y = digits(rng)
    model = classifier()
    history = model.fit(x, y, verbose=0)
    assert model.history is history and list(history.history) == ["loss"]


def test_parameters_of_a_run(rng):
    x, y = digits(rng)
    seen = Nothing()
    model = classifier(metrics=["accuracy"])
    model.fit(
        x, y, batch_size=6, epochs=2, callbacks=[seen], validation_split=0.2, validation_freq=2, verbose=0
    )
    told = {key: seen.params[key] for key in ("epochs", "steps", "samples", "batch_size", "validation_freq")}
    assert told == {"epochs": 2, "steps": 3, "samples": 16, "batch_size": 6, "validation_freq": 2}
    assert seen.params["metrics"] == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert seen.model is model
    assert [type(metric).__name__ for metric in model.metrics] == ["SparseCategoricalAccuracy"]


def test_validation_calls_the_hooks_of_evaluation(rng):
    seen = []
    hooks = {
        name: lambda *told, _name=name, **more: seen.append(_name)
        for name in (
            "on_test_begin",
            "on_test_batch_begin",
            "on_test_batch_end",
            "on_test_end",
            "on_epoch_end",
        )
    }
    x, y = digits(rng)
    classifier().fit(
        x,
        y,
        validation_data=(x[:8], y[:8]),
        validation_batch_size=4,
        callbacks=[LambdaCallback(**hooks)],
        verbose=0,
    )
    each = ["on_test_batch_begin", "on_test_batch_end"]
    assert seen == ["on_test_begin", *each, *each, "on_test_end", "on_epoch_end"]


def test_close_is_called_when_training_fails(rng):
    closed = []

    class Tidy(Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("no more")

        def close(self):
            closed.append(True)

    x, y = digits(rng)
    with pytest.raises(RuntimeError, match="no more"):
        classifier().fit(x, y, callbacks=[Tidy()], verbose=0)
    assert closed == [True]


# Interruptions and threads.


@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end"])
def test_control_c_leaves_whole_steps(rng, hook):
    x, y = digits(rng)
    model, by_hand = classifier(norm=True), classifier(norm=True)

    def interrupt(batch, logs):
        if batch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(
            x, y, batch_size=6, shuffle=False, callbacks=[LambdaCallback(**{hook: interrupt})], verbose=0
        )
    done = 2 if hook == "on_train_batch_begin" else 3
    for part in batches(x, y, 6)[:done]:
        by_hand.train_on_batch(*part)
    assert same(model, by_hand)
    model.fit(x, y, verbose=0)  # and training can go on


def test_control_c_within_a_step_leaves_the_step_before(rng, monkeypatch):
    """Wherever in forward, backward or the optimizer it comes, while they are Python."""
    x, y = digits(rng)
    model, by_hand = (classifier(norm=True, engine="reference") for _ in range(2))
    inner = type(model.optimizer).step
    calls = []

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) == 10:  # in the second step: six parameters in each
            raise KeyboardInterrupt
        return inner(self, *arguments)

    monkeypatch.setattr(type(model.optimizer), "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=6, shuffle=False, verbose=0)
    monkeypatch.undo()
    by_hand.train_on_batch(x[:6], y[:6])
    assert same(model, by_hand)
    assert model._plan.step_number == 1


def test_two_models_in_two_threads(rng):
    x, y = digits(rng)
    alone = classifier(dropout=0.3, norm=True)
    alone.fit(x, y, batch_size=4, epochs=10, verbose=0)
    models = [classifier(dropout=0.3, norm=True) for _ in range(2)]
    threads = [
        threading.Thread(target=model.fit, args=(x, y), kwargs={"batch_size": 4, "epochs": 10, "verbose": 0})
        for model in models
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same(models[0], alone) and same(models[1], alone)


def test_models_may_be_built_in_threads():
    """Names and seeds are shared; wiring is each thread's own."""
    made, failed = [], []

    def build():
        try:
            x = bw.Input((4,))
            for _ in range(20):
                x = bw.layers.Dense(4)(x)
            made.append(bw.Model(x.call.scope and first_input(x), x))
        except Exception as error:
            failed.append(error)

    def first_input(symbol):
        while symbol.call.inputs:
            symbol = symbol.call.inputs[0]
        return symbol

    threads = [threading.Thread(target=build) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and len(made) == 4
    names = [layer.name for model in made for layer in model.layers]
    assert len(set(names)) == len(names) == 84


def test_one_optimizer_may_serve_two_models(rng):
    """What it remembers belongs to the plan of each model."""
    x, y = digits(rng)
    optimizer = bw.optimizers.Adam(0.05)
    first, second, alone = classifier(optimizer=optimizer), classifier(optimizer=optimizer), classifier()
    compiled(alone, optimizer=bw.optimizers.Adam(0.05))
    for _ in range(3):
        first.train_on_batch(x, y)
        second.train_on_batch(x, y)
        alone.train_on_batch(x, y)
    assert same(first, second) and same(first, alone)
