"""Predictions at the least cost per call: weights as they are now, one batch size, nothing asked twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arrays import Array
from ..engines.base import Plan
from ..errors import ShapeError
from ..graph.graph import Graph
from .lookups import check_lookups, lookups


class Predictor:
    """A function from x to the outputs of a network, for the rows of one batch at a time.

    It holds copies of the weights: training the model further does not change it. `Model.predictor` makes it.

    Parameters
    ----------
    plan : a plan on arrays that nobody else changes.
    graph : the network's, which says what the inputs take.
    batch_size : the most rows of a call; at least 1.
    structured : puts the outputs into the form that `predict` gives.
    """

    def __init__(
        self,
        plan: Plan,
        graph: Graph,
        batch_size: int,
        structured: Callable[[Sequence[Array]], Any],
    ) -> None:
        plan.freeze()
        self._plan = plan
        self._inputs = [
            (name, tuple(spec.shape[1:]), np.dtype(spec.dtype)) for name, spec in graph.inputs.items()
        ]
        self._lookups = lookups(graph)
        self._called = {name: f"x for {name!r}" for name in graph.inputs}
        self._structured = structured
        self.batch_size = batch_size

    def __call__(self, *xs: Any) -> Any:
        """The outputs for up to `batch_size` rows: one array for each input of the network.

        Raises ShapeError where their number, their shapes or the number of rows do not fit, DataError where
        a number has no row in the table of its Embedding.
        """
        if len(xs) != len(self._inputs):
            raise ShapeError(
                f"The predictor takes {len(self._inputs)} arrays, one for each input; it received {len(xs)}. "
                f"Write predictor(x) for a network with one input."
            )
        batch = {}
        rows = -1
        for (name, shape, dtype), x in zip(self._inputs, xs, strict=True):
            array = np.ascontiguousarray(x, dtype)
            fits = array.shape[1:] == shape or _fits(array.shape[1:], shape)
            if not fits or not 0 < len(array) <= self.batch_size or rows not in (-1, len(array)):
                told = ", ".join("?" if size is None else str(size) for size in shape)
                raise ShapeError(
                    f"The predictor takes {name!r} of shape (N, {told}) with N from 1 to {self.batch_size}, "
                    f"the same for all inputs; it received {np.shape(x)}. Give rows of that shape, or make "
                    f"it with a larger batch_size."
                )
            rows = len(array)
            batch[name] = array
        if self._lookups:
            check_lookups(self._lookups, batch, self._called)
        return self._structured(self._plan.predict_batch(batch))


def _fits(sizes: tuple[int, ...], shape: tuple[int | None, ...]) -> bool:
    """Whether these are sizes of that shape, whose None stands for any."""
    return len(sizes) == len(shape) and all(
        wanted is None or wanted == size for wanted, size in zip(shape, sizes, strict=True)
    )
