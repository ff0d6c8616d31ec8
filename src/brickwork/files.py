"""Writing files so that a reader never meets half of one.

A file is written under a temporary name beside its place, forced to the disk, and renamed; until then the
previous file stands. What the system refuses is told with what to do about it.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import BrickworkError

AnyPath = str | os.PathLike[str]


class FileError(BrickworkError, OSError):
    """A file cannot be read or written; `errno` is the system's."""


def write_atomically(path: AnyPath, data: bytes | str) -> None:
    """Write a whole file or none of it; text as UTF-8. Folders are made.

    Raises FileError where the system refuses; a file that was there before is then as it was.
    """
    with replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextmanager
def replacing(path: AnyPath) -> Iterator[Path]:
    """A temporary path to write to, with the ending of `path`, whose place it takes when the body is done.

    Where the body raises, Ctrl-C included, the temporary file is removed and `path` is as it was.
    """
    target = Path(os.path.realpath(path))  # so that a link stays one
    temporary = target.with_name(f".{target.stem[:100]}.{secrets.token_hex(4)}{target.suffix}")
    with explained(path):
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _force_to_disk(temporary)
            if target.exists():
                temporary.chmod(target.stat().st_mode & 0o7777)
            os.replace(temporary, target)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _force_to_disk(path: Path) -> None:
    """Some disks tell that they are full only now."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


_REPAIRS = {
    errno.EACCES: "You may not write there. Choose another folder, or ask for the right to write.",
    errno.EPERM: "You may not write there. Choose another folder, or ask for the right to write.",
    errno.EROFS: "The disk is read-only. Choose a folder on another one.",
    errno.ENOSPC: "The disk is full. Free some space, or choose a folder on another disk.",
    errno.EDQUOT: "Your share of the disk is used up. Delete what you need no more, or choose another disk.",
    errno.EFBIG: "The file is larger than this disk allows. Choose a folder on another one.",
    errno.EISDIR: "There is a folder of that name. Choose another name.",
    errno.ENOTDIR: "A part of the path is a file, not a folder. Choose another folder.",
    errno.EEXIST: "A part of the path is a file, not a folder. Choose another folder.",
    errno.ENAMETOOLONG: "The name is too long. Choose a shorter one.",
    errno.ENOENT: "Its folder does not exist. Make it, or choose another one.",
}


@contextmanager
def explained(path: AnyPath, doing: str = "write") -> Iterator[None]:
    """Turn the system's errors inside into a FileError that names the file and the repair."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        if error.errno is None:
            raise
        repair = _REPAIRS.get(error.errno, f"The system says: {os.strerror(error.errno)}.")
        if doing == "read" and error.errno == errno.ENOENT:
            repair = "There is no such file. Check its name and its folder."
        told = FileError(f"Cannot {doing} {os.fspath(path)!r}. {repair}")
        told.errno = error.errno
        raise told from error
