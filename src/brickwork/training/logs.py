"""The logs of every epoch as a table on disk."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from typing import IO, Any, ClassVar

from ..arguments import Configured, Flag, argument, configured
from ..errors import DataError
from ..files import explained
from .callback import Callback, Logs
from .checks import PATH, Character


@configured()
class CSVLogger(Configured, Callback):
    """Write a row for each epoch: `epoch`, counted from 0, then the logs in alphabetical order.

    The columns are those of the first epoch's logs, with a `val_` column for each where the first epoch has
    none yet; what an epoch lacks is NA. `float()` gives the numbers back as they were. A row is on disk when
    its epoch is over.

    Parameters
    ----------
    filename : path of the file; folders are made.
    separator : character between two values, default ",".
    append : whether an existing file is continued, default False, which empties it.

    >>> CSVLogger("run.csv", separator=";")
    CSVLogger(filename='run.csv', separator=';')

    Shafranovich, "Common Format and MIME Type for CSV Files", RFC 4180, 2005.
    """

    filename: str = argument(PATH)
    separator: str = argument(Character(), default=",")
    append: bool = argument(Flag(), default=False)

    kept: ClassVar[tuple[str, ...]] = ("keys", "_size")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.keys: list[str] | None = None
        self._size = 0
        self._header = True
        self._file: IO[str] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file."""
        self.close()
        with explained(self.filename):
            if self._take_up():
                self._open_again()
                return
            self.keys = None
            folder = os.path.dirname(self.filename)
            if folder:
                os.makedirs(folder, exist_ok=True)
            filled = os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
            self._header = not (self.append and filled)
            self._file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")

    def _open_again(self) -> None:
        """Go on after the rows of the state; later ones are of an interrupted run and are cut off."""
        size = os.path.getsize(self.filename) if os.path.exists(self.filename) else 0
        if size < self._size:
            raise DataError(
                f"CSVLogger: {self.filename!r} must hold the {self._size} bytes of the run that is to be "
                f"resumed; it holds {size}. Restore the file, or begin the run anew."
            )
        self._file = open(self.filename, "r+", newline="", encoding="utf-8")
        self._file.truncate(self._size)
        self._file.seek(0, os.SEEK_END)
        self._header = self._size == 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the row."""
        logs = logs or {}
        if self._file is None:
            self.on_train_begin()
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
        with explained(self.filename):
            self._write(["epoch", *self.keys] if self._header else None)
            self._header = False
            self._write([epoch, *(_text(logs.get(key, "NA")) for key in self.keys)])

    def _write(self, row: list[Any] | None) -> None:
        if row is None or self._file is None:
            return
        csv.writer(self._file, delimiter=self.separator).writerow(row)
        self._file.flush()
        self._size = os.fstat(self._file.fileno()).st_size

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _text(value: Any) -> Any:
    """Numbers so that `float()` gives them back; sequences in brackets and quotes, as Keras writes them."""
    if isinstance(value, str):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, Iterable):
        return f'"[{", ".join(map(str, value))}]"'
    return repr(value)
