"""A training as TensorBoard shows it, in event files that are written without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any, ClassVar

from ..arguments import Choice, Configured, Either, Flag, Whole, argument, configured
from .callback import STEP_HOOKS, Callback, Logs, numbers_in, overrides
from .checks import PATH
from .event_files import EventFiles, require_library

TRAIN, VALIDATION = "train", "validation"
_EVALUATION = "evaluation_{}_vs_iterations"


@configured()
class TensorBoard(Configured, Callback):
    """Write event files for TensorBoard: `tensorboard --logdir LOG_DIR` shows them, also while it trains.

    Names, defaults and tags are Keras 3's. In `train/` and `validation/`, over the epochs from 0, stand
    `epoch_loss`, `epoch_accuracy`, …; in `train/` also `epoch_learning_rate`, the rate with which the epoch
    began, and a summary of the network; in `validation/` also `evaluation_loss_vs_iterations`, …, over the
    updates made so far.

    A training that is resumed goes on with the same curves: what was written after the moment from which it
    goes on is cut off. Give each training a folder of its own.

    Parameters
    ----------
    log_dir : path of the folder, default "logs". Folders are made.
    histogram_freq : every so many epochs, from the first on, histograms of all weights; 0 (default): none.
    write_graph : whether the graph of bricks is written, default True.
    write_steps_per_second : whether `epoch_steps_per_second` is written, default False.
    update_freq : "epoch" (default), or after how many updates to write `batch_loss`, …, the epoch's means so
        far, over the updates counted from 1; "batch" stands for 1. Training then goes step by step.

    Keras's `write_images`, `profile_batch` and `embeddings_*` are not there. It needs tensorboardX:
    pip install "brickwork[tensorboard]".

    >>> TensorBoard("logs/first", histogram_freq=1)
    TensorBoard(log_dir='logs/first', histogram_freq=1)

    Keras 3, TensorBoard.
    """

    log_dir: str = argument(PATH, default="logs")
    histogram_freq: int = argument(Whole(0), default=0)
    write_graph: bool = argument(Flag(), default=True)
    write_steps_per_second: bool = argument(Flag(), default=False, kw_only=True)
    update_freq: Any = argument(Either((Choice(("epoch", "batch")), Whole(1))), default="epoch", kw_only=True)

    kept: ClassVar[tuple[str, ...]] = ("_rate", "_written")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_library(type(self).__name__)
        self._files = EventFiles(self.log_dir)
        self._training = False
        self._rate = 0.0
        self._begun, self._first_step = 0.0, 0

    @property
    def needs_steps(self) -> bool:
        """Only where updates are counted."""
        overridden = any(overrides(self, name, TensorBoard) for name in STEP_HOOKS)
        return self.update_freq != "epoch" or overridden

    @property
    def _steps(self) -> int:
        """Updates the model has seen."""
        return int(self.model._ready().step_number)

    # -- while it trains ----------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """The network; or, where a training goes on, nothing but what it had reached."""
        self._training = True
        if self._take_up():
            self._files.cut()
            return
        self._files = EventFiles(self.log_dir)
        self._files.text(TRAIN, "model", self.model.summary_text(100))
        if self.write_graph:
            self._files.graph(TRAIN, self.model.graph)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Remember the time, and the rate with which the epoch begins."""
        self._begun, self._first_step = perf_counter(), self._steps
        self._rate = float(self.model.optimizer.rate(self._first_step))

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The means so far, where `update_freq` says so."""
        super().on_train_batch_end(batch, logs)
        if self.update_freq == "epoch":
            return
        step = self._steps
        if step % (1 if self.update_freq == "batch" else self.update_freq) == 0:
            self._scalars(TRAIN, "batch_{}", logs or {}, step)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """A point of each curve, and the histograms where they are due."""
        logs = logs or {}
        trained = {name: value for name, value in logs.items() if not name.startswith("val_")}
        trained["learning_rate"] = self._rate
        if self.write_steps_per_second:
            trained["steps_per_second"] = (self._steps - self._first_step) / (perf_counter() - self._begun)
        validated = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
        self._scalars(TRAIN, "epoch_{}", trained, epoch)
        self._scalars(VALIDATION, "epoch_{}", validated, epoch)
        self._scalars(VALIDATION, _EVALUATION, validated, self._steps)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for weight in self.model.weights:
                self._files.histogram(TRAIN, f"{weight.path}/histogram", weight.value, epoch)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """What `evaluate` has found; a validation in `fit` waits for the end of its epoch."""
        if not self._training:
            self._scalars(VALIDATION, _EVALUATION, logs or {}, self._steps)
            self._files.close()

    def _scalars(self, place: str, tag: str, logs: Mapping[str, Any], step: int) -> None:
        numbers = numbers_in(logs).items()
        self._files.scalars(place, {tag.format(name): value for name, value in numbers}, step)

    def close(self) -> None:
        """Close the files, also after an interruption."""
        self._training = False
        self._files.close()

    @property
    def _written(self) -> dict[str, Any]:
        """How far the files go, which is kept with a training."""
        return self._files.state()

    @_written.setter
    def _written(self, state: dict[str, Any]) -> None:
        self._files.load(state)
