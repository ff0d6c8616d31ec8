"""Evaluating with the running means of the weights, which the optimizer keeps beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arguments import Configured, Flag, argument, configured
from ..arrays import Array
from ..errors import ParameterError
from ..optimizers.base import AVERAGE
from .callback import Callback, Logs


@configured()
class SwapEMAWeights(Configured, Callback):
    """Put the running means in the place of the weights for every validation, and take them out again.

    The optimizer must keep such means: `use_ema=True`. A training ends with the means as weights anyway.

    Parameters
    ----------
    swap_on_epoch : whether the means stay in place until the next epoch begins, so that callbacks that come
        after this one, such as ModelCheckpoint, meet them; default False.

    >>> from brickwork.optimizers import SGD
    >>> SwapEMAWeights(), SGD(use_ema=True)
    (SwapEMAWeights(), SGD(use_ema=True))

    Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.
    """

    swap_on_epoch: bool = argument(Flag(), default=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._weights: dict[str, Array] = {}
        """The weights themselves, while the means stand in their place."""
        self._until_next_epoch = False

    def close(self) -> None:
        """Forget the weights: where the means stand in their place now, they stay."""
        self._weights = {}

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """The weights again."""
        self._back()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """The means, for the callbacks that follow."""
        if self.swap_on_epoch:
            self._swap()
            self._until_next_epoch = True

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """The means, for the validation."""
        self._swap()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """The weights again."""
        self._back()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """The means, for the prediction."""
        self._swap()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """The weights again."""
        self._back()

    def commit(self, moment: Any, *, must: bool) -> None:
        """Where Ctrl-C came in the midst of a validation, the weights before the moment is written."""
        if not self._until_next_epoch:
            self._back()

    def _swap(self) -> None:
        plan = self.model._ready()
        if not getattr(self.model.optimizer, "use_ema", False):
            raise ParameterError(
                f"SwapEMAWeights needs an optimizer that keeps means of the weights; it received "
                f"{self.model.optimizer!r}. Compile with use_ema=True."
            )
        if self._weights:
            return
        plan.settle()
        for key, mean in plan.slots[AVERAGE].items():
            held = plan.parameters[key]
            self._weights[key] = held.copy()
            np.copyto(held, np.asarray(mean))

    def _back(self) -> None:
        parameters = self.model._ready().parameters
        for key, weights in self._weights.items():
            np.copyto(parameters[key], weights)
        self._weights, self._until_next_epoch = {}, False

    def get_arrays(self) -> dict[str, Array]:
        """The weights, while the means stand in their place."""
        return dict(self._weights)

    def set_arrays(self, arrays: Mapping[str, Any]) -> None:
        """The weights again."""
        self._weights = {key: np.array(array) for key, array in arrays.items()}
        self._until_next_epoch = bool(arrays)
