"""First values whose spread follows from the shape, so that signals keep their size from layer to layer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..arguments import Anything, Choice, Real, argument, configured
from ..seeds import SEED
from .base import FloatArray, Initializer, rounded
from .distributions import truncated

_MODE = Choice(("fan_in", "fan_out", "fan_avg"))
_DISTRIBUTION = Choice(("truncated_normal", "untruncated_normal", "uniform"))
_FIXED = Anything()

# Standard deviation of the standard normal distribution cut at -2 and 2.
_TRUNCATED_STDDEV = 0.87962566103423978


@configured()
class VarianceScaling(Initializer):
    """Random numbers whose variance is scale / n, n being counted from the shape of the parameter.

    n is the fan-in (F of a weight matrix (F, U), K*K*C of a kernel (K, K, C, O)), the fan-out (U, K*K*O) or
    their mean, and at least 1. A uniform distribution has the bounds -+sqrt(3 scale / n).

    Parameters
    ----------
    scale : number above 0, default 1.0
    mode : "fan_in" (default), "fan_out" or "fan_avg"
    distribution : "truncated_normal" (default), "untruncated_normal" or "uniform"
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> round(float(VarianceScaling(seed=1)((100, 400)).std()), 2)
    0.1
    """

    scale: float = argument(Real(0.0, low_open=True), default=1.0)
    mode: str = argument(_MODE, default="fan_in")
    distribution: str = argument(_DISTRIBUTION, default="truncated_normal")
    seed: int | None = argument(SEED, default=None)

    def __post_init__(self) -> None:
        if self.distribution == "normal":
            self.distribution = "truncated_normal"
        super().__post_init__()

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Numbers of variance scale / n."""
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            values = generator.random(shape) * (2 * limit) - limit
        elif self.distribution == "untruncated_normal":
            values = generator.standard_normal(shape) * math.sqrt(variance)
        else:
            values = truncated(shape, generator) * (math.sqrt(variance) / _TRUNCATED_STDDEV)
        return rounded(values, dtype, self)


@configured()
class GlorotUniform(VarianceScaling):
    """Uniform on -+sqrt(6 / (fan_in + fan_out)); Keras's default for weights (Glorot, Bengio 2010).

    Parameters
    ----------
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> bool(abs(GlorotUniform(seed=1)((2, 4))).max() <= 1.0)
    True
    """

    scale: float = argument(_FIXED, default=1.0, init=False)
    mode: str = argument(_FIXED, default="fan_avg", init=False)
    distribution: str = argument(_FIXED, default="uniform", init=False)


@configured()
class GlorotNormal(VarianceScaling):
    """Truncated normal of standard deviation sqrt(2 / (fan_in + fan_out)) (Glorot, Bengio 2010).

    Parameters
    ----------
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> round(float(GlorotNormal(seed=1)((100, 100)).std()), 2)
    0.1
    """

    scale: float = argument(_FIXED, default=1.0, init=False)
    mode: str = argument(_FIXED, default="fan_avg", init=False)
    distribution: str = argument(_FIXED, default="truncated_normal", init=False)


@configured()
class HeUniform(VarianceScaling):
    """Uniform on -+sqrt(6 / fan_in), for layers before a ReLU (He and others 2015).

    Parameters
    ----------
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> bool(abs(HeUniform(seed=1)((6, 4))).max() <= 1.0)
    True
    """

    scale: float = argument(_FIXED, default=2.0, init=False)
    mode: str = argument(_FIXED, default="fan_in", init=False)
    distribution: str = argument(_FIXED, default="uniform", init=False)


@configured()
class HeNormal(VarianceScaling):
    """Truncated normal of standard deviation sqrt(2 / fan_in), before a ReLU (He and others 2015).

    Parameters
    ----------
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> round(float(HeNormal(seed=1)((200, 100)).std()), 2)
    0.1
    """

    scale: float = argument(_FIXED, default=2.0, init=False)
    mode: str = argument(_FIXED, default="fan_in", init=False)
    distribution: str = argument(_FIXED, default="truncated_normal", init=False)


@configured()
class LecunUniform(VarianceScaling):
    """Uniform on -+sqrt(3 / fan_in) (LeCun and others, Efficient BackProp, 1998).

    Parameters
    ----------
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> bool(abs(LecunUniform(seed=1)((3, 4))).max() <= 1.0)
    True
    """

    scale: float = argument(_FIXED, default=1.0, init=False)
    mode: str = argument(_FIXED, default="fan_in", init=False)
    distribution: str = argument(_FIXED, default="uniform", init=False)


@configured()
class LecunNormal(VarianceScaling):
    """Truncated normal of standard deviation sqrt(1 / fan_in) (LeCun and others 1998).

    Parameters
    ----------
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> round(float(LecunNormal(seed=1)((100, 100)).std()), 2)
    0.1
    """

    scale: float = argument(_FIXED, default=1.0, init=False)
    mode: str = argument(_FIXED, default="fan_in", init=False)
    distribution: str = argument(_FIXED, default="truncated_normal", init=False)


def fans(shape: Sequence[int]) -> tuple[float, float]:
    """(fan-in, fan-out) of a parameter, as Keras counts them.

    >>> fans((784, 100)), fans((3, 3, 16, 32)), fans((10,)), fans(())
    ((784, 100), (144, 288), (10, 10), (1, 1))
    """
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


variance_scaling = VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal
