"""What a user may hook into training.

Names and times of the calls are Keras 3's; two more are Brickwork's own: `on_gradients`, between the backward
pass and the update, and `on_progress`, a few times a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..arrays import Array
from ..errors import ParameterError, known_names

Logs = dict[str, Any]
"""Name of a loss or metric -> number, or an array of a metric that has several."""


def numbers_in(logs: Mapping[str, Any] | None) -> dict[str, float]:
    """Those of the logs that are single numbers: what fits into a cell or onto a curve."""
    return {
        name: float(value)
        for name, value in (logs or {}).items()
        if hasattr(value, "__float__") and getattr(value, "ndim", 0) == 0
    }


STEP_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")


class Callback:
    """Base of all callbacks: override what you need; every method here does nothing.

    `model` is the model in training, `params` a dict with `verbose`, `epochs`, `steps` and more. Epochs and
    batches count from 0. All callbacks see the same `logs`, so that one may add to them. Setting
    `self.model.stop_training = True` ends training after the epoch (after the batch, from a batch method).

    >>> class Halve(Callback):
    ...     def on_epoch_begin(self, epoch, logs=None):
    ...         if epoch:
    ...             self.model.optimizer.learning_rate /= 2

    Keras 3, "Writing your own callbacks", 2023.
    """

    model: Any = None
    params: dict[str, Any] | None = None
    kept: ClassVar[tuple[str, ...]] = ()
    """Attributes that change during training; `get_state` tells them. Where a step or the end of an epoch is
    abandoned by Ctrl-C, its calls happen again when the training goes on, with these as they were before."""
    adds: ClassVar[tuple[str, ...]] = ()
    """Names that `on_epoch_end` adds to the logs."""
    _resumed: bool = False

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive the parameters of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the model."""
        self.model = model

    # -- what is called when ------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch of `fit`."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch, with that epoch's logs; not where an error ended the training."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch's first batch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation: `loss`, metrics, and the same with `val_`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of training."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After an update, with the epoch's means so far."""
        self.on_batch_end(batch, logs=logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of `on_train_batch_end`."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before `evaluate`, and before the validation in `fit`."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After `evaluate`, and after the validation in `fit`."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of evaluation, with the means so far."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before `predict`."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After `predict`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of prediction."""

    def on_gradients(self, step: int, gradients: dict[str, Array]) -> dict[str, Array] | None:
        """Between backward and update: key -> gradient. What is returned, unless None, takes their place."""
        return None

    def on_progress(self, step: int, logs: Logs | None = None) -> None:
        """At most ten times a second while training, evaluating or predicting: steps done, means so far."""

    def close(self) -> None:
        """When training is over for whatever reason, an error or Ctrl-C among them: leave all tidy."""

    # -- what it needs ------------------------------------------------------------------------------

    @property
    def needs_steps(self) -> bool:
        """Whether training must go step by step: a method called at each batch is overridden."""
        return any(overrides(self, name) for name in STEP_HOOKS)

    @property
    def needs_gradients(self) -> bool:
        """Whether `on_gradients` is overridden."""
        return overrides(self, "on_gradients")

    # -- going on with an interrupted run -----------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """What must be known to go on after an interruption, as plain values that JSON can hold."""
        return {name: getattr(self, name) for name in self.kept}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `get_state` told; call it before `on_train_begin`, which then resets nothing."""
        if set(state) != set(self.get_state()):
            raise ParameterError(
                f"The state of {type(self).__name__} holds {known_names(self.get_state()) or 'nothing'}; it "
                f"received {known_names(state) or 'nothing'}. Resume with the callbacks of the first run."
            )
        for name, value in state.items():
            setattr(self, name, value)
        self._resumed = True

    def get_arrays(self) -> dict[str, Array]:
        """The arrays among what must be known to go on."""
        return {}

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Take back what `get_arrays` gave."""

    def commit(self, moment: Any, *, must: bool) -> None:
        """At moments from which training can go on, to write one of them to a file: `moment.save(path)`.

        `must` is True before the first step, after each epoch and at Ctrl-C; else it is up to the callback
        whether so much time has passed that saving is worth while. Callbacks of a resumed training do not
        have to do anything here.
        """

    def _take_up(self) -> bool:
        """Whether this run goes on from a state; asked once, by `on_train_begin`."""
        resumed, self._resumed = self._resumed, False
        return resumed


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


def overrides(callback: Callback, name: str, base: type[Callback] = Callback) -> bool:
    """Whether `callback`, by its class or by itself, has another method `name` than `base` has."""
    return getattr(getattr(callback, name), "__func__", None) is not getattr(base, name)
