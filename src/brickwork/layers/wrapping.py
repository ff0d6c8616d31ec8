"""Layers that hold layers: a sequence read both ways, or each of its moments for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import bricks
from ..arguments import Check, Choice, Maybe, argument, configured
from ..bricks.base import letters
from ..errors import ParameterError, ShapeError
from ..graph.loop import Loop
from ..graph.symbol import Symbol, collect, input_symbol, no_scope
from .base import Layer
from .masks import checked
from .recurrent import Recurrent, _listed
from .serialization import layer_from_config, layer_to_config
from .variables import Variable


class LayerOf(Check):
    """A layer of a kind, or what `layer_to_config` told of one."""

    def __init__(self, kind: type[Layer], words: str) -> None:
        self.kind = kind
        self.words = words

    def __call__(self, owner: str, name: str, value: Any) -> Layer:
        """The layer."""
        if isinstance(value, Mapping) and "class_name" in value:
            value = layer_from_config(value)
        if not isinstance(value, self.kind):
            raise self.refuse_type(owner, name, value)
        return value

    def describe(self) -> str:
        """The kind."""
        return self.words

    def bad(self) -> list[Any]:
        """Other things."""
        return ["LSTM", 3, LayerOf]


RECURRENT = LayerOf(Recurrent, "a recurrent layer, such as LSTM(10)")
_MERGED = {"sum": bricks.Add, "mul": bricks.Multiply, "concat": bricks.Concatenate, "ave": bricks.Add}


class Wrapper(Layer):
    """What the layers that hold layers share: the weights are those of the layers inside."""

    @property
    def inner(self) -> list[Layer]:
        """The layers inside, in the order of their weights."""
        raise NotImplementedError

    def _lay_inner(self, layer: Layer, *xs: Symbol, **named: Symbol) -> Any:
        """A call of a layer inside, which is no use of it in the network around."""
        calls = list(layer._calls)
        try:
            return layer._lay_call((*xs, *named.values()), tuple(named))
        finally:
            layer._calls = calls

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "trainable" and self.__dict__.get("_ready"):
            for layer in self.inner:
                layer.trainable = value

    def _freeze_inner(self) -> None:
        """At the end of construction: what is frozen outside is frozen inside."""
        self._ready = True
        if not self.trainable:
            self.trainable = False

    @property
    def weights(self) -> list[Variable]:
        """The weights of the layers inside."""
        return [
            replace(variable, path=f"{self.name}/{variable.path}")
            for layer in self.inner
            for variable in layer.weights
        ]


@configured()
class Bidirectional(Wrapper):
    """A recurrent layer on a sequence, and one like it on the sequence read from its end, merged.

    Both stand at their moments: y(t) tells of what comes before t and of what comes after it.

    Parameters
    ----------
    layer : a recurrent layer; `forward_layer` and `backward_layer` are new ones with its arguments.
    merge_mode : "concat" (default), "sum", "mul", "ave", or None for both outputs one behind the other.
    backward_layer : one with other arguments for the way back, of the opposite `go_backwards`; default None.

    >>> from brickwork.layers import Input, LSTM
    >>> Bidirectional(LSTM(3, return_sequences=True))(Input((7, 4))).shape
    (None, 7, 6)

    Schuster and Paliwal, "Bidirectional recurrent neural networks", 1997.
    """

    supports_masking = True
    passes_mask = False

    layer: Any = argument(RECURRENT)
    merge_mode: Any = argument(Maybe(Choice(("concat", "sum", "mul", "ave"))), default="concat")
    backward_layer: Any = argument(Maybe(RECURRENT), default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        forward = self.layer
        self.forward_layer = _copied(forward, "forward_")
        if self.backward_layer is None:
            turned = not forward.go_backwards
            self.backward_layer = _copied(forward, "backward_", go_backwards=turned)
        else:
            self.backward_layer = _copied(self.backward_layer, "")
        for name, same in (("go_backwards", False), ("return_sequences", True), ("return_state", True)):
            if (getattr(self.forward_layer, name) == getattr(self.backward_layer, name)) != same:
                raise ParameterError(
                    f"Bidirectional: `backward_layer` must be of {'the same' if same else 'the opposite'} "
                    f"{name} as `layer`; got {getattr(self.backward_layer, name)} for both ways. "
                    f"Write {name}={getattr(forward, name) == same}."
                )
        for layer in (self.forward_layer, self.backward_layer):
            layer._aligned = True
            layer.zero_output_for_mask = layer.return_sequences  # as Keras, so that merged outputs are 0 too
        self._freeze_inner()

    @property
    def inner(self) -> list[Layer]:
        """Forward, backward."""
        return [self.forward_layer, self.backward_layer]

    def lay(self, x: Symbol, *states: Symbol, mask: Symbol | None = None) -> Any:  # type: ignore[override]
        """Both layers, and their outputs merged; then their last states."""
        half = len(states) // 2
        if mask is not None:
            mask = checked(self, mask, x)
        named = {} if mask is None else {"mask": mask}
        ways = [
            self._lay_inner(layer, x, *given, **named)
            for layer, given in zip(self.inner, (states[:half], states[half:]), strict=True)
        ]
        both = [way if isinstance(way, tuple) else (way,) for way in ways]
        ys = [way[0] for way in both]
        if self.layer.go_backwards and self.layer.return_sequences:
            ys = [self.put(bricks.Flip(1), y, role=f"flip_{index}") for index, y in enumerate(ys)]
        if self.merge_mode is not None:
            y = self.put(_MERGED[self.merge_mode](), *ys)
            ys = [self.put(bricks.Rescaling(0.5), y) if self.merge_mode == "ave" else y]
        for y in ys if self.layer.return_sequences else ():
            y.mask = mask
        made = (*ys, *(state for way in both for state in way[1:]))
        return made if len(made) > 1 else made[0]

    def __call__(
        self, *inputs: Any, training: bool | None = None, initial_state: Any = None, **more: Any
    ) -> Any:
        """On a sequence; `initial_state` lists the states of the forward layer, then those of the other.

        `mask` (N, T), by name, is 0 where moments do not count; default: that of the sequence.
        """
        states = () if initial_state is None else (initial_state,)
        flat = [x for given in (*inputs, *states) for x in _listed(given)]
        return super().__call__(*flat, training=training, **more)


def _copied(layer: Layer, prefix: str, **changes: Any) -> Any:
    """A new layer with the arguments of another."""
    told = layer_to_config(layer)
    name = f"{prefix}{layer.name.removeprefix(prefix)}"
    return layer_from_config({**told, "config": {**told["config"], "name": name, **changes}})


@configured()
class TimeDistributed(Wrapper):
    """A layer, or a whole network, at each moment of a sequence for itself, with the same weights.

    x (N, T, …) gives y (N, T, …), y(t) = layer(x(t)). It is a Loop without states, whose cell is the layer.

    Parameters
    ----------
    layer : a layer or a network without random bricks and running statistics: no Dropout, say.

    >>> from brickwork.layers import Conv2D, Input
    >>> TimeDistributed(Conv2D(2, 3))(Input((5, 8, 8, 1))).shape
    (None, 5, 6, 6, 2)

    LeCun and Bengio, "Convolutional networks for images, speech, and time series", 1995.
    """

    supports_masking = True

    layer: Any = argument(LayerOf(Layer, "a layer, such as Dense(10)"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layer.activity_regularizer is not None:
            raise ParameterError(
                "TimeDistributed: `layer` must be without activity_regularizer; it received one. "
                "Give it to TimeDistributed itself."
            )
        self._freeze_inner()

    @property
    def inner(self) -> list[Layer]:
        """The layer."""
        return [self.layer]

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """A Loop over the layer's bricks, whose arrays are the layer's own."""
        if len(x.shape) < 3:
            raise ShapeError(
                f"TimeDistributed {self.name!r} takes sequences of shape (N, T, …), at least 3 axes; it "
                f"received {letters(x.shape)}. Put Reshape((T, 1)) before it."
            )
        with no_scope():
            start = input_symbol((None, *x.shape[2:]), x.dtype, "x")
            made: Any = self._lay_inner(self.layer, start)
        found = collect([start], made if isinstance(made, tuple) else [made])
        loop = Loop(found.graph, states=0)
        known = self._owners.get("loop")
        y = self.put(loop, x, role="loop", values=_renamed(found.parameters), **loop.attributes())
        if known is None and "loop" in self._owners:
            # The arrays themselves, so that the layer inside sees what training does to them.
            self._owners["loop"].values.update(_renamed(found.parameters))
        return y


def _renamed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The cell's parameters by the loop's names."""
    return {key.replace("/", "."): value for key, value in parameters.items()}
