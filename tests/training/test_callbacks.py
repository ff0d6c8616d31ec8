"""The base of all callbacks, the list that calls them, the history, callbacks made of functions."""

from __future__ import annotations

import json

import numpy as np
import pytest

from brickwork.errors import ParameterError, ParameterTypeError
from brickwork.training.callback import HOOKS, Callback
from brickwork.training.callbacks import CallbackList, History
from brickwork.training.functions import LambdaCallback
from brickwork.training.rates import LearningRateScheduler, ReduceLROnPlateau


class FakeModel:
    history = None
    stop_training = False


class Recorder(Callback):
    """Writes down every call it gets."""

    def __init__(self):
        self.calls = []


def _record(name):
    def method(self, *args, **kwargs):
        self.calls.append((name, args, kwargs))

    return method


for _name in HOOKS:
    setattr(Recorder, _name, _record(_name))

NUMBERED = [name for name in HOOKS if ("epoch" in name or "batch" in name or "progress" in name)]
PLAIN = [name for name in HOOKS if name not in NUMBERED and name != "on_gradients"]


def test_the_hooks_are_keras_ones_and_two_more():
    keras = {
        f"on_{what}_{when}"
        for what in (
            "train",
            "epoch",
            "train_batch",
            "batch",
            "test",
            "test_batch",
            "predict",
            "predict_batch",
        )
        for when in ("begin", "end")
    }
    assert set(HOOKS) == keras | {"on_gradients", "on_progress"}


@pytest.mark.parametrize("name", NUMBERED)
def test_list_hands_a_numbered_call_to_all(name):
    recorders = [Recorder(), Recorder()]
    logs = {"loss": 0.5}
    getattr(CallbackList(recorders), name)(3, logs)
    for recorder in recorders:
        ((called, args, kwargs),) = recorder.calls
        assert (called, args, kwargs) == (name, (3,), {"logs": logs})
        assert kwargs["logs"] is logs


@pytest.mark.parametrize("name", PLAIN)
def test_list_hands_a_plain_call_to_all(name):
    recorders = [Recorder(), Recorder()]
    getattr(CallbackList(recorders), name)()
    assert [recorder.calls for recorder in recorders] == [[(name, ({},), {})]] * 2


def test_methods_of_the_list_say_what_they_do():
    assert "To all" in CallbackList.on_epoch_end.__doc__
    assert CallbackList.on_epoch_end.__name__ == "on_epoch_end"


def test_batch_methods_call_their_older_names():
    seen = []

    class Old(Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch, logs))

        def on_batch_end(self, batch, logs=None):
            seen.append(("end", batch, logs))

    callbacks = CallbackList([Old()])
    callbacks.on_train_batch_begin(0)
    callbacks.on_train_batch_end(0, {"loss": 1.0})
    assert seen == [("begin", 0, {}), ("end", 0, {"loss": 1.0})]


@pytest.mark.parametrize(
    "name", ["on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"]
)
def test_needs_steps_where_a_batch_method_is_overridden(name):
    made = type("Made", (Callback,), {name: lambda self, batch, logs=None: None})()
    assert CallbackList([History(), made]).needs_steps
    assert CallbackList([LambdaCallback(**{name: lambda batch, logs: None})]).needs_steps


@pytest.mark.parametrize("name", sorted(set(HOOKS) - {"on_train_batch_begin", "on_train_batch_end"}))
def test_needs_no_steps_for_the_other_methods(name):
    made = type("Made", (Callback,), {name: lambda self, *args, **kwargs: None})()
    callbacks = CallbackList([made], add_history=True)
    assert callbacks.needs_steps == (name in ("on_batch_begin", "on_batch_end"))
    assert callbacks.needs_gradients == (name == "on_gradients")


def test_gradients_pass_through_all_in_turn():
    class Double(Callback):
        def on_gradients(self, step, gradients):
            return {key: 2 * gradient for key, gradient in gradients.items()}

    class Look(Callback):
        def on_gradients(self, step, gradients):
            self.seen = step, float(gradients["dense/linear/W"][0])

    look = Look()
    given = {"dense/linear/W": np.array([3.0])}
    left = CallbackList([Double(), look, Double()]).on_gradients(7, given)
    assert look.seen == (7, 6.0)
    assert float(left["dense/linear/W"][0]) == 12.0
    assert float(given["dense/linear/W"][0]) == 3.0


@pytest.mark.parametrize(
    "wrong, told", [({"dense/linear/V": 0}, "'dense/linear/V'"), ({}, "an empty dict"), (1, "int")]
)
def test_gradients_must_keep_their_keys(wrong, told):
    callbacks = CallbackList([LambdaCallback(on_gradients=lambda step, gradients: wrong)])
    expected = (
        rf"LambdaCallback.on_gradients must return None or a dict .* 'dense/linear/W'; it returned {told}"
    )
    with pytest.raises(ParameterError, match=expected):
        callbacks.on_gradients(0, {"dense/linear/W": np.zeros(1)})


def test_close_reaches_all():
    closed = []
    CallbackList(
        [LambdaCallback(close=lambda: closed.append(1)), LambdaCallback(close=lambda: closed.append(2))]
    ).close()
    assert closed == [1, 2]


def test_list_takes_nested_lists_and_itself():
    a, b, c = Callback(), Callback(), Callback()
    inner = CallbackList([a, [b]])
    callbacks = CallbackList([inner, (c,)])
    callbacks.append(History())
    assert list(callbacks)[:3] == [a, b, c]
    assert len(callbacks) == 4
    assert CallbackList(None).callbacks == []
    assert CallbackList() and len(CallbackList()) == 0
    assert list(CallbackList(a)) == [a]


def test_list_adds_a_history_once():
    mine = History()
    assert CallbackList([mine], add_history=True).history is mine
    assert isinstance(CallbackList([], add_history=True).history, History)
    assert CallbackList([]).history is None


def test_list_hands_on_model_and_params():
    model, callback = FakeModel(), Callback()
    callbacks = CallbackList([callback], add_history=True, model=model, epochs=3, verbose=0, steps=None)
    assert callback.model is model
    assert callback.params == {"epochs": 3, "verbose": 0, "steps": None}
    assert model.history is callbacks.history


def test_callbacks_tell_which_names_they_add_to_the_logs():
    callback = Callback()
    CallbackList(
        [callback, LearningRateScheduler(lambda epoch, lr: lr), ReduceLROnPlateau()], metrics=["loss"]
    )
    assert callback.params == {"metrics": ["loss", "learning_rate"]}


class OfKeras:
    __module__ = "keras.src.callbacks"


@pytest.mark.parametrize(
    "wrong, told",
    [
        (History, r"it received the class History. Make an instance: History\(\)"),
        (
            print,
            r"it received 'print', a function. Say when to call it, as in LambdaCallback\(on_epoch_end=print",
        ),
        (3, "it received 3 of type int. Derive your own from brickwork.callbacks.Callback"),
        (OfKeras(), "it received OfKeras of Keras. Import the one of that name from brickwork.callbacks"),
    ],
)
def test_list_refuses_what_is_no_callback(wrong, told):
    with pytest.raises(
        ParameterTypeError, match=rf"`callbacks` holds callbacks, such as EarlyStopping\(\); {told}"
    ):
        CallbackList([wrong])


# History.


def test_history_keeps_every_epoch():
    history = History()
    model = FakeModel()
    callbacks = CallbackList([history], model=model)
    callbacks.on_train_begin()
    callbacks.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.6})
    callbacks.on_epoch_end(1, {"loss": 0.25, "val_loss": 0.5})
    assert history.history == {"loss": [0.5, 0.25], "val_loss": [0.6, 0.5]}
    assert history.epoch == [0, 1]
    assert model.history is history
    assert repr(history) == "<History of 2 epochs: loss 0.25, val_loss 0.5>"


def test_history_sees_what_another_callback_adds():
    callbacks = CallbackList(
        [LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(learning_rate=0.1))], add_history=True
    )
    logs = {"loss": 1.0}
    callbacks.on_epoch_end(0, logs)
    assert callbacks.history.history == {"loss": [1.0], "learning_rate": [0.1]}
    assert logs == {"loss": 1.0, "learning_rate": 0.1}


def test_a_second_training_numbers_anew_and_goes_on_recording_as_in_keras():
    history = History()
    for epoch in (0, 1):
        history.on_train_begin()
        history.on_epoch_end(epoch, {"loss": 1.0 - epoch})
    assert history.epoch == [1]
    assert history.history["loss"] == [1.0, 0.0]


def test_history_goes_on_from_its_state():
    first = History()
    first.on_train_begin()
    first.on_epoch_end(0, {"loss": 0.1 + 0.2})
    state = json.loads(json.dumps(first.get_state()))
    first.on_epoch_end(1, {"loss": 0.2})
    second = History()
    second.set_state(state)
    second.on_train_begin()
    second.on_epoch_end(1, {"loss": 0.2})
    assert (second.epoch, second.history) == (first.epoch, first.history)
    second.on_train_begin()
    assert second.epoch == []


# State.


class Counting(Callback):
    kept = ("count",)

    def __init__(self):
        self.count = 0

    def get_arrays(self):
        return {"w": np.full(2, self.count)}

    def set_arrays(self, arrays):
        self.arrays = dict(arrays)


def test_list_keeps_the_state_of_each():
    first = CallbackList([Counting(), Callback(), Counting()], add_history=True)
    first.callbacks[0].count, first.callbacks[2].count = 5, 7
    state = json.loads(json.dumps(first.get_state()))
    assert list(state) == ["0 Counting", "2 Counting", "3 History"]
    arrays = first.get_arrays()
    assert list(arrays) == ["0 Counting/w", "2 Counting/w"]
    second = CallbackList([Counting(), Callback(), Counting()], add_history=True)
    second.set_state(state)
    second.set_arrays(arrays)
    assert [second.callbacks[0].count, second.callbacks[2].count] == [5, 7]
    assert second.callbacks[2].arrays["w"].tolist() == [7, 7]


def test_state_of_other_callbacks_is_refused():
    state = CallbackList([Counting()]).get_state()
    expected = (
        "The callbacks with a state are '0 History'; the state is of '0 Counting'. Resume with the callbacks"
    )
    with pytest.raises(ParameterError, match=expected):
        CallbackList([History()]).set_state(state)
    with pytest.raises(ParameterError, match="The state of Counting holds 'count'; it received 'counts'"):
        Counting().set_state({"counts": 1})


# Functions.


def test_lambda_callback_calls_its_functions():
    seen = []
    callback = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(("begin", epoch)),
        on_train_batch_end=lambda batch, logs: seen.append(("batch", batch)),
        on_test_end=lambda logs: seen.append("test"),
        on_train_end=None,
    )
    callbacks = CallbackList([callback])
    callbacks.on_epoch_begin(2)
    callbacks.on_train_batch_end(4, {})
    callbacks.on_test_end()
    callbacks.on_train_end()
    assert seen == [("begin", 2), ("batch", 4), "test"]


def test_lambda_callback_refuses_unknown_methods():
    with pytest.raises(ParameterTypeError, match="it received `on_epoch_ends`. Did you mean 'on_epoch_end'?"):
        LambdaCallback(on_epoch_ends=print)


def test_lambda_callback_refuses_what_cannot_be_called():
    with pytest.raises(
        ParameterTypeError, match="`on_epoch_end` must be None or a function; got on_epoch_end=3 of type int"
    ):
        LambdaCallback(on_epoch_end=3)
