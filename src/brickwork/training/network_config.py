"""A network's layers and calls in a form that JSON can hold, and the wiring made of it again.

Within `sharing()` a layer that stands in several networks, as in a model and in a model nested in it, is
told once and shared again when it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..graph.symbol import Symbol
from ..layers.base import Layer, LayerCall
from ..layers.core import InputLayer
from ..layers.serialization import layer_from_config, layer_to_config

_MASK = 1
"""Behind the place of a value: not it, but its mask."""
_told: ContextVar[dict[int, int] | None] = ContextVar("brickwork_told_layers", default=None)
_made: ContextVar[dict[int, Layer] | None] = ContextVar("brickwork_made_layers", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """Layers that are told or read inside are one object wherever they stand."""
    tokens = (_told.set({}), _made.set({}))
    try:
        yield
    finally:
        _told.reset(tokens[0])
        _made.reset(tokens[1])


def tell_layer(layer: Layer) -> dict[str, Any]:
    """A layer's configuration, or the number under which it was told before."""
    told = _told.get()
    if told is None:
        return layer_to_config(layer)
    if id(layer) in told:
        return {"shared": told[id(layer)]}
    told[id(layer)] = number = len(told)
    return {**layer_to_config(layer), "number": number}


def read_layer(told: Mapping[str, Any]) -> Layer:
    """The layer that `tell_layer` told."""
    made = _made.get()
    if made is None:
        layer: Layer = layer_from_config(told)
        return layer
    if "shared" in told:
        return made[told["shared"]]
    layer = layer_from_config(told)
    made[told["number"]] = layer
    return layer


def tell_wiring(calls: Sequence[LayerCall], inputs: Any, outputs: Any) -> dict[str, Any]:
    """Layers, calls, and where inputs and outputs stand among the calls' results."""
    layers: dict[int, Layer] = {}
    for call in calls:
        layers.setdefault(id(call.layer), call.layer)
    place = {id_: index for index, id_ in enumerate(layers)}
    made: dict[int, list[int]] = {}
    told = []
    for index, call in enumerate(calls):
        entry = {"layer": place[id(call.layer)], "inputs": [made[id(symbol)] for symbol in call.inputs]}
        if call.keywords or call.options:
            entry |= {"keywords": list(call.keywords), "options": call.options}
        told.append(entry)
        made.update({id(symbol): [index, output] for output, symbol in enumerate(call.outputs)})
        for output, symbol in enumerate(call.outputs):
            if symbol.mask is not None:
                made.setdefault(id(symbol.mask), [index, output, _MASK])
    return {
        "layers": [tell_layer(layer) for layer in layers.values()],
        "calls": told,
        "inputs": _restructured(inputs, lambda symbol: made[id(symbol)]),
        "outputs": _restructured(outputs, lambda symbol: made[id(symbol)]),
    }


def read_wiring(config: Mapping[str, Any]) -> tuple[Any, Any]:
    """Inputs and outputs of the wiring that `tell_wiring` told."""
    layers = [read_layer(told) for told in config["layers"]]
    made: list[tuple[Symbol, ...]] = []

    def find(place: Sequence[int]) -> Any:
        symbol = made[place[0]][place[1]]
        return symbol.mask if _MASK in place[2:] else symbol

    for call in config["calls"]:
        layer = layers[call["layer"]]
        xs = tuple(map(find, call["inputs"]))
        if isinstance(layer, InputLayer):
            y = layer.symbol()
        else:
            y = layer._lay_call(xs, tuple(call.get("keywords", ())), call.get("options"))
        made.append(y if isinstance(y, tuple) else (y,))

    return _restored(config["inputs"], find), _restored(config["outputs"], find)


def _restructured(structure: Any, tell: Callable[[Symbol], Any]) -> Any:
    if isinstance(structure, Symbol):
        return {"one": tell(structure)}
    if isinstance(structure, Mapping):
        return {"dict": {name: tell(symbol) for name, symbol in structure.items()}}
    return {"list": [tell(symbol) for symbol in structure]}


def _restored(told: Mapping[str, Any], find: Callable[[Any], Symbol]) -> Any:
    if "one" in told:
        return find(told["one"])
    if "dict" in told:
        return {name: find(place) for name, place in told["dict"].items()}
    return [find(place) for place in told["list"]]
