"""Colours changed at random, and rectangles erased: augmentation that leaves each pixel in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arguments import Either, Many, Maybe, Real, argument, configured
from ..arrays import Array, Shape, namespace
from ..errors import ParameterError, ShapeError
from ..seeds import SEED
from .base import Context, Saved, letters
from .checks import require_image
from .seeded import Seeded

Ends = tuple[float, float]

_WORDS = 16
"""Random words that are set aside for the rectangle that is erased; noise takes those behind them."""


class _Changing(Seeded):
    """What all have in common: a batch of images, whose pixels lie in a range."""

    value_range: Ends

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high = self.value_range
        if not low < high:
            raise ParameterError(
                f"{type(self).__name__}: `value_range` must be (least, largest); got {self.value_range}. "
                f"Write (0, 255) for bytes, (0, 1) for images that were rescaled."
            )

    def output_shape(self, x: Shape) -> Shape:
        require_image(self, x)
        return x


def _between(uniform: Array, ends: Ends) -> Array:
    """Numbers (N, 1, 1, 1) between the ends, from uniform ones (N,)."""
    low, high = ends
    return (uniform * (high - low) + low)[:, None, None, None]


@configured(frozen=True, eq=True)
class RandomBrightness(_Changing):
    """Each image made lighter or darker by a random number while training.

    Forward    y  = clip(x + f * (high - low), low, high)     y = x in inference
    Backward   dx = dy where nothing was clipped, else 0
    Shapes     x, y, dx, dy: (N, H, W, C), equal

    f is uniform in `factor`, one for every sample, from its own random word.

    Parameters
    ----------
    factor : (least, largest) f, in [-1, 1].
    value_range : (low, high) of the pixels; default (0, 255).
    seed : what the words follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> brick = RandomBrightness((0.5, 0.5), value_range=(0.0, 1.0))
    >>> brick(np.array([[[[0.0, 0.25, 0.75]]]]), ctx=Context(training=True))[0, 0]
    array([[0.5 , 0.75, 1.  ]])

    Howard, "Some Improvements on Deep Convolutional Neural Network Based Image Classification", 2013.
    """

    factor: Ends = argument(Many(Real(-1.0, 1.0), 2))
    value_range: Ends = argument(Many(Real(), 2), default=(0.0, 255.0))
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        if not ctx.training:
            return x, (None,)
        low, high = self.value_range
        y = x + _between(self.own(ctx).uniform(x, 1)[:, 0], self.factor) * (high - low)
        return namespace(x).clip(y, low, high), ((y >= low) & (y <= high),)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        (inside,) = saved
        return (dy if inside is None else dy * namespace(dy).astype(inside, dy.dtype),), {}


@configured(frozen=True, eq=True)
class RandomContrast(_Changing):
    """Each channel of each image drawn away from its mean, or towards it, by a random factor while training.

    Forward    y  = clip((x - mean) * f + mean, low, high)     y = x in inference
    Backward   dx = f * g + (1 - f) * mean(g)     g = dy where nothing was clipped, else 0
    Shapes     x, y, dx, dy: (N, H, W, C), equal

    mean runs over the pixels of one channel of one sample; f is uniform in `factor`, one for every sample,
    from its own random word.

    Parameters
    ----------
    factor : (least, largest) f, in [0, 2]; 1 changes nothing.
    value_range : (low, high) of the pixels; default (0, 255).
    seed : what the words follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> brick = RandomContrast((0.5, 0.5))
    >>> brick(np.array([[[[0.0], [4.0], [8.0]]]]), ctx=Context(training=True))[0, 0, :, 0]
    array([2., 4., 6.])

    Howard, "Some Improvements on Deep Convolutional Neural Network Based Image Classification", 2013.
    """

    factor: Ends = argument(Many(Real(0.0, 2.0), 2))
    value_range: Ends = argument(Many(Real(), 2), default=(0.0, 255.0))
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        if not ctx.training:
            return x, (None, None)
        xp = namespace(x)
        low, high = self.value_range
        f = _between(self.own(ctx).uniform(x, 1)[:, 0], self.factor)
        mean = xp.mean(x, axis=(1, 2), keepdims=True)
        y = (x - mean) * f + mean
        return xp.clip(y, low, high), ((y >= low) & (y <= high), f)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        inside, f = saved
        if f is None:
            return (dy,), {}
        xp = namespace(dy)
        g = dy * xp.astype(inside, dy.dtype)
        return (f * g + (1.0 - f) * xp.mean(g, axis=(1, 2), keepdims=True),), {}


class _Coloring(_Changing):
    """Colours of red, green and blue; no gradient goes through."""

    surrogate = "no gradient goes through: dx = 0, as if y were a number of its own"

    def output_shape(self, x: Shape) -> Shape:
        if require_image(self, x)[2] != 3:
            raise ShapeError(
                f"{type(self).__name__} takes x of shape (N, H, W, 3), red, green and blue; it received "
                f"{letters(x)}. Leave it out for images without colours."
            )
        return x

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        (trained,) = saved
        return (dy if trained is None else namespace(dy).zeros_like(dy),), {}

    def surrogate_forward(self, params: Mapping[str, Array], *xs: Array) -> Array:
        return xs[0] * 0.0


@configured(frozen=True, eq=True)
class RandomSaturation(_Coloring):
    """Each image made greyer or more colourful by a random factor while training.

    Forward    y  = most - (most - x) * min(s, most / (most - least)), s = f / (1 - f)     y = x in inference
    Backward   dx = 0     or dy in inference: while training no gradient goes through
    Shapes     x, y, dx, dy: (N, H, W, 3), equal

    most and least are the largest and the smallest of the three channels at a pixel: hue and value stay, and
    the saturation (most - least) / most is s times what it was, at most 1. f is uniform in `factor`, one for
    every sample, from its own random word: 0 is grey, 0.5 changes nothing.

    Parameters
    ----------
    factor : (least, largest) f, in [0, 1].
    value_range : (low, high) of the pixels, with low = 0; default (0, 255).
    seed : what the words follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> brick = RandomSaturation((0.0, 0.0))
    >>> brick(np.array([[[[1.0, 4.0, 2.0]]]]), ctx=Context(training=True))[0, 0]
    array([[4., 4., 4.]])

    Smith, "Color Gamut Transform Pairs", 1978.
    """

    factor: Ends = argument(Many(Real(0.0, 1.0), 2))
    value_range: Ends = argument(Many(Real(), 2), default=(0.0, 255.0))
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        if not ctx.training:
            return x, (None,)
        xp = namespace(x)
        f = _between(self.own(ctx).uniform(x, 1)[:, 0], self.factor)
        most, spread = _most_and_spread(x)
        share = xp.where(spread > 0.0, most / xp.where(spread > 0.0, spread, 1.0), 0.0)
        return most - (most - x) * xp.minimum(f / (1.0 - f + 1e-7), share), (f,)


@configured(frozen=True, eq=True)
class RandomHue(_Coloring):
    """The colours of each image turned along the circle of hues by a random angle while training.

    Forward    y  = clip(most - (most - least) * min(max(min(k, 4 - k), 0), 1), low, high)
               y  = x in inference     k = (5 - 2 * channel + hue ± 3 * f) mod 6
    Backward   dx = 0     or dy in inference: while training no gradient goes through
    Shapes     x, y, dx, dy: (N, H, W, 3), equal

    most and least are the largest and the smallest of the three channels at a pixel, hue its place on the
    circle in sixths of a turn: value and saturation stay. f is uniform in `factor` and ± the toss of a coin,
    one of each for every sample, from its own random words; f = 1 is half a turn.

    Parameters
    ----------
    factor : (least, largest) f, in [0, 1].
    value_range : (low, high) of the pixels; default (0, 255).
    seed : what the words follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> brick = RandomHue((1.0, 1.0))
    >>> brick(np.array([[[[5.0, 1.0, 1.0]]]]), ctx=Context(training=True))[0, 0]
    array([[1., 5., 5.]])

    Smith, "Color Gamut Transform Pairs", 1978.
    """

    factor: Ends = argument(Many(Real(0.0, 1.0), 2))
    value_range: Ends = argument(Many(Real(), 2), default=(0.0, 255.0))
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        if not ctx.training:
            return x, (None,)
        xp = namespace(x)
        uniform = self.own(ctx).uniform(x, 2)
        f = _between(uniform[:, 0], self.factor)
        turn = f * (6.0 * xp.astype(uniform[:, 1] < 0.5, x.dtype) - 3.0)[:, None, None, None]
        most, spread = _most_and_spread(x)
        per = xp.where(spread > 0.0, 1.0 / xp.where(spread > 0.0, spread, 1.0), 0.0)
        r, g, b = x[..., :1], x[..., 1:2], x[..., 2:]
        hue = xp.where(
            most == r, (g - b) * per, xp.where(most == g, (b - r) * per + 2.0, (r - g) * per + 4.0)
        )
        k = hue + turn + xp.asarray((5.0, 3.0, 1.0), dtype=x.dtype)
        k = k - 6.0 * xp.floor(k / 6.0)
        part = xp.clip(xp.minimum(k, 4.0 - k), 0.0, 1.0)
        return xp.clip(most - spread * part, *self.value_range), (turn,)


def _most_and_spread(x: Array) -> tuple[Array, Array]:
    xp = namespace(x)
    most = xp.max(x, axis=-1, keepdims=True)
    return most, most - xp.min(x, axis=-1, keepdims=True)


@configured(frozen=True, eq=True)
class RandomErasing(_Changing):
    """A random rectangle of each image replaced by noise, or by a number, while training.

    Forward    y  = x outside of the rectangle, in it the filling     y = x in inference
    Backward   dx = dy outside of the rectangle, in it 0
    Shapes     x, y, dx, dy: (N, H, W, C), equal

    The rectangle is sqrt(s) * W wide and sqrt(t) * H high, s and t uniform in `scale`, and lies anywhere in
    the image. With p uniform in `factor`, a sample has one with probability p. All these come from the
    sample's own random words. The filling is clipped to `value_range`.

    Parameters
    ----------
    factor : (least, largest) p, in [0, 1]; default (1, 1).
    scale : (least, largest) s and t, in [0, 1]; default (0.02, 0.33).
    fill_value : a number, or a tuple with one for each channel; default None, normal noise times `high`.
    value_range : (low, high) of the pixels; default (0, 255).
    seed : what the words follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> brick = RandomErasing(scale=(0.25, 0.25), fill_value=0.0)
    >>> brick(np.ones((1, 8, 8, 1)), ctx=Context(training=True)).sum()
    np.float64(48.0)

    Zhong, Zheng, Kang, Li and Yang, "Random Erasing Data Augmentation", 2017 (of a rectangle of any sides).
    """

    factor: Ends = argument(Many(Real(0.0, 1.0), 2), default=(1.0, 1.0))
    scale: Ends = argument(Many(Real(0.0, 1.0), 2), default=(0.02, 0.33))
    fill_value: Any = argument(Maybe(Either((Real(), Many(Real())))), default=None)
    value_range: Ends = argument(Many(Real(), 2), default=(0.0, 255.0))
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def output_shape(self, x: Shape) -> Shape:
        channels = require_image(self, x)[2]
        if isinstance(self.fill_value, tuple) and len(self.fill_value) != channels:
            raise ShapeError(
                f"RandomErasing with {len(self.fill_value)} numbers in `fill_value` takes x of shape "
                f"(N, H, W, {len(self.fill_value)}); it received {letters(x)}. Give one for each."
            )
        return x

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        if not ctx.training:
            return x, (None,)
        xp = namespace(x)
        _, height, width, _ = x.shape
        own = self.own(ctx)
        uniform = own.uniform(x, _WORDS)
        wide, high = (xp.sqrt(_between(uniform[:, place], self.scale)) for place in (0, 1))
        wide, high = wide * float(width), high * float(height)
        left = uniform[:, 2, None, None, None] * (float(width) - wide)
        top = uniform[:, 3, None, None, None] * (float(height) - high)
        erases = uniform[:, 5, None, None, None] < _between(uniform[:, 4], self.factor)
        j = xp.reshape(xp.arange(width, dtype=x.dtype), (1, 1, -1, 1))
        i = xp.reshape(xp.arange(height, dtype=x.dtype), (1, -1, 1, 1))
        gone = erases & (j >= left) & (j < left + wide) & (i >= top) & (i < top + high)
        given = self.fill_value
        noise = given is None
        filling = own.normals(x, _WORDS) * self.value_range[1] if noise else xp.asarray(given, dtype=x.dtype)
        filling = xp.clip(filling, *self.value_range)
        return xp.where(gone, filling, x), (xp.astype(~gone, x.dtype),)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        (kept,) = saved
        return (dy if kept is None else dy * kept,), {}
