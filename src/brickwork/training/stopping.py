"""Early stopping: end the training when a monitored number no longer improves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arguments import Flag, Maybe, Real, Text, Whole, argument, configured
from ..arrays import Array
from .callback import Logs
from .checks import MODE, VERBOSE
from .monitor import Monitor


@configured()
class EarlyStopping(Monitor):
    """Stop training once `monitor` has not improved for `patience` epochs.

    Names, defaults and behaviour are Keras 3's, but that a name which the logs do not have is an error.

    Parameters
    ----------
    monitor : name of a loss or metric, default "val_loss".
    min_delta : number, default 0; by how much a value must be better to count. Its sign plays no role.
    patience : whole number of at least 0, default 0; epochs without improvement that are tolerated.
    verbose : 0 (default) or 1, which says so when training is stopped.
    mode : "auto" (default), "min" or "max".
    baseline : number or None; an epoch counts as improvement only where it also beats this.
    restore_best_weights : whether the model gets the weights of its best epoch in the end, default False.
    start_from_epoch : whole number of at least 0, default 0; epochs before it are not looked at.

    Attributes `wait`, `best`, `best_epoch`, `stopped_epoch` tell where it stands.

    >>> callback = EarlyStopping("loss", patience=1)
    >>> callback.set_model(type("Model", (), {"stop_training": False})())
    >>> for epoch, loss in enumerate([0.5, 0.4, 0.4]):
    ...     callback.on_epoch_end(epoch, {"loss": loss})
    >>> callback.model.stop_training, callback.best, callback.stopped_epoch
    (True, 0.4, 2)

    Prechelt, "Early Stopping - But When?", 1998.
    """

    monitor: str = argument(Text(), default="val_loss")
    min_delta: float = argument(Real(), default=0.0)
    patience: int = argument(Whole(0), default=0)
    verbose: int = argument(VERBOSE, default=0)
    mode: str = argument(MODE, default="auto")
    baseline: float | None = argument(Maybe(Real()), default=None)
    restore_best_weights: bool = argument(Flag(), default=False)
    start_from_epoch: int = argument(Whole(0), default=0)

    kept = ("wait", "stopped_epoch", "best", "best_epoch")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._threshold = abs(self.min_delta)
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: list[Array] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier training."""
        if not self._take_up():
            self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare; stop when patience is at its end."""
        current = self.read(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            # kept even where no epoch beats the baseline
            self._remember(epoch)
        self.wait += 1
        if self.better(current, self.best):
            self.best = current
            self._remember(epoch)
            if self.better(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _remember(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Give the model its best weights back, where that was asked for."""
        if self.stopped_epoch > 0 and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: {self.monitor} no longer improves; training stops")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(f"The model gets the weights of its best epoch, {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)

    def get_arrays(self) -> dict[str, Array]:
        """The best weights, numbered."""
        return {str(index): array for index, array in enumerate(self.best_weights or [])}

    def set_arrays(self, arrays: Mapping[str, Any]) -> None:
        """The best weights again."""
        self.best_weights = [arrays[str(index)] for index in range(len(arrays))] or None
