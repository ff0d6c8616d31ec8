"""The files of NumPy, .npy and .npz, mapped into memory where that is possible. No pickle is ever read.

A header is matched against the one form that NumPy writes and is never evaluated; its promises are compared
with the size of the file before anything is made.
"""

from __future__ import annotations

import math
import os
import re
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ..errors import DataError, FormatError
from ..files import explained
from .rows import COPIED_BELOW

Array = npt.NDArray[Any]

_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(
    rb"\s*\{\s*'descr'\s*:\s*(?P<descr>'[^'\\]{1,20}'|\[.*\])\s*,"
    rb"\s*'fortran_order'\s*:\s*(?P<order>True|False)\s*,"
    rb"\s*'shape'\s*:\s*\((?P<shape>[\dL,\s]*)\)\s*,?\s*\}\s*",
    re.DOTALL,
)
_LONGEST_HEADER = 1 << 16
_MOST_AXES = 32


@dataclass(frozen=True)
class Header:
    """What stands before the numbers of a .npy file: shape, dtype, order, and where the numbers begin."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    begin: int

    @property
    def nbytes(self) -> int:
        """Bytes of numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy(path: str | Path) -> Array:
    """The array in a .npy file: in memory up to 64 MiB, else mapped (read-only).

    Raises FileError where there is no such file, FormatError where it is no whole .npy file, or holds pickled
    Python objects.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "x.npy"
    >>> np.save(file, np.arange(3))
    >>> read_npy(file).tolist()
    [0, 1, 2]
    """
    return _near(open_npy(path))


def open_npy(path: str | Path) -> Array:
    """The array in a .npy file, mapped."""
    with explained(path, "read"), open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = read_header(file, size, str(path))
        return _map(path, header, header.begin, size - header.begin, str(path))


def read_npz(path: str | Path) -> dict[str, Array]:
    """The arrays in a .npz file by name: in memory, or mapped where they are large and stored uncompressed.

    Raises FileError where there is no such file, FormatError where it is no whole .npz file or an array in it
    holds pickled Python objects, DataError where a compressed array does not fit into memory.
    """
    with explained(path, "read"), open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = {
                    info.filename.removesuffix(".npy"): info
                    for info in archive.infolist()
                    if not info.is_dir()
                }
                return {name: _member(path, archive, info, file) for name, info in members.items()}
        except (FormatError, DataError):
            raise
        except MemoryError:
            raise DataError(
                f"{path} must fit into memory, since it is compressed; it does not. Save it uncompressed, by "
                f"numpy.savez or numpy.save: then it is read from the disk as it is needed."
            ) from None
        except Exception as error:  # zipfile raises what it meets: struct.error, zlib.error, RuntimeError, …
            raise FormatError(
                f"{path}: expected a whole .npz file, as numpy.savez writes it; received one that is "
                f"foreign, truncated or damaged ({type(error).__name__}: {error}). Write it again."
            ) from None


def read_header(file: BinaryIO, size: int, name: str) -> Header:
    """The header of a .npy file of so many bytes; the file stands at its beginning."""
    start = file.read(12)
    versions = {(1, 0): ("<H", 10), (2, 0): ("<I", 12), (3, 0): ("<I", 12)}
    if start[:6] != _MAGIC or len(start) < 12 or (start[6], start[7]) not in versions:
        raise FormatError(
            f"{name}: expected a .npy file, which begins with 93 'NUMPY' and its version; received "
            f"{start[:8].hex(' ') or 'an empty file'}. Write it with numpy.save."
        )
    form, begin = versions[start[6], start[7]]
    (length,) = struct.unpack(form, start[8:begin])
    text = (
        (start[begin:] + file.read(max(0, length - (12 - begin))))[:length]
        if length <= _LONGEST_HEADER
        else b""
    )
    match = _HEADER.fullmatch(text)
    sizes = [] if match is None else [size.strip() for size in match["shape"].split(b",")]
    if sizes and not sizes[-1]:
        sizes.pop()
    if match is None or len(text) < length or not all(re.fullmatch(rb"\d{1,18}L?", size) for size in sizes):
        raise FormatError(
            f"{name}: expected a header as numpy.save writes it, with descr, fortran_order and shape; "
            f"received {text[:60]!r}. The file is damaged: write it again."
        )
    dtype = _dtype(match["descr"].decode("latin-1"), name)
    shape = tuple(int(size.rstrip(b"L")) for size in sizes)
    if len(shape) > _MOST_AXES:
        raise FormatError(
            f"{name}: expected at most {_MOST_AXES} axes; received {len(shape)}. Write it again."
        )
    return Header(shape, dtype, match["order"] == b"True", begin + length)


def _dtype(descr: str, name: str) -> np.dtype[Any]:
    if descr.startswith("["):
        raise FormatError(
            f"{name}: expected an array of plain numbers or texts; received one of records ({descr[:60]}). "
            "Save each field as an array, or the table as .csv."
        )
    word = descr.strip("'")
    if "O" in word:
        raise FormatError(
            f"{name}: expected an array of plain numbers or texts; received one of pickled Python objects, "
            "which are never read, since they can run any program. Convert it before saving: "
            "x.astype('float32'), or labels.astype(str)."
        )
    if re.fullmatch(r"[<>|=]?(?:[?bB]1?|[biufc]\d{1,2}|[US]\d{1,9})", word) is None:
        raise FormatError(
            f"{name}: expected an array of numbers or texts; received one of type {word!r}. Convert it "
            "before saving, as by x.astype('float32')."
        )
    try:
        return np.dtype(word)
    except (TypeError, ValueError):
        raise FormatError(
            f"{name}: expected a type of NumPy; received {word!r}. Write the file again."
        ) from None


def _map(
    path: str | Path, header: Header, begin: int, available: int, name: str, *, exact: bool = True
) -> Array:
    """The numbers behind a header, mapped."""
    if header.nbytes > available or (exact and header.nbytes < available):
        raise FormatError(
            f"{name}: expected {header.nbytes:,} bytes of numbers for shape {header.shape} of "
            f"{header.dtype}; received {available:,}. The file is "
            f"{'truncated' if header.nbytes > available else 'too long'}: write it again."
        )
    if header.nbytes == 0:
        raise DataError(f"{name} must hold numbers; it holds none, shape {header.shape}. Is a filter wrong?")
    order: Any = "F" if header.fortran else "C"
    return np.memmap(path, header.dtype, "r", begin, header.shape, order)


def _member(path: str | Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: BinaryIO) -> Array:
    """One array of an archive."""
    name = f"{path}, {info.filename}"
    with archive.open(info) as member:
        header = read_header(member, info.file_size, name)  # type: ignore[arg-type]
        if info.compress_type == zipfile.ZIP_STORED:
            begin = _begin(file, info) + header.begin
            return _near(_map(path, header, begin, info.file_size - header.begin, name))
        if header.nbytes != info.file_size - header.begin:
            raise FormatError(
                f"{name}: expected {header.nbytes:,} bytes of numbers for shape {header.shape} of "
                f"{header.dtype}; received {info.file_size - header.begin:,}. Write the file again."
            )
        if header.nbytes == 0:
            raise DataError(
                f"{name} must hold numbers; it holds none, shape {header.shape}. Is a filter wrong?"
            )
        if header.nbytes > _memory():
            raise DataError(
                f"{name} is compressed and takes {header.nbytes / 2**30:.1f} GiB in memory; this machine has "
                f"{_memory() / 2**30:.1f} GiB. Save it uncompressed, by numpy.savez or numpy.save: then it "
                "is read from the disk as it is needed."
            )
        content = member.read(header.nbytes)
    array = np.frombuffer(content, header.dtype)
    return array.reshape(header.shape, order="F" if header.fortran else "C")


def _begin(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """Where the content of a stored member lies in its archive."""
    place = file.tell()
    file.seek(info.header_offset)
    head = file.read(30)
    file.seek(place)
    name, extra = struct.unpack("<HH", head[26:30])
    return int(info.header_offset + 30 + name + extra)


def _near(array: Array) -> Array:
    """The array in memory where it is small."""
    return np.array(array) if isinstance(array, np.memmap) and array.nbytes <= COPIED_BELOW else array


def _memory() -> int:
    """Bytes of the machine's memory; a large number where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 1 << 62
