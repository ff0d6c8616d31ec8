"""Checkpoints: the model, or its weights, on disk while it trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ..arguments import Choice, Either, Flag, Maybe, Real, Text, Whole, argument, configured
from ..errors import DataError, ParameterError, did_you_mean, known_names
from .callback import STEP_HOOKS, Logs, overrides
from .checks import MODE, PATH, VERBOSE
from .monitor import Monitor

SUFFIX = ".safetensors"


@configured()
class ModelCheckpoint(Monitor):
    """Save the model after every epoch, after every so many batches, or whenever it is the best so far.

    Names, defaults and behaviour are Keras 3's, but that files are safetensors and that a name which the
    logs do not have is an error.

    Parameters
    ----------
    filepath : path ending in ".safetensors"; may name the epoch (from 1), the batch and the logs, as in
        "{epoch:02d}-{val_loss:.2f}.safetensors". Folders are made.
    monitor : name of a loss or metric, default "val_loss"; used with `save_best_only`.
    verbose : 0 (default) or 1, which says what is saved.
    save_best_only : whether to save only when `monitor` improved, default False.
    save_weights_only : whether to save the weights without the network, default False.
    mode : "auto" (default), "min" or "max".
    save_freq : "epoch" (default), or after how many batches to save.
    initial_value_threshold : number or None; with `save_best_only`, the first value to be beaten.

    >>> ModelCheckpoint("best.safetensors", monitor="val_accuracy", save_best_only=True)
    ModelCheckpoint(filepath='best.safetensors', monitor='val_accuracy', save_best_only=True)

    Keras 3, ModelCheckpoint.
    """

    former_names: ClassVar[dict[str, str]] = {"period": "save_freq"}

    filepath: str = argument(PATH)
    monitor: str = argument(Text(), default="val_loss")
    verbose: int = argument(VERBOSE, default=0)
    save_best_only: bool = argument(Flag(), default=False)
    save_weights_only: bool = argument(Flag(), default=False)
    mode: str = argument(MODE, default="auto")
    save_freq: Any = argument(Either((Whole(1), Choice(("epoch",)))), default="epoch")
    initial_value_threshold: float | None = argument(Maybe(Real()), default=None)

    kept = ("best", "_current_epoch", "_batches_waiting", "_last_batch")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.filepath.endswith(SUFFIX):
            raise ParameterError(
                f"ModelCheckpoint: `filepath` must end in '{SUFFIX}', the format that Brickwork writes; got "
                f"filepath={self.filepath!r}. Write {_with_suffix(self.filepath)!r}."
            )
        self.best: float | None = self.initial_value_threshold
        self._current_epoch = 0
        self._batches_waiting = 0
        self._last_batch: int | None = None

    @property
    def needs_steps(self) -> bool:
        """Only where `save_freq` counts batches."""
        overridden = any(overrides(self, name, ModelCheckpoint) for name in STEP_HOOKS)
        return self.save_freq != "epoch" or overridden

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Remember the epoch, for the name of the file."""
        self._current_epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after every `save_freq` batches."""
        super().on_train_batch_end(batch, logs)
        if self.save_freq == "epoch":
            return
        new_epoch = self._last_batch is None or batch <= self._last_batch
        self._batches_waiting += batch + 1 if new_epoch else batch - (self._last_batch or 0)
        self._last_batch = batch
        if self._batches_waiting >= self.save_freq:
            self._batches_waiting = 0
            self._save_if_due(self._current_epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save, where `save_freq` is "epoch"."""
        if self.save_freq == "epoch":
            self._save_if_due(epoch, None, logs or {})

    def _save_if_due(self, epoch: int, batch: int | None, logs: Logs) -> None:
        if not self.save_best_only:
            self._save(epoch, batch, logs, "")
            return
        current = self.read(logs)
        if current is None:
            return
        before = "" if self.best is None else f" from {self.best:.5f}"
        if self.better(current, self.best):
            self.best = current
            self._save(epoch, batch, logs, f"{self.monitor} improved{before} to {current:.5f}; ")
        elif self.verbose:
            print(f"Epoch {epoch + 1}: {self.monitor} did not improve{before}")

    def _save(self, epoch: int, batch: int | None, logs: Logs, reason: str) -> None:
        path = self._path(epoch, batch, logs)
        if path.is_dir():
            raise DataError(
                f"ModelCheckpoint: `filepath` must name a file; {str(path)!r} is a folder. "
                f"Choose another name."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(str(path), overwrite=True)
        else:
            self.model.save(str(path), overwrite=True)
        if self.verbose:
            print(f"Epoch {epoch + 1}: {reason}saved to {path}")

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> Path:
        values = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return Path(self.filepath.format(**values))
        except KeyError as error:
            name = str(error.args[0])
            raise ParameterError(
                f"ModelCheckpoint: `filepath` may name {known_names(values)} in braces; got {name!r} in "
                f"filepath={self.filepath!r}.{did_you_mean(name, values)}"
            ) from None
        except (ValueError, IndexError) as error:
            raise ParameterError(
                f"ModelCheckpoint: the braces in `filepath` must follow Python's format, as in "
                f"'{{epoch:02d}}-{{loss:.2f}}{SUFFIX}'; got filepath={self.filepath!r} ({error})."
            ) from None


def _with_suffix(filepath: str) -> str:
    """The path with the ending of another format replaced."""
    for ending in (".weights.h5", ".keras", ".h5", ".hdf5", ".pt", ".pth", ".pkl"):
        if filepath.endswith(ending):
            return filepath.removesuffix(ending) + SUFFIX
    return filepath + SUFFIX
