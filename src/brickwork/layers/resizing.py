"""Images and sequences made larger or smaller at their border, or larger by a whole factor."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Choice, Whole, argument, configured
from ..bricks.borders import BorderWidths
from ..bricks.windows import SIZES
from ..graph.symbol import Symbol
from .base import Layer
from .checks import DATA_FORMAT


@configured()
class ZeroPadding2D(Layer):
    """Zeros around each image: (N, H, W, C) → (N, H + top + bottom, W + left + right, C).

    Parameters
    ----------
    padding : ((top, bottom), (left, right)), or (rows, columns) on both sides alike, or one number for all;
        at least 0; default (1, 1).
    data_format : None or "channels_last".

    >>> from brickwork.layers import Input
    >>> ZeroPadding2D(((1, 0), (2, 3)))(Input((28, 28, 1))).shape
    (None, 29, 33, 1)
    """

    padding: Any = argument(BorderWidths(2), default=(1, 1))
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """ZeroPadding2D."""
        return self.put(bricks.ZeroPadding2D(self.padding), x)


@configured()
class ZeroPadding1D(Layer):
    """Zeros before and behind each sequence: (N, T, C) → (N, T + before + behind, C).

    Parameters
    ----------
    padding : (before, behind), or one number for both; at least 0; default 1.
    data_format : None or "channels_last".

    >>> from brickwork.layers import Input
    >>> ZeroPadding1D((1, 0))(Input((28, 2))).shape
    (None, 29, 2)
    """

    padding: Any = argument(BorderWidths(1), default=1)
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """ZeroPadding1D."""
        return self.put(bricks.ZeroPadding1D(self.padding), x)


@configured()
class Cropping2D(Layer):
    """Each image without its border: (N, H, W, C) → (N, H - top - bottom, W - left - right, C).

    Parameters
    ----------
    cropping : ((top, bottom), (left, right)), or (rows, columns) on both sides alike, or one number for all;
        at least 0; default ((0, 0), (0, 0)).
    data_format : None or "channels_last".

    >>> from brickwork.layers import Input
    >>> Cropping2D((2, 4))(Input((28, 28, 1))).shape
    (None, 24, 20, 1)
    """

    cropping: Any = argument(BorderWidths(2), default=((0, 0), (0, 0)))
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Cropping2D."""
        return self.put(bricks.Cropping2D(self.cropping), x)


@configured()
class Cropping1D(Layer):
    """Each sequence without its ends: (N, T, C) → (N, T - before - behind, C).

    Parameters
    ----------
    cropping : (before, behind), or one number for both; at least 0; default (1, 1).

    >>> from brickwork.layers import Input
    >>> Cropping1D((2, 4))(Input((28, 1))).shape
    (None, 22, 1)
    """

    cropping: Any = argument(BorderWidths(1), default=(1, 1))

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Cropping1D."""
        return self.put(bricks.Cropping1D(self.cropping), x)


@configured()
class UpSampling2D(Layer):
    """Images made larger by a whole factor: (N, H, W, C) → (N, size H, size W, C).

    Parameters
    ----------
    size : factors for rows and columns, or one number for both; at least 1; default (2, 2).
    data_format : None or "channels_last".
    interpolation : "nearest" (default), every pixel repeated, or "bilinear", "bicubic", "lanczos3",
        "lanczos5".

    >>> from brickwork.layers import Input
    >>> UpSampling2D((2, 3), interpolation="bilinear")(Input((8, 8, 1))).shape
    (None, 16, 24, 1)
    """

    size: Any = argument(SIZES, default=(2, 2))
    data_format: Any = argument(DATA_FORMAT, default=None)
    interpolation: str = argument(
        Choice(("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")), default="nearest"
    )

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """UpSampling2D."""
        return self.put(bricks.UpSampling2D(self.size, self.interpolation), x)


@configured()
class UpSampling1D(Layer):
    """Every step of a sequence repeated: (N, T, C) → (N, size T, C).

    Parameters
    ----------
    size : how many times, at least 1; default 2.

    >>> from brickwork.layers import Input
    >>> UpSampling1D(3)(Input((8, 1))).shape
    (None, 24, 1)
    """

    size: int = argument(Whole(1), default=2)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """UpSampling1D."""
        return self.put(bricks.UpSampling1D(self.size), x)
