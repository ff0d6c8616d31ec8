"""Callbacks that change the learning rate between epochs."""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable
from typing import Any, ClassVar

from ..arguments import Configured, Function, Real, Text, Whole, argument, configured
from ..errors import ParameterError
from .callback import Callback, Logs
from .checks import MODE, VERBOSE
from .monitor import Monitor, learning_rate_of


@configured()
class LearningRateScheduler(Configured, Callback):
    """Set the learning rate at the beginning of every epoch: lr = schedule(epoch, lr).

    Parameters
    ----------
    schedule : function of the epoch, counted from 0, and the present learning rate; gives the new one, a
        number of at least 0. A function of the epoch alone will do.
    verbose : 0 (default) or 1, which prints the rate.

    `learning_rate` is added to the epoch's logs.

    >>> from types import SimpleNamespace
    >>> callback = LearningRateScheduler(lambda epoch, lr: lr / 2 if epoch else lr)
    >>> callback.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.5)))
    >>> callback.on_epoch_begin(1)
    >>> callback.model.optimizer.learning_rate
    0.25

    Bengio, "Practical Recommendations for Gradient-Based Training of Deep Architectures", 2012.
    """

    schedule: Callable[..., Any] = argument(Function("(epoch, lr)"))
    verbose: int = argument(VERBOSE, default=0)

    adds = ("learning_rate",)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Ask the schedule; set what it says."""
        rate = learning_rate_of(self)
        new = self.schedule(epoch, rate) if _takes_two(self.schedule) else self.schedule(epoch)
        if hasattr(new, "shape") and new.shape == ():
            new = new.item()
        if isinstance(new, bool) or not isinstance(new, numbers.Real) or not math.isfinite(new) or new < 0:
            raise ParameterError(
                f"LearningRateScheduler: the schedule must give a finite number of at least 0; for epoch "
                f"{epoch} and lr={rate} it gave {new!r}. Mend the schedule; a forgotten return gives None."
            )
        self.model.optimizer.learning_rate = float(new)
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {float(new):g}")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Tell the rate in the logs."""
        if logs is not None:
            logs["learning_rate"] = learning_rate_of(self)


def _takes_two(function: Callable[..., Any]) -> bool:
    """Whether (epoch, lr) can be passed; asked of the signature, so that a TypeError inside stays one."""
    try:
        inspect.signature(function).bind(0, 0.1)
    except TypeError:
        return False
    except ValueError:  # functions written in C tell no signature
        return True
    return True


@configured()
class ReduceLROnPlateau(Monitor):
    """Multiply the learning rate by `factor` once `monitor` has not improved for `patience` epochs.

    Parameters
    ----------
    monitor : name of a loss or metric, default "val_loss".
    factor : number in (0, 1), default 0.1.
    patience : whole number of at least 0, default 10; epochs without improvement that are tolerated.
    verbose : 0 (default) or 1, which prints new rates.
    mode : "auto" (default), "min" or "max".
    min_delta : number, default 1e-4; by how much a value must be better to count. Its sign plays no role.
    cooldown : whole number of at least 0, default 0; epochs after a reduction that are not counted.
    min_lr : number of at least 0, default 0; the rate is never set lower.

    `learning_rate` is added to the epoch's logs: the rate with which the epoch was trained.

    >>> from types import SimpleNamespace
    >>> callback = ReduceLROnPlateau("loss", factor=0.5, patience=1)
    >>> callback.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.5)))
    >>> for epoch, loss in enumerate([0.3, 0.3]):
    ...     callback.on_epoch_end(epoch, {"loss": loss})
    >>> callback.model.optimizer.learning_rate
    0.25

    Keras 3, ReduceLROnPlateau; the habit is older: Krizhevsky, Sutskever and Hinton, 2012, section 5.
    """

    former_names: ClassVar[dict[str, str]] = {"epsilon": "min_delta"}

    monitor: str = argument(Text(), default="val_loss")
    factor: float = argument(Real(0.0, 1.0, low_open=True, high_open=True), default=0.1)
    patience: int = argument(Whole(0), default=10)
    verbose: int = argument(VERBOSE, default=0)
    mode: str = argument(MODE, default="auto")
    min_delta: float = argument(Real(), default=1e-4)
    cooldown: int = argument(Whole(0), default=0)
    min_lr: float = argument(Real(0.0), default=0.0)

    kept = ("wait", "cooldown_counter", "best")
    adds = ("learning_rate",)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._threshold = abs(self.min_delta)
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.cooldown_counter = 0
        self.best: float | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier training."""
        if not self._take_up():
            self._reset()

    def in_cooldown(self) -> bool:
        """Whether epochs are not counted yet after a reduction."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare; lower the rate when patience is at its end."""
        logs = {} if logs is None else logs
        rate = learning_rate_of(self)
        logs["learning_rate"] = rate
        current = self.read(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.better(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and rate > self.min_lr:
                self._reduce(epoch, rate)

    def _reduce(self, epoch: int, rate: float) -> None:
        new = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose:
            print(f"Epoch {epoch + 1}: {self.monitor} no longer improves; the learning rate becomes {new:g}")
