"""Embedding: learned rows for whole numbers."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Whole, argument, configured
from ..graph.node import Attributes
from ..graph.symbol import Symbol
from .base import Layer
from .checks import CONSTRAINT, INITIALIZER, REGULARIZER


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

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Embedding."""
        told = Attributes(
            self.embeddings_initializer, True, self.embeddings_regularizer, self.embeddings_constraint
        )
        return self.put(bricks.Embedding(self.input_dim, self.output_dim), x, E=told)
