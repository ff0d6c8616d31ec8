"""What every native lowering must show: the reference's numbers, the same ones on any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import HalfSquaredError, Linear, WeightedMean
from brickwork.data.source import ArraySource
from brickwork.engines import Program, get_engine
from brickwork.engines.native_module import load_native, why_missing
from brickwork.graph import Graph, Node
from brickwork.optimizers import SGD
from brickwork.threads import limited_threads

needs_native = pytest.mark.skipif(load_native() is None, reason=why_missing() or "native")

THREADS = (1, 2, 3, 8)


def program_of(nodes, shape, *, units=None, total=None) -> Program:
    """Half the squared error of the node `y`, behind a Linear brick `mixed` whose gradient shows every dx."""
    first = Node("mixed", Linear(units or shape[-1]), ("x",))
    made = Graph({"x": (None, *shape)}, [first, *nodes], ["y"])
    target = made.shapes["y"]
    loss = [Node("loss", HalfSquaredError(), ("y", "t")), Node("mean", WeightedMean(), ("loss", "w"))]
    both = {"x": (None, *shape), "t": target, "w": (None,)}
    return Program(
        Graph(both, [first, *nodes, *loss, *(total or [])], ["total" if total else "mean"]),
        made,
        "total" if total else "mean",
        losses=(("loss", "mean"),),
        targets=("t",),
        weights=("w",),
        optimizer=SGD(0.01, momentum=0.5),
    )


def arrays_for(program, rows, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    shapes = {name: (rows, *spec.shape[1:]) for name, spec in program.graph.inputs.items()}
    arrays = {name: scale * rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    arrays["w"] = rng.uniform(0.5, 1.5, rows).astype(np.float32)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def plan_for(engine, program, seed=3, change=None):
    parameters, statistics = program.graph.initialize(seed, "float32")
    rng = np.random.default_rng(seed)
    for _, value in sorted(parameters.items()):  # zeros and ones would hide a wrong place
        value += 0.2 * rng.standard_normal(value.shape).astype(np.float32)
    if change is not None:
        change(parameters, statistics)
    return get_engine(engine).plan(program, parameters, statistics, seed)


def close(found, wanted, tolerance, what):
    scale = max(1e-2, float(np.max(np.abs(wanted), initial=0.0)))
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * scale, err_msg=what)


def all_close(found, wanted, tolerance):
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        close(found[key], value, tolerance, key)


def numbers(plan):
    return {key: value.copy() for key, value in {**plan.parameters, **plan.statistics}.items()}


def agrees(
    program, rows=6, batch_size=4, *, tolerance=2e-5, hosted=(), change=None, seed=0, scale=1.0, rate=0.01
):
    """Outputs, gradients (training and not), and two epochs with a last batch that is not full."""
    arrays = arrays_for(program, rows, seed, scale)
    plans = {name: plan_for(name, program, change=change) for name in ("reference", "native")}
    native, reference = plans["native"], plans["reference"]
    noticed = native._pass("train", rows).writer.noticed
    assert sorted(text.split(" ")[0] for text in noticed) == sorted(hosted), noticed
    x = {"x": arrays["x"]}
    for got, wanted in zip(native.predict_batch(x), reference.predict_batch(x), strict=True):
        assert got.shape == wanted.shape and got.dtype == np.float32
        close(got, wanted, tolerance, "prediction")
    for training in (True, False):
        got, wanted = (plan.gradients(arrays, training=training) for plan in (native, reference))
        assert got.total == pytest.approx(wanted.total, rel=tolerance)
        all_close(got.gradients, wanted.gradients, tolerance)
        all_close(got.state, wanted.state, tolerance)
    dtypes = {name: spec.dtype for name, spec in program.graph.inputs.items()}
    source = ArraySource(arrays, dtypes, rows)
    order = np.random.default_rng(5).permutation(rows)
    steps = -(-rows // batch_size)
    for plan in plans.values():
        for epoch in range(2):
            plan.epoch(source, order, [rate] * steps, epoch * steps, batch_size=batch_size)
    all_close(numbers(native), numbers(reference), 3 * tolerance)
    assert reference.evaluate(source, batch_size) == pytest.approx(
        native.evaluate(source, batch_size), rel=3 * tolerance
    )


def same_on_all_threads(program, rows=37, batch_size=16, change=None):
    """Three steps and a prediction, bit for bit."""
    arrays = arrays_for(program, rows)
    dtypes = {name: spec.dtype for name, spec in program.graph.inputs.items()}
    found = []
    for threads in THREADS:
        with limited_threads(threads):
            plan = plan_for("native", program, change=change)
            for phase in plan._pass("train", batch_size).schedule.forward:
                assert phase.by_rows or phase.steps
            source = ArraySource(arrays, dtypes, rows)
            plan.epoch(source, np.arange(rows), [1e-4] * 3, 0, batch_size=batch_size)
            found.append({**numbers(plan), "predicted": plan.predict_batch({"x": arrays["x"]})[0]})
    for other in found[1:]:
        for key, value in found[0].items():
            np.testing.assert_array_equal(value.view(np.int32), other[key].view(np.int32), err_msg=key)
