"""The numeric gradient check: is `backward` the derivative of `forward`?

Along random directions d, the slope grad·d that back-propagation claims is compared with the central
difference (E(p + hd) − E(p − hd)) / 2h in float64. E is the sum of the outputs under random weights, so that
a mistake in any output shows. One direction is drawn for each parameter and each input, several times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arrays import Array, Shape
from ..bricks.base import Brick, Context, Saved
from ..errors import BrickworkError, GraphError, ParameterTypeError, did_you_mean, known_names
from .backpropagation import backprop
from .graph import Graph, Pass, references
from .node import InputSpec, Node

BATCH = 3
"""Rows drawn where nothing says how many."""


class GradientError(BrickworkError, AssertionError):
    """A backward formula is not the derivative of its forward formula."""


@dataclass(frozen=True)
class Slope:
    """One comparison: the slope by back-propagation and by central differences."""

    name: str
    analytic: float
    numeric: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether the two agree."""
        return abs(self.analytic - self.numeric) <= self.tolerance


@dataclass(frozen=True)
class Report:
    """All comparisons of one check."""

    slopes: tuple[Slope, ...]

    @property
    def worst(self) -> float:
        """The largest relative difference."""
        return max(
            (abs(s.analytic - s.numeric) / max(abs(s.analytic), abs(s.numeric), 1e-30) for s in self.slopes),
            default=0.0,
        )


def check_gradients(
    graph: Graph | Brick,
    inputs: Mapping[str, Any] | Sequence[Any] | None = None,
    *,
    params: Mapping[str, Array] | None = None,
    training: bool = True,
    seed: int = 0,
    directions: int = 3,
    step: float = 1e-5,
    rtol: float = 1e-6,
    kink: float = 1e-3,
) -> Report:
    """Check every gradient of a graph, or of one brick, numerically.

    Parameters
    ----------
    graph : a Graph; or a Brick, then `inputs` is a tuple of arrays or shapes.
    inputs : name -> array, or shape to be drawn from the normal distribution. Missing inputs are drawn;
        those of an integer dtype from 0 and 1. Axes that stay open get the size of the batch.
    params : parameters by key; missing ones are drawn by their initializers, plus noise so that none is zero.
    training : whether dropout and batch statistics are on.
    kink : inputs that were drawn are drawn again while a brick is nearer than this to a point without
        derivative (the corner of ReLU, a tie of a maximum).

    Returns
    -------
    The comparisons. |analytic − numeric| ≤ rtol · max(|analytic|, |numeric|) + 1e-9 · Σ|E| holds for each.

    Raises
    ------
    GradientError naming the parameter or input whose gradient is wrong.

    >>> from brickwork.bricks import Tanh
    >>> check_gradients(Tanh(), ((4, 3),)).worst < 1e-6
    True

    Bottou, "Stochastic Gradient Tricks", 2012, section 4.2 (the method is older).
    """
    if isinstance(graph, Brick):
        graph, given = _single(graph, inputs)
    else:
        given = _by_name(graph, inputs)
    graph = _with_surrogates(graph)
    rng = np.random.default_rng(seed)
    point = _draw_point(graph, given, params, rng, training, seed, kink)
    weights = {
        name: np.asarray(rng.standard_normal(value.shape))
        for name, value in point.outputs(point.params, point.inputs).items()
    }
    slopes = []
    for name, gradient in point.gradients(weights).items():
        _require_shape(name, gradient, point.numbers[name])
        for _ in range(directions):
            slopes.append(_slope(point, name, gradient, weights, rng, step, rtol))
    wrong = [slope for slope in slopes if not slope.ok]
    if wrong:
        lines = "; ".join(
            f"{slope.name}: backward says {slope.analytic:.9g}, the slope is {slope.numeric:.9g}"
            for slope in wrong[:4]
        )
        raise GradientError(
            f"The gradients must be the slopes of the outputs; {len(wrong)} of {len(slopes)} differ: "
            f"{lines}. Look at the backward formula of the brick that owns the first one."
        )
    return Report(tuple(slopes))


def _require_shape(name: str, gradient: Array, number: Array) -> None:
    if gradient.shape != number.shape:
        raise GradientError(
            f"The gradient of {name} must have its shape, {number.shape}; it has {gradient.shape}. "
            f"Look at the backward formula of the brick that owns it: is a transpose or a sum missing?"
        )


@dataclass(frozen=True)
class _Point:
    """Where the check is made: a graph with its numbers."""

    graph: Graph
    params: dict[str, Array]
    state: dict[str, Array]
    inputs: dict[str, Array]
    training: bool
    key: int

    @property
    def numbers(self) -> dict[str, Array]:
        """Parameters and inputs by name."""
        return {**self.params, **self.inputs}

    def forward(self, params: Mapping[str, Array], inputs: Mapping[str, Array]) -> Pass:
        return self.graph.forward(params, self.state, inputs, training=self.training, key=self.key)

    def outputs(self, params: Mapping[str, Array], inputs: Mapping[str, Array]) -> dict[str, Array]:
        values = self.forward(params, inputs).values
        return {name: np.asarray(values[name]) for name in self.graph.outputs}

    def energy(
        self, params: Mapping[str, Array], inputs: Mapping[str, Array], weights: Mapping[str, Array]
    ) -> tuple[float, float]:
        """(E, Σ|terms of E|)."""
        terms = [weights[name] * value for name, value in self.outputs(params, inputs).items()]
        return float(sum(np.sum(term) for term in terms)), float(sum(np.sum(np.abs(term)) for term in terms))

    def gradients(self, weights: Mapping[str, Array]) -> dict[str, Array]:
        saved = self.forward(self.params, self.inputs).saved
        floats = [name for name, value in self.inputs.items() if value.dtype.kind == "f"]
        dparams, dinputs = backprop(
            self.graph, self.params, saved, weights, wanted=list(self.graph.parameters), keep=floats
        )
        zeros = {name: np.zeros_like(self.inputs[name]) for name in floats if name not in dinputs}
        return {**dparams, **dinputs, **zeros}


def _slope(
    point: _Point,
    name: str,
    gradient: Array,
    weights: Mapping[str, Array],
    rng: np.random.Generator,
    step: float,
    rtol: float,
) -> Slope:
    inside = name in point.params
    here = (point.params if inside else point.inputs)[name]
    direction = rng.standard_normal(here.shape)
    direction = direction / max(float(np.sqrt(np.sum(direction**2))), 1e-30)
    analytic = float(np.sum(gradient * direction))
    ends = []
    scale = 0.0
    for sign in (1.0, -1.0):
        moved = {name: here + sign * step * direction}
        energy, size = point.energy(
            {**point.params, **moved} if inside else point.params,
            point.inputs if inside else {**point.inputs, **moved},
            weights,
        )
        ends.append(energy)
        scale = max(scale, size)
    numeric = (ends[0] - ends[1]) / (2 * step)
    tolerance = rtol * max(abs(analytic), abs(numeric)) + 1e-9 * scale
    return Slope(name, analytic, numeric, tolerance)


def _draw_point(
    graph: Graph,
    given: Mapping[str, Any],
    params: Mapping[str, Array] | None,
    rng: np.random.Generator,
    training: bool,
    key: int,
    kink: float,
) -> _Point:
    first, state = graph.initialize(key, "float64")
    first = {name: value + 0.1 * rng.standard_normal(value.shape) for name, value in first.items()}
    for name, value in (params or {}).items():
        if name not in first:
            raise GraphError(
                f"The graph has the parameters {known_names(first) or 'none'}; `params` names {name!r}."
                f"{did_you_mean(name, first)}"
            )
        first[name] = np.asarray(value, np.float64)
    state = {name: _off(value, rng) for name, value in state.items()}
    rows = _rows(graph, given)
    best: tuple[float, _Point] | None = None
    for _ in range(50):
        inputs = {name: _draw(spec, given.get(name), rng, rows) for name, spec in graph.inputs.items()}
        point = _Point(graph, first, state, inputs, training, key)
        distance = _distance_to_kink(point)
        if best is None or distance > best[0]:
            best = (distance, point)
        if distance >= kink:
            break
    if best is None or best[0] < min(kink, 5e-5):
        raise GradientError(
            f"A gradient check needs inputs away from points without derivative; the best of 50 draws came "
            f"within {best[0] if best else 0:.2g} of one. Use fewer units or smaller images."
        )
    return best[1]


def _off(value: Array, rng: np.random.Generator) -> Array:
    """Statistics away from 0 and 1, where a mistake in using them would not show; variances stay positive."""
    factor = np.exp(0.3 * rng.standard_normal(value.shape))
    return value * factor + 0.3 * (value == 0.0) * rng.random(value.shape)


def _rows(graph: Graph, given: Mapping[str, Any]) -> int:
    """The batch size of what was given, so that what is drawn fits to it."""
    for name, value in given.items():
        shape = value if _is_shape(value) else np.shape(value)
        if graph.inputs[name].shape[:1] == (None,) and shape[0] is not None:
            return int(shape[0])
    return BATCH


def _draw(spec: InputSpec, given: Any, rng: np.random.Generator, rows: int) -> Array:
    if given is not None and not _is_shape(given):
        array = np.asarray(given)
        return array.astype(np.float64) if array.dtype.kind == "f" else array
    shape = [rows if size is None else size for size in (spec.shape if given is None else given)]
    if np.dtype(spec.dtype).kind != "f":
        return rng.integers(0, 2, shape).astype(spec.dtype)
    return np.asarray(rng.standard_normal(shape))


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and all(size is None or isinstance(size, int) for size in value)


def _distance_to_kink(point: _Point) -> float:
    values = point.forward(point.params, point.inputs).values
    return min(
        (node.brick.distance_to_kink(*(values[name] for name in node.inputs)) for node in point.graph.nodes),
        default=float("inf"),
    )


def _by_name(graph: Graph, inputs: Any) -> dict[str, Any]:
    """What was given for the inputs of a graph."""
    if inputs is None:
        return {}
    if not isinstance(inputs, Mapping):
        raise ParameterTypeError(
            f"check_gradients takes a dict for the inputs of a graph, name -> array or shape; it received "
            f"{type(inputs).__name__}. Name them: {known_names(graph.inputs)}."
        )
    for name in inputs:
        if name not in graph.inputs:
            raise GraphError(
                f"The graph has the inputs {known_names(graph.inputs) or 'none'}; `inputs` names {name!r}."
                f"{did_you_mean(name, graph.inputs)}"
            )
    return dict(inputs)


def _single(brick: Brick, inputs: Any) -> tuple[Graph, dict[str, Any]]:
    """A graph of one brick; its inputs are named x1, x2, …"""
    if not isinstance(inputs, (tuple, list)) or any(value is None or np.isscalar(value) for value in inputs):
        raise ParameterTypeError(
            f"check_gradients takes a tuple for the inputs of a brick, an array or a shape for each, as in "
            f"((4, 3),); it received {inputs!r} for {type(brick).__name__}. Mind the comma."
        )
    given = {f"x{index + 1}": value for index, value in enumerate(inputs)}
    specs = {}
    for name, value in given.items():
        if _is_shape(value):
            specs[name] = InputSpec(value, "float64")
        else:
            specs[name] = InputSpec(np.shape(value), str(np.asarray(value).dtype))
    node = Node("brick", brick, tuple(given))
    return Graph(specs, [node], references(node)), given


@dataclass(frozen=True)
class _Surrogate(Brick):
    """A brick whose forward is the surrogate that its backward is the derivative of."""

    inner: Brick

    def __post_init__(self) -> None:
        for name in ("outputs", "random"):
            object.__setattr__(self, name, getattr(self.inner, name))

    def output_shape(self, *shapes: Shape) -> Any:
        return self.inner.output_shape(*shapes)

    def parameters(self, *shapes: Shape) -> Any:
        return self.inner.parameters(*shapes)

    def state(self, *shapes: Shape) -> Any:
        return self.inner.state(*shapes)

    def forward(self, params: Mapping[str, Array], *xs: Array, ctx: Context) -> tuple[Any, Saved]:
        return self.inner.surrogate_forward(params, *xs), self.inner.forward(params, *xs, ctx=ctx)[1]

    def backward(self, params: Mapping[str, Array], saved: Saved, dy: Any) -> Any:
        return self.inner.backward(params, saved, dy)


def _with_surrogates(graph: Graph) -> Graph:
    if all(node.brick.surrogate is None for node in graph.nodes):
        return graph
    nodes = [
        replace(node, brick=_Surrogate(node.brick)) if node.brick.surrogate is not None else node
        for node in graph.nodes
    ]
    return Graph(graph.inputs, nodes, graph.outputs)
