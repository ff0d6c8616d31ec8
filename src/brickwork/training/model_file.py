"""The bytes of a model file: safetensors, with Brickwork's JSON in its header. No pickle, no code.

Everything is checked before it is believed, so that any other file gets an error that says what it is.
"""

from __future__ import annotations

import errno
import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import FormatError, ParameterTypeError
from ..files import FileError, explained, write_atomically

FORMAT = "brickwork-model"
VERSION = 1
ENDING = ".safetensors"

_OTHERS = {
    b"PK\x03\x04": "a zip file, such as .keras or .npz",
    b"\x89HDF": "an HDF5 file, such as .h5",
    b"\x93NUM": "a .npy file",
    b"\x80": "a pickle",
    b"\x1f\x8b\x08": "a gzip file",
}


def as_path(path: Any) -> Path:
    """The path, or ParameterTypeError."""
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise ParameterTypeError(
            f"A file is named by a string or a Path; got {path!r} of type {type(path).__name__}. "
            f"Write 'model{ENDING}', say."
        )
    return Path(path)


def write(
    path: Any, header: Mapping[str, Any], tensors: Mapping[str, Array], *, overwrite: bool = True
) -> None:
    """Write a whole file or none of it."""
    from safetensors.numpy import save

    from .._version import __version__

    path = as_path(path)
    if path.suffix.lower() != ENDING:
        raise FormatError(
            f"Models and weights are saved in files that end in {ENDING}; got {path.name!r}, which Brickwork "
            f"does not write. Write {path.with_suffix(ENDING).name!r}."
        )
    if not overwrite and path.exists():
        told = FileError(
            f"Cannot write {str(path)!r}: it exists, and overwrite is False. Choose another name."
        )
        told.errno = errno.EEXIST
        raise told
    text = json.dumps(
        {"format": FORMAT, "version": VERSION, "brickwork": __version__, **header}, allow_nan=False
    )
    # not ascontiguousarray, which would give arrays without axes one
    ordered = {key: np.asarray(value, order="C") for key, value in tensors.items()}
    write_atomically(path, save(ordered, {"brickwork": text}))


def read(path: Any) -> tuple[dict[str, Any], dict[str, Array]]:
    """The header's JSON and the arrays of a file."""
    path = as_path(path)
    with explained(path, "read"):
        data = path.read_bytes()
    header = _header(path, data)
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(data)
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise FormatError(
            f"{path} must be a whole {ENDING} file; reading it fails: {error}. "
            f"It was cut off or changed; take another copy of it."
        ) from error
    missing = [name for name in listed_arrays(header) if name not in tensors]
    if missing:
        raise FormatError(
            f"{path} must hold the {len(listed_arrays(header))} arrays that its header lists; it lacks "
            f"{len(missing)}, first {missing[0]!r}. Take another copy of it."
        )
    return header, tensors


def weight_name(index: int) -> str:
    """Under which name the array of that place in `get_weights` stands."""
    return f"weights/{index:04d}"


def listed_arrays(header: Mapping[str, Any]) -> list[str]:
    """The arrays that a file with this header holds."""
    return [*(weight_name(index) for index in range(len(header["weights"]))), *header.get("optimizer", [])]


def _header(path: Path, data: bytes) -> dict[str, Any]:
    """safetensors begins with 8 bytes of length and a JSON of that length, whose metadata are strings."""
    wanted = f"{path} must be a {ENDING} file written by Brickwork; "
    if len(data) < 8:
        raise FormatError(
            f"{wanted}it is {'empty' if not data else f'only {len(data)} bytes long'}. Was it cut off?"
        )
    (length,) = struct.unpack("<Q", data[:8])
    if length > len(data) - 8:
        kind = next((kind for magic, kind in _OTHERS.items() if data.startswith(magic)), None)
        if kind is not None:
            raise FormatError(f"{wanted}it is {kind}. Save the model as {ENDING}.")
        raise FormatError(
            f"{wanted}its header would be {length} bytes long, of {len(data)} in all. "
            f"Was it cut off, or is it another kind of file?"
        )
    try:
        metadata = _object(data[8 : 8 + length]).get("__metadata__") or {}
    except ValueError as error:
        raise FormatError(
            f"{wanted}its header is no JSON ({error}). Is it damaged, or another kind of file?"
        ) from None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("brickwork"), str):
        raise FormatError(
            f"{wanted}it is a {ENDING} file of another origin, whose header names no network. "
            f"Read its arrays with safetensors.numpy.load_file and give them to set_weights."
        )
    try:
        header = _object(metadata["brickwork"])
    except ValueError as error:
        raise FormatError(
            f"{wanted}its description of the network is no JSON ({error}). Take another copy of it."
        ) from None
    _require_known(path, header)
    return header


def _object(text: bytes | str) -> dict[str, Any]:
    """A JSON object, strictly. Raises ValueError."""

    def refuse(name: str) -> Any:
        raise ValueError(f"it holds {name}")

    try:
        found = json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError(f"it holds a {type(found).__name__} where an object is expected")
    return found


def _require_known(path: Path, header: Mapping[str, Any]) -> None:
    version = header.get("version")
    if (
        header.get("format") != FORMAT
        or not isinstance(version, int)
        or isinstance(version, bool)
        or version < 1
    ):
        raise FormatError(
            f"{path} must hold the format {FORMAT!r}, version 1 to {VERSION}; it holds "
            f"{header.get('format')!r}, version {version!r}. Is it damaged?"
        )
    if version > VERSION:
        raise FormatError(
            f"This Brickwork reads model files up to version {VERSION}; {path} is of version {version}. "
            f"Update Brickwork: pip install --upgrade brickwork."
        )
    for name in ("weights", "optimizer"):
        listed = header.get(name, [] if name == "optimizer" else None)
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise FormatError(
                f"{path} must list its {name} by their names; it holds {listed!r}. Is it damaged?"
            )
