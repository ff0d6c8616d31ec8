"""Augmentation of colours, and rectangles that are erased: while training only."""

from __future__ import annotations

from typing import Any, ClassVar

from .. import bricks
from ..arguments import Either, Many, Maybe, Real, argument, configured
from ..graph.symbol import Symbol
from ..seeds import SEED
from .augmentation import FACTOR, Factor, around_zero
from .base import Layer
from .checks import DATA_FORMAT

PART = Factor(0.0, 1.0)
RANGE = Many(Real(), 2)


def from_zero(factor: Any) -> tuple[float, float]:
    """The ends of what is drawn: one number is the largest, from 0 on."""
    return factor if isinstance(factor, tuple) else (0.0, factor)


def around_one(factor: Any) -> tuple[float, float]:
    """The ends of a factor: so much less than 1, so much more."""
    lower, upper = factor if isinstance(factor, tuple) else (factor, factor)
    return 1.0 - lower, 1.0 + upper


class Recoloring(Layer):
    """What layers of one change share: its brick, and how the ends of what is drawn follow from `factor`."""

    brick: ClassVar[Any]
    ends: ClassVar[Any]
    factor: Any
    value_range: Any
    seed: Any

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """The brick."""
        return self.put(self.brick(type(self).ends(self.factor), self.value_range, seed=self.seed), x)


@configured()
class Shading(Recoloring):
    """What brightness and contrast share: their arguments, in Keras's order."""

    factor: Any = argument(PART)
    value_range: Any = argument(RANGE, default=(0, 255))
    seed: Any = argument(SEED, default=None)


@configured()
class Tinting(Recoloring):
    """What saturation and hue share: their arguments, in Keras's order."""

    factor: Any = argument(PART)
    value_range: Any = argument(RANGE, default=(0, 255))
    data_format: Any = argument(DATA_FORMAT, default=None)
    seed: Any = argument(SEED, default=None)


@configured()
class RandomBrightness(Shading):
    """While training, each image is made lighter or darker: y = clip(x + f (high − low), low, high).

    Parameters
    ----------
    factor : f, in [-1, 1]: (least, largest), or one number for it to both sides of 0.
    value_range : (low, high) of the pixels; default (0, 255).
    seed : None (default): f follows the seed of the training run. A whole number: it follows that.

    >>> import numpy as np
    >>> RandomBrightness((0.5, 0.5), (0, 1))(np.array([[[[0.0, 0.25, 0.75]]]]), training=True)[0, 0]
    array([[0.5 , 0.75, 1.  ]], dtype=float32)

    Howard, "Some Improvements on Deep Convolutional Neural Network Based Image Classification", 2013.
    """

    brick: ClassVar[Any] = bricks.RandomBrightness
    ends: ClassVar[Any] = staticmethod(around_zero)

    factor: Any = argument(FACTOR)


@configured()
class RandomContrast(Shading):
    """While training, each channel of each image moves away from its mean, or towards it.

    y = clip((x − mean) f + mean, low, high), f in [1 − lower, 1 + upper]. One number as `factor` is both, as
    Keras's documents have it (its code takes 0 as lower).

    Parameters
    ----------
    factor : (lower, upper), each in [0, 1], or one number for both.
    value_range : (low, high) of the pixels; default (0, 255).
    seed : None (default): f follows the seed of the training run. A whole number: it follows that.

    >>> import numpy as np
    >>> RandomContrast((0.0, 0.0))(np.array([[[[0.0], [4.0], [8.0]]]]), training=True)[0, 0, :, 0]
    array([0., 4., 8.], dtype=float32)

    Howard, "Some Improvements on Deep Convolutional Neural Network Based Image Classification", 2013.
    """

    brick: ClassVar[Any] = bricks.RandomContrast
    ends: ClassVar[Any] = staticmethod(around_one)


@configured()
class RandomSaturation(Tinting):
    """While training, each image is made greyer or more colourful. No gradient goes through.

    Parameters
    ----------
    factor : in [0, 1], 0 is grey and 0.5 changes nothing: (least, largest), or the largest, from 0 on.
    value_range : (low, high) of the pixels; default (0, 255).
    data_format : None or "channels_last".
    seed : None (default): it follows the seed of the training run. A whole number: it follows that.

    >>> import numpy as np
    >>> RandomSaturation((0.0, 0.0))(np.array([[[[1.0, 4.0, 2.0]]]]), training=True)[0, 0]
    array([[4., 4., 4.]], dtype=float32)

    Smith, "Color Gamut Transform Pairs", 1978.
    """

    brick: ClassVar[Any] = bricks.RandomSaturation
    ends: ClassVar[Any] = staticmethod(from_zero)


@configured()
class RandomHue(Tinting):
    """While training, the colours of each image turn along the circle of hues. No gradient goes through.

    Parameters
    ----------
    factor : in [0, 1], parts of half a turn to either side: (least, largest), or the largest, from 0 on.
    value_range : (low, high) of the pixels; default (0, 255).
    data_format : None or "channels_last".
    seed : None (default): it follows the seed of the training run. A whole number: it follows that.

    >>> import numpy as np
    >>> RandomHue((1.0, 1.0))(np.array([[[[5.0, 1.0, 1.0]]]]), training=True)[0, 0]
    array([[1., 5., 5.]], dtype=float32)

    Smith, "Color Gamut Transform Pairs", 1978.
    """

    brick: ClassVar[Any] = bricks.RandomHue
    ends: ClassVar[Any] = staticmethod(from_zero)


@configured()
class RandomColorJitter(Layer):
    """While training, brightness, contrast, saturation and hue change, in this order.

    Each is a brick of its own and is left out where its factor is None. Through saturation and hue goes no
    gradient.

    Parameters
    ----------
    value_range : (low, high) of the pixels; default (0, 255).
    brightness_factor : as in RandomBrightness, or None.
    contrast_factor : as in RandomContrast, or None.
    saturation_factor : as in RandomSaturation, or None.
    hue_factor : as in RandomHue, or None.
    seed : None (default): they follow the seed of the training run. A whole number: they follow that.
    data_format : None or "channels_last".

    >>> import numpy as np
    >>> layer = RandomColorJitter((0, 1), brightness_factor=(0.5, 0.5))
    >>> layer(np.array([[[[0.0, 0.25, 0.75]]]]), training=True)[0, 0]
    array([[0.5 , 0.75, 1.  ]], dtype=float32)

    Howard, "Some Improvements on Deep Convolutional Neural Network Based Image Classification", 2013.
    """

    value_range: Any = argument(RANGE, default=(0, 255))
    brightness_factor: Any = argument(Maybe(FACTOR), default=None)
    contrast_factor: Any = argument(Maybe(PART), default=None)
    saturation_factor: Any = argument(Maybe(PART), default=None)
    hue_factor: Any = argument(Maybe(PART), default=None)
    seed: Any = argument(SEED, default=None)
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """RandomBrightness → RandomContrast → RandomSaturation → RandomHue."""
        laid = False
        for kind, factor in (
            (RandomBrightness, self.brightness_factor),
            (RandomContrast, self.contrast_factor),
            (RandomSaturation, self.saturation_factor),
            (RandomHue, self.hue_factor),
        ):
            if factor is not None:
                x = self.put(kind.brick(kind.ends(factor), self.value_range, seed=self.seed), x)
                laid = True
        return x if laid else self.put(bricks.Identity(), x)


@configured()
class RandomErasing(Layer):
    """While training, a random rectangle of each image is replaced by noise or by a number.

    Parameters
    ----------
    factor : how probable it is, in [0, 1]: (least, largest), or the largest, from 0 on; default 1.
    scale : (least, largest) square of the rectangle's part of width and height; default (0.02, 0.33).
    fill_value : a number, or one for each channel; default None, normal noise times `high`. Clipped to the
        range.
    value_range : (low, high) of the pixels; default (0, 255).
    seed : None (default): they follow the seed of the training run. A whole number: they follow that.
    data_format : None or "channels_last".

    >>> import numpy as np
    >>> layer = RandomErasing((1.0, 1.0), (0.25, 0.25), fill_value=0.0)
    >>> float(layer(np.ones((1, 8, 8, 1)), training=True).sum())
    48.0

    Zhong, Zheng, Kang, Li and Yang, "Random Erasing Data Augmentation", 2017.
    """

    factor: Any = argument(PART, default=1.0)
    scale: Any = argument(PART, default=(0.02, 0.33))
    fill_value: Any = argument(Maybe(Either((Real(), Many(Real())))), default=None)
    value_range: Any = argument(RANGE, default=(0, 255))
    seed: Any = argument(SEED, default=None)
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """RandomErasing."""
        brick = bricks.RandomErasing(
            from_zero(self.factor), from_zero(self.scale), self.fill_value, self.value_range, seed=self.seed
        )
        return self.put(brick, x)
