"""First values that are all alike."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..arguments import Real, argument, configured
from ..errors import ParameterError
from .base import FloatArray, Initializer


@configured()
class Constant(Initializer):
    """All equal to `value`.

    Parameters
    ----------
    value : finite number, default 0.0

    >>> float(Constant(0.5)((2, 3)).sum())
    3.0
    """

    random: ClassVar[bool] = False
    value: float = argument(Real(), default=0.0)

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """The constant; the generator is not asked."""
        return np.full(shape, self.value, dtype)


@configured()
class Zeros(Initializer):
    """All 0.

    >>> float(Zeros()((2, 3)).sum())
    0.0
    """

    random: ClassVar[bool] = False

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Zeros; the generator is not asked."""
        return np.zeros(shape, dtype)


@configured()
class Ones(Initializer):
    """All 1.

    >>> float(Ones()((2, 3)).sum())
    6.0
    """

    random: ClassVar[bool] = False

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Ones; the generator is not asked."""
        return np.ones(shape, dtype)


@configured()
class Identity(Initializer):
    """`gain` where row and column are the same, 0 elsewhere: a layer that begins by handing its input on.

    Parameters
    ----------
    gain : finite number, default 1.0

    >>> Identity()((2, 3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]

    Le, Jaitly and Hinton, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units", 2015.
    """

    random: ClassVar[bool] = False
    gain: float = argument(Real(), default=1.0)

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """The matrix; the generator is not asked."""
        if len(shape) != 2:
            raise ParameterError(
                f"Identity takes a shape of 2 axes; it received {tuple(shape)}. Use it for the kernels of "
                f"Dense and of recurrent layers."
            )
        return self.gain * np.eye(*shape, dtype=dtype)


constant, zeros, ones = Constant, Zeros, Ones
identity = IdentityInitializer = Identity
