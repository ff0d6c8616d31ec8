"""Sequential: layers one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import GraphError, NotFittedError, ParameterError, ParameterTypeError
from ..graph.symbol import Symbol, no_scope
from ..layers.base import Layer, automatic_name
from ..layers.core import Input, InputLayer
from ..layers.serialization import register_layer
from .data_adapter import require_one_array
from .data_checks import as_array
from .feeds import first_rows
from .model import Model
from .network_config import read_layer, tell_layer


@register_layer
class Sequential(Model):
    """A model of layers one after the other.

    Parameters
    ----------
    layers : list of layers; the first may be `Input(shape)`. Without one, and without `input_shape` on the
        first layer, the network is built when it first meets data.
    name : default sequential, sequential_1, …
    trainable : False freezes all layers.

    >>> import brickwork
    >>> model = Sequential([brickwork.Input((4,)), brickwork.layers.Dense(3)])
    >>> model.output_shape
    (None, 3)
    """

    def __init__(
        self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        self._forget_training()
        self._stack: list[Layer] = []
        self._start: Symbol | None = None
        self._values: list[Symbol] = []
        Layer.__init__(self, name=name or automatic_name("Sequential"))
        if isinstance(layers, (str, bytes, Mapping, Layer)) or not hasattr(layers or (), "__iter__"):
            raise ParameterTypeError(
                f"Sequential: `layers` must be None or a list of layers; got layers={layers!r} of type "
                f"{type(layers).__name__}. Write [{layers!r}] for one layer."
            )
        for layer in layers or ():
            self._push(layer)
        self._rewire()
        if not trainable:
            self.trainable = False

    def add(self, layer: Any) -> None:
        """Put one more layer at the end. Training then begins anew, with the arguments of `compile`."""
        before = list(self._stack)
        self._push(layer)
        try:
            self._rewire()
        except BaseException:
            self._stack = before  # so that a layer that fits can follow one that does not
            raise

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer off and return it."""
        if not self._stack:
            raise GraphError("There is no layer to take off; the model is empty.")
        layer = self._stack.pop()
        if len(self._values) > len(self._stack):
            made = self._values.pop()
            layer._calls = [call for call in layer._calls if made not in call.outputs]
        self._rewire()
        return layer

    def _push(self, layer: Any) -> None:
        if isinstance(layer, Symbol) and layer.call.brick is None:
            if self._stack or self._start is not None:
                raise GraphError("An Input stands first in a Sequential; it came after other layers.")
            self._start = layer
            return
        if isinstance(layer, InputLayer):
            self._push(layer.symbol())
            return
        if not isinstance(layer, Layer):
            hint = f" Write {layer.__name__}(…)." if isinstance(layer, type) else ""
            raise ParameterTypeError(
                f"Sequential takes layers; it received {layer!r} of type {type(layer).__name__}.{hint}"
            )
        if any(layer is other for other in self._stack) or layer.name in [
            other.name for other in self._stack
        ]:
            raise GraphError(
                f"The layers of a Sequential must have different names; {layer.name!r} stands twice. "
                f"Make a second layer, or give it another name=…."
            )
        self._stack.append(layer)

    def _rewire(self) -> None:
        """Lay the stack, where its input shape is known."""
        self._plan = self._compiled = self._predicting = None
        if self._start is None and self._stack:
            first = self._stack[0]
            if isinstance(first, Model) and first.built:
                self._start = Input(first.inputs[0].shape[1:], dtype=first.inputs[0].dtype)
            elif not isinstance(first, Model) and first.input_shape is not None:
                self._start = Input(first.input_shape)
        if self._start is None or not self._stack:
            self.__dict__.pop("_layer_calls", None)
            return
        while len(self._values) < len(self._stack):
            layer = self._stack[len(self._values)]
            y = layer(self._values[-1] if self._values else self._start)
            if isinstance(y, tuple):
                raise GraphError(
                    f"A Sequential passes one value on; {layer.name!r} gives {len(y)}. Use Model."
                )
            self._values.append(y)
        self._wire(self._start, self._values[-1])

    def build(self, input_shape: Any = None) -> None:
        """Make the parameters for an input shape with the batch axis, such as (None, 784)."""
        if self.built:
            return
        self._require_layers()
        if not isinstance(input_shape, (tuple, list)) or not input_shape:
            raise ParameterError(
                f"build takes a shape with the batch axis, such as (None, 784); got "
                f"input_shape={input_shape!r}."
            )
        try:
            with no_scope():  # it may be built in the midst of a call
                self._start = Input(tuple(input_shape)[1:])
                self._rewire()
        except BaseException:
            self._start = None
            raise

    def _require_layers(self) -> None:
        if not self._stack:
            raise NotFittedError(
                f"The model {self.name!r} has no layers yet. Add some: model.add(Dense(10)), say."
            )

    def _require_built(self) -> None:
        self._require_layers()
        super()._require_built()

    def _build_for(self, x: Any) -> Any:
        if self.built:
            return x
        self._require_layers()
        require_one_array(x)
        first, x = first_rows(x)
        if isinstance(first, Mapping) or first is None:
            self._require_built()
        self.build((None, *(as_array(first, "x").shape[1:] or (1,))))
        return x

    def lay(self, *xs: Symbol) -> Any:
        """Lay all layers again, on another symbol; a model that is not built yet is built."""
        if not self.built and len(xs) == 1:
            self.build(xs[0].shape)
        return super().lay(*xs)

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return list(self._stack)

    @property
    def trainable(self) -> bool:
        """Whether training changes the parameters."""
        return bool(self.__dict__.get("_trainable", True))

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.__dict__["_trainable"] = bool(value)
        for layer in self.__dict__.get("_stack", []):
            layer.trainable = bool(value)

    def get_config(self) -> dict[str, Any]:
        """Name, input and layers, for JSON."""
        start = self._start
        return {
            "name": self.name,
            "trainable": self.trainable,
            "input": None
            if start is None
            else {"shape": list(start.shape[1:]), "dtype": start.dtype, "name": start.call.name},
            "layers": [tell_layer(layer) for layer in self._stack],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The model that `get_config` told, with new weights."""
        start = config["input"]
        layers: list[Any] = [read_layer(told) for told in config["layers"]]
        if start is not None:
            layers.insert(0, Input(tuple(start["shape"]), dtype=start["dtype"], name=start["name"]))
        made = cls(layers, name=config["name"])
        made.__dict__["_trainable"] = config["trainable"]  # each layer has told its own
        return made
