"""Augmentation: images changed at random while training, and left as they are in inference.

The random numbers follow the seed of the training run, or the layer's own, and are the same on every engine.
"""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Check, Choice, Maybe, Real, Whole, argument, configured
from ..bricks.sampling import FILL_MODES, INTERPOLATIONS
from ..errors import ParameterError, ParameterTypeError
from ..graph.symbol import Symbol
from ..seeds import SEED
from .base import Layer
from .checks import DATA_FORMAT

_FLIPS = ("horizontal_and_vertical", "horizontal", "vertical")


class Factor(Check):
    """A number, or two of them, the ends of what is drawn; each between `low` and `high`."""

    def __init__(self, low: float = -1.0, high: float = 1.0, *, low_open: bool = False) -> None:
        self.each = Real(low, high, low_open=low_open)

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The number, or the two in order."""
        try:
            if isinstance(value, (list, tuple)) and len(value) == 2:
                return tuple(sorted(self.each(owner, name, one) for one in value))
            return self.each(owner, name, value)
        except ParameterTypeError:
            raise self.refuse_type(owner, name, value) from None
        except ParameterError:
            raise self.refuse(owner, name, value) from None

    def describe(self) -> str:
        """What may be written."""
        return f"a number, or two, {self.each.describe()}"

    def bad(self) -> list[Any]:
        """Values that are refused."""
        wrong = [value for value in self.each.bad() if not isinstance(value, list)]
        return [*wrong, (0.1, 0.2, 0.3), (0.1, 9.0), ("a", 0.1)]


FACTOR = Factor()


def around_zero(factor: Any) -> tuple[float, float]:
    """The ends of what is drawn: one number stands for itself to both sides of 0."""
    return factor if isinstance(factor, tuple) else (-abs(factor), abs(factor))


@configured()
class RandomTranslation(Layer):
    """While training, each image is shifted by a random part of its height and its width.

    Parameters
    ----------
    height_factor : parts of the height, in [-1, 1], above 0 downwards: (least, largest), or f for (-f, f).
    width_factor : likewise, above 0 to the right.
    fill_mode : what lies outside: "reflect" (default), "wrap", "nearest" or "constant".
    interpolation : "bilinear" (default) or "nearest".
    seed : None (default): the shifts follow the seed of the training run. A whole number: they follow it.
    fill_value : what "constant" fills in; default 0.
    data_format : None or "channels_last".

    >>> import numpy as np
    >>> x = np.array([[[[1.0], [2.0], [3.0], [4.0]]]])
    >>> RandomTranslation(0.0, (0.25, 0.25), "constant")(x, training=True)[0, 0, :, 0]
    array([0., 1., 2., 3.], dtype=float32)

    Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks", 2003.
    """

    height_factor: Any = argument(FACTOR)
    width_factor: Any = argument(FACTOR)
    fill_mode: str = argument(Choice(FILL_MODES), default="reflect")
    interpolation: str = argument(Choice(INTERPOLATIONS), default="bilinear")
    seed: Any = argument(SEED, default=None)
    fill_value: float = argument(Real(), default=0.0)
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """RandomTranslation."""
        brick = bricks.RandomTranslation(
            around_zero(self.height_factor), around_zero(self.width_factor), **_filling(self)
        )
        return self.put(brick, x)


@configured()
class RandomRotation(Layer):
    """While training, each image is turned about its centre by a random angle.

    Parameters
    ----------
    factor : parts of a whole turn, in [-1, 1], above 0 counter-clockwise: (least, largest), or f for (-f, f).
    fill_mode : what lies outside: "reflect" (default), "wrap", "nearest" or "constant".
    interpolation : "bilinear" (default) or "nearest".
    seed : None (default): the angles follow the seed of the training run. A whole number: they follow it.
    fill_value : what "constant" fills in; default 0.
    data_format : None or "channels_last".

    >>> import numpy as np
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    >>> RandomRotation((0.25, 0.25))(x, training=True)[0, :, :, 0].round(4)
    array([[2., 4.],
           [1., 3.]], dtype=float32)

    Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks", 2003.
    """

    factor: Any = argument(FACTOR)
    fill_mode: str = argument(Choice(FILL_MODES), default="reflect")
    interpolation: str = argument(Choice(INTERPOLATIONS), default="bilinear")
    seed: Any = argument(SEED, default=None)
    fill_value: float = argument(Real(), default=0.0)
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """RandomRotation."""
        return self.put(bricks.RandomRotation(around_zero(self.factor), **_filling(self)), x)


@configured()
class RandomZoom(Layer):
    """While training, each image grows or shrinks about its centre by a random factor.

    Parameters
    ----------
    height_factor : in (-1, 1], above 0 the picture shrinks: (least, largest), or f for (-f, f).
    width_factor : likewise; None (default) for that of the height, which keeps the proportions.
    fill_mode : what lies outside: "reflect" (default), "wrap", "nearest" or "constant".
    interpolation : "bilinear" (default) or "nearest".
    seed : None (default): the factors follow the seed of the training run. A whole number: they follow it.
    fill_value : what "constant" fills in; default 0.
    data_format : None or "channels_last".

    >>> import numpy as np
    >>> x = np.array([[[[0.0], [2.0], [4.0]]]])
    >>> RandomZoom((-0.5, -0.5))(x, training=True)[0, 0, :, 0]
    array([1., 2., 3.], dtype=float32)

    Ciresan, Meier, Gambardella and Schmidhuber, "Deep, Big, Simple Neural Nets for Handwritten Digit
    Recognition", 2010.
    """

    height_factor: Any = argument(Factor(low_open=True))
    width_factor: Any = argument(Maybe(Factor(low_open=True)), default=None)
    fill_mode: str = argument(Choice(FILL_MODES), default="reflect")
    interpolation: str = argument(Choice(INTERPOLATIONS), default="bilinear")
    seed: Any = argument(SEED, default=None)
    fill_value: float = argument(Real(), default=0.0)
    data_format: Any = argument(DATA_FORMAT, default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("height_factor", "width_factor"):
            if getattr(self, name) == 1.0:
                raise ParameterError(
                    f"RandomZoom: `{name}` must be below 1 where one number stands for both ends, since the "
                    f"picture would grow without end at -1; got {name}=1.0. Name both ends, such as (0, 1)."
                )

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """RandomZoom."""
        width = None if self.width_factor is None else around_zero(self.width_factor)
        return self.put(bricks.RandomZoom(around_zero(self.height_factor), width, **_filling(self)), x)


@configured()
class RandomFlip(Layer):
    """While training, each image is mirrored, or not, by the toss of a coin.

    With "horizontal_and_vertical" each direction has a coin of its own; Keras tosses one for both.

    Parameters
    ----------
    mode : "horizontal_and_vertical" (default), "horizontal" (left and right change places) or "vertical".
    seed : None (default): the coins follow the seed of the training run. A whole number: they follow it.
    data_format : None or "channels_last".

    >>> import numpy as np
    >>> x = np.arange(4.0).reshape(1, 2, 2, 1)
    >>> RandomFlip()(x)[0, :, :, 0]
    array([[0., 1.],
           [2., 3.]], dtype=float32)

    Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
    """

    mode: str = argument(Choice(_FLIPS), default="horizontal_and_vertical")
    seed: Any = argument(SEED, default=None)
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """RandomFlip."""
        return self.put(
            bricks.RandomFlip("horizontal" in self.mode, "vertical" in self.mode, seed=self.seed), x
        )


@configured()
class RandomCrop(Layer):
    """While training, each image is cut at a random place; in inference, in its middle.

    Of an image that is smaller, the largest part of the same proportions is made as large. Each image of a
    batch is cut at a place of its own; Keras draws one for the batch.

    Parameters
    ----------
    height : rows of the output, at least 1.
    width : columns of the output, at least 1.
    seed : None (default): the places follow the seed of the training run. A whole number: they follow it.
    data_format : None or "channels_last".

    >>> import numpy as np
    >>> RandomCrop(1, 2)(np.arange(12.0).reshape(1, 3, 4, 1))[0, :, :, 0]
    array([[5., 6.]], dtype=float32)

    Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
    """

    height: int = argument(Whole(1))
    width: int = argument(Whole(1))
    seed: Any = argument(SEED, default=None)
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """RandomCrop."""
        return self.put(bricks.RandomCrop(self.height, self.width, seed=self.seed), x)


@configured()
class CenterCrop(Layer):
    """The middle of each image, in training and in inference.

    Of an image that is smaller, the largest part of the same proportions is made as large.

    Parameters
    ----------
    height : rows of the output, at least 1.
    width : columns of the output, at least 1.
    data_format : None or "channels_last".

    >>> import numpy as np
    >>> CenterCrop(1, 2)(np.arange(12.0).reshape(1, 3, 4, 1))[0, :, :, 0]
    array([[5., 6.]], dtype=float32)

    Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
    """

    height: int = argument(Whole(1))
    width: int = argument(Whole(1))
    data_format: Any = argument(DATA_FORMAT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """CenterCrop."""
        return self.put(bricks.CenterCrop(self.height, self.width), x)


def _filling(layer: Any) -> dict[str, Any]:
    """What the layers that look past an image's edge have in common."""
    return {
        "fill_mode": layer.fill_mode,
        "interpolation": layer.interpolation,
        "fill_value": layer.fill_value,
        "seed": layer.seed,
    }
