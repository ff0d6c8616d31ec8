"""Models and weights in files: what `telling` tells of a network, the arguments of `compile`, and what
belongs to it though it is no layer.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from .. import losses, metrics, optimizers
from ..arrays import Array
from ..engines.registry import get_engine
from ..errors import FormatError, ParameterError, ParameterTypeError, known_names
from ..layers.base import Layer
from ..layers.serialization import register_layer
from ..metrics.base import MeanMetricWrapper
from . import model_file
from .model import Model
from .telling import (
    load_state,
    make_network,
    reading,
    session,
    tell_network,
    tell_paths,
    tell_state,
    tell_weights,
    told_weights,
)

_FUNCTION = "function"


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
    header, tensors = tell_network(model)
    header.update(_data_facts(model))
    compiled = _compile_config(model)
    if compiled is not None:
        header["compile"] = compiled
        if include_optimizer:
            state = {} if model._plan is None else tell_state(model, model._plan)
            tensors.update(state)
            header["optimizer"] = list(state)
    header.update(more_header or {})
    tensors.update(more_arrays or {})
    model_file.write(path, header, tensors, overwrite=overwrite)


def save_weights(model: Model, path: Any, *, overwrite: bool = True) -> None:
    """The weights alone."""
    model_file.write(path, tell_paths(model), tell_weights(model), overwrite=overwrite)


def _data_facts(model: Model) -> dict[str, Any]:
    """What belongs to a network though it is no layer: how a table becomes numbers, names of classes."""
    found: dict[str, Any] = {}
    if model.preprocessing is not None:
        found["preprocessing"] = model.preprocessing.get_config()
    if model.class_names:
        found["class_names"] = list(model.class_names)
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
    with reading(path, more=f"it holds {known_names(header['weights']) or 'no weights'}"):
        model.set_weights(told_weights(header, tensors))


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
    with reading(path), session(header.get("floatx")):
        model = make_network(header, tensors)
        if compile and header.get("compile"):
            _compile(model, header["compile"], tensors, own)
        _take_data_facts(model, header)
    return model


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
    """The optimizer's state in a file, where there is one, into a compiled model."""
    if "optimizer/step" in tensors and model._plan is not None:
        load_state(model, model._plan, tensors)


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
