"""A network made ready to learn: a model, its training program and an engine's plan for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array
from ..data.source import ArraySource
from ..engines.base import Plan
from ..training.model import Model
from ..training.program import build_program, predicting_program

PREDICTED_ROWS = 4096
"""Rows that are predicted at a time."""


class Learner:
    """A model with a plan that trains it.

    `loss_of` gives the loss for a number of output units. `seed` places dropout masks and the order of rows;
    both also depend on how many steps were done.
    """

    def __init__(
        self, model: Model, optimizer: Any, loss_of: Callable[[int], Any], engine: Any, seed: int
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.units: int = model.outputs[0].shape[1] or 0
        self.loss = loss_of(self.units)
        self.engine = engine
        self.seed = seed
        program = build_program(model, optimizer, self.loss).program
        (self._input,) = program.predictor.inputs
        (self._target,) = program.targets
        (self._weight,) = program.weights
        self._dtypes = {name: spec.dtype for name, spec in program.graph.inputs.items()}
        self.plan: Plan = engine.plan(program, model.parameters, model.statistics, seed)

    @property
    def float_type(self) -> Any:
        """The type in which data are handed to the network."""
        return np.dtype(self._dtypes[self._input])

    def source(self, x: Any, target: Array, factors: Array | None) -> ArraySource:
        """All rows of the data, for training."""
        arrays = {self._input: x, self._target: target, self._weight: factors}
        return ArraySource(arrays, self._dtypes, len(x))

    def order(self, places: Array, shuffle: bool) -> Array:
        """The rows of the next epoch, in the order in which they are gone through."""
        if not shuffle:
            return places
        key = np.array([self.seed, self.plan.step_number], np.uint64)
        return np.random.Generator(np.random.Philox(key=key)).permutation(places)

    def epoch(self, source: ArraySource, order: Array, batch_size: int) -> float:
        """One pass over these rows. Gives the mean loss."""
        plan = self.plan
        rates = self.optimizer.rates(plan.step_number, math.ceil(len(order) / batch_size))
        return plan.epoch(source, order, rates, plan.step_number, batch_size=batch_size)["loss"]

    def predict(self, x: Any) -> Array:
        """The outputs for every row, in the precision of training."""
        return self.plan.predict(ArraySource({self._input: x}, self._dtypes, len(x)), PREDICTED_ROWS)[0]


class Part:
    """A network from its input to one of its values, for prediction alone; by default the whole network.

    The weights are those of the moment. The reference engine predicts in float64, whatever the network was
    trained in: then the numbers of a row do not depend on the rows beside it, while products in float32 are
    rounded in another order for another number of rows.
    """

    def __init__(self, learner: Learner, symbol: Any = None) -> None:
        model = learner.model
        self._model = model if symbol is None else Model(model.inputs[0], symbol, name="part")
        self._engine = learner.engine
        self._program = predicting_program(self._model)
        self._precise = learner.engine.name == "reference"
        self._plan = None if self._precise else self._made(np.asarray)

    def _made(self, convert: Callable[[Array], Array]) -> Plan:
        parameters = {key: convert(value) for key, value in self._model.parameters.items()}
        statistics = {key: convert(value) for key, value in self._model.statistics.items()}
        plan: Plan = self._engine.plan(self._program, parameters, statistics, 0)
        return plan

    def predict(self, x: Any) -> Array:
        """The value for every row, flattened to (N, …)."""
        ((name, spec),) = self._program.graph.inputs.items()
        plan = self._plan or self._made(lambda array: array.astype(np.float64))
        source = ArraySource({name: x}, {name: "float64" if self._precise else spec.dtype}, len(x))
        outputs = plan.predict(source, PREDICTED_ROWS)[0]
        return outputs.reshape(len(outputs), -1)

    @property
    def width(self) -> int:
        """Numbers per row, flattened; 0 where the network does not know."""
        return math.prod(size or 0 for size in self._model.outputs[0].shape[1:])
