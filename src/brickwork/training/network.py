"""The wiring side of a model: inputs, outputs, layers in Keras's order, weights, configuration.

A network is itself a layer: calling it on symbols lays its layers again, and so shares their parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..arrays import Array
from ..bricks.base import Brick
from ..catalogue import snake_case
from ..errors import GraphError, NotFittedError, ParameterError, did_you_mean, known_names
from ..graph.graph import Graph
from ..graph.symbol import Call, Collected, Symbol, ancestors, collect
from ..layers.base import Layer, LayerCall, Variable, automatic_name, set_variables


class BrickLayer(Layer):
    """A brick that was laid outside any layer, seen as a layer of one brick."""

    def __init__(self, brick: Brick, name: str | None = None) -> None:
        Layer.__init__(self, name=name or automatic_name(type(brick).__name__))
        self.brick = brick

    def lay(self, *xs: Symbol) -> Any:
        """The brick."""
        return self.put(self.brick, *xs)

    def get_config(self) -> dict[str, Any]:
        """The brick and the name."""
        from ..bricks.registry import brick_to_config

        return {"brick": brick_to_config(self.brick), "name": self.name, "trainable": self.trainable}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The layer that `get_config` told."""
        from ..bricks.registry import brick_from_config

        made = cls(brick_from_config(config["brick"]), config["name"])
        made.trainable = config.get("trainable", True)
        return made


class Network(Layer):
    """A network between input symbols and output symbols.

    Parameters
    ----------
    inputs, outputs : a symbol, a list of symbols, or a dict name -> symbol.
    name : the network's name; default functional, functional_1, …
    trainable : False freezes all layers.
    """

    def __init__(self, inputs: Any, outputs: Any, *, name: str | None = None, trainable: bool = True) -> None:
        Layer.__init__(self, name=name or automatic_name("Functional"))
        self._wire(inputs, outputs)
        if not trainable:
            self.trainable = False

    # -- wiring -------------------------------------------------------------------------------------

    def _wire(self, inputs: Any, outputs: Any) -> None:
        self._input_structure = inputs
        self._output_structure = outputs
        self.inputs: list[Symbol] = symbols_of(inputs, "inputs")
        self.outputs: list[Symbol] = symbols_of(outputs, "outputs")
        for symbol in self.inputs:
            if sum(symbol is other for other in self.inputs) > 1:
                raise GraphError(f"The inputs must be different symbols; {symbol!r} stands twice. Drop one.")
        self._layer_calls = layer_calls(self.inputs, self.outputs)
        self._layers = ordered_layers(self.inputs, self.outputs, self._layer_calls)
        _require_different_names(self._layers)
        self._collected: Collected | None = None
        self._collect()

    def _collect(self) -> Collected:
        """The graph as the layers' `trainable` flags are now."""
        self._collected = collect(self.inputs, self.outputs)
        return self._collected

    @property
    def graph(self) -> Graph:
        """The graph of bricks."""
        self._require_built()
        return self._collect().graph

    @property
    def collected(self) -> Collected:
        """Graph, owners and names."""
        self._require_built()
        return self._collected or self._collect()

    def _require_built(self) -> None:
        if not hasattr(self, "_layer_calls"):
            raise NotFittedError(
                f"The network {self.name!r} does not know the shape of its input yet. Begin it with "
                f"Input(shape), call build((None, …)), or fit it to data."
            )

    @property
    def layers(self) -> list[Layer]:
        """The layers in Keras's order: by depth, then as they are met from the outputs."""
        return list(self._layers)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its place."""
        if (name is None) == (index is None):
            raise ParameterError("get_layer takes a name or an index; it received both or neither.")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ParameterError(
                    f"The network has {len(self.layers)} layers; there is none of index {index}. "
                    f"Use 0 … {len(self.layers) - 1}."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self.layers]
        raise ParameterError(
            f"The layers are named {known_names(names, 30)}; there is none named {name!r}."
            f"{did_you_mean(name, names)}"
        )

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return list(self.collected.graph.inputs)

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that give the outputs; numbered where one gives several."""
        names: list[str] = []
        for symbol in self.outputs:
            base = call_of(symbol).layer.name
            count = sum(name == base or name.startswith(f"{base}_") for name in names)
            names.append(base if base not in names else f"{base}_{count}")
        return names

    @property
    def input_shape(self) -> Any:
        """Shape of the input, or a list of shapes."""
        shapes = [symbol.shape for symbol in self.inputs] if hasattr(self, "inputs") else []
        return shapes[0] if len(shapes) == 1 else shapes or None

    @input_shape.setter
    def input_shape(self, value: Any) -> None:
        """A network's shape comes from its wiring; the argument of Layer is not used."""

    @property
    def output_shape(self) -> Any:
        """Shape of the output, or a list of shapes."""
        self._require_built()
        shapes = [symbol.shape for symbol in self.outputs]
        return shapes[0] if len(shapes) == 1 else shapes

    def lay(self, *xs: Symbol) -> Any:
        """Lay all layers again, on other symbols; parameters are shared."""
        self._require_built()
        if len(xs) != len(self.inputs):
            raise GraphError(
                f"The network {self.name!r} takes {len(self.inputs)} inputs; it received {len(xs)}."
            )
        known: dict[int, Symbol] = {id(symbol): x for symbol, x in zip(self.inputs, xs, strict=True)}
        for call in self._layer_calls:
            if not call.inputs:
                continue
            y = call.layer._lay_call(tuple(known[id(symbol)] for symbol in call.inputs))
            for symbol, made in zip(call.outputs, y if isinstance(y, tuple) else (y,), strict=True):
                known[id(symbol)] = made
        outputs = tuple(known[id(symbol)] for symbol in self.outputs)
        return outputs if len(outputs) > 1 else outputs[0]

    # -- weights ------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "trainable":
            for layer in self.__dict__.get("_layers", []):
                layer.trainable = value

    @property
    def built(self) -> bool:
        """Whether the network knows its shapes."""
        return hasattr(self, "_layer_calls")

    @property
    def weights(self) -> list[Variable]:
        """All arrays in Keras's order: layer by layer."""
        return [variable for layer in self.layers for variable in layer.weights]

    variables = weights

    def get_weights(self) -> list[Array]:
        """Copies of all arrays, in Keras 3's order and layout."""
        self._require_built()
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write arrays in the order of `get_weights`; nothing is written unless all fit."""
        self._require_built()
        set_variables(self.weights, weights, f"The network {self.name!r}")

    @property
    def parameters(self) -> dict[str, Array]:
        """The live parameters by "owner/name"."""
        return self.collected.parameters

    @property
    def statistics(self) -> dict[str, Array]:
        """The live running statistics by "owner/name"."""
        return self.collected.state

    # -- configuration ------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Layers and calls, for JSON."""
        from ..layers.serialization import layer_to_config

        self._require_built()
        layers = self._all_layers()
        place = {id(layer): index for index, layer in enumerate(layers)}
        made: dict[int, list[int]] = {}
        calls = []
        for index, call in enumerate(self._layer_calls):
            calls.append(
                {"layer": place[id(call.layer)], "inputs": [made[id(symbol)] for symbol in call.inputs]}
            )
            made.update({id(symbol): [index, output] for output, symbol in enumerate(call.outputs)})
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [layer_to_config(layer) for layer in layers],
            "calls": calls,
            "inputs": _restructured(self._input_structure, lambda symbol: made[id(symbol)]),
            "outputs": _restructured(self._output_structure, lambda symbol: made[id(symbol)]),
        }

    def _all_layers(self) -> list[Layer]:
        """Every layer once, in the order of the calls."""
        seen: dict[int, Layer] = {}
        for call in self._layer_calls:
            seen.setdefault(id(call.layer), call.layer)
        return list(seen.values())

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The network that `get_config` told, with new weights."""
        inputs, outputs = wired(config)
        return cls(inputs, outputs, name=config["name"])


def wired(config: Mapping[str, Any]) -> tuple[Any, Any]:
    """Inputs and outputs of the wiring that a configuration tells."""
    from ..layers.core import InputLayer
    from ..layers.serialization import layer_from_config

    layers = [layer_from_config(told) for told in config["layers"]]
    made: list[tuple[Symbol, ...]] = []
    for call in config["calls"]:
        layer = layers[call["layer"]]
        xs = tuple(made[index][output] for index, output in call["inputs"])
        y = layer.symbol() if isinstance(layer, InputLayer) else layer._lay_call(xs)
        made.append(y if isinstance(y, tuple) else (y,))

    def find(place: Sequence[int]) -> Symbol:
        return made[place[0]][place[1]]

    return _restored(config["inputs"], find), _restored(config["outputs"], find)


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


def _restructured(structure: Any, told: Any) -> Any:
    if isinstance(structure, Symbol):
        return {"one": told(structure)}
    if isinstance(structure, Mapping):
        return {"dict": {name: told(symbol) for name, symbol in structure.items()}}
    return {"list": [told(symbol) for symbol in structure]}


def _restored(told: Mapping[str, Any], find: Any) -> Any:
    if "one" in told:
        return find(told["one"])
    if "dict" in told:
        return {name: find(place) for name, place in told["dict"].items()}
    return [find(place) for place in told["list"]]


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
    from ..layers.core import InputLayer

    if call.brick is None:
        symbol = call.outputs[0]
        layer: Layer = InputLayer(symbol.shape[1:], symbol.shape[0], dtype=symbol.dtype, name=call.name)
    else:
        named = call.name != snake_case(type(call.brick).__name__)
        layer = BrickLayer(call.brick, call.name if named else None)
        if call.owner is not None and (call.owner.values or call.owner.state):
            layer._owners[snake_case(type(call.brick).__name__)] = call.owner
    made = LayerCall(layer, call.inputs, call.outputs, len(call.outputs) == 1)
    layer._calls.append(made)
    return made


def layer_calls(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> list[LayerCall]:
    """The layer calls between inputs and outputs, each after what feeds it; unused inputs come first."""
    found: dict[int, LayerCall] = {}
    for symbol in inputs:
        call = call_of(symbol)
        if symbol.call.brick is None:
            found[id(call)] = call
        else:
            cut = _cut_input(symbol)
            found[id(cut)] = cut
    for each in ancestors(outputs, inputs):
        if each.brick is None and not any(each is symbol.call for symbol in inputs):
            continue  # collect() names the missing input
        call = call_of(each.outputs[0])
        found.setdefault(id(call), call)
    return list(found.values())


def _cut_input(symbol: Symbol) -> LayerCall:
    """A network may begin at a symbol in the middle of another one; there it has an input of its own."""
    from ..layers.core import InputLayer

    if not hasattr(symbol, "cut"):
        layer = InputLayer(
            symbol.shape[1:], symbol.shape[0], dtype=symbol.dtype, name=f"{call_of(symbol).layer.name}_cut"
        )
        symbol.cut = LayerCall(layer, (), (symbol,))  # type: ignore[attr-defined]
    cut: LayerCall = symbol.cut  # type: ignore[attr-defined]
    return cut


def ordered_layers(
    inputs: Sequence[Symbol], outputs: Sequence[Symbol], calls: Sequence[LayerCall]
) -> list[Layer]:
    """Layers as Keras lists them: deepest first (the longest way to an output), then as met from there."""
    maker = {id(symbol): call for call in calls for symbol in call.outputs}
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
    stack = [(start, iter(start.inputs))]
    if id(start) in done:
        return
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


def _require_different_names(layers: Sequence[Layer]) -> None:
    names = [layer.name for layer in layers]
    for name in names:
        if names.count(name) > 1:
            raise GraphError(
                f"The layers of a network must have different names; {name!r} stands {names.count(name)} "
                f"times. Give one of them another name=…."
            )
