"""What a person sees while a network trains: a table that grows by a row for each epoch.

On a terminal the row of the running epoch moves, with a bar, speed and time left; elsewhere, and with
verbose=2, a finished epoch is one plain line.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from ..arguments import Choice, Configured, Either, Flag, Maybe, Whole, argument, configured
from .callback import Callback, Logs, numbers_in
from .checks import Stream
from .progress_table import Table, cell, duration, speed, table

_OVER = "\r\x1b[K"
"""Back to the beginning of the line, and empty it."""

STYLES = {"done": "green", "open": "dim", "aside": "dim", "epoch": "bold"}


@configured()
class ProgressDisplay(Configured, Callback):
    """Show how training, or an evaluation, goes on.

    Parameters
    ----------
    verbose : "auto" (default) or 1 for a moving row on a terminal and plain lines elsewhere, 2 for plain
        lines, 0 for nothing.
    stream : where to write, default standard output; sys.stderr keeps that free for results.

    >>> display = ProgressDisplay(verbose=2)
    >>> display.set_params({"epochs": 10, "steps": 45, "samples": 1437, "batch_size": 32})
    >>> display.on_train_begin()
    >>> display.on_epoch_begin(0)
    >>> display.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.25})    # doctest: +ELLIPSIS
    Epoch  1/10  loss 0.5000  val_loss 0.2500  ... samples/s  0.0 s
    """

    verbose: Any = argument(Either((Whole(0, 2), Choice(("auto",)), Flag())), default="auto")
    stream: Any = argument(Maybe(Stream()), default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._console: Any = None
        self._live: Any = None
        self._training = False
        self._reset()

    def _reset(self) -> None:
        self._table: Table | None = None
        self._epoch = 0
        self._steps: int | None = None
        self._step = 0
        self._logs: dict[str, float] = {}
        self._names: list[str] = []
        self._begun = self._trained = 0.0
        self._durations: list[float] = []
        self._best: dict[str, float] = {}

    def _param(self, name: str) -> Any:
        return (self.params or {}).get(name)

    # -- when ---------------------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Find out what there is to write to."""
        self._reset()
        self._training = True
        self._steps = self._param("steps")
        self._names = list(self._param("metrics") or ())
        self._open()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """A new row."""
        self._epoch, self._step, self._logs = epoch, 0, {}
        self._begun, self._trained = perf_counter(), 0.0
        self._show()

    def on_progress(self, step: int, logs: Logs | None = None) -> None:
        """Numbers so far."""
        self._step, self._logs = step, numbers_in(logs)
        if self._training:
            self._show()
        elif self._on_terminal():
            steps = self._param("steps")
            done = f"{step}/{steps}".rjust(2 * len(f"{steps}") + 1) if steps else f"{step}"
            line = f"Evaluation {done}  {_words(self._logs)}"[: shutil.get_terminal_size().columns - 1]
            print(_OVER + line, end="", file=self._stream, flush=True)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """In `fit`, the validation of an epoch begins."""
        if self._training:
            self._trained = perf_counter()
            self._step = self._steps or self._step
            self._show("validating")
            return
        self._reset()
        self._begun = perf_counter()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After `evaluate`, one line."""
        if not self._training and self.verbose and logs:
            took = perf_counter() - self._begun
            over = _OVER if self._on_terminal() else ""
            self._print_plain(f"{over}Evaluation  {_words(logs)}  {duration(took)}")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """The row stays."""
        took = perf_counter() - self._begun
        self._durations.append(took)
        self._logs = numbers_in(logs)
        self._steps = self._steps or self._step or None
        self._step = self._steps or 0
        if self._live is not None:
            self._lay_table()
            self._live.update("")
            self._print_row(self._row(took, finished=True))
            self._note_best()
        elif self.verbose:
            self._print_plain(self._line(took))

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Leave the terminal."""
        self.close()

    def close(self) -> None:
        """Leave the terminal as it was, also after an error."""
        self._training = False
        if self._live is not None:
            self._live.stop()
            self._live = None

    # -- on a terminal ------------------------------------------------------------------------------

    @property
    def _stream(self) -> Any:
        return sys.stdout if self.stream is None else self.stream

    def _on_terminal(self) -> bool:
        """Whether a line may be written over."""
        moving = self.verbose == "auto" or self.verbose == 1
        terminal = getattr(self._stream, "isatty", lambda: False)()
        return moving and terminal and os.environ.get("TERM") not in ("dumb", "unknown")

    def _open(self) -> None:
        if not self._on_terminal():
            return
        from rich.console import Console
        from rich.live import Live

        stream = self._stream
        self._console = Console(file=stream, highlight=False)
        # what others print meanwhile appears above the moving row, unless it goes elsewhere
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=stream is sys.stdout,
            redirect_stderr=stream is sys.stderr or sys.stderr.isatty(),
        )
        self._live.start()

    def _show(self, doing: str = "") -> None:
        if self._live is None:
            return
        from rich.console import Group
        from rich.text import Text

        took = perf_counter() - self._begun
        parts = [] if self._names or not self._logs else [*map(self._title, self._make_table().header())]
        status = Text("  " + (doing or self._time_left(took)), style="dim", no_wrap=True)
        if self._names:
            self._lay_table()
        self._live.update(Group(*parts, self._row(took), status), refresh=True)

    def _make_table(self) -> Table:
        names = [*self._names, *(name for name in self._logs if name not in self._names)]
        unit = "samples" if self._param("batch_size") else "steps"
        return table(names, self._param("epochs") or 1, self._steps, unit, self._console.width)

    def _lay_table(self) -> None:
        """Print the header, at first and where the columns or the width of the terminal have changed."""
        self._names += [name for name in self._logs if name not in self._names]
        made = self._make_table()
        if made != self._table:
            self._table = made
            for line in made.header():
                self._print_row(self._title(line))

    def _print_row(self, text: Any) -> None:
        self._console.print(text, no_wrap=True, overflow="crop", crop=True)

    def _title(self, line: str) -> Any:
        from rich.text import Text

        return Text(line, style="dim", no_wrap=True, overflow="crop")

    def _row(self, took: float, finished: bool = False) -> Any:
        from rich.text import Text

        made = self._table or self._make_table()
        total = self._param("epochs") or 1
        share = self._step / self._steps if self._steps else 1.0 if finished else 0.0
        steps = f"{self._step}/{self._steps}" if self._steps else str(self._step)
        ascii_only = self._console.options.ascii_only
        text = Text(no_wrap=True, overflow="crop")
        for piece, kind in made.row(
            f"{self._epoch + 1}/{total}",
            share,
            steps,
            self._logs,
            self._speed(took),
            duration(took),
            plain=ascii_only,
        ):
            best = finished and kind.startswith("val_") and self._is_best(kind)
            text.append(piece, style="bold green" if best else STYLES.get(kind, ""))
        return text

    def _time_left(self, took: float) -> str:
        if not self._steps or not self._step:
            return ""
        epoch = took / self._step * (self._steps - self._step)
        total = self._param("epochs") or 1
        waiting = total - self._epoch - 1
        if waiting <= 0:
            return f"{duration(epoch)} left"
        each = sum(self._durations) / len(self._durations) if self._durations else took + epoch
        rest = epoch + each * waiting
        return f"{duration(epoch)} left in this epoch, {duration(rest)} to the end of epoch {total}"

    def _is_best(self, name: str) -> bool:
        value = self._logs[name]
        return name == "val_loss" and value < self._best.get(name, float("inf"))

    def _note_best(self) -> None:
        for name in self._logs:
            if name.startswith("val_") and self._is_best(name):
                self._best[name] = self._logs[name]

    # -- numbers, lines -----------------------------------------------------------------------------

    def _speed(self, took: float) -> str:
        """Samples, or steps where batches come ready-made, per second of training without its validation."""
        took = self._trained - self._begun if self._trained else took
        batch_size, samples = self._param("batch_size"), self._param("samples")
        done = self._step
        if batch_size:
            done *= batch_size
            if samples and self._step == self._steps == -(-samples // batch_size):
                done = samples
        return speed(done / took) if done and took > 0 else ""

    def _line(self, took: float) -> str:
        total = self._param("epochs") or 1
        epoch = f"{self._epoch + 1}/{total}".rjust(len(f"{total}/{total}"))
        unit = "samples" if self._param("batch_size") else "steps"
        rate = self._speed(took)
        parts = [f"Epoch {epoch}", _words(self._logs), f"{rate:>7} {unit}/s" if rate else "", duration(took)]
        return "  ".join(part for part in parts if part)

    def _print_plain(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


def _words(logs: Mapping[str, Any]) -> str:
    """The logs in one line."""
    return "  ".join(f"{name} {cell(name, value)}" for name, value in numbers_in(logs).items())
