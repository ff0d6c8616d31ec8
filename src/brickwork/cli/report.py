"""What `brickwork train` tells a person, on a terminal or in a file."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..data import Dataset
from ..training.progress_table import duration
from .job import Job
from .recipes import COSINE
from .runs import near

WIDEST = 100
MOST_NAMES = 30

ASCII = str.maketrans(dict.fromkeys("┌┐└┘├┤┬┴┼", "+") | {"─": "-", "│": "|"})
"""Lines of a table, for streams that cannot write them."""

NAMES = {"loss": "loss", "val_loss": "validation loss", "val_accuracy": "validation accuracy"}


class Screen:
    """Writes to one stream; styles and line breaks only where that is a terminal."""

    def __init__(self, stream: IO[str]) -> None:
        from rich.console import Console

        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._wrap = self._console.is_terminal

    @property
    def width(self) -> int:
        """Characters in a line."""
        return min(self._console.width, WIDEST) if self._wrap else WIDEST

    def say(self, text: str = "", style: str | None = None) -> None:
        """A paragraph."""
        self._console.print(text, style=style, width=self.width, soft_wrap=not self._wrap)

    def fact(self, name: str, text: str, style: str = "") -> None:
        """A line with a name in front; what is too long for the line goes on below its beginning."""
        from rich.table import Table
        from rich.text import Text

        if not self._wrap:
            self._console.print(f"{name:<15}{text}".rstrip(), soft_wrap=True)
            return
        grid = Table.grid(padding=(0, 1), pad_edge=False)
        grid.add_column(width=14, no_wrap=True)
        grid.add_column()
        grid.add_row(Text(name, style="dim"), Text(text, style=style))
        self._console.print(grid, width=self.width)

    # -- what there is to tell ----------------------------------------------------------------------

    def data(self, dataset: Dataset) -> None:
        """The data set: rows, shape, classes."""
        shape = " x ".join(map(str, dataset.x_train.shape[1:]))
        kind = f"images of {shape}" if dataset.scale else f"rows of {shape} numbers"
        self.say(dataset.title, style="bold")
        self.fact("Training", f"{len(dataset.x_train):,} {kind}")
        self.fact("Test", f"{len(dataset.x_test):,} {kind}")
        if dataset.class_names:
            more = ", …" if len(dataset.class_names) > MOST_NAMES else ""
            names = ", ".join(dataset.class_names[:MOST_NAMES]) + more
            self.fact("Classes", f"{len(dataset.class_names)}: {names}")
        else:
            low, high = dataset.y_train.min(), dataset.y_train.max()
            self.fact("Target", f"a number, {low:g} to {high:g}")
        self.say()

    def model(self, model: Any) -> None:
        """The summary of the network."""
        self.verbatim(model.summary_text(self.width))
        self.say()

    def verbatim(self, text: str) -> None:
        """Text whose lines stay as they are."""
        plain = self._console.options.ascii_only
        self._console.print(text.translate(ASCII) if plain else text, soft_wrap=True)

    def plan(self, job: Job, rows: int) -> None:
        """How it is going to be trained."""
        training = int(rows * (1.0 - job.validation_split))
        held_out = f", {rows - training:,} for validation" if job.validation_split else ""
        falls = f", times {job.decay['factor']:g} when the loss stalls" if job.decay else ""
        falls = ", down to 0 along a cosine" if job.schedule == COSINE else falls
        stop = f"at most {job.epochs}; stops after {job.patience} without a better {NAMES[job.monitor]}"
        self.fact("Rows", f"{training:,} for training{held_out}")
        self.fact(
            "Optimizer",
            f"{job.optimizer['class_name']}, learning rate {job.learning_rate:g}{falls}; "
            f"batches of {job.batch_size}",
        )
        all_of_them = not job.validation_split or job.schedule == COSINE
        self.fact("Epochs", str(job.epochs) if all_of_them else stop)
        self.fact("Seed", f"{job.seed}, on the {job.engine} engine")
        if job.tensorboard:
            self.fact("TensorBoard", f"tensorboard --logdir {shlex.quote(near(job.tensorboard))}")
        self.say()

    def scores(self, found: Mapping[str, Any]) -> None:
        """How well the network does on the rows for testing."""
        if found["loss"] is None:
            self.fact("Test", "none: no rows were kept for it")
        elif found.get("accuracy") is not None:
            self.fact("Test accuracy", f"{found['accuracy']:.2%}", style="bold green")
            self.fact("Test loss", f"{found['loss']:.4f}")
        else:
            r2 = "undefined: the target never changes" if found["r2"] is None else f"{found['r2']:.4f}"
            self.fact("Test R2", r2, style="bold green")
            self.fact("Test MAE", f"{found['mae']:.6g}, the mean distance from the target")
            self.fact("Test MSE", f"{found['loss']:.6g}")

    def result(self, job: Job, result: dict[str, Any], *, stopped: bool) -> None:
        """How it ended."""
        epochs, best = result["epochs"], result["best_epoch"]
        if stopped:
            ended = f"Stopped after epoch {epochs}: no better {NAMES[job.monitor]} for {job.patience} epochs."
        else:
            ended = f"All {epochs} epochs are done." if epochs > 1 else "The epoch is done."
        if best != epochs:
            ended += f" Back to the network of epoch {best}, the best one."
        files = sorted(path.name for path in Path(result["run"]).iterdir())
        self.say()
        self.say(ended)
        self.say()
        self.scores({name.removeprefix("test_"): result[name] for name in result if name.startswith("test_")})
        self.fact("Time", duration(result["seconds"]))
        self.fact("Run folder", result["run"], style="bold")
        self.fact("", ", ".join(files))


@contextmanager
def screen(as_json: bool, result: Mapping[str, Any]) -> Iterator[Screen]:
    """Where a command tells its result: standard output; with --json that takes the object alone."""
    yield Screen(sys.stderr if as_json else sys.stdout)
    if as_json:
        print(json.dumps(result, allow_nan=False))
