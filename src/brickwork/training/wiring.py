"""From symbols to layers: which layer calls lie between inputs and outputs, and in which order.

A brick laid outside any layer is seen as a layer of one brick, so that a network is always made of layers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..bricks.base import Brick
from ..catalogue import snake_case
from ..errors import GraphError, known_names
from ..graph.node import Attributes
from ..graph.symbol import Call, Owner, Symbol, ancestors
from ..layers.base import Layer, LayerCall, automatic_name


class BrickLayer(Layer):
    """A brick that was laid outside any layer, seen as a layer of one brick."""

    supports_masking = True
    passes_mask = False  # bricks know nothing of masks

    def __init__(self, brick: Brick, name: str | None = None) -> None:
        Layer.__init__(self, name=name or automatic_name(type(brick).__name__))
        self.brick = brick
        self._attributes: dict[str, Any] = {}

    def lay(self, *xs: Symbol) -> Any:
        """The brick."""
        return self.put(self.brick, *xs, **self._attributes)

    def adopt(self, owner: Owner) -> None:
        """Hold the parameters of a brick that is laid already."""
        self._owners[snake_case(type(self.brick).__name__)] = owner
        self._attributes = dict(owner.attributes)

    def get_config(self) -> dict[str, Any]:
        """The brick, the name, and what was said of its parameters."""
        from ..bricks.registry import brick_to_config
        from ..layers.serialization import plain

        return {
            "brick": brick_to_config(self.brick),
            "name": self.name,
            "trainable": self.trainable,
            "parameters": {
                name: {kind: plain(getattr(known, kind)) for kind in (*_KINDS, "trainable")}
                for name, known in self._attributes.items()
            },
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The layer that `get_config` told."""
        from ..bricks.registry import brick_from_config
        from ..graph import loop  # noqa: F401  (so that its brick is known)

        made = cls(brick_from_config(config["brick"]), config["name"])
        made.trainable = config["trainable"]
        made._attributes = {name: _attributes(told) for name, told in config["parameters"].items()}
        return made


_KINDS = ("initializer", "regularizer", "constraint")


def _attributes(told: Mapping[str, Any]) -> Attributes:
    from .. import constraints, initializers, regularizers

    made = {
        kind: module.get(told[kind])
        for kind, module in zip(_KINDS, (initializers, regularizers, constraints), strict=True)
    }
    return Attributes(trainable=told["trainable"], **made)


def symbols_of(structure: Any, what: str) -> list[Symbol]:
    """The symbols of a symbol, a list or a dict."""
    if isinstance(structure, Symbol):
        return [structure]
    items = list(structure.values()) if isinstance(structure, Mapping) else structure
    if not isinstance(items, (list, tuple)) or not items or not all(isinstance(x, Symbol) for x in items):
        raise GraphError(
            f"A network's {what} are symbols: a symbol, a list or a dict of them; it received {structure!r}. "
            f"Start from brickwork.Input(shape)."
        )
    return list(items)


def call_of(symbol: Symbol) -> LayerCall:
    """The layer call that made a symbol, at the outermost level."""
    call = symbol.call
    if call.scope is not None:
        handle: LayerCall = call.scope.outermost.handle
        return handle
    if not hasattr(call, "layer_call"):
        call.layer_call = _seen_as_layer(call)  # type: ignore[attr-defined]
    implicit: LayerCall = call.layer_call  # type: ignore[attr-defined]
    return implicit


def _seen_as_layer(call: Call) -> LayerCall:
    """A bare brick, or a bare input, as a layer call."""
    layer = _input_layer(call.outputs[0], call.name) if call.brick is None else _brick_layer(call, call.brick)
    made = LayerCall(layer, call.inputs, call.outputs, len(call.outputs) == 1)
    layer._built = True
    layer._calls.append(made)
    return made


def _brick_layer(call: Call, brick: Brick) -> BrickLayer:
    """Bricks that share parameters are one layer."""
    owner = call.owner
    known: BrickLayer | None = getattr(owner, "brick_layer", None)
    if known is not None:
        return known
    named = call.name != snake_case(type(brick).__name__)
    layer = BrickLayer(brick, call.name if named else None)
    if owner is not None and (owner.values or owner.state):
        layer.adopt(owner)
        owner.brick_layer = layer  # type: ignore[attr-defined]
    return layer


def _input_layer(symbol: Symbol, name: str) -> Layer:
    from ..layers.core import InputLayer

    return InputLayer(symbol.shape[1:], symbol.shape[0], dtype=symbol.dtype, name=name)


def layer_calls(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> list[LayerCall]:
    """The layer calls between inputs and outputs, each after what feeds it; unused inputs come first."""
    found: dict[int, LayerCall] = {}
    for symbol in inputs:
        call = call_of(symbol) if symbol.call.brick is None else _cut_input(symbol)
        found[id(call)] = call
    for each in ancestors(outputs, inputs):
        if each.brick is None:
            names = [symbol.call.name for symbol in inputs]
            raise GraphError(
                f"The outputs depend on the input {each.name!r}, which is not among the inputs "
                f"{known_names(names)}. Add it to the inputs."
            )
        call = call_of(each.outputs[0])
        found.setdefault(id(call), call)
    return list(found.values())


def _cut_input(symbol: Symbol) -> LayerCall:
    """A network may begin at a symbol in the middle of another one; there it has an input of its own."""
    if not hasattr(symbol, "cut"):
        layer = _input_layer(symbol, f"{call_of(symbol).layer.name}_cut")
        symbol.cut = LayerCall(layer, (), (symbol,))  # type: ignore[attr-defined]
    cut: LayerCall = symbol.cut  # type: ignore[attr-defined]
    return cut


def ordered_layers(
    inputs: Sequence[Symbol], outputs: Sequence[Symbol], calls: Sequence[LayerCall]
) -> list[Layer]:
    """Layers as Keras lists them: deepest first (the longest way to an output), then as met from there."""
    maker = {id(symbol): call for call in calls for symbol in call.outputs}
    for call in calls:
        for symbol in call.outputs:
            if symbol.mask is not None:  # by the first one that has it
                maker.setdefault(id(symbol.mask), call)
    for symbol in outputs:
        if id(symbol) not in maker:
            raise GraphError(
                f"A network's outputs are values that layers give; {symbol!r} lies inside "
                f"{call_of(symbol).layer.name!r}. Take that layer's output, or lay its parts one by one."
            )
    met: dict[int, int] = {}
    finished: list[LayerCall] = []
    done: set[int] = set()
    for output in outputs:
        _walk(maker[id(output)], maker, met, finished, done)
    call_depth: dict[int, int] = {}
    layer_depth: dict[int, int] = {}
    layers: dict[int, Layer] = {}
    for call in reversed(finished):
        depth = max(call_depth.get(id(call), 0), layer_depth.get(id(call.layer), 0))
        call_depth[id(call)] = layer_depth[id(call.layer)] = depth
        layers[id(call.layer)] = call.layer
        for symbol in call.inputs:
            parent = maker[id(symbol)]
            call_depth[id(parent)] = max(depth + 1, call_depth.get(id(parent), 0))
    for symbol in inputs:
        layer = maker[id(symbol)].layer
        if id(layer) not in layers:
            layers[id(layer)], layer_depth[id(layer)], met[id(layer)] = layer, 0, -1
    return sorted(layers.values(), key=lambda layer: (-layer_depth[id(layer)], met[id(layer)]))


def _walk(
    start: LayerCall,
    maker: Mapping[int, LayerCall],
    met: dict[int, int],
    finished: list[LayerCall],
    done: set[int],
) -> None:
    """Depth first from an output: `met` counts layers going down, `finished` lists calls going up."""
    if id(start) in done:
        return
    stack = [(start, iter(start.inputs))]
    done.add(id(start))
    met.setdefault(id(start.layer), len(met))
    while stack:
        call, rest = stack[-1]
        for symbol in rest:
            parent = maker[id(symbol)]
            if id(parent) not in done:
                done.add(id(parent))
                met.setdefault(id(parent.layer), len(met))
                stack.append((parent, iter(parent.inputs)))
                break
        else:
            finished.append(call)
            stack.pop()


def require_different_names(layers: Sequence[Layer]) -> None:
    """GraphError where two layers of a network have one name."""
    counts = Counter(layer.name for layer in layers)
    twice, count = counts.most_common(1)[0]
    if count > 1:
        raise GraphError(
            f"The layers of a network must have different names; {twice!r} stands {count} "
            f"times. Give one of them another name=…."
        )
