"""Layers that hinder a network from learning its training data by heart."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Check, Maybe, Real, Whole, argument, configured
from ..graph.symbol import Symbol
from .base import Layer


class WholeMask(Check):
    """Keras's `noise_shape`: here every number has a bit of its own."""

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """Never a value: ParameterError."""
        raise self.refuse(
            owner, name, value, hint=" A mask shared along an axis is not here; each number has its own bit."
        )

    def describe(self) -> str:
        """None, nothing else."""
        return "None"

    def bad(self) -> list[Any]:
        """Any shape."""
        return [(None, 1, 3), 3]


@configured()
class Dropout(Layer):
    """While training, each number is 0 with probability `rate`, and the others grow by 1 / (1 − rate).

    Parameters
    ----------
    rate : in [0, 1).
    noise_shape : None; a mask shared along an axis is not here.
    seed : None (default): the masks follow the seed of the training run. A whole number: they follow it
        instead, whatever the run's seed. Either way they differ from step to step, and are the same on every
        engine.

    >>> import numpy as np
    >>> Dropout(0.5)(np.ones((1, 4)))
    array([[1., 1., 1., 1.]], dtype=float32)

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: A Simple Way to Prevent Neural
    Networks from Overfitting", 2014.
    """

    rate: float = argument(Real(0.0, 1.0, high_open=True))
    noise_shape: Any = argument(WholeMask(), default=None)
    seed: Any = argument(Maybe(Whole(0, 2**64 - 1)), default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Dropout."""
        return self.put(bricks.Dropout(self.rate, seed=self.seed), x)
