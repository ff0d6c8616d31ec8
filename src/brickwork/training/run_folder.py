"""The folder that one training leaves behind, and the callback that fills it.

`last.safetensors` is written before the first step, after every epoch, now and then in between, and at
Ctrl-C: it is what a training has reached, and all that is needed to go on. The other files are derived from
it. Every file is whole at any time, whatever happens to the process.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar

from ..arguments import Anything, Maybe, Real, Text, argument, configured
from ..engines.interrupts import uninterrupted
from ..errors import ParameterError
from ..files import FileError, explained, write_atomically
from ..inspect.curves import COLUMNS, draw_curves, write_history
from .callback import Logs, numbers_in
from .checks import MODE, PATH
from .monitor import Monitor

CONFIG = "config.json"
SUMMARY = "summary.txt"
HISTORY = "history.csv"
CURVES = "curves.png"
BEST = "best.safetensors"
LAST = "last.safetensors"

_FIRST_DRAWING = 1.0
"""Seconds that the first picture may take."""

COMMIT_SECONDS = 5.0
"""In the midst of an epoch, last.safetensors is written at most so often."""

COMMIT_SHARE = 0.05
"""At most this share of the training's time goes into that."""

_DRAWING_SHARE = 0.05
"""At most this share of the training's time goes into pictures of a training that is under way."""


def new_folder(path: str | os.PathLike[str]) -> Path:
    """Make the folder of a run.

    Raises ParameterError where something is in it already, FileError where it cannot be made.
    """
    folder = Path(path)
    with explained(path):
        if folder.is_dir() and (found := sorted(os.listdir(folder))):
            raise ParameterError(
                f"The folder of a run must be new or empty; {str(path)!r} holds {_listed(found)}. "
                f"Choose another name, or delete that folder if you need it no more."
            )
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileError(
            f"Cannot write in {str(path)!r}. Choose another folder, or ask for the right to write."
        )
    return folder


def numbered_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder of that name, or with -2, -3, … behind it where that one is taken."""
    wanted = Path(path)
    with explained(path):
        wanted.parent.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                number += 1


def _listed(found: list[str]) -> str:
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(found[:3]) + more


@configured()
class RunFolder(Monitor):
    """Keep a training in a folder: what it was, how it went, the best and the last network.

    Parameters
    ----------
    folder : path of the folder, which is made where it does not exist.
    config : dict for config.json, all that is needed to repeat the run; default empty.
    monitor : name of a loss or metric, default "val_loss"; its best epoch is kept in best.safetensors.
    mode : "auto" (default), "min" or "max".
    title : line above the curves, default none.
    smooth : weight in [0, 1) by which the curves are smoothed, default 0: not at all.

    The files: config.json, summary.txt, history.csv (a row for each epoch, counted from 1; what an epoch
    lacks is empty), last.safetensors (with the optimizer's state), best.safetensors, curves.png.

    Attributes `rows` (the rows of history.csv), `best`, `best_epoch` (counted from 1; 0 before there is one).

    >>> RunFolder("runs/first", monitor="val_accuracy")
    RunFolder(folder='runs/first', monitor='val_accuracy')
    """

    folder: str = argument(PATH)
    config: Any = argument(Anything(), default=None)
    monitor: str = argument(Text(), default="val_loss")
    mode: str = argument(MODE, default="auto")
    title: str | None = argument(Maybe(Text()), default=None)
    smooth: float = argument(Real(0.0, 1.0, high_open=True), default=0.0)

    kept: ClassVar[tuple[str, ...]] = ("rows", "best", "best_epoch", "_rate", "_spent")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.config is not None and not isinstance(self.config, Mapping):
            raise ParameterError(
                f"RunFolder: `config` must be a dict of what JSON can hold; got config={self.config!r}."
            )
        self._reset()

    def _reset(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.best: float | None = None
        self.best_epoch = 0
        self._rate = self._spent = 0.0
        self._begun = perf_counter()
        self._drawn_rows = 0
        self._drawing, self._since_drawing = _FIRST_DRAWING, 0.0

    def path(self, name: str) -> Path:
        """The path of one of its files."""
        return Path(self.folder) / name

    # -- while it trains ----------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """What the run is, and the network before its first step."""
        if not self._take_up():
            self._reset()
        self._since_drawing = perf_counter()
        text = json.dumps(self.config or {}, indent=2, ensure_ascii=False)
        write_atomically(self.path(CONFIG), text + "\n")
        self.conclude({})
        self._remove_remains()
        self._committed, self._cost = perf_counter(), 0.0

    def _remove_remains(self) -> None:
        """Files that a killed process was writing."""
        for name in (CONFIG, SUMMARY, HISTORY, CURVES, BEST, LAST):
            path = self.path(name)
            for half in path.parent.glob(f".{path.stem}.????????{path.suffix}"):
                half.unlink(missing_ok=True)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Remember the time, and the rate with which the epoch begins."""
        self._begun = perf_counter()
        self._rate = self.model.optimizer.rate(self.model._ready().step_number)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """One more row; the files follow in `commit`, when all callbacks have had their say."""
        logs = logs or {}
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        row |= {name: _number(value) for name, value in numbers_in(logs).items()}
        row |= {"epoch": epoch + 1, "learning_rate": _number(self._rate)}
        self.rows.append({**row, "seconds": round(perf_counter() - self._begun, 3)})
        current = self.read(logs)
        if current is not None and self.better(current, self.best):
            self.best, self.best_epoch = current, epoch + 1

    def commit(self, moment: Any, *, must: bool) -> None:
        """The network first, then what is derived; Ctrl-C waits meanwhile, so that the files agree."""
        begun = perf_counter()
        if not must and begun - self._committed < max(COMMIT_SECONDS, self._cost / COMMIT_SHARE):
            return
        with uninterrupted():
            moment.save(self.path(LAST))
            if not moment.position.begun:
                self._derive(moment.position.epoch)
        self._committed = perf_counter()
        self._cost = self._committed - begun

    def _derive(self, epochs: int) -> None:
        if not self.rows:
            return
        if self.best_epoch == epochs:
            self.model.save(self.path(BEST), include_optimizer=False)
        write_history(self.path(HISTORY), self.rows)
        if self._drawing < _DRAWING_SHARE * (perf_counter() - self._since_drawing):
            self._draw()

    def conclude(self, result: Mapping[str, Any]) -> None:
        """Put what came out at the end of summary.txt, a line for each name."""
        width = max(map(len, result), default=0)
        lines = [self.model.summary_text(100), *([""] if result else [])]
        lines += [f"{name:<{width}}  {value}" for name, value in result.items()]
        write_atomically(self.path(SUMMARY), "\n".join(lines) + "\n")

    def get_state(self) -> dict[str, Any]:
        """The rows, the best epoch, and the seconds of the epoch under way."""
        self._spent = perf_counter() - self._begun
        return super().get_state()

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on; the seconds of the epoch under way count on."""
        super().set_state(state)
        self._begun = perf_counter() - self._spent

    def close(self) -> None:
        """Draw what there is, also after an interruption."""
        if len(self.rows) > self._drawn_rows:
            self._draw()

    def _draw(self) -> None:
        begun = perf_counter()
        best = self.best_epoch - 1 if self.best_epoch else None
        draw_curves(columns(self.rows), self.path(CURVES), title=self.title, best=best, smooth=self.smooth)
        self._drawn_rows, self._since_drawing = len(self.rows), perf_counter()
        self._drawing = self._since_drawing - begun


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """The rows as name -> values, without columns that are empty."""
    names = dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)])
    filled = [name for name in names if any(row.get(name) is not None for row in rows)]
    return {name: [math.nan if row.get(name) is None else row[name] for row in rows] for name in filled}


def _number(value: Any) -> float:
    """Seven digits, what a float32 holds; more would only look exact."""
    return float(f"{float(value):.7g}")
