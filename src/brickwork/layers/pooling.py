"""Pooling of images: one number for each window, or for each channel."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Flag, Maybe, argument, configured
from ..bricks.windows import SIZES
from ..graph.symbol import Symbol
from .base import Layer
from .checks import DATA_FORMAT, PADDINGS


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
