"""Random networks with losses, metrics and an optimizer: the native engine computes what the reference does.

Tolerance: numbers agree to 2e-4 of the largest one beside them. Both compute in float32, in other orders; a
chain of nine bricks with batch normalizations of few rows multiplies the difference of one rounding, 6e-8, by
some hundreds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from brickwork import metrics, regularizers
from brickwork.bricks import Add, HalfSquaredError, MeanSquaredError, Multiply, Rescaling, Sum, WeightedMean
from brickwork.data.source import ArraySource
from brickwork.engines import MetricUse, Program, get_engine
from brickwork.engines.native_module import load_native
from brickwork.errors import DivergenceError
from brickwork.graph import Attributes, Graph, InputSpec, Node
from brickwork.optimizers import SGD, Adam
from brickwork.threads import set_threads
from property.dags import dags

pytestmark = pytest.mark.skipif(load_native() is None, reason="the native module is not built")
slow = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
TOLERANCE = 2e-4

OPTIMIZERS = (
    SGD(0.05),
    SGD(0.05, momentum=0.9),
    SGD(0.05, momentum=0.8, nesterov=True, weight_decay=0.01),
    SGD(0.05, clipvalue=0.3),
    SGD(0.05, clipnorm=0.5),
    Adam(0.01, epsilon=1e-3),
    Adam(0.01, epsilon=1e-3, amsgrad=True),
)
REGULARIZERS = (None, None, regularizers.L1(0.01), regularizers.L2(0.02), regularizers.L1L2(0.01, 0.02))


class HalfAbsolute(metrics.MeanAbsoluteError):
    """A metric that the native engine does not know."""

    def values(self, target, output):
        return 0.5 * super().values(target, output)


METRICS = (metrics.MeanSquaredError, metrics.MeanAbsoluteError, HalfAbsolute)


@st.composite
def programs(draw) -> Program:
    """A random graph, for each output a target, a loss, perhaps row weights, and metrics."""
    network = draw(dags(most=7, odd=True))
    nodes = [_decorated(draw, node) for node in network.nodes]
    inputs = dict(network.inputs)
    predictor = Graph(inputs, nodes, network.outputs)
    losses, totals, uses = [], [], []
    for index, output in enumerate(predictor.outputs):
        target, weight = f"target{index}", f"weight{index}"
        inputs[target], inputs[weight] = InputSpec(predictor.shapes[output]), InputSpec((None,))
        brick = draw(st.sampled_from([HalfSquaredError(), MeanSquaredError()]))
        losses.append(Node(f"loss{index}", brick, (output, target)))
        if draw(st.booleans(), "sum"):
            losses.append(Node(f"weighted{index}", Multiply(), (f"loss{index}", weight)))
            losses.append(Node(f"mean{index}", Sum(axis=0), (f"weighted{index}",)))
        else:
            losses.append(Node(f"mean{index}", WeightedMean(), (f"loss{index}", weight)))
        losses.append(Node(f"share{index}", Rescaling(draw(st.sampled_from([1.0, 0.3]))), (f"mean{index}",)))
        totals.append(f"share{index}")
        metric = draw(st.sampled_from(METRICS))()
        weighted = draw(st.sampled_from([None, weight]))
        uses.append(MetricUse(f"metric{index}", metric, target, output, weighted))
    total = Node("total", Add() if len(totals) > 1 else Rescaling(1.0), tuple(totals))
    return Program(
        Graph(inputs, [*nodes, *losses, total], ["total"]),
        predictor,
        "total",
        losses=tuple((f"loss{index}", f"mean{index}") for index in range(len(totals))),
        metrics=tuple(uses),
        targets=tuple(f"target{index}" for index in range(len(totals))),
        weights=tuple(f"weight{index}" for index in range(len(totals))),
        optimizer=draw(st.sampled_from(OPTIMIZERS)),
    )


def _decorated(draw, node):
    """The node with penalties, frozen parameters, or frozen as a whole."""
    if node.owner:
        return node
    attributes = {}
    for name in node.brick.parameters((None, 4, 4, 2)) if draw(st.booleans(), "attributes") else ():
        attributes[name] = Attributes(
            regularizer=draw(st.sampled_from(REGULARIZERS)), trainable=draw(st.integers(0, 4)) > 0
        )
    return replace(node, attributes=attributes, frozen=draw(st.integers(0, 9)) == 0)


def rows_of(program: Program, rows: int, seed: int) -> ArraySource:
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, spec in program.graph.inputs.items():
        numbers = rng.standard_normal((rows, *spec.shape[1:]))
        arrays[name] = (rng.random(rows) + 0.5 if name.startswith("weight") else numbers).astype(np.float32)
    return ArraySource(arrays, {name: "float32" for name in arrays}, rows)


def plans_of(program: Program, seed: int):
    made = []
    for name in ("reference", "native"):
        parameters, statistics = program.graph.initialize(seed, "float32")
        rng = np.random.default_rng(seed)
        for value in parameters.values():
            value += (0.1 * rng.standard_normal(value.shape)).astype(np.float32)
        made.append(get_engine(name).plan(program, parameters, statistics, seed))
    assert type(made[1]).__name__ == "NativePlan"
    return made


def assert_close(expected, found, what=""):
    assert set(expected) == set(found)
    for key, value in expected.items():
        scale = max(1e-2, float(np.max(np.abs(value), initial=0.0)))
        np.testing.assert_allclose(found[key], value, rtol=0, atol=TOLERANCE * scale, err_msg=f"{what} {key}")


@pytest.fixture(params=[1, 3])
def threads(request):
    set_threads(request.param)
    yield request.param
    set_threads(None)


counts = st.sampled_from([1, 2, 3, 7, 16, 17, 33])


@slow
@given(program=programs(), rows=counts, seed=st.integers(0, 2**32 - 1), training=st.booleans())
def test_gradients(program, rows, seed, training):
    reference, native = plans_of(program, seed)
    batch = rows_of(program, rows, seed).gather(slice(0, rows))
    expected, found = (plan.gradients(batch, training=training) for plan in (reference, native))
    assume(np.isfinite(expected.total))
    event(f"{len(program.losses)} outputs")
    assert found.total == pytest.approx(expected.total, rel=TOLERANCE)
    assert found.losses == pytest.approx(expected.losses, rel=TOLERANCE, abs=1e-6)
    assert_close(expected.state, found.state, "statistic")
    assert_close(expected.gradients, found.gradients, "gradient")
    for label, sums in expected.totals.items():
        np.testing.assert_allclose(found.totals[label], sums, rtol=TOLERANCE, atol=1e-4, err_msg=label)


@slow
@given(program=programs(), rows=counts, batch_size=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_epochs(program, rows, batch_size, seed):
    """Parameters, slots, statistics and running sums after two epochs, the second one from its middle on."""
    reference, native = plans_of(program, seed)
    source = rows_of(program, rows, seed)
    order = np.random.default_rng(seed).permutation(rows)
    rates = np.linspace(0.02, 0.01, -(-rows // batch_size))
    states = []
    for plan in (reference, native):
        try:
            logs = plan.epoch(source, order, rates, 0, batch_size=batch_size)
            half = len(rates) // 2
            again = plan.epoch(
                source, order, rates, len(rates), batch_size=batch_size, start=half, totals=dict(plan.totals)
            )
        except DivergenceError:
            assume(False)
        states.append((plan.state(), logs, again, plan.evaluate(source, batch_size)))
    assert_close(states[0][0], states[1][0])
    for one, other in zip(states[0][1:], states[1][1:], strict=True):
        assert other == pytest.approx(one, rel=TOLERANCE, abs=1e-4)


@slow
@given(program=programs(), rows=counts, batch_size=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_predictions(program, rows, batch_size, seed):
    reference, native = plans_of(program, seed)
    source = rows_of(program, rows, seed)
    expected, found = (plan.predict(source, batch_size) for plan in (reference, native))
    names = program.predictor.outputs
    assert_close(dict(zip(names, expected, strict=True)), dict(zip(names, found, strict=True)))
    single = native.predict_batch(source.gather(slice(0, 1)))
    assert_close(
        {name: value[:1] for name, value in zip(names, expected, strict=True)},
        dict(zip(names, single, strict=True)),
    )
