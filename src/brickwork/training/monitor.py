"""What callbacks share that watch one number: its direction, and what counts as an improvement."""

from __future__ import annotations

from ..arguments import Configured
from ..errors import ParameterError, did_you_mean, known_names
from .callback import Callback, Logs

_UP = ("accuracy", "acc", "auc", "precision", "recall", "f1_score", "fbeta_score", "r2_score", "iou")
_DOWN = ("loss", "error", "mse", "mae", "mape", "msle", "rmse", "crossentropy", "divergence", "hinge", "cosh")


class Monitor(Configured, Callback):
    """Base of the callbacks that watch `monitor` and prefer it low or high.

    "auto" takes the direction from the metric of that name in the model, else from the name: losses and
    errors are to fall, accuracies to rise.
    """

    monitor: str
    mode: str
    _threshold: float = 0.0
    """How much better a value must be to count as better."""

    def rises(self) -> bool:
        """Whether higher is better. Raises ParameterError where "auto" cannot tell."""
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        for metric in getattr(self.model, "metrics", None) or ():
            direction = getattr(metric, "direction", None)
            label = str(getattr(metric, "name", ""))
            if direction in ("up", "down") and (name == label or name.endswith(f"_{label}")):
                return bool(direction == "up")
        if name.endswith(_UP):
            return True
        if name.endswith(_DOWN):
            return False
        raise ParameterError(
            f"{type(self).__name__}: `mode` must be 'min' or 'max' where the name of the metric does not "
            f"tell its direction, as with monitor={self.monitor!r}; got mode='auto'. Write mode='max' "
            f"if higher is better, else mode='min'."
        )

    def better(self, value: float, than: float | None) -> bool:
        """Whether `value` improves on `than` by more than the threshold; anything improves on None."""
        if than is None:
            return True
        if self.rises():
            return value - self._threshold > than
        return value + self._threshold < than

    def read(self, logs: Logs | None) -> float | None:
        """The monitored value; None in an epoch without validation. Raises ParameterError for others."""
        logs = logs or {}
        if self.monitor in logs:
            value = logs[self.monitor]
            if getattr(value, "ndim", 0):
                raise ParameterError(
                    f"{type(self).__name__}: `monitor` must name a single number in the logs; got "
                    f"monitor={self.monitor!r}, an array of shape {value.shape}. Have the metric average, "
                    f"as by F1Score(average='macro')."
                )
            return float(value)
        validation_freq = (self.params or {}).get("validation_freq") or 1
        if self.monitor.startswith("val_") and validation_freq != 1:
            return None
        raise ParameterError(
            f"{type(self).__name__}: `monitor` must be one of the names in the logs, "
            f"{known_names(logs) or 'none'}; got monitor={self.monitor!r}.{self._repair(logs)}"
        )

    def _repair(self, logs: Logs) -> str:
        if self.monitor.startswith("val_") and not any(name.startswith("val_") for name in logs):
            without = self.monitor.removeprefix("val_")
            hint = f" or monitor {without!r}" if without in logs else ""
            return f" Pass validation_data or validation_split to fit{hint}."
        return did_you_mean(self.monitor, logs) or " Name the metric in compile(metrics=[…])."


def learning_rate_of(callback: Callback) -> float:
    """The optimizer's learning rate. Raises ParameterError where it is a schedule, which nobody may set."""
    rate = callback.model.optimizer.learning_rate
    if callable(rate):
        raise ParameterError(
            f"{type(callback).__name__} sets the learning rate, which must be a number then; the optimizer "
            f"has learning_rate={rate!r}. Compile with a number, or drop the callback."
        )
    return float(rate)
