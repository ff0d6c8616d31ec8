"""Pooling of images and sequences: one number for each window, or for each channel."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Flag, Maybe, argument, configured
from ..bricks.windows import LENGTH, SIZES
from ..graph.symbol import Symbol
from .base import Layer
from .checks import DATA_FORMAT, PADDINGS
from .masks import beside, checked


@configured()
class MaxPooling2D(Layer):
    """The largest number of each window, for each channel: (N, H, W, C) → (N, OH, OW, C).

    Parameters
    ----------
    pool_size : the window's rows and columns, or one number for both; at least 1; default (2, 2).
    strides : along rows and columns; at least 1; None (default): `pool_size`.
    padding : "valid" (default), or "same": OH = ⌈H / stride⌉.
    data_format : None or "channels_last".

    >>> from brickwork.layers import Input
    >>> MaxPooling2D()(Input((28, 28, 8))).shape
    (None, 14, 14, 8)
    """

    pool_size: Any = argument(SIZES, default=(2, 2))
    strides: Any = argument(Maybe(SIZES), default=None)
    padding: str = argument(PADDINGS, default="valid")
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """MaxPooling2D."""
        return self.put(bricks.MaxPooling2D(self.pool_size, self.strides, padding=self.padding), x)


@configured()
class AveragePooling2D(Layer):
    """The mean of each window, for each channel: (N, H, W, C) → (N, OH, OW, C). Padding is not averaged in.

    Parameters
    ----------
    pool_size : the window's rows and columns, or one number for both; at least 1.
    strides : along rows and columns; at least 1; None (default): `pool_size`.
    padding : "valid" (default), or "same": OH = ⌈H / stride⌉.
    data_format : None or "channels_last".

    >>> from brickwork.layers import Input
    >>> AveragePooling2D(3, strides=2, padding="same")(Input((28, 28, 8))).shape
    (None, 14, 14, 8)
    """

    pool_size: Any = argument(SIZES)
    strides: Any = argument(Maybe(SIZES), default=None)
    padding: str = argument(PADDINGS, default="valid")
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """AveragePooling2D."""
        return self.put(bricks.AveragePooling2D(self.pool_size, self.strides, padding=self.padding), x)


@configured()
class GlobalAveragePooling2D(Layer):
    """The mean of each channel over the whole image: (N, H, W, C) → (N, C).

    Parameters
    ----------
    data_format : None or "channels_last".
    keepdims : True gives (N, 1, 1, C); default False.

    >>> from brickwork.layers import Input
    >>> GlobalAveragePooling2D()(Input((7, 7, 64))).shape
    (None, 64)
    """

    data_format: Any = argument(DATA_FORMAT, default=None)
    keepdims: bool = argument(Flag(), default=False)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """GlobalAveragePooling2D."""
        return self.put(bricks.GlobalAveragePooling2D(self.keepdims), x)


@configured()
class MaxPooling1D(Layer):
    """The largest number of each window of a sequence, for each channel: (N, T, C) → (N, OT, C).

    Parameters
    ----------
    pool_size : steps of the window, at least 1; default 2.
    strides : at least 1; None (default): `pool_size`.
    padding : "valid" (default), or "same": OT = ⌈T / stride⌉.
    data_format : None or "channels_last".

    >>> from brickwork.layers import Input
    >>> MaxPooling1D()(Input((28, 8))).shape
    (None, 14, 8)
    """

    pool_size: Any = argument(LENGTH, default=2)
    strides: Any = argument(Maybe(LENGTH), default=None)
    padding: str = argument(PADDINGS, default="valid")
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """MaxPooling1D."""
        return self.put(bricks.MaxPooling1D(self.pool_size, self.strides, padding=self.padding), x)


@configured()
class AveragePooling1D(Layer):
    """The mean of each window of a sequence, for each channel: (N, T, C) → (N, OT, C).

    Padding is not averaged in.

    Parameters
    ----------
    pool_size : steps of the window, at least 1.
    strides : at least 1; None (default): `pool_size`.
    padding : "valid" (default), or "same": OT = ⌈T / stride⌉.
    data_format : None or "channels_last".

    >>> from brickwork.layers import Input
    >>> AveragePooling1D(3, strides=2, padding="same")(Input((28, 8))).shape
    (None, 14, 8)
    """

    pool_size: Any = argument(LENGTH)
    strides: Any = argument(Maybe(LENGTH), default=None)
    padding: str = argument(PADDINGS, default="valid")
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """AveragePooling1D."""
        return self.put(bricks.AveragePooling1D(self.pool_size, self.strides, padding=self.padding), x)


@configured()
class GlobalAveragePooling1D(Layer):
    """The mean of each channel over the whole sequence: (N, T, C) → (N, C).

    Of a sequence with a mask (its own, or mask=… (N, T) in the call), the mean of the moments that count; of
    all of them, where none does.

    Parameters
    ----------
    data_format : None or "channels_last".
    keepdims : True gives (N, 1, C); default False.

    >>> from brickwork.layers import Input
    >>> GlobalAveragePooling1D()(Input((7, 64))).shape
    (None, 64)
    """

    data_format: Any = argument(DATA_FORMAT, default=None)
    keepdims: bool = argument(Flag(), default=False)

    supports_masking = True
    passes_mask = False

    def lay(self, x: Symbol, mask: Symbol | None = None) -> Any:  # type: ignore[override]
        """GlobalAveragePooling1D; with a mask, attention with equal scores where the mask lets it through."""
        if mask is None:
            return self.put(bricks.GlobalAveragePooling1D(self.keepdims), x)
        places = beside(self, checked(self, mask, x), before=1)
        scores = self.put(bricks.Mask(), self.put(bricks.Rescaling(0.0), places), places)
        y = self.put(bricks.MatMul(), self.put(bricks.Softmax(), scores), x)
        return y if self.keepdims else self.put(bricks.Reshape((int(x.shape[-1] or 0),)), y)


@configured()
class GlobalMaxPooling1D(Layer):
    """The largest number of each channel of the whole sequence: (N, T, C) → (N, C).

    Parameters
    ----------
    data_format : None or "channels_last".
    keepdims : True gives (N, 1, C); default False.

    >>> from brickwork.layers import Input
    >>> GlobalMaxPooling1D()(Input((7, 64))).shape
    (None, 64)
    """

    data_format: Any = argument(DATA_FORMAT, default=None)
    keepdims: bool = argument(Flag(), default=False)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """GlobalMaxPooling1D."""
        return self.put(bricks.GlobalMaxPooling1D(self.keepdims), x)


@configured()
class GlobalMaxPooling2D(Layer):
    """The largest number of each channel of the whole image: (N, H, W, C) → (N, C).

    Parameters
    ----------
    data_format : None or "channels_last".
    keepdims : True gives (N, 1, 1, C); default False.

    >>> from brickwork.layers import Input
    >>> GlobalMaxPooling2D()(Input((7, 7, 64))).shape
    (None, 64)
    """

    data_format: Any = argument(DATA_FORMAT, default=None)
    keepdims: bool = argument(Flag(), default=False)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """GlobalMaxPooling2D."""
        return self.put(bricks.GlobalMaxPooling2D(self.keepdims), x)


AvgPool1D, AvgPool2D, MaxPool1D, MaxPool2D = AveragePooling1D, AveragePooling2D, MaxPooling1D, MaxPooling2D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
