"""The idx format, in which MNIST and its relatives are published.

Two zero bytes, one byte for the type of the numbers, one for the count of axes, one big-endian 32-bit
length for each axis, then the numbers, big-endian, the last axis fastest.
"""

from __future__ import annotations

import errno
import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, FormatError
from ..files import FileError, explained

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

_MOST_AXES = 32

GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: str | Path, *, axes: int | None = None) -> npt.NDArray[Any]:
    """The array in an idx file, plain or gzipped, in the machine's byte order.

    Parameters
    ----------
    path
        The file. Whether it is gzipped is seen from its contents, not from its name.
    axes
        The count of axes that the array must have, or None for any.

    Raises DataError where the file is absent and FormatError where it is not a whole idx file.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "labels-idx1-ubyte"
    >>> _ = file.write_bytes(b"\\0\\0\\x08\\x01" + b"\\0\\0\\0\\x03" + bytes([7, 2, 1]))
    >>> read_idx(file).tolist()
    [7, 2, 1]

    Source: Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
    """
    return parse_idx(read_content(path), path, axes=axes)


def read_content(path: str | Path) -> bytes:
    """The bytes of a file, unpacked when it is gzipped."""
    try:
        with explained(path, "read"):
            content = Path(path).read_bytes()
    except FileError as error:
        if error.errno not in (errno.ENOENT, errno.EISDIR, errno.ENOTDIR):
            raise
        raise DataError(f"{path}: expected a file; there is none. Check the path.") from None
    if content[:2] != GZIP_MAGIC:
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(
            f"{path}: expected a whole gzip file; received one that is truncated or damaged ({error}). "
            f"Fetch the file again."
        ) from None


def parse_idx(content: bytes, name: str | Path, *, axes: int | None = None) -> npt.NDArray[Any]:
    """The array in the (unpacked) content of an idx file; `name` stands in the error messages."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES:
        raise FormatError(
            f"{name}: expected an idx file, which begins with 00 00, a type (08, 09 or 0b to 0e) and "
            f"the count of axes; received {content[:4].hex(' ') or 'an empty file'}. "
            f"Give the file as published."
        )
    count = content[3]
    if count > _MOST_AXES:
        raise FormatError(
            f"{name}: expected an idx file of at most {_MOST_AXES} axes; received one of {count}. "
            f"Give the file as published."
        )
    if axes is not None and count != axes:
        raise FormatError(
            f"{name}: expected an idx file of {axes} axes; received one of {count}. "
            f"Images have 3 axes, labels have 1: check that the file is not swapped with another."
        )
    start = 4 + 4 * count
    if len(content) < start:
        raise FormatError(
            f"{name}: expected {start} bytes of idx header for {count} axes; received {len(content)}. "
            f"The file is truncated: fetch it again."
        )
    shape = tuple(int(length) for length in np.frombuffer(content, ">u4", count, offset=4))
    kind = np.dtype(TYPES[content[2]])
    size = math.prod(shape) * kind.itemsize
    if len(content) - start != size:
        raise FormatError(
            f"{name}: expected {size:,} bytes of numbers for shape {shape}; "
            f"received {len(content) - start:,}. "
            f"The file is {'truncated' if len(content) - start < size else 'too long'}: fetch it again."
        )
    return np.frombuffer(content, kind, offset=start).reshape(shape).astype(kind.newbyteorder("="))
