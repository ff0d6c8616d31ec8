"""Input, Dense, Activation, Flatten, Reshape: the layers that every network has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import bricks
from ..arguments import Flag, Many, Maybe, Whole, argument, configured
from ..bricks.shape import Order, TargetShape
from ..config import floatx
from ..errors import ParameterError
from ..graph.node import Attributes
from ..graph.symbol import Symbol, input_symbol, scope
from .base import Layer, LayerCall, automatic_name
from .checks import ACTIVATION, CONSTRAINT, DATA_FORMAT, INITIALIZER, REGULARIZER, DType


def dense_shape(shape: Any) -> tuple[int | None, ...]:
    """The shape of an input without its batch axis, from what the user wrote."""
    if isinstance(shape, int):
        raise ParameterError(f"Input takes a tuple as shape; got shape={shape}. Write shape=({shape},).")
    checked: tuple[int | None, ...] = Many(Maybe(Whole(1)))("Input", "shape", shape)
    return checked


@configured()
class InputLayer(Layer):
    """Where data comes in. Made by `Input`.

    Parameters
    ----------
    shape : shape without the batch axis; None for axes of any length.
    batch_size : a fixed number of rows, or None.
    dtype : "float32", or an integer type for indices.
    """

    shape: Any = argument(Many(Maybe(Whole(1))))
    batch_size: Any = argument(Maybe(Whole(1)), default=None)
    dtype: Any = argument(DType(), default=None, kw_only=True)

    def lay(self, *xs: Symbol) -> Any:
        """An input lays no brick."""
        return xs[0] if xs else self.symbol()

    def symbol(self) -> Symbol:
        """The value that comes in."""
        call = LayerCall(self, ())
        with scope(self.name, "InputLayer", call):
            symbol = input_symbol((self.batch_size, *self.shape), self.dtype or floatx(), self.name)
        call.outputs = (symbol,)
        self._calls.append(call)
        return symbol


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    *,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> Symbol:
    """A symbol for data that comes from outside.

    Parameters
    ----------
    shape : shape of one sample, such as (28, 28, 1); None for axes of any length.
    batch_size : a fixed number of rows, or None.
    dtype : "float32" (the session's float type) by default.
    batch_shape : instead of shape and batch_size: the shape with the batch axis.
    name : the input's name; default input_layer, input_layer_1, …

    >>> Input((28, 28, 1)).shape
    (None, 28, 28, 1)
    """
    if batch_shape is not None:
        if shape is not None or batch_size is not None:
            raise ParameterError(
                f"Input takes `batch_shape`, or `shape` and `batch_size`; got batch_shape={batch_shape} "
                f"beside another. Drop one of them."
            )
        batch_size, *shape = Many(Maybe(Whole(1)))("Input", "batch_shape", batch_shape) or (None,)
    if shape is None:
        raise ParameterError(
            "Input needs the shape of one sample; it received none. Write Input(shape=(28, 28, 1))."
        )
    return InputLayer(
        dense_shape(shape), batch_size, dtype=dtype, name=name or automatic_name("InputLayer")
    ).symbol()


@configured()
class Identity(Layer):
    """y = x: a name for a value.

    >>> Identity()([[1.0, 2.0]])
    array([[1., 2.]], dtype=float32)
    """

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Identity."""
        return self.put(bricks.Identity(), x)


@configured()
class Dense(Layer):
    """Fully connected layer: Linear → Bias → activation.

    y = activation(x @ kernel + bias), x (N, …, F), kernel (F, units), bias (units,).

    Parameters
    ----------
    units : number of outputs, at least 1.
    activation : name, brick or None.
    use_bias : whether a bias is added.
    kernel_initializer, bias_initializer : "glorot_uniform", "zeros".
    kernel_regularizer, bias_regularizer : penalties on the parameters.
    kernel_constraint, bias_constraint : applied after each update.

    >>> Dense(3)(Input((4,))).shape
    (None, 3)
    """

    supports_masking = True

    units: int = argument(Whole(1))
    activation: Any = argument(ACTIVATION, default=None)
    use_bias: bool = argument(Flag(), default=True)
    kernel_initializer: Any = argument(INITIALIZER, default="glorot_uniform")
    bias_initializer: Any = argument(INITIALIZER, default="zeros")
    kernel_regularizer: Any = argument(REGULARIZER, default=None)
    bias_regularizer: Any = argument(REGULARIZER, default=None)
    kernel_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)
    bias_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Linear → Bias → activation."""
        return lay_kernel_layer(self, bricks.Linear(self.units), x)


def lay_kernel_layer(
    layer: Any, brick: Any, x: Symbol, kernel: str = "kernel", role: str | None = None
) -> Any:
    """A brick with a kernel W, then bias and activation: what Dense and the convolutions have in common."""
    y = lay_kernel(layer, brick, x, kernel, role)
    if layer.use_bias:
        bias = Attributes(layer.bias_initializer, True, layer.bias_regularizer, layer.bias_constraint)
        y = layer.put(bricks.Bias(), y, b=bias)
    return lay_activation(layer, y)


def lay_kernel(layer: Any, brick: Any, x: Symbol, kernel: str, role: str | None = None) -> Any:
    """A brick with a kernel W, of which the layer's arguments `kernel`_initializer and so on say more."""
    told = (getattr(layer, f"{kernel}_{what}") for what in ("initializer", "regularizer", "constraint"))
    initializer, regularizer, constraint = told
    return layer.put(brick, x, role=role, W=Attributes(initializer, True, regularizer, constraint))


def lay_activation(layer: Any, x: Symbol) -> Any:
    """The layer's activation; none, or the identity, lays nothing."""
    if layer.activation is None or isinstance(layer.activation, bricks.Identity):
        return x
    return layer.put(layer.activation, x)


@configured()
class Activation(Layer):
    """One activation as a layer of its own.

    Parameters
    ----------
    activation : name or brick, such as "relu".
    """

    supports_masking = True

    activation: Any = argument(ACTIVATION)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """The activation's brick."""
        return self.put(self.activation or bricks.Identity(), x)


@configured()
class Flatten(Layer):
    """All axes but the batch axis as one: (N, H, W, C) → (N, H·W·C).

    Parameters
    ----------
    data_format : None or "channels_last".

    >>> Flatten()(Input((28, 28, 1))).shape
    (None, 784)
    """

    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Flatten."""
        return self.put(bricks.Flatten(), x)


@configured()
class Reshape(Layer):
    """The same numbers under another shape.

    Parameters
    ----------
    target_shape : shape without the batch axis; one axis may be -1.

    >>> Reshape((28, 28, 1))(Input((784,))).shape
    (None, 28, 28, 1)
    """

    target_shape: Any = argument(TargetShape())

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Reshape."""
        return self.put(bricks.Reshape(self.target_shape), x)


@configured()
class Permute(Layer):
    """The axes of each sample in another order.

    Parameters
    ----------
    dims : the axes of the input, counted from 1, in the order in which the output has them, such as (2, 1).

    >>> Permute((2, 1))(Input((10, 64))).shape
    (None, 64, 10)
    """

    dims: Any = argument(Order())

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Transpose, behind the axis of the samples."""
        return self.put(bricks.Transpose((0, *self.dims)), x)


@configured()
class RepeatVector(Layer):
    """The vector of each sample n times over: (N, F) → (N, n, F).

    Parameters
    ----------
    n : how often, at least 1.

    >>> RepeatVector(3)(Input((32,))).shape
    (None, 3, 32)
    """

    n: int = argument(Whole(1))

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """RepeatVector."""
        return self.put(bricks.RepeatVector(self.n), x)
