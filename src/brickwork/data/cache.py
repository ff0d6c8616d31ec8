"""Arrays that took long to decode, kept in the cache folder and mapped into memory from there.

An entry is a folder of .npy files. It is made under a temporary name and renamed, so that a reader never
meets half of one; its key tells what it was made from.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, FormatError
from ..files import FileError, explained
from .array_files import open_npy

Array = npt.NDArray[Any]

_KEPT = 4
"""Entries of one place that are kept; older ones are removed when a new one is made."""

_MOST_BYTES = 20 << 30
"""Of all entries of a shelf together, but for the one that was made last, which may be larger alone."""

_ABANDONED = 24 * 3600
"""Seconds after which a temporary folder is one that a killed process left."""


_KEY = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Made:
    """An array to be kept: its shape, its dtype, and its rows block by block."""

    shape: tuple[int, ...]
    dtype: str
    blocks: Iterable[Array]


def find(place: Path, key: str, names: Iterable[str]) -> dict[str, Array] | None:
    """The arrays of an entry, mapped; None where there is none, or a damaged one."""
    entry = place / key
    try:
        found = {name: open_npy(entry / f"{name}.npy") for name in names}
    except (DataError, FormatError, FileError, OSError):
        return None
    with suppress(OSError):
        os.utime(entry)
    return found


def keep(place: Path, key: str, arrays: Mapping[str, Made], *, shelf: Path | None = None) -> dict[str, Array]:
    """Write an entry and map it; of the places in `shelf`, the entries are removed that become too much.

    Raises FileError where the disk is full or not writable.
    """
    entry = place / key
    temporary = place / f".{key}.{secrets.token_hex(4)}"
    with explained(entry):
        try:
            temporary.mkdir(parents=True)
            for name, made in arrays.items():
                _write(temporary / f"{name}.npy", made)
            shutil.rmtree(
                entry, ignore_errors=True
            )  # a damaged one, or one that another process made meanwhile
            with suppress(FileExistsError):
                temporary.rename(entry)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    _prune(place, entry)
    if shelf is not None:
        _bound(shelf, entry)
    found = find(place, key, arrays)
    if found is None:
        raise FileError(
            f"Cannot read what was just written to {os.fspath(entry)!r}. Set BRICKWORK_CACHE elsewhere."
        )
    return found


def _write(path: Path, made: Made) -> None:
    # written in order, never through a map: on a full disk that would end the process instead of raising
    with open(path, "wb") as file:
        descr = np.lib.format.dtype_to_descr(np.dtype(made.dtype))
        np.lib.format.write_array_header_1_0(
            file, {"descr": descr, "fortran_order": False, "shape": made.shape}
        )
        for block in made.blocks:
            file.write(np.ascontiguousarray(block, made.dtype).data)
        file.flush()
        os.fsync(file.fileno())


def _prune(place: Path, entry: Path) -> None:
    """Remove the entries that were not used for the longest time. Maps of them that are open stay good."""
    with suppress(OSError):
        others = sorted(
            (path for path in place.iterdir() if path.is_dir() and path != entry),
            key=lambda path: path.stat().st_mtime,
        )
        kept = [path for path in others if not path.name.startswith(".")]
        old = kept[: max(0, len(kept) - _KEPT + 1)]
        limit = time.time() - _ABANDONED
        old += [path for path in others if path.name.startswith(".") and path.stat().st_mtime < limit]
        for path in old:
            shutil.rmtree(path, ignore_errors=True)


def _bound(shelf: Path, entry: Path) -> None:
    """Remove entries of all places, those first that were not used for the longest time."""
    with suppress(OSError):
        entries = [path for path in shelf.glob("*/*") if _KEY.fullmatch(path.name) and path.is_dir()]
        entries.sort(key=lambda path: (path == entry, path.stat().st_mtime), reverse=True)
        total = 0
        for path in entries:
            total += sum(file.stat().st_size for file in path.iterdir())
            if total > _MOST_BYTES and path != entry:
                shutil.rmtree(path, ignore_errors=True)
                with suppress(OSError):  # refused where there are others
                    path.parent.rmdir()
