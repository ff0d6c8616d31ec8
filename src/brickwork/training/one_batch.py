"""The methods of a model that work on one batch: a step, its parts, and looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arguments import Real
from ..arrays import Array
from ..engines.base import Gradients, Plan
from ..errors import DivergenceError
from .data_adapter import Adapter


class BatchGradients(dict[str, Array]):
    """dE/dparameter by "owner/name", as `Model.gradients` gives them and `Model.apply` takes them.

    `losses` holds the loss of each output, `statistics` the running statistics after this batch.
    """

    def __init__(self, found: Gradients) -> None:
        super().__init__(found.gradients)
        self.losses: dict[str, float] = found.losses
        self.statistics: dict[str, Array] = found.state


class OneBatch:
    """The part of `Model` that works on one batch."""

    optimizer: Any

    def _build_for(self, x: Any) -> Any:
        raise NotImplementedError

    def _ready(self) -> Plan:
        raise NotImplementedError

    def _ready_to_predict(self) -> Plan:
        raise NotImplementedError

    def _adapter(self, *, targets: bool, class_weight: Any = None) -> Adapter:
        raise NotImplementedError

    def _structured(self, outputs: Any) -> Any:
        raise NotImplementedError

    def _batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any = None) -> dict[str, Array]:
        x = self._build_for(x)
        self._ready()
        adapter = self._adapter(targets=True, class_weight=class_weight)
        source = adapter.weighted(adapter.source(x, y, sample_weight))
        return source.gather(slice(0, len(source)))

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One update with one batch. Gives this batch's loss and metrics, before the update.

        The result is the loss, or [loss, metric, …], or a dict by name.
        """
        batch = self._batch(x, y, sample_weight, class_weight)
        plan = self._ready()
        return told(plan, plan.step(batch, self.optimizer.rate(plan.step_number)), return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of one batch, in inference mode."""
        batch = self._batch(x, y, sample_weight)
        plan = self._ready()
        return told(plan, plan.evaluate_batch(batch, plan.program.start()), return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs of one batch, in inference mode."""
        x = self._build_for(x)
        source = self._adapter(targets=False).source(x)
        return self._structured(self._ready_to_predict().predict_batch(source.gather(slice(0, len(source)))))

    def gradients(
        self, x: Any, y: Any = None, sample_weight: Any = None, *, training: bool = True
    ) -> tuple[float, BatchGradients]:
        """(E, dE/dparameter by "owner/name") of one batch; changes nothing.

        E is what training lowers: the weighted losses and all penalties. `training=False` leaves dropout and
        batch statistics out.
        """
        batch = self._batch(x, y, sample_weight)
        found = self._ready().gradients(batch, training=training)
        return found.total, BatchGradients(found)

    def apply(self, gradients: Mapping[str, Array], learning_rate: float | None = None) -> None:
        """One update of the optimizer with these gradients.

        What `gradients` gave, taken as it is, makes the very step of `train_on_batch`, running statistics
        included; a dict of your own leaves the statistics as they are. `learning_rate` takes the place of
        the optimizer's.
        """
        plan = self._ready()
        if learning_rate is None:
            rate = self.optimizer.rate(plan.step_number)
        else:
            rate = Real(0.0)("apply", "learning_rate", learning_rate)
        for key, gradient in gradients.items():
            if not np.isfinite(gradient).all():
                raise DivergenceError(
                    f"apply takes finite gradients; that of {key!r} is not. The parameters stay as they are. "
                    f"Lower the learning rate, scale the data, or clip gradients (clipnorm=1.0)."
                )
        plan.apply(gradients, rate, getattr(gradients, "statistics", None))


def told(plan: Plan, totals: Any, return_dict: bool) -> Any:
    """Running sums as the loss, as [loss, metric, …], or as a dict."""
    return listed(plan, plan.program.results(totals), return_dict)


def listed(plan: Plan, logs: dict[str, float], return_dict: bool) -> Any:
    """Results as the loss, as [loss, metric, …] in Keras's order, or as a dict."""
    if return_dict:
        return logs
    return logs["loss"] if len(logs) == 1 else [logs[name] for name in metrics_names(plan)]


def metrics_names(plan: Plan) -> list[str]:
    """Losses, then metrics: as compile lists them for one output, by the alphabet for several (as Keras)."""
    program = plan.program
    losses = ["loss", *(label for label, _ in program.losses if len(program.losses) > 1)]
    metrics = [use.label for use in program.metrics]
    return [*losses, *(sorted(metrics) if len(program.predictor.outputs) > 1 else metrics)]
