"""Models and weights in files: what a model is made of, told and read again.

The header tells the network's layers and calls, the order of the weights, and the arguments of `compile`; the
arrays are "weights/0000", … in Keras's order, "optimizer/<slot>/0000", … by the same numbers, and
"optimizer/step".
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import config, losses, metrics, optimizers, seeds
from ..arrays import Array
from ..engines.registry import get_engine
from ..errors import BrickworkError, FormatError, ParameterError, ParameterTypeError, known_names
from ..layers.base import Layer
from ..layers.serialization import layer_from_config, layer_to_config, register_layer
from ..metrics.base import MeanMetricWrapper
from . import model_file
from .model import Model
from .model_file import weight_name
from .network_config import sharing

_FUNCTION = "function"
_DAMAGE = (
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    ValueError,
    ArithmeticError,
    RecursionError,
    MemoryError,
)


# -- writing ----------------------------------------------------------------------------------------


def save_model(
    model: Model,
    path: Any,
    *,
    overwrite: bool = True,
    include_optimizer: bool = True,
    more_header: Mapping[str, Any] | None = None,
    more_arrays: Mapping[str, Array] | None = None,
) -> None:
    """Network, weights, compile arguments, optimizer state; and what else belongs to them."""
    tensors = _weights(model)
    with sharing():
        network = layer_to_config(model)
    header = {
        "floatx": _float_type(model),
        "network": network,
        "weights": _paths(model),
        **_data_facts(model),
    }
    compiled = _compile_config(model)
    if compiled is not None:
        header["compile"] = compiled
        if include_optimizer:
            state = _optimizer_state(model)
            tensors.update(state)
            header["optimizer"] = list(state)
    header.update(more_header or {})
    tensors.update(more_arrays or {})
    model_file.write(path, header, tensors, overwrite=overwrite)


def save_weights(model: Model, path: Any, *, overwrite: bool = True) -> None:
    """The weights alone."""
    model_file.write(path, {"weights": _paths(model)}, _weights(model), overwrite=overwrite)


def _data_facts(model: Model) -> dict[str, Any]:
    """What belongs to a network though it is no layer: how a table becomes numbers, names of classes."""
    found: dict[str, Any] = {}
    if model.preprocessing is not None:
        found["preprocessing"] = model.preprocessing.get_config()
    if model.class_names:
        found["class_names"] = list(model.class_names)
    return found


def _weights(model: Model) -> dict[str, Array]:
    return {weight_name(index): array for index, array in enumerate(model.get_weights())}


def _paths(model: Model) -> list[str]:
    return [variable.path for variable in model.weights]


def _float_type(model: Model) -> str:
    floats = [symbol.dtype for symbol in (*model.inputs, *model.outputs) if symbol.dtype.startswith("float")]
    return floats[-1] if floats else config.floatx()


def _places(model: Model) -> dict[str, int]:
    """Key of a parameter -> its place in `get_weights`."""
    place = {id(variable.value): index for index, variable in enumerate(model.weights)}
    return {key: place[id(array)] for key, array in model.parameters.items()}


def _optimizer_state(model: Model) -> dict[str, Array]:
    """What the optimizer remembers, by the places of weights: names of nodes depend on who wired them."""
    if model._plan is None:
        return {}
    places = _places(model)
    found = {}
    for name, array in model._plan.state().items():
        kind, _, rest = name.partition("/")
        if name == "step":
            found["optimizer/step"] = array
        elif kind == "slots":
            slot, _, key = rest.partition("/")
            found[f"optimizer/{slot}/{places[key]:04d}"] = array
    return found


def _compile_config(model: Model) -> dict[str, Any] | None:
    """The arguments of `compile`; None where it was not called, or where they cannot be told."""
    arguments = model._compile_arguments
    if arguments is None:
        return None
    try:
        optimizer = optimizers.serialize(model.optimizer)
    except (ParameterError, ParameterTypeError) as error:
        warnings.warn(
            f"The model is saved without the arguments of compile, so that compile must be called after "
            f"load_model: {error}",
            stacklevel=4,
        )
        return None
    return {
        "optimizer": optimizer,
        "loss": _tell(arguments["loss"], losses.get),
        "loss_weights": _tell(arguments["loss_weights"], float),
        "metrics": _tell(arguments["metrics"], metrics.get),
        "weighted_metrics": _tell(arguments["weighted_metrics"], metrics.get),
        "engine": model._engine.name,
        "seed": model._seed,
    }


def _tell(given: Any, get: Callable[[Any], Any]) -> Any:
    """Names stay names; objects become {"class_name", "config"}; lists and dicts are gone through."""
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, Mapping) and "class_name" not in given:
        return {key: _tell(value, get) for key, value in given.items()}
    if isinstance(given, (list, tuple)):
        return [_tell(value, get) for value in given]
    thing = get(given)
    if isinstance(thing, float):
        return thing
    if isinstance(thing, (losses.FunctionLoss, MeanMetricWrapper)):
        return {"class_name": _FUNCTION, "config": {"name": thing.name}}
    return {"class_name": type(thing).__name__, "config": thing.get_config()}


# -- reading ----------------------------------------------------------------------------------------


def load_weights(model: Model, path: Any) -> None:
    """Weights from a file into a model, all or none."""
    header, tensors = model_file.read(path)
    arrays = [tensors[weight_name(index)] for index in range(len(header["weights"]))]
    with _while_reading(path, f"it holds {known_names(header['weights']) or 'no weights'}"):
        model.set_weights(arrays)


def load_model(path: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Model:
    """A model from a file written by `Model.save`.

    Parameters
    ----------
    path : the .safetensors file.
    custom_objects : layers, losses, metrics and optimizers of your own, by the names of their classes;
        functions given to `compile`, by their names.
    compile : whether it is compiled again, with its optimizer's state, when it was.

    Training then goes on bit for bit as it would have without being saved.

    Raises
    ------
    FormatError where the file is foreign, damaged, or of a newer version.
    """
    header, tensors = model_file.read(path)
    if "network" not in header:
        raise FormatError(
            f"load_model needs a file written by model.save; {path} holds weights alone. "
            f"Make the model and call load_weights."
        )
    own = _checked(custom_objects)
    with _while_reading(path), _session(header.get("floatx")), sharing():
        model = layer_from_config(header["network"])
        model.set_weights([tensors[weight_name(index)] for index in range(len(header["weights"]))])
        if compile and header.get("compile"):
            _compile(model, header["compile"], tensors, own)
        _take_data_facts(model, header)
    loaded: Model = model
    return loaded


def _take_data_facts(model: Model, header: Mapping[str, Any]) -> None:
    if header.get("preprocessing") is not None:
        from ..data.encoding import TableEncoder

        model.preprocessing = TableEncoder.from_config(header["preprocessing"])
    names = header.get("class_names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"class_names are texts, not {names!r}")
    model.class_names = tuple(names)


def _checked(custom_objects: Mapping[str, Any] | None) -> dict[str, Any]:
    if custom_objects is None:
        return {}
    if not isinstance(custom_objects, Mapping) or not all(callable(one) for one in custom_objects.values()):
        raise ParameterTypeError(
            f"custom_objects must be a dict name -> class or function; got {custom_objects!r}. "
            f"Write custom_objects={{'MyLayer': MyLayer}}."
        )
    for cls in custom_objects.values():
        if isinstance(cls, type) and issubclass(cls, Layer):
            register_layer(cls)
    return dict(custom_objects)


@contextmanager
def _while_reading(path: Any, more: str = "") -> Iterator[None]:
    """Errors of what a file tells name the file."""
    try:
        yield
    except BrickworkError as error:
        error.add_note(f"while reading {path}" + (f"; {more}" if more else ""))
        raise
    except _DAMAGE as error:
        raise FormatError(
            f"{path} must tell a whole network; its description breaks at {error!r}. "
            f"It is damaged; take another copy of it."
        ) from error


@contextmanager
def _session(floatx: str | None) -> Iterator[None]:
    """Build in the float type of the file, and draw no seeds from the session's sequence."""
    with config.scoped_floatx(floatx), seeds.scoped(0):
        yield


def _compile(
    model: Model, told: Mapping[str, Any], tensors: Mapping[str, Array], own: Mapping[str, Any]
) -> None:
    model.compile(
        optimizer=optimizers.deserialize(told["optimizer"], own),
        loss=_made(told["loss"], losses.get, own),
        loss_weights=told["loss_weights"],
        metrics=_made(told["metrics"], metrics.get, own),
        weighted_metrics=_made(told["weighted_metrics"], metrics.get, own),
        engine=_engine(told["engine"]),
        seed=told["seed"],
    )
    load_optimizer_state(model, tensors)


def load_optimizer_state(model: Model, tensors: Mapping[str, Array]) -> None:
    """What `_optimizer_state` told, into a compiled model."""
    if "optimizer/step" in tensors and model._plan is not None:
        state = model._plan.state()
        keys = {place: key for key, place in _places(model).items()}
        state["step"] = tensors["optimizer/step"]
        for name, array in tensors.items():
            kind, _, rest = name.partition("/")
            slot, _, number = rest.partition("/")
            here = f"slots/{slot}/{keys.get(int(number))}" if kind == "optimizer" and number else ""
            if here in state:
                state[here] = np.asarray(array)
        model._plan.load(state)


def _made(told: Any, get: Callable[[Any], Any], own: Mapping[str, Any]) -> Any:
    """What `_tell` told."""
    if told is None or isinstance(told, str):
        return told
    if isinstance(told, list):
        return [_made(one, get, own) for one in told]
    if "class_name" not in told:
        return {key: _made(value, get, own) for key, value in told.items()}
    function = told["class_name"] == _FUNCTION
    name = told["config"]["name"] if function else told["class_name"]
    if name in own:
        return own[name] if function else own[name].from_config(told["config"])
    if function:
        raise ParameterError(
            f"The model was compiled with the function {name!r}, which no file can hold. Pass "
            f"custom_objects={{{name!r}: …}}, or compile=False and compile it yourself."
        )
    return get(told)


def _engine(name: str) -> Any:
    """The engine of that name; the reference where it is not installed here."""
    try:
        return get_engine(name)
    except ParameterError:
        return get_engine("reference")
