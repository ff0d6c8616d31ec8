"""Embedding: learned rows for whole numbers."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Flag, Real, Whole, argument, configured
from ..bricks.base import letters
from ..errors import ShapeError
from ..graph.node import Attributes
from ..graph.symbol import Symbol
from .base import Layer
from .checks import CONSTRAINT, INITIALIZER, REGULARIZER
from .masks import beside


@configured()
class Embedding(Layer):
    """A learned row of `output_dim` numbers for each whole number in [0, input_dim).

    y[n, …] = embeddings[x[n, …]], x (N, …), embeddings (input_dim, output_dim).

    Parameters
    ----------
    input_dim : how many numbers there are, at least 1.
    output_dim : length of a row, at least 1.
    embeddings_initializer : "uniform", which is uniform on [-0.05, 0.05).
    embeddings_regularizer, embeddings_constraint : penalty on the table, and bounds after each update.
    mask_zero : whether 0 stands for nothing: moments where x is 0 do not count for the layers behind it
        (recurrent layers, attention, GlobalAveragePooling1D). Default False.

    >>> from brickwork import Input
    >>> Embedding(1000, 64)(Input((10,), dtype="int32")).shape
    (None, 10, 64)

    Bengio, Ducharme, Vincent and Jauvin, "A Neural Probabilistic Language Model", 2003.
    """

    input_dim: int = argument(Whole(1))
    output_dim: int = argument(Whole(1))
    embeddings_initializer: Any = argument(INITIALIZER, default="uniform")
    embeddings_regularizer: Any = argument(REGULARIZER, default=None)
    embeddings_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)
    mask_zero: bool = argument(Flag(), default=False, kw_only=True)

    passes_mask = False

    @property
    def supports_masking(self) -> bool:  # type: ignore[override]
        """Where it makes one itself."""
        return bool(self.mask_zero)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Embedding; where zeros are masked, NonZero beside it."""
        told = Attributes(
            self.embeddings_initializer, True, self.embeddings_regularizer, self.embeddings_constraint
        )
        y = self.put(bricks.Embedding(self.input_dim, self.output_dim), x, E=told)
        if self.mask_zero:
            y.mask = self.put(bricks.NonZero(), x, role="mask")
        return y


@configured()
class Masking(Layer):
    """Moments whose features all are `mask_value` do not count for the layers behind it, and are 0.

    Parameters
    ----------
    mask_value : default 0.

    >>> import numpy as np
    >>> layer = Masking(mask_value=-1.0)
    >>> x = np.array([[[3.0, -1.0], [-1.0, -1.0]]])
    >>> layer(x)
    array([[[ 3., -1.],
            [ 0.,  0.]]], dtype=float32)
    >>> layer.compute_mask(x)
    array([[1., 0.]], dtype=float32)

    Mozer, "Neural Net Architectures for Temporal Sequence Processing", 1993 (sequences of several lengths).
    """

    mask_value: float = argument(Real(), default=0.0)

    supports_masking = True
    passes_mask = False

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Rescaling → NonZero → Sum → NonZero is the mask; with it, Mask."""
        if len(x.shape) != 3:
            raise ShapeError(
                f"Masking {self.name!r} takes sequences of shape (N, T, F); it received {letters(x.shape)}. "
                f"Put Reshape((T, F)) before it; for whole numbers, Embedding(mask_zero=True)."
            )
        apart = x if self.mask_value == 0.0 else self.put(bricks.Rescaling(1.0, -self.mask_value), x)
        told = self.put(bricks.Sum(-1), self.put(bricks.NonZero(), apart, role="features_that_tell"))
        mask = self.put(bricks.NonZero(), told, role="moments_that_count")
        y = self.put(bricks.Mask(low=0.0), x, beside(self, mask, behind=1))
        y.mask = mask
        return y
