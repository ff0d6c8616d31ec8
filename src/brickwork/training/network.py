"""The wiring side of a model: inputs, outputs, layers in Keras's order, weights, configuration.

A network is itself a layer: calling it on symbols lays its layers again, and so shares their parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..arguments import Whole
from ..arrays import Array
from ..bricks import Identity
from ..errors import GraphError, NotFittedError, ParameterError, did_you_mean, known_names
from ..graph.graph import Graph
from ..graph.symbol import Collected, Symbol, collect
from ..layers.base import Layer, Variable, _inputs_of, automatic_name, set_variables
from .network_config import read_wiring, tell_wiring
from .wiring import call_of, layer_calls, ordered_layers, require_different_names, symbols_of


class Network(Layer):
    """A network between input symbols and output symbols.

    Parameters
    ----------
    inputs, outputs : a symbol, a list of symbols, or a dict name -> symbol.
    name : the network's name; default functional, functional_1, …
    trainable : False freezes all layers.
    """

    supports_masking = True
    passes_mask = False  # its layers do, one by one

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
        require_different_names(self._layers)
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
            index = Whole()("get_layer", "index", index)
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
        """The outputs in losses, logs and data: the keys of a dict, else the names of the layers that give
        them, numbered where one layer gives several.
        """
        if isinstance(self._output_structure, Mapping):
            return list(self._output_structure)
        names: list[str] = []
        for symbol in self.outputs:
            base = call_of(symbol).layer.name
            count = sum(call_of(other).layer.name == base for other in self.outputs[: len(names)])
            names.append(f"{base}_{count}" if count else base)
        return names

    @property
    def input(self) -> Any:
        """The symbols where data comes in, in the structure that was given."""
        self._require_built()
        return self._input_structure

    @property
    def output(self) -> Any:
        """The symbols of the outputs, in the structure that was given."""
        self._require_built()
        return self._output_structure

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
            y = call.again(tuple(known[id(symbol)] for symbol in call.inputs))
            for symbol, made in zip(call.outputs, y if isinstance(y, tuple) else (y,), strict=True):
                known[id(symbol)] = made
                if symbol.mask is not None and made.mask is not None:
                    known.setdefault(id(symbol.mask), made.mask)
        outputs = tuple(self._passed_on(known[id(symbol)], xs) for symbol in self.outputs)
        return outputs if len(outputs) > 1 else outputs[0]

    def _passed_on(self, y: Symbol, xs: Sequence[Symbol]) -> Symbol:
        """An output that is an input needs a symbol of its own, so that it is seen where it comes from."""
        place = next((index for index, x in enumerate(xs) if x is y), None)
        if place is None:
            return y
        made: Symbol = self.put(Identity(), y, role=f"passed_on_{place}")
        made.mask = y.mask
        return made

    def __call__(self, *inputs: Any, training: bool | None = None, **more: Any) -> Any:
        """Lay the network on symbols, or compute on arrays; a dict for a dict of inputs or outputs."""
        if len(inputs) == 1 and isinstance(inputs[0], Mapping):
            inputs = tuple(self._in_order(inputs[0]))
        y = super().__call__(*inputs, training=training, **more)
        if isinstance(self._output_structure, Mapping):
            return dict(zip(self._output_structure, y if isinstance(y, tuple) else (y,), strict=True))
        return y

    def _in_order(self, given: Mapping[str, Any]) -> list[Any]:
        names = self._input_structure if isinstance(self._input_structure, Mapping) else self.input_names
        if set(given) != set(names):
            raise GraphError(
                f"The network {self.name!r} takes the inputs {known_names(names)}; it received "
                f"{known_names(given) or 'none'}."
            )
        return [given[name] for name in names]

    def _lay_unrecorded(
        self,
        symbols: tuple[Symbol, ...],
        keywords: tuple[str, ...] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        kept = [(layer, list(layer._calls)) for layer in self._all_layers()]
        try:
            return super()._lay_unrecorded(symbols, keywords, options)
        finally:
            for layer, calls in kept:
                layer._calls = calls

    def _all_layers(self) -> Iterator[Layer]:
        """The layers, and those of networks nested in this one."""
        for layer in self.layers:
            yield layer
            if isinstance(layer, Network):
                yield from layer._all_layers()

    def build(self, input_shape: Any = None) -> None:
        """Nothing: a network that begins with an Input is built."""
        self._require_built()

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output's shape for an input shape, both with the batch axis."""
        if not self.built:
            return super().compute_output_shape(input_shape)
        y = self._lay_unrecorded(_inputs_of(input_shape))
        return tuple(one.shape for one in y) if isinstance(y, tuple) else y.shape

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
        """All arrays in Keras's order: layer by layer, each once."""
        found: dict[int, Variable] = {}
        for layer in self.layers:
            for variable in layer.weights:
                found.setdefault(id(variable.value), variable)
        return list(found.values())

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
        self._require_built()
        return {
            "name": self.name,
            "trainable": self.trainable,
            **tell_wiring(self._layer_calls, self._input_structure, self._output_structure),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The network that `get_config` told, with new weights."""
        inputs, outputs = read_wiring(config)
        made = cls(inputs, outputs, name=config["name"])
        made.__dict__["trainable"] = config["trainable"]  # each layer has told its own
        return made
