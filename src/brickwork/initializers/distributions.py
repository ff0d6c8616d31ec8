"""First values from a distribution that is the same for every shape."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arguments import Real, argument, configured
from ..errors import ParameterError
from ..seeds import SEED
from .base import FloatArray, Initializer, rounded


@configured()
class RandomNormal(Initializer):
    """Normal distribution: w = mean + stddev z, z ~ N(0, 1).

    Parameters
    ----------
    mean : finite number, default 0.0
    stddev : number of at least 0, default 0.05
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> round(float(RandomNormal(stddev=0.5, seed=1)((1000,)).std()), 1)
    0.5
    """

    mean: float = argument(Real(), default=0.0)
    stddev: float = argument(Real(0.0), default=0.05)
    seed: int | None = argument(SEED, default=None)

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Normal numbers."""
        return rounded(generator.standard_normal(shape) * self.stddev + self.mean, dtype, self)


@configured()
class TruncatedNormal(Initializer):
    """Normal distribution cut at two standard deviations: what falls outside is drawn again.

    `stddev` belongs to the distribution before the cut; after it, it is 0.8796 times that.

    Parameters
    ----------
    mean : finite number, default 0.0
    stddev : number of at least 0, default 0.05
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> bool(abs(TruncatedNormal(stddev=0.5, seed=1)((1000,))).max() <= 1.0)
    True
    """

    mean: float = argument(Real(), default=0.0)
    stddev: float = argument(Real(0.0), default=0.05)
    seed: int | None = argument(SEED, default=None)

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Numbers within two `stddev` of the mean."""
        return rounded(truncated(shape, generator) * self.stddev + self.mean, dtype, self)


@configured()
class RandomUniform(Initializer):
    """Uniform distribution on [minval, maxval).

    Parameters
    ----------
    minval : finite number, default -0.05
    maxval : finite number of at least `minval`, default 0.05
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> round(float(RandomUniform(0.0, 1.0, seed=1)((10000,)).mean()), 1)
    0.5
    """

    minval: float = argument(Real(), default=-0.05)
    maxval: float = argument(Real(), default=0.05)
    seed: int | None = argument(SEED, default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.maxval < self.minval:
            raise ParameterError(
                f"RandomUniform: `maxval` must be at least minval={self.minval}; got maxval={self.maxval}. "
                f"Exchange the two."
            )

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Uniform numbers."""
        return rounded(generator.random(shape) * (self.maxval - self.minval) + self.minval, dtype, self)


def truncated(shape: tuple[int, ...], generator: np.random.Generator) -> FloatArray:
    """Standard normal numbers; those beyond -2 and 2 are drawn again until none is left."""
    values = np.asarray(generator.standard_normal(shape))
    flat = values.reshape(-1)
    outside = np.flatnonzero(abs(flat) > 2.0)
    while outside.size:
        flat[outside] = generator.standard_normal(outside.size)
        outside = outside[abs(flat[outside]) > 2.0]
    return values


random_normal, truncated_normal, random_uniform = RandomNormal, TruncatedNormal, RandomUniform
