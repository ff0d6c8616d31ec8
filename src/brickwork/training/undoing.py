"""What the callbacks remembered before calls that are under way, for the file of an interrupted training.

Ctrl-C may come in any line of a callback. A step or an end of an epoch that is abandoned then happens again
when the training goes on; so its calls must not count twice. The weights need no such care: a step changes
them all at once, in its last line.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import field
from typing import Any

import numpy as np

from ..arrays import Array
from ..structs import struct
from .callback import Callback, overrides
from .callbacks import CallbackList

EPOCH_BEGIN = ("on_epoch_begin",)
STEP_BEGIN = ("on_train_batch_begin", "on_batch_begin", "on_gradients")
STEP_END = ("on_train_batch_end", "on_batch_end")
EPOCH_END = ("on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end", "on_epoch_end")
NOTHING: tuple[str, ...] = ()


@struct(frozen=True)
class Memory:
    """States and arrays of some callbacks, copied, by their names in a `CallbackList`."""

    states: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)

    def over(self, callbacks: CallbackList) -> tuple[dict[str, Any], dict[str, Array]]:
        """(states, arrays) of all callbacks: those of this memory, else what they remember now."""
        states, arrays = dict(self.states), {}
        for name, callback in callbacks.named():
            if name not in self.states and (state := callback.get_state()):
                states[name] = state
            own = self.arrays[name] if name in self.arrays else callback.get_arrays()
            arrays.update({f"{name}/{key}": array for key, array in own.items()})
        return {name: state for name, state in states.items() if state}, arrays


@struct(frozen=True)
class Mark:
    """A place in a training from which it can go on, made before calls that may be abandoned.

    `first` is the number of the epoch's first step, `step` that of the next one. The callbacks have been told
    of the beginning of the epoch where it has `begun`, and of the end of `told` of its steps.
    """

    epoch: int
    first: int
    step: int
    told: int
    begun: bool
    stopped: bool = False
    rate: Any = None
    memory: Memory = Memory()


class Undo:
    """Makes marks; keeps what those callbacks remember that the calls to come may change."""

    def __init__(self, model: Any, callbacks: CallbackList) -> None:
        self.model = model
        self.callbacks = callbacks
        self._concerned: dict[tuple[str, ...], list[tuple[str, Callback]]] = {
            hooks: [
                (name, callback)
                for name, callback in callbacks.named()
                if any(overrides(callback, hook) for hook in hooks)
            ]
            for hooks in (EPOCH_BEGIN, STEP_BEGIN, STEP_END, EPOCH_END, NOTHING)
        }

    def mark(self, hooks: tuple[str, ...], **place: Any) -> Mark:
        """A mark before calls of these methods, at a place that the first fields of `Mark` tell."""
        concerned = self._concerned[hooks]
        memory = Memory(
            {name: copy.deepcopy(callback.get_state()) for name, callback in concerned},
            {
                name: {key: np.array(one) for key, one in callback.get_arrays().items()}
                for name, callback in concerned
            },
        )
        rate = getattr(self.model.optimizer, "learning_rate", None)
        return Mark(**place, stopped=self.model.stop_training, rate=rate, memory=memory)

    def back(self, mark: Mark) -> None:
        """Let model and callbacks be as they were at the mark."""
        self.model.stop_training = mark.stopped
        if mark.rate is not None and not callable(mark.rate):
            self.model.optimizer.learning_rate = mark.rate
        for name, callback in self.callbacks.named():
            if state := mark.memory.states.get(name):
                callback.set_state(copy.deepcopy(state))
                callback._take_up()
            if name in mark.memory.arrays:
                callback.set_arrays(mark.memory.arrays[name])
