"""`fit`, `evaluate` and `predict` on iterables of batches: lists, generators, sequences, loaders."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import ROWS, batches, classifier, digits, same, two_outputs

import brickwork as bw
from brickwork.errors import DataError, ParameterError


class Indexed:
    """__len__ and __getitem__ alone."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


class Again:
    """__iter__ alone: begun anew each time."""

    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


def endless(items):
    while True:
        yield from items


@pytest.mark.parametrize("kind", [list, Indexed, Again])
def test_iterables_that_can_be_begun_again(rng, kind):
    x, y = digits(rng)
    ours, plain = classifier(metrics=["accuracy"]), classifier(metrics=["accuracy"])
    history = ours.fit(kind(batches(x, y)), epochs=3, verbose=0).history
    assert history == plain.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history
    assert same(ours, plain)
    told = ours.evaluate(kind(batches(x, y)), verbose=0)
    assert told == plain.evaluate(x, y, batch_size=8, verbose=0)
    np.testing.assert_array_equal(
        ours.predict(kind(batches(x, y)), verbose=0), plain.predict(x, batch_size=8, verbose=0)
    )


def test_a_generator_that_never_ends(rng):
    x, y = digits(rng)
    ours, plain = classifier(), classifier()
    ours.fit(endless(batches(x, y, 5)), steps_per_epoch=2, epochs=4, verbose=0)
    plain.fit(x, y, batch_size=5, epochs=2, shuffle=False, verbose=0)
    assert same(ours, plain)


def test_a_generator_goes_on_in_the_next_fit(rng):
    x, y = digits(rng)
    ours, plain = classifier(), classifier()
    source = endless(batches(x, y, 5))
    for _ in range(4):
        ours.fit(source, steps_per_epoch=1, verbose=0)
    plain.fit(x, y, batch_size=5, shuffle=False, verbose=0)
    assert same(ours, plain)


def test_a_generator_may_serve_one_epoch(rng):
    x, y = digits(rng)
    ours, plain = classifier(), classifier()
    ours.fit(iter(batches(x, y)), verbose=0)
    plain.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    assert same(ours, plain)


def test_a_generator_for_several_epochs_is_refused_before_training(rng):
    x, y = digits(rng)
    model, fresh = classifier(), classifier()
    with pytest.raises(
        DataError,
        match=r"data must last for 2 passes; it received a generator, which runs once\. Pass steps_per_epoch",
    ):
        model.fit(iter(batches(x, y)), epochs=2, verbose=0)
    assert same(model, fresh)


def test_a_generator_for_several_validations_is_refused_before_training(rng):
    x, y = digits(rng)
    model, fresh = classifier(), classifier()
    message = (
        r"validation data must last for 2 passes; it received a generator, .*Pass validation_steps with one"
    )
    with pytest.raises(DataError, match=message):
        model.fit(x, y, epochs=2, validation_data=iter(batches(x, y)), verbose=0)
    with pytest.raises(DataError, match=message):
        model.fit(
            x, y, epochs=6, initial_epoch=1, validation_data=iter(batches(x, y)), validation_freq=3, verbose=0
        )
    assert same(model, fresh)
    history = model.fit(x, y, epochs=5, validation_data=iter(batches(x, y)), validation_freq=3, verbose=0)
    assert len(history.history["val_loss"]) == 1


def test_a_generator_that_ends_too_early(rng):
    x, y = digits(rng)
    wanted = (
        r"4 batches are asked for in each epoch; the generator ended after 2 in epoch 2\. Make it endless"
    )
    with pytest.raises(DataError, match=wanted):
        classifier().fit(iter(batches(x, y, 4) + batches(x, y, 20)), steps_per_epoch=4, epochs=3, verbose=0)


def test_a_generator_that_has_run_already(rng):
    x, y = digits(rng)
    source = iter(batches(x, y))
    model = classifier()
    model.fit(source, verbose=0)
    with pytest.raises(
        DataError, match=r"must give at least one batch; it gave none\. Is it empty, or a gen"
    ):
        model.fit(source, verbose=0)
    with pytest.raises(DataError, match=r"1 batches are asked for"):
        model.evaluate(source, steps=1, verbose=0)


def test_a_list_is_begun_again_within_an_epoch(rng):
    x, y = digits(rng)
    ours, by_hand = classifier(), classifier()
    parts = batches(x, y)  # 8, 8, 4
    ours.fit(parts, steps_per_epoch=2, epochs=4, verbose=0)
    for index in range(8):
        by_hand.train_on_batch(*parts[index % 3])
    assert same(ours, by_hand)


def test_evaluation_over_some_steps_begins_at_the_first_batch_each_time(rng):
    x, y = digits(rng)
    model = classifier()
    first = model.evaluate(batches(x, y), steps=2, verbose=0)
    assert first == model.evaluate(x[:16], y[:16], verbose=0, batch_size=8)
    told = model.fit(
        x,
        y,
        epochs=3,
        validation_data=batches(x, y),
        validation_steps=1,
        verbose=0,
        callbacks=[bw.callbacks.LearningRateScheduler(lambda epoch: 0.0)],
    )
    expected = model.evaluate(x[:8], y[:8], verbose=0)
    assert told.history["val_loss"] == [pytest.approx(expected)] * 3


def test_evaluate_and_predict_over_some_steps_of_arrays(rng):
    x, y = digits(rng)
    model = classifier()
    assert model.evaluate(x, y, batch_size=6, steps=2, verbose=0) == pytest.approx(
        model.evaluate(x[:12], y[:12], verbose=0)
    )
    assert model.predict(x, batch_size=6, steps=2, verbose=0).shape == (12, 3)
    assert model.predict(endless([x[:3]]), steps=2, verbose=0).shape == (6, 3)


def test_validation_by_batches(rng):
    x, y = digits(rng)
    ours, plain = classifier(), classifier()
    options = {"epochs": 2, "verbose": 0}
    mine = ours.fit(x, y, validation_data=batches(x, y), **options).history
    other = plain.fit(x, y, validation_data=(x, y), validation_batch_size=8, **options).history
    assert mine == other
    told = ours.fit(x, y, validation_data=endless(batches(x, y)), validation_steps=3, **options).history
    assert len(told["val_loss"]) == 2


def test_two_batches_are_not_taken_for_x_and_y(rng):
    x, y = digits(rng)
    model = classifier()
    parts = batches(x, y, 10)
    assert len(parts) == 2
    history = model.fit(parts, validation_data=parts, verbose=0).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(x, y, verbose=0))
    assert model.predict(parts, verbose=0).shape == (ROWS, 3)
    assert model.evaluate(tuple(parts), verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0))


def test_weights_and_dicts_in_batches(rng):
    x, y = digits(rng)
    amounts = rng.normal(size=(ROWS, 2)).astype(np.float32)
    weight = rng.uniform(0, 2, ROWS).astype(np.float32)
    losses = ["sparse_categorical_crossentropy", "mse"]
    ours, plain = two_outputs(loss=losses), two_outputs(loss=losses)
    given = [
        ({"x": x[rows]}, {"classes": y[rows], "amounts": amounts[rows]}, {"amounts": weight[rows]})
        for rows in (slice(0, 12), slice(12, 20))
    ]
    ours.fit(given, verbose=0)
    plain.fit(x, [y, amounts], sample_weight=[None, weight], batch_size=12, shuffle=False, verbose=0)
    assert same(ours, plain)


def test_class_weight_with_batches(rng):
    x, y = digits(rng)
    ours, plain = classifier(), classifier()
    ours.fit(batches(x, y), class_weight={0: 3.0}, verbose=0)
    plain.fit(x, y, batch_size=8, shuffle=False, class_weight={0: 3.0}, verbose=0)
    assert same(ours, plain)


def test_batches_without_targets_are_for_prediction(rng):
    x, y = digits(rng)
    model = classifier()
    expected = model.predict(x, verbose=0)
    for given in ([(x[:8],), (x[8:],)], iter([x[:8], x[8:]]), [{"x": x[:8]}, {"x": x[8:]}]):
        np.testing.assert_allclose(model.predict(given, verbose=0), expected, rtol=1e-6)
    with pytest.raises(DataError, match=r"batch 0: y is needed: the loss compares outputs with targets"):
        model.fit([(x[:8],)], verbose=0)


def test_a_loader_of_pytorch(rng):
    torch = pytest.importorskip("torch")
    x, y = digits(rng)
    pairs = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    loader = torch.utils.data.DataLoader(pairs, batch_size=8)
    ours, plain = classifier(), classifier()
    assert ours.fit(loader, epochs=2, verbose=0).params["steps"] == 3
    plain.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    assert same(ours, plain)
    np.testing.assert_allclose(ours.predict(loader, verbose=0), ours.predict(x, verbose=0), rtol=1e-6)
    np.testing.assert_allclose(
        ours.predict(torch.tensor(x), verbose=0), ours.predict(x, verbose=0), rtol=1e-6
    )


def test_watching_steps_of_an_iterable(rng):
    x, y = digits(rng)
    seen = []
    callback = bw.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    history = classifier().fit(batches(x, y), epochs=2, callbacks=[callback], verbose=0)
    assert seen == [0, 1, 2, 0, 1, 2] and history.params["steps"] == 3
    assert history.params["batch_size"] is None and history.params["samples"] is None


# What is refused.


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"y": np.zeros(8)},
            r"An iterable gives its own targets: batches \(x, y\).*Leave y and sample_weight",
        ),
        ({"sample_weight": np.ones(8)}, r"An iterable gives its own targets"),
        (
            {"validation_split": 0.5},
            r"validation_split cuts arrays; x is an iterable of batches\. Pass valid",
        ),
    ],
)
def test_arguments_that_go_with_arrays(rng, arguments, message):
    with pytest.raises(ParameterError, match=message):
        classifier().fit(batches(*digits(rng)), verbose=0, **arguments)


@pytest.mark.parametrize(
    "item, message",
    [
        ((np.zeros((3, 4)), np.zeros(2, int)), r"batch 1: y has 2\. Were they cut or shuffled apart"),
        ((np.zeros((3, 5)), np.zeros(3, int)), r"batch 1: x must have the shape \(N, 4\) for the input 'x'"),
        ((np.zeros((3, 4)), np.array([0, 1, 3])), r"batch 1: y must hold class indices in 0 … 2.*3 in row 2"),
        (
            (np.full((3, 4), np.nan), np.zeros(3, int)),
            r"batch 1: x must hold finite numbers; it holds nan in row 0",
        ),
        ((np.zeros((0, 4)), np.zeros(0, int)), r"batch 1: x needs at least one row"),
        ((1, 2, 3, 4), r"A batch is x, \(x, y\) or \(x, y, sample_weight\); batch 1 has 4 parts"),
        ((None, np.zeros(3)), r"batch 1: x needs an array; it received None"),
    ],
)
def test_a_bad_batch_is_named(rng, item, message):
    x, y = digits(rng)
    model = classifier()
    with pytest.raises(ValueError, match=message):
        model.fit([(x, y), item], verbose=0)
    assert model._plan.step_number == 1  # the first batch was trained on
    if len(item) == 2:
        with pytest.raises(ValueError, match="validation " + message):
            model.fit(x, y, validation_data=[(x, y), item], verbose=0)


def test_an_empty_list_and_an_empty_iterable(rng):
    model = classifier()
    with pytest.raises(DataError, match=r"x needs at least one row; it received none"):
        model.fit([], [], verbose=0)
    with pytest.raises(DataError, match=r"must give at least one batch; it gave none"):
        model.fit(Again([]), verbose=0)
    with pytest.raises(DataError, match=r"must give at least one batch; it gave none"):
        model.predict(Again([]), verbose=0)
    x, y = digits(rng)
    with pytest.raises(DataError, match=r"validation The iterable of batches|validation x needs"):
        model.fit(x, y, validation_data=Again([]), verbose=0)
