"""Layers that hinder a network from learning its training data by heart: noise, in training alone."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Check, Maybe, Real, Whole, argument, configured
from ..bricks.base import Brick, letters
from ..errors import ParameterError, ShapeError
from ..graph.symbol import Symbol
from ..regularizers import L1L2
from ..seeds import SEED
from .base import Layer
from .checks import DATA_FORMAT

_RATE = Real(0.0, 1.0, high_open=True)


class NoiseShape(Check):
    """Keras's `noise_shape`: the shape of the mask; None for the samples, 1 for axes that share it."""

    def __call__(self, owner: str, name: str, value: Any) -> tuple[int | None, ...]:
        """The shape as a tuple."""
        if not isinstance(value, (tuple, list)):
            raise self.refuse_type(owner, name, value)
        first, *sizes = value or (0,)
        try:
            checked = tuple(Maybe(Whole(1))(owner, name, size) for size in sizes)
        except ParameterError:
            raise self.refuse(owner, name, value) from None
        if first is not None:
            raise self.refuse(owner, name, value, hint=" Each sample has a mask of its own.")
        return (None, *checked)

    def describe(self) -> str:
        """What may be written."""
        return (
            "None or a tuple of None, for the samples, and None or a size of at least 1 for each other axis"
        )

    def bad(self) -> list[Any]:
        """Masks that samples share, and what is no shape."""
        return [(1, 1, 3), (None, 0), (), 3, "wide"]


_NOISE_SHAPE = NoiseShape()


class NoiseLayer(Layer):
    """What the layers with noise share: they lay one brick."""

    supports_masking = True

    def _brick(self, x: Symbol) -> Brick:
        raise NotImplementedError

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """The brick."""
        return self.put(self._brick(x), x)

    def _shared_axes(self, noise_shape: Any, x: Symbol) -> tuple[int, ...]:
        """The axes for which `noise_shape` has 1."""
        if noise_shape is None:
            return ()
        pairs = list(zip(noise_shape, x.shape, strict=False))
        if len(noise_shape) != len(x.shape) or any(size not in (None, 1, known) for size, known in pairs):
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} with noise_shape={noise_shape} takes x of as many "
                f"axes, with these sizes where they are not 1; it received {letters(x.shape)}. Write 1 for "
                f"the axes along which all numbers share the mask, None for the others."
            )
        return tuple(axis for axis, size in enumerate(noise_shape) if axis and size == 1)


@configured()
class ActivityRegularization(Layer):
    """y = x, which costs l1 Σ |x| + l2 Σ x² for each sample, in the mean over the batch.

    Parameters
    ----------
    l1 : at least 0; default 0.
    l2 : at least 0; default 0.

    >>> ActivityRegularization(l1=0.1)([[1.0, -2.0]])
    array([[ 1., -2.]], dtype=float32)

    Olshausen and Field, "Emergence of simple-cell receptive field properties by learning a sparse code for
    natural images", 1996.
    """

    l1: float = argument(Real(0.0), default=0.0)
    l2: float = argument(Real(0.0), default=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.activity_regularizer = L1L2(self.l1, self.l2)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the penalty follows from l1 and l2."""
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return config

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Identity."""
        return self.put(bricks.Identity(), x)


@configured()
class Dropout(NoiseLayer):
    """While training, each number is 0 with probability `rate`, and the others grow by 1 / (1 − rate).

    Parameters
    ----------
    rate : in [0, 1).
    noise_shape : the shape of the mask, (None, …) with 1 for axes along which all numbers share it, such as
        (None, 1, 1, 3) or (None, 1, 1, None) for images of 3 channels; default None: each number has its own.
    seed : None (default): the masks follow the seed of the training run. A whole number: they follow it
        instead, whatever the run's seed. Either way they differ from step to step, and are the same on every
        engine.

    >>> import numpy as np
    >>> Dropout(0.5)(np.ones((1, 4)))
    array([[1., 1., 1., 1.]], dtype=float32)

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: A Simple Way to Prevent Neural
    Networks from Overfitting", 2014.
    """

    rate: float = argument(_RATE)
    noise_shape: Any = argument(_NOISE_SHAPE, default=None)
    seed: Any = argument(SEED, default=None)

    def _brick(self, x: Symbol) -> Brick:
        axes = self._shared_axes(self.noise_shape, x)
        return bricks.Dropout(self.rate, shared_axes=axes, seed=self.seed)


@configured()
class NaiveDropout(NoiseLayer):
    """Dropout as first published: kept numbers stay, and inference multiplies all by 1 − rate.

    Keras has none. Behind it all is smaller by 1 − rate than behind Dropout, in training and inference.

    Parameters
    ----------
    rate : in [0, 1).
    noise_shape, seed : as in Dropout; with the same seed both leave out the same numbers.

    >>> import numpy as np
    >>> NaiveDropout(0.25)(np.ones((1, 3)))
    array([[0.75, 0.75, 0.75]], dtype=float32)

    Hinton, Srivastava, Krizhevsky, Sutskever and Salakhutdinov, "Improving Neural Networks by Preventing
    Co-Adaptation of Feature Detectors", 2012.
    """

    rate: float = argument(_RATE)
    noise_shape: Any = argument(_NOISE_SHAPE, default=None)
    seed: Any = argument(SEED, default=None)

    def _brick(self, x: Symbol) -> Brick:
        axes = self._shared_axes(self.noise_shape, x)
        return bricks.NaiveDropout(self.rate, shared_axes=axes, seed=self.seed)


@configured()
class AlphaDropout(NoiseLayer):
    """Dropout for networks of SELUs, which leaves mean 0 and variance 1; formula: `bricks.AlphaDropout`.

    Parameters
    ----------
    rate : in [0, 1).
    noise_shape, seed : as in Dropout.

    >>> import numpy as np
    >>> AlphaDropout(0.5)(np.ones((1, 2)))
    array([[1., 1.]], dtype=float32)

    Klambauer, Unterthiner, Mayr and Hochreiter, "Self-Normalizing Neural Networks", 2017.
    """

    rate: float = argument(_RATE)
    noise_shape: Any = argument(_NOISE_SHAPE, default=None)
    seed: Any = argument(SEED, default=None)

    def _brick(self, x: Symbol) -> Brick:
        axes = self._shared_axes(self.noise_shape, x)
        return bricks.AlphaDropout(self.rate, shared_axes=axes, seed=self.seed)


class SpatialDropout(NoiseLayer):
    """Whole channels are left out."""

    places: int
    """Axes between samples and channels."""

    rate: float
    seed: Any

    def _brick(self, x: Symbol) -> Brick:
        if len(x.shape) != self.places + 2:
            axes = ", ".join(("D", "H", "W")[-self.places :] if self.places > 1 else "T")
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} takes x of shape (N, {axes}, C), {self.places + 2} "
                f"axes; it received {letters(x.shape)}. Put a Reshape before it, or take Dropout."
            )
        return bricks.Dropout(self.rate, shared_axes=tuple(range(1, self.places + 1)), seed=self.seed)


@configured()
class SpatialDropout1D(SpatialDropout):
    """While training, whole channels of sequences (N, T, C) are 0 with probability `rate`.

    The others grow by 1 / (1 − rate).

    Parameters
    ----------
    rate : in [0, 1).
    seed : as in Dropout.

    >>> import numpy as np
    >>> SpatialDropout1D(0.5)(np.ones((1, 2, 1))).tolist()
    [[[1.0], [1.0]]]

    Tompson, Goroshin, Jain, LeCun and Bregler, "Efficient Object Localization Using Convolutional Networks",
    2015.
    """

    places = 1

    rate: float = argument(_RATE)
    seed: Any = argument(SEED, default=None)


@configured()
class SpatialDropout2D(SpatialDropout):
    """While training, whole channels of images (N, H, W, C) are 0 with probability `rate`.

    The others grow by 1 / (1 − rate).

    Parameters
    ----------
    rate : in [0, 1).
    data_format : None or "channels_last".
    seed : as in Dropout.

    >>> import numpy as np
    >>> SpatialDropout2D(0.5)(np.ones((1, 1, 1, 2))).tolist()
    [[[[1.0, 1.0]]]]

    Tompson, Goroshin, Jain, LeCun and Bregler, "Efficient Object Localization Using Convolutional Networks",
    2015.
    """

    places = 2

    rate: float = argument(_RATE)
    data_format: Any = argument(DATA_FORMAT, default=None)
    seed: Any = argument(SEED, default=None)


@configured()
class SpatialDropout3D(SpatialDropout):
    """While training, whole channels of volumes (N, D, H, W, C) are 0 with probability `rate`.

    The others grow by 1 / (1 − rate).

    Parameters
    ----------
    rate : in [0, 1).
    data_format : None or "channels_last".
    seed : as in Dropout.

    >>> import numpy as np
    >>> SpatialDropout3D(0.5)(np.ones((1, 1, 1, 1, 2))).shape
    (1, 1, 1, 1, 2)

    Tompson, Goroshin, Jain, LeCun and Bregler, "Efficient Object Localization Using Convolutional Networks",
    2015.
    """

    places = 3

    rate: float = argument(_RATE)
    data_format: Any = argument(DATA_FORMAT, default=None)
    seed: Any = argument(SEED, default=None)


@configured()
class GaussianNoise(NoiseLayer):
    """While training, normal noise of mean 0 is added.

    Parameters
    ----------
    stddev : its standard deviation, at least 0.
    seed : as in Dropout.

    >>> import numpy as np
    >>> GaussianNoise(0.1)(np.ones((1, 2)))
    array([[1., 1.]], dtype=float32)

    Bishop, "Training with Noise is Equivalent to Tikhonov Regularization", 1995.
    """

    stddev: float = argument(Real(0.0))
    seed: Any = argument(SEED, default=None)

    def _brick(self, x: Symbol) -> Brick:
        return bricks.GaussianNoise(self.stddev, seed=self.seed)


@configured()
class GaussianDropout(NoiseLayer):
    """While training, each number is multiplied by normal noise of mean 1 and variance rate / (1 − rate).

    Parameters
    ----------
    rate : as the rate of Dropout, in [0, 1).
    seed : as in Dropout.

    >>> import numpy as np
    >>> GaussianDropout(0.5)(np.ones((1, 2)))
    array([[1., 1.]], dtype=float32)

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: A Simple Way to Prevent Neural
    Networks from Overfitting", 2014.
    """

    rate: float = argument(_RATE)
    seed: Any = argument(SEED, default=None)

    def _brick(self, x: Symbol) -> Brick:
        return bricks.GaussianDropout(self.rate, seed=self.seed)
