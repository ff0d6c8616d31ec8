"""Bricks by name, so that a network written as JSON can be read again.

Brickwork's own bricks are known by their class names; a user's brick by the name given to `register_brick`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..errors import GraphError, UnknownClassError, did_you_mean, known_names
from .base import Brick

B = TypeVar("B", bound=type[Brick])

_registered: dict[str, type[Brick]] = {}
_names: dict[type[Brick], str] = {}


def register_brick(name: str) -> Callable[[B], B]:
    """Class decorator that gives a user's brick the name under which networks are saved.

    The name holds a dot or a slash, such as "mylab/Sine", so that it never meets one of Brickwork's own.
    """
    if "/" not in name and "." not in name:
        raise GraphError(
            f"A registered brick's name holds a dot or a slash, such as 'mylab/{name}'; it received {name!r}."
        )

    def decorate(cls: B) -> B:
        _registered[name] = cls
        _names[cls] = name
        return cls

    return decorate


def _own() -> Mapping[str, type[Brick]]:
    from brickwork import bricks

    found = {}
    for name in bricks.__all__:
        thing = getattr(bricks, name)
        if isinstance(thing, type) and issubclass(thing, Brick) and thing is not Brick:
            found[name] = thing
    return found


def brick_to_config(brick: Brick) -> dict[str, Any]:
    """{"class": name, "config": fields}, for JSON. Raises GraphError for a brick without a name."""
    cls = type(brick)
    name = _names.get(cls, cls.__name__)
    if cls not in _names and not cls.__module__.startswith("brickwork."):
        raise GraphError(
            f"Only bricks with a registered name can be saved; it received {cls.__name__}. "
            f"Put @brickwork.bricks.register_brick('mylab/{cls.__name__}') above the class."
        )
    return {"class": name, "config": brick.get_config()}


def brick_from_config(config: Mapping[str, Any]) -> Brick:
    """The brick that `brick_to_config` told."""
    name = config.get("class")
    known = {**_own(), **_registered}
    if name not in known:
        raise UnknownClassError(
            f"A brick's class must be one of {known_names(known)}; the file says {name!r}."
            f"{did_you_mean(name, known)} A user's brick must be imported before it is read."
        )
    fields = {key: _tuples(value) for key, value in dict(config.get("config", {})).items()}
    return known[name](**fields)


def _tuples(value: Any) -> Any:
    """JSON has lists where bricks have tuples."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
