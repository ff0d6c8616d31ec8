"""Matrices whose rows or columns are orthonormal, so that what passes through keeps its length."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..arguments import Real, argument, configured
from ..errors import ParameterError
from ..seeds import SEED
from .base import FloatArray, Initializer, rounded


@configured()
class Orthogonal(Initializer):
    """gain times a matrix with orthonormal rows or columns, whichever are fewer; all such are equally likely.

    A shape of more axes is read as a matrix whose columns are the last axis. It is Q of the decomposition
    QR of a matrix of normal numbers, the signs such that R's diagonal is positive.

    Parameters
    ----------
    gain : the factor; default 1.
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> W = Orthogonal(seed=1)((3, 3), "float64")
    >>> bool(np.allclose(W.T @ W, np.eye(3)))
    True

    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", 2014.
    """

    gain: float = argument(Real(), default=1.0)
    seed: int | None = argument(SEED, default=None)

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Q, transposed where there are more columns than rows."""
        if len(shape) < 2:
            raise ParameterError(
                f"Orthogonal takes a shape of at least 2 axes; it received {tuple(shape)}. "
                f"Take another initializer for biases, such as 'zeros'."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = generator.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        q = q * np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
        return rounded(self.gain * (q.T if rows < columns else q).reshape(shape), dtype, self)


orthogonal = OrthogonalInitializer = Orthogonal
