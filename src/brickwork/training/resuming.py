"""Going on with a training that was interrupted: what is written of a moment, and how it is taken up.

A moment is the weights, statistics and optimizer slots, the number of the step, the place in the epoch with
its running sums, the learning rate, and what the callbacks remember. The order of the rows and the masks of
dropout follow from the seed and the numbers of the steps; so the training goes on bit for bit as it would
have done.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Array
from ..engines.base import Plan, Totals
from ..errors import BrickworkError, FormatError, ParameterError
from ..structs import struct
from . import model_file
from .callbacks import CallbackList
from .undoing import Memory

if TYPE_CHECKING:
    from .model import Model

_HEADER = "training"
_TOTALS, _CALLBACKS = "totals/", "callbacks/"


@struct(frozen=True)
class Position:
    """A place in a training: `step` steps of `epoch` are done, both counted from 0.

    `first_step` is the number of the step at which epoch 0 begins, or would have begun; `totals` are the
    running sums of the epoch; `begun` says that the callbacks have been told of the epoch's beginning, `due`
    that they have not been told of the end of its last step, `stopped` that one of them has ended training.
    """

    epoch: int = 0
    step: int = 0
    first_step: int = 0
    totals: Totals = field(default_factory=dict)
    stopped: bool = False
    begun: bool = False
    due: bool = False


@struct(frozen=True)
class Moment:
    """A moment of a training, which `save` writes to a file.

    `memory` is what some of the callbacks remembered, where they are in the midst of calls that do not count.
    """

    model: Model
    plan: Plan
    callbacks: CallbackList
    position: Position
    feed: Mapping[str, Any]
    memory: Memory = field(default_factory=Memory)

    def save(self, path: Any) -> None:
        """Write a model file from which training can go on.

        Raises ParameterError where a callback remembers what JSON cannot hold.
        """
        from .saving import save_model

        place = self.position
        states, remembered = self.memory.over(self.callbacks)
        arrays = {f"{_CALLBACKS}{name}": np.asarray(one) for name, one in remembered.items()}
        for label, sums in place.totals.items():
            arrays.update({f"{_TOTALS}{label}/{index}": np.asarray(one) for index, one in enumerate(sums)})
        rate = getattr(self.model.optimizer, "learning_rate", None)
        told = {
            "epoch": place.epoch,
            "step": place.step,
            "first_step": place.first_step,
            "stopped": place.stopped,
            "begun": place.begun,
            "due": place.due,
            "seed": self.plan.seed,
            "learning_rate": None if callable(rate) else rate,
            "feed": dict(self.feed),
            "totals": {label: len(sums) for label, sums in place.totals.items()},
            "callbacks": {name: _plain(state, name) for name, state in states.items()},
            "arrays": list(arrays),
        }
        save_model(self.model, path, more_header={_HEADER: told}, more_arrays=arrays)


@struct(frozen=True)
class Resumed:
    """What `Moment.save` wrote, read again."""

    path: str
    position: Position
    seed: int
    learning_rate: float | None
    feed: Mapping[str, Any]
    states: Mapping[str, Any]
    arrays: Mapping[str, Array]
    weights: list[Array]
    tensors: Mapping[str, Array]

    def into_model(self, model: Model) -> None:
        """Weights, optimizer and seed into a compiled model."""
        from .saving import load_optimizer_state

        try:
            model._seed = self.seed
            if model._ready().seed != self.seed:
                model._plan = None
            model._ready()
            model.set_weights(self.weights)
            load_optimizer_state(model, self.tensors)
        except BrickworkError as error:
            error.add_note(f"while resuming from {self.path}")
            raise
        self.set_learning_rate(model)

    def set_learning_rate(self, model: Model) -> None:
        """The rate of that moment, where the optimizer has no schedule."""
        if self.learning_rate is not None and not callable(model.optimizer.learning_rate):
            model.optimizer.learning_rate = self.learning_rate

    def into_callbacks(self, callbacks: CallbackList) -> None:
        """What the callbacks remembered, copied: they may change it, and it may be asked for again."""
        callbacks.set_state(copy.deepcopy(self.states))
        callbacks.set_arrays({name: array.copy() for name, array in self.arrays.items()})

    def again(self, model: Model, callbacks: CallbackList) -> None:
        """Undo what the beginning of the epoch, called a second time, has changed."""
        self.into_callbacks(callbacks)
        for callback in callbacks:
            callback._take_up()
        self.set_learning_rate(model)
        model.stop_training = self.position.stopped

    def require_feed(self, feed: Mapping[str, Any]) -> None:
        """ParameterError unless the batches are made as they were."""
        for name, value in self.feed.items():
            if feed.get(name) != value:
                raise ParameterError(
                    f"A training goes on with the batches it had; in {self.path} {name}={value!r}, here it "
                    f"is {feed.get(name)!r}. Pass the same data and {name}={value!r}, or begin anew."
                )


def read_training(path: Any) -> Resumed:
    """What was written of a training.

    Raises FormatError where the file is damaged or tells of no training.
    """
    header, tensors = model_file.read(path)
    told = header.get(_HEADER)
    if told is None:
        raise FormatError(
            f"Training goes on from a file that a training has written, such as last.safetensors in its "
            f"folder; {path} holds a network alone. Load it with load_model and call fit."
        )
    try:
        missing = [name for name in told["arrays"] if name not in tensors]
        if missing:
            raise KeyError(missing[0])
        totals = {
            label: tuple(tensors[f"{_TOTALS}{label}/{index}"][()] for index in range(count))
            for label, count in told["totals"].items()
        }
        position = Position(
            int(told["epoch"]),
            int(told["step"]),
            int(told["first_step"]),
            totals,
            stopped=bool(told["stopped"]),
            begun=bool(told.get("begun", told["step"])),
            due=bool(told.get("due", False)),
        )
        rate = told["learning_rate"]
        return Resumed(
            path=str(path),
            position=position,
            seed=int(told["seed"]),
            learning_rate=None if rate is None else float(rate),
            feed=dict(told["feed"]),
            states={name: _unplain(state) for name, state in told["callbacks"].items()},
            arrays={
                name.removeprefix(_CALLBACKS): array
                for name, array in tensors.items()
                if name.startswith(_CALLBACKS)
            },
            weights=[tensors[model_file.weight_name(index)] for index in range(len(header["weights"]))],
            tensors=tensors,
        )
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError) as error:
        raise FormatError(
            f"{path} must tell of a training whole; its description breaks at {error!r}. "
            f"It is damaged; begin the training anew."
        ) from None


_FLOAT, _ARRAY = "float", "array"


_MARKS = ({_FLOAT}, {_ARRAY})


def _plain(value: Any, where: str) -> Any:
    """A value that strict JSON can hold and that `_unplain` gives back the same."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {_FLOAT: repr(float(value))}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value) and set(value) not in _MARKS:
        return {key: _plain(one, where) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one, where) for one in value]
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return {_ARRAY: _plain(value.tolist(), where)}
    raise ParameterError(
        f"get_state of the callback {where!r} must give what JSON can hold: numbers, texts, lists, dicts "
        f"with texts as keys; it gave {value!r} of type {type(value).__name__}. Give arrays by get_arrays."
    )


def _unplain(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {_ARRAY}:
            return np.array(_unplain(value[_ARRAY]))
        return float(value[_FLOAT]) if set(value) == {_FLOAT} else {k: _unplain(v) for k, v in value.items()}
    return [_unplain(one) for one in value] if isinstance(value, list) else value
