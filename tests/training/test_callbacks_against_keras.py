"""The callbacks beside Keras's own: the same logs in, the same decisions out."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest
from fake_model import FakeModel

from brickwork import callbacks as ours

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    theirs = pytest.importorskip("keras").callbacks

NAMES = [
    "Callback",
    "CallbackList",
    "CSVLogger",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
]


@pytest.mark.parametrize("name", NAMES)
def test_same_arguments_and_defaults(name):
    def table(module):
        parameters = inspect.signature(getattr(module, name)).parameters.values()
        return [(one.name, one.default) for one in parameters if one.kind is not one.VAR_KEYWORD]

    assert table(ours) == table(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_same_methods(name):
    def hooks(module):
        return {method for method in dir(getattr(module, name)) if method.startswith("on_")}

    assert hooks(ours) - {"on_gradients", "on_progress"} == hooks(theirs)


def walk(rng, size):
    """Numbers that fall, with relapses and plateaus, and differ by more than float32 can round."""
    steps = rng.choice([-0.5, -0.25, 0.0, 0.25, 0.5], size, p=[0.3, 0.2, 0.2, 0.2, 0.1])
    return 10 + np.cumsum(steps)


def play(callback, model, logs, tell):
    """What `tell` says after each epoch."""
    callback.set_params({})
    callback.set_model(model)
    callback.on_train_begin({})
    told = []
    for epoch, given in enumerate(logs):
        given = dict(given)
        callback.on_epoch_begin(epoch)
        for batch in range(3):
            callback.on_train_batch_begin(batch)
            callback.on_train_batch_end(batch, dict(given))
        model.weight = model.weight + 1
        callback.on_epoch_end(epoch, given)
        told.append(tell(callback, model, given))
        if model.stop_training:
            break
    callback.on_train_end({})
    return [*told, float(model.weight[0])]


def compare(name, arguments, logs, tell, change=lambda module, arguments: arguments):
    told = []
    for module in (ours, theirs):
        callback = getattr(module, name)(**change(module, arguments))
        told.append(play(callback, FakeModel(1.0), logs, tell))
    assert told[0] == told[1]


def pick(rng, **choices):
    return {name: values[rng.integers(len(values))] for name, values in choices.items()}


@pytest.mark.parametrize("seed", range(40))
def test_early_stopping(seed):
    rng = np.random.default_rng(seed)
    arguments = pick(
        rng,
        min_delta=[0, 0.25, -0.375],
        patience=[0, 1, 2, 4],
        mode=["auto", "min", "max"],
        baseline=[None, 9.375],
        restore_best_weights=[False, True],
        start_from_epoch=[0, 3],
    )
    logs = [{"loss": 1.0, "val_loss": value} for value in walk(rng, 20)]
    compare(
        "EarlyStopping",
        arguments,
        logs,
        lambda callback, model, given: (
            callback.wait,
            callback.best,
            callback.best_epoch,
            callback.stopped_epoch,
            model.stop_training,
        ),
    )


@pytest.mark.parametrize("seed", range(40))
def test_reduction_of_the_learning_rate(seed):
    rng = np.random.default_rng(seed)
    arguments = pick(
        rng,
        factor=[0.5, 0.25],
        patience=[0, 1, 2, 3],
        mode=["auto", "min", "max"],
        min_delta=[1e-4, 0.25],
        cooldown=[0, 1, 3],
        min_lr=[0.0, 0.125],
    )
    logs = [{"loss": 1.0, "val_loss": value} for value in walk(rng, 20)]
    compare(
        "ReduceLROnPlateau",
        arguments,
        logs,
        lambda callback, model, given: (
            given["learning_rate"],
            model.optimizer.learning_rate,
            callback.wait,
            callback.cooldown_counter,
            callback.in_cooldown(),
        ),
    )


@pytest.mark.parametrize("seed", range(40))
def test_checkpoints(seed, tmp_path):
    rng = np.random.default_rng(seed)
    arguments = pick(
        rng,
        monitor=["loss", "val_loss"],
        save_best_only=[False, True],
        save_weights_only=[False, True],
        mode=["min", "max"],
        save_freq=["epoch", "epoch", 2, 4, 7],
        initial_value_threshold=[None, 9.375],
    )
    if arguments["save_freq"] != "epoch" and arguments["save_best_only"]:
        arguments["save_best_only"] = False  # Keras cannot compare before the end of the first epoch
    logs = [{"loss": value, "val_loss": value + 0.5} for value in walk(rng, 8)]

    def named(module, arguments):
        ending = (
            "safetensors" if module is ours else "weights.h5" if arguments["save_weights_only"] else "keras"
        )
        name = "{epoch:02d}-{val_loss:.2f}" + ("" if arguments["save_freq"] == "epoch" else "-{batch}")
        return {**arguments, "filepath": str(tmp_path / f"{name}.{ending}")}

    def saved(callback, model, given):
        return [(kind, name.rpartition(".")[0].removesuffix(".weights")) for kind, name in model.saved]

    compare("ModelCheckpoint", arguments, logs, saved, named)


@pytest.mark.parametrize(
    "schedule", [lambda epoch, lr: lr / 2 if epoch % 3 else lr, lambda epoch: 1 / (1 + epoch)]
)
def test_schedule(schedule):
    compare(
        "LearningRateScheduler",
        {"schedule": schedule},
        [{"loss": 1.0}] * 7,
        lambda callback, model, given: (given, model.optimizer.learning_rate),
    )


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("later", [{}, {"val_loss": 1.5}, {"val_loss": 0.1 + 0.2, "more": 3.0}])
def test_table_of_the_epochs(separator, append, later, tmp_path):
    logs = [{"loss": 0.1, "accuracy": 1 / 3}, {"accuracy": 0.5, "loss": 1e-17, **later}, {"loss": 2.5}]
    made = []
    for module in (ours, theirs):
        path = tmp_path / f"{module.__name__}.csv"
        for _ in range(2):
            callback = module.CSVLogger(str(path), separator=separator, append=append)
            play(callback, FakeModel(), logs, lambda *_: None)
        made.append(path.read_bytes().replace(b"\r\n", b"\n"))
    assert made[0] == made[1]


def test_history():
    logs = [{"accuracy": 0.5, "loss": 1.0}, {"accuracy": 0.6, "loss": 0.9, "val_loss": 1.0}]
    compare("History", {}, logs, lambda callback, model, given: (callback.epoch[:], str(callback.history)))


def test_functions():
    told = []
    for module in (ours, theirs):
        seen = []
        callback = module.LambdaCallback(
            on_epoch_end=lambda epoch, logs, seen=seen: seen.append((epoch, logs)),
            on_train_begin=lambda logs, seen=seen: seen.append("begin"),
            on_train_batch_end=lambda batch, logs, seen=seen: seen.append(batch),
        )
        play(callback, FakeModel(), [{"loss": 1.0}] * 2, lambda *_: None)
        told.append(seen)
    assert told[0] == told[1] and len(told[0]) == 9


def recording(name, seen):
    return lambda self, *args, **kwargs: seen.append((name, args))


def test_order_of_calls():
    told = []
    for module in (ours, theirs):
        seen = []
        hooks = [
            name for name in dir(module.Callback) if name.startswith("on_") and name in dir(theirs.Callback)
        ]

        made = type("Made", (module.Callback,), {name: recording(name, seen) for name in hooks})
        callbacks = module.CallbackList([made(), made()], model=FakeModel(), epochs=2)
        play(callbacks, FakeModel(), [{"loss": 1.0}] * 2, lambda *_: None)
        told.append([(name, [part for part in args if isinstance(part, int)]) for name, args in seen])
    assert told[0] == told[1]
