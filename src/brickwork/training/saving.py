"""Models and weights as safetensors, with the network's JSON in the header. No pickle, no code.

Version 1: metadata {"brickwork": JSON} with format, version, the network's layers and calls, the order of the
weights, the compile arguments; tensors "weights/0000", … in Keras's order, and "optimizer/…".
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import losses, metrics, optimizers
from ..arrays import Array
from ..errors import BrickworkError, DataError, FormatError, ShapeError
from ..files import write_atomically
from ..layers.serialization import layer_from_config, layer_to_config
from .model import Model

FORMAT = "brickwork-model"
VERSION = 1
_ENDING = ".safetensors"


def save_model(model: Model, path: Any, *, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Network, weights, compile arguments, optimizer state."""
    header: dict[str, Any] = {"network": layer_to_config(model), "compile": _compile_config(model)}
    tensors = _weights(model)
    if include_optimizer and model._plan is not None:
        state = model._plan.state()
        tensors.update(
            {
                f"optimizer/{key}": value
                for key, value in state.items()
                if key == "step" or key.startswith("slots/")
            }
        )
        header["seed"] = model._seed
    _write(model, path, header, tensors, overwrite)


def save_weights(model: Model, path: Any, *, overwrite: bool = True) -> None:
    """The weights alone."""
    _write(model, path, {}, _weights(model), overwrite)


def load_weights(model: Model, path: Any) -> None:
    """Weights from a file into a model, all or none."""
    header, tensors = read(path)
    arrays = [tensors[f"weights/{index:04d}"] for index in range(len(header["weights"]))]
    try:
        model.set_weights(arrays)
    except ShapeError as error:
        error.add_note(f"from the file {Path(path)}, which holds {', '.join(header['weights'][:8])}, …")
        raise


def load_model(path: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Model:
    """A model from a file written by `Model.save`.

    Parameters
    ----------
    path : the .safetensors file.
    custom_objects : classes of layers of your own, by name.
    compile : whether it is compiled again, with its optimizer's state, when it was.

    Raises
    ------
    FormatError where the file is foreign, damaged, or of a newer version.
    """
    header, tensors = read(path)
    if "network" not in header:
        raise FormatError(
            f"load_model needs a file written by model.save; {Path(path)} holds weights alone. "
            f"Make the model and call load_weights."
        )
    from ..layers.serialization import register_layer

    for cls in (custom_objects or {}).values():
        register_layer(cls)
    try:
        model = layer_from_config(header["network"])
        model.set_weights([tensors[f"weights/{index:04d}"] for index in range(len(header["weights"]))])
        if compile and header.get("compile"):
            _compile(model, header, tensors)
    except BrickworkError as error:
        error.add_note(f"while reading {Path(path)}")
        raise
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise FormatError(
            f"{Path(path)} says that it is a Brickwork model, but its description breaks at {error!r}. "
            f"Is it damaged? Save the model again."
        ) from error
    loaded: Model = model
    return loaded


def read(path: Any) -> tuple[dict[str, Any], dict[str, Array]]:
    """The header's JSON and the tensors of a file; everything is checked before it is believed."""
    path = Path(path)
    if not path.exists():
        raise DataError(f"There must be a file at {path}; there is none. Check the path.")
    data = path.read_bytes()
    metadata = _metadata(path, data)
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(data)
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise FormatError(
            f"{path} must be a whole safetensors file; reading it fails: {error}. Save it again."
        ) from error
    try:
        header = json.loads(metadata["brickwork"])
        known = header["format"] == FORMAT
        version = header["version"]
    except (KeyError, TypeError, ValueError):
        raise FormatError(
            f"{path} is a safetensors file, but not one of Brickwork: its header names no network. "
            f"Load its arrays with safetensors.numpy.load_file and give them to set_weights."
        ) from None
    if not known or not isinstance(version, int):
        raise FormatError(f"{path} must hold format {FORMAT!r}; it holds {header['format']!r}.")
    if version > VERSION:
        raise FormatError(
            f"This Brickwork reads model files up to version {VERSION}; {path} is of version {version}. "
            f"Update Brickwork."
        )
    missing = [
        index for index in range(len(header.get("weights", []))) if f"weights/{index:04d}" not in tensors
    ]
    if missing or "weights" not in header:
        raise FormatError(
            f"{path} must hold every array its header lists; {len(missing)} are missing. Save it again."
        )
    return header, tensors


def _metadata(path: Path, data: bytes) -> Mapping[str, str]:
    """safetensors: 8 bytes of length, then a JSON header. Checked here to say what is wrong with a file."""
    foreign = f"{path} must be a .safetensors file written by Brickwork; "
    if len(data) < 8:
        raise FormatError(f"{foreign}it has only {len(data)} bytes. Was it cut off?")
    (length,) = struct.unpack("<Q", data[:8])
    if length > len(data) - 8:
        kind = {b"PK\x03\x04": "a zip or .keras file", b"\x89HDF": "an HDF5 (.h5) file"}.get(data[:4])
        raise FormatError(
            f"{foreign}it is {kind}. Save the model as .safetensors."
            if kind
            else f"{foreign}its header would be longer than the file. Was it cut off, or is it another kind?"
        )
    try:
        header = json.loads(data[8 : 8 + length])
        metadata = header.get("__metadata__") or {}
    except (ValueError, AttributeError):
        raise FormatError(f"{foreign}its header is not JSON. Is it damaged, or of another kind?") from None
    return metadata if isinstance(metadata, dict) else {}


def _weights(model: Model) -> dict[str, Array]:
    return {f"weights/{index:04d}": array for index, array in enumerate(model.get_weights())}


def _write(
    model: Model, path: Any, header: Mapping[str, Any], tensors: Mapping[str, Array], overwrite: bool
) -> None:
    from safetensors.numpy import save

    from .. import __version__

    path = Path(path)
    if path.suffix != _ENDING:
        raise FormatError(
            f"A model is saved to a file that ends in {_ENDING}; got {path.name!r}. "
            f"Write {path.stem + _ENDING!r}."
        )
    if path.exists() and not overwrite:
        raise FormatError(f"{path} exists already and overwrite is False. Choose another name.")
    told = {
        "format": FORMAT,
        "version": VERSION,
        "brickwork": __version__,
        **header,
        "weights": [variable.path for variable in model.weights],
    }
    contiguous = {key: np.asarray(value, order="C") for key, value in tensors.items()}
    write_atomically(path, save(contiguous, {"brickwork": json.dumps(told, allow_nan=False)}))


def _compile_config(model: Model) -> dict[str, Any] | None:
    arguments = model._compile_arguments
    if arguments is None:
        return None
    try:
        return {
            "optimizer": optimizers.serialize(model.optimizer),
            "loss": _plain(arguments["loss"], losses.get),
            "loss_weights": arguments["loss_weights"],
            "metrics": _plain(arguments["metrics"], metrics.get),
            "weighted_metrics": _plain(arguments["weighted_metrics"], metrics.get),
        }
    except (TypeError, ValueError):
        # a function of the user's own cannot be read again; the network and its weights can
        return None


def _plain(given: Any, get: Any) -> Any:
    """Names stay names; objects become {"class_name", "config"}; lists and dicts are gone through."""
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, Mapping):
        return {key: _plain(value, get) for key, value in given.items()}
    if isinstance(given, (list, tuple)):
        return [_plain(value, get) for value in given]
    thing = get(given)
    if getattr(type(thing), "__name__", "").startswith("Function"):
        raise TypeError("a function has no name to be found again by")
    return {"class_name": type(thing).__name__, "config": thing.get_config()}


def _compile(model: Model, header: Mapping[str, Any], tensors: Mapping[str, Array]) -> None:
    told = header["compile"]
    model.compile(
        optimizer=optimizers.deserialize(told["optimizer"]),
        loss=told["loss"],
        loss_weights=told["loss_weights"],
        metrics=told["metrics"],
        weighted_metrics=told["weighted_metrics"],
        seed=header.get("seed"),
    )
    if "optimizer/step" in tensors and model._plan is not None:
        state = model._plan.state()
        state.update(
            {key.partition("/")[2]: value for key, value in tensors.items() if key.startswith("optimizer/")}
        )
        model._plan.load(state)
