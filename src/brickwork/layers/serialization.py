"""Layers as JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..bricks.base import Brick
from ..errors import (
    FormatError,
    ParameterError,
    ParameterTypeError,
    UnknownClassError,
    did_you_mean,
    known_names,
)

_custom: dict[str, type[Any]] = {}


def plain(value: Any) -> Any:
    """A constructor's argument in a form that JSON can hold and the constructor takes again."""
    from .base import Layer

    if isinstance(value, Brick):
        from ..bricks.registry import brick_to_config

        return brick_to_config(value)
    if isinstance(value, Layer):
        return layer_to_config(value)
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def register_layer(cls: type[Any]) -> type[Any]:
    """Class decorator for a user's layer, so that networks which hold it can be loaded."""
    _custom[cls.__name__] = cls
    return cls


def layer_to_config(layer: Any) -> dict[str, Any]:
    """{"class_name": …, "config": …}; raises FormatError for a layer that could not be read again."""
    cls = type(layer)
    if cls.__name__ not in _custom and not cls.__module__.startswith("brickwork."):
        raise FormatError(
            f"A user's layer must be registered before its network is saved; it received {cls.__name__}. "
            f"Put @brickwork.layers.register_layer above the class."
        )
    return {"class_name": cls.__name__, "config": layer.get_config()}


def serialize(layer: Any) -> dict[str, Any]:
    """{"class_name", "config"} of a layer, for JSON.

    >>> from brickwork.layers import RepeatVector
    >>> serialize(RepeatVector(3, name="three"))["class_name"]
    'RepeatVector'
    """
    from .base import Layer

    if not isinstance(layer, Layer):
        raise ParameterTypeError(
            f"Only a layer can be serialized here; got {layer!r} of type {type(layer).__name__}. Pass an "
            f"instance of Layer."
        )
    return layer_to_config(layer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, type[Any]] | None = None) -> Any:
    """The layer that `serialize` told; `custom_objects` names classes of your own.

    >>> from brickwork.layers import RepeatVector
    >>> deserialize(serialize(RepeatVector(3))).n
    3
    """
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise ParameterError(
            f"The configuration of a layer must be a dict with 'class_name' and 'config'; got {config!r}. "
            f"Write what serialize() gave."
        )
    return layer_from_config(config, custom_objects)


def layer_from_config(config: Mapping[str, Any], more: Mapping[str, type[Any]] | None = None) -> Any:
    """The layer that `layer_to_config` told; `more` are classes beside the registered ones."""
    from brickwork import layers

    from .base import Layer

    own = {
        name: thing
        for name in layers.__all__
        if isinstance(thing := getattr(layers, name), type) and issubclass(thing, Layer)
    }
    known = {**own, **_custom, **(more or {})}
    name = config.get("class_name")
    if name not in known:
        raise UnknownClassError(
            f"A layer's class must be one of {known_names(known)}; the file says {name!r}."
            f"{did_you_mean(name, known)} A user's layer must be imported and registered before it is read."
        )
    return known[name].from_config(config.get("config", {}))
