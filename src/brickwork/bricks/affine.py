"""Images moved, turned, zoomed, flipped and cut at random: each brick says along which map it reads."""

from __future__ import annotations

import math
from typing import ClassVar

from ..arguments import Choice, Flag, Many, Maybe, Real, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from ..seeds import SEED
from .checks import known_size, require_image
from .sampling import FILL_MODES, INTERPOLATIONS, Ends, Lines, Sampling

_PART = Many(Real(-1.0, 1.0), 2)


@configured(frozen=True, eq=True)
class RandomTranslation(Sampling):
    """Each image shifted by a random part of its height and of its width while training.

    Forward    y[i, j] = x[i - h * H, j - w * W], between pixels by `interpolation`;   y = x in inference
    Backward   dx = the sum of dy over the pixels that were read there, by their weights
    Shapes     x, y, dx, dy: (N, H, W, C), equal

    h and w are uniform in `height` and `width`, one of each for every sample, from its own two random words.

    Parameters
    ----------
    height : (least, largest) h, in [-1, 1]; above 0 is downwards.
    width : (least, largest) w, in [-1, 1]; above 0 is to the right.
    fill_mode : what lies outside: "reflect" (d c b a | a b c d | d c b a; default), "wrap", "nearest", or
        "constant", `fill_value`.
    interpolation : "bilinear" (default) or "nearest".
    fill_value : a number; default 0.
    seed : what the words follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> brick = RandomTranslation((0.0, 0.0), (0.25, 0.25), fill_mode="constant")
    >>> brick(np.array([[[[1.0], [2.0], [3.0], [4.0]]]]), ctx=Context(training=True))[0, 0, :, 0]
    array([0., 1., 2., 3.])

    Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks", 2003.
    """

    height: Ends = argument(_PART)
    width: Ends = argument(_PART)
    fill_mode: str = argument(Choice(FILL_MODES), default="reflect", kw_only=True)
    interpolation: str = argument(Choice(INTERPOLATIONS), default="bilinear", kw_only=True)
    fill_value: float = argument(Real(), default=0.0, kw_only=True)
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def ends(self, x: Shape) -> tuple[Ends, Ends]:
        return self.height, self.width

    def lines(self, one: Array, two: Array, x: Array) -> Lines:
        return Lines(a2=-(two * float(x.shape[2])), b2=-(one * float(x.shape[1])))


@configured(frozen=True, eq=True)
class RandomRotation(Sampling):
    """Each image turned about its centre by a random angle while training.

    Forward    y[i, j] = x[v, u], t = 2π f     y = x in inference
               u = cos(t) (j - cx) - sin(t) (i - cy) + cx     v = sin(t) (j - cx) + cos(t) (i - cy) + cy
    Backward   dx = the sum of dy over the pixels that were read there, by their weights
    Shapes     x, y, dx, dy: (N, H, W, C), equal

    f is uniform in `factor`, one for every sample, from its own random word; cx = (W - 1) / 2 and cy
    likewise. A positive angle turns the picture counter-clockwise.

    Parameters
    ----------
    factor : (least, largest) f, parts of a whole turn, in [-1, 1].
    fill_mode : what lies outside: "reflect" (default), "wrap", "nearest", or "constant", `fill_value`.
    interpolation : "bilinear" (default) or "nearest".
    fill_value : a number; default 0.
    seed : what the words follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> brick = RandomRotation((0.25, 0.25), fill_mode="nearest")
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    >>> brick(x, ctx=Context(training=True))[0, :, :, 0].round(6)
    array([[2., 4.],
           [1., 3.]])

    Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks", 2003.
    """

    factor: Ends = argument(_PART)
    fill_mode: str = argument(Choice(FILL_MODES), default="reflect", kw_only=True)
    interpolation: str = argument(Choice(INTERPOLATIONS), default="bilinear", kw_only=True)
    fill_value: float = argument(Real(), default=0.0, kw_only=True)
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def ends(self, x: Shape) -> tuple[Ends, Ends]:
        return self.factor, (0.0, 0.0)

    def lines(self, one: Array, two: Array, x: Array) -> Lines:
        xp = namespace(x)
        cosine, sine = xp.cos(one * (2.0 * math.pi)), xp.sin(one * (2.0 * math.pi))
        right, bottom = 0.5 * (x.shape[2] - 1), 0.5 * (x.shape[1] - 1)
        a2 = (1.0 - cosine) * right + sine * bottom
        b2 = (1.0 - cosine) * bottom - sine * right
        return Lines(cosine, -sine, a2, sine, cosine, b2)


@configured(frozen=True, eq=True)
class RandomZoom(Sampling):
    """Each image made larger or smaller about its centre by a random factor while training.

    Forward    y[i, j] = x[cy + (1 + h) (i - cy), cx + (1 + w) (j - cx)]     y = x in inference
    Backward   dx = the sum of dy over the pixels that were read there, by their weights
    Shapes     x, y, dx, dy: (N, H, W, C), equal

    h and w are uniform in `height` and `width`, one of each for every sample, from its own two random words;
    cx = (W - 1) / 2 and cy likewise. Below 0 the picture grows, above 0 it shrinks.

    Parameters
    ----------
    height : (least, largest) h, in (-1, 1].
    width : (least, largest) w, in (-1, 1]; default None, w = h, which keeps the proportions.
    fill_mode : what lies outside: "reflect" (default), "wrap", "nearest", or "constant", `fill_value`.
    interpolation : "bilinear" (default) or "nearest".
    fill_value : a number; default 0.
    seed : what the words follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> brick = RandomZoom((0.0, 0.0), (-0.5, -0.5))
    >>> brick(np.array([[[[0.0], [2.0], [4.0]]]]), ctx=Context(training=True))[0, 0, :, 0]
    array([1., 2., 3.])

    Ciresan, Meier, Gambardella and Schmidhuber, "Deep, Big, Simple Neural Nets for Handwritten Digit
    Recognition", 2010.
    """

    height: Ends = argument(Many(Real(-1.0, 1.0, low_open=True), 2))
    width: Ends | None = argument(Maybe(Many(Real(-1.0, 1.0, low_open=True), 2)), default=None)
    fill_mode: str = argument(Choice(FILL_MODES), default="reflect", kw_only=True)
    interpolation: str = argument(Choice(INTERPOLATIONS), default="bilinear", kw_only=True)
    fill_value: float = argument(Real(), default=0.0, kw_only=True)
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def ends(self, x: Shape) -> tuple[Ends, Ends]:
        width = self.height if self.width is None else self.width
        return (1.0 + self.height[0], 1.0 + self.height[1]), (1.0 + width[0], 1.0 + width[1])

    def lines(self, one: Array, two: Array, x: Array) -> Lines:
        wide = one if self.width is None else two
        right, bottom = 0.5 * (x.shape[2] - 1), 0.5 * (x.shape[1] - 1)
        return Lines(a0=wide, a2=(1.0 - wide) * right, b1=one, b2=(1.0 - one) * bottom)


@configured(frozen=True, eq=True)
class RandomFlip(Sampling):
    """Each image mirrored or not, by the toss of a coin, while training.

    Forward    y[i, j] = x[i, W - 1 - j] where the coin of a sample says so, else x[i, j]
    Backward   dx[i, j] = dy[i, W - 1 - j] there, else dy[i, j]
    Shapes     x, y, dx, dy: (N, H, W, C), equal

    With `vertical` the rows are mirrored likewise, by a coin of their own.

    Parameters
    ----------
    horizontal : whether left and right change places; default True.
    vertical : whether top and bottom change places; default True.
    seed : what the words follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> y = RandomFlip()(np.tile([[[0.0], [1.0]]], (999, 1, 1, 1)), ctx=Context(training=True))
    >>> bool(0.4 < y[:, 0, 0, 0].mean() < 0.6)
    True

    Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
    """

    horizontal: bool = argument(Flag(), default=True)
    vertical: bool = argument(Flag(), default=True)
    seed: int | None = argument(SEED, default=None, kw_only=True)

    interpolation = "nearest"

    def ends(self, x: Shape) -> tuple[Ends, Ends]:
        return (0.0 if self.vertical else 1.0, 1.0), (0.0 if self.horizontal else 1.0, 1.0)

    def lines(self, one: Array, two: Array, x: Array) -> Lines:
        xp = namespace(x)
        across, down = (xp.astype(draw < 0.5, x.dtype) for draw in (two, one))
        return Lines(
            a0=1.0 - 2.0 * across,
            a2=across * float(x.shape[2] - 1),
            b1=1.0 - 2.0 * down,
            b2=down * float(x.shape[1] - 1),
        )


class _Cropping(Sampling):
    """Cuts of a fixed size; the middle where nothing is drawn."""

    height: int
    width: int

    def size(self, x: Shape) -> tuple[int | None, int | None]:
        return self.height, self.width

    def output_shape(self, x: Shape) -> Shape:
        require_image(self, x)
        for axis in (1, 2):
            known_size(self, x, axis)
        return (x[0], self.height, self.width, x[3])

    def fits(self, x: Shape) -> bool:
        """Whether the cut lies within the image."""
        return self.height <= (x[1] or 0) and self.width <= (x[2] or 0)

    def still(self, x: Shape) -> Lines:
        """The middle; of an image that is too small, its largest part of these proportions, made larger."""
        high, wide = x[1] or 1, x[2] or 1
        if self.fits(x):
            return Lines(a2=float((wide - self.width) // 2), b2=float((high - self.height) // 2))
        part_high = max(min(high, int(wide * self.height / self.width)), 1)
        part_wide = max(min(wide, int(high * self.width / self.height)), 1)
        top, left = int((high - part_high) / 2), int((wide - part_wide) / 2)
        b1, a0 = part_high / self.height, part_wide / self.width
        return Lines(
            a0=a0,
            a2=0.5 * a0 - 0.5 + left,
            b1=b1,
            b2=0.5 * b1 - 0.5 + top,
            columns=(float(left), float(left + part_wide - 1)),
            rows=(float(top), float(top + part_high - 1)),
        )


@configured(frozen=True, eq=True)
class CenterCrop(_Cropping):
    """The middle of each image, in training and in inference.

    Forward    y[i, j] = x[i + (H - height) // 2, j + (W - width) // 2]
    Backward   dx = dy in the middle, 0 around it
    Shapes     x, dx: (N, H, W, C)   y, dy: (N, height, width, C)

    Of an image that is smaller, the largest part of the same proportions is made as large, by bilinear
    interpolation; dx is then the sum of dy over the pixels that were read there, by their weights.

    Parameters
    ----------
    height : rows of the output, at least 1.
    width : columns of the output, at least 1.

    >>> import numpy as np
    >>> CenterCrop(1, 2)(np.arange(12.0).reshape(1, 3, 4, 1))[0, :, :, 0]
    array([[5., 6.]])

    Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
    """

    height: int = argument(Whole(1))
    width: int = argument(Whole(1))

    random: ClassVar[bool] = False
    seed = None


@configured(frozen=True, eq=True)
class RandomCrop(_Cropping):
    """A random cut of each image while training, its middle in inference.

    Forward    y[i, j] = x[i + a, j + b], a and b uniform whole numbers     the middle in inference
    Backward   dx = dy where it was cut, 0 around it
    Shapes     x, dx: (N, H, W, C)   y, dy: (N, height, width, C)

    a and b come from the sample's own two random words, so that each image of a batch is cut elsewhere (Keras
    draws one place for the batch). Of an image that is smaller, the largest part of the same proportions is
    made as large, by bilinear interpolation.

    Parameters
    ----------
    height : rows of the output, at least 1.
    width : columns of the output, at least 1.
    seed : what the words follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> RandomCrop(1, 2)(np.arange(12.0).reshape(1, 3, 4, 1))[0, :, :, 0]
    array([[5., 6.]])

    Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
    """

    height: int = argument(Whole(1))
    width: int = argument(Whole(1))
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def lines(self, one: Array, two: Array, x: Array) -> Lines:
        if not self.fits(x.shape):
            return self.still(x.shape)
        xp = namespace(x)
        down, across = float(x.shape[1] - self.height), float(x.shape[2] - self.width)
        a2, b2 = xp.floor(two * (across + 1.0)), xp.floor(one * (down + 1.0))
        return Lines(a2=xp.minimum(a2, across), b2=xp.minimum(b2, down))
