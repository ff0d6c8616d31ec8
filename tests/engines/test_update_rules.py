"""Every optimizer on every engine: the reference's numbers, the same bits on any number of threads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brickwork.bricks import Bias, Linear, ReLU
from brickwork.data.source import ArraySource
from brickwork.engines import get_engine
from brickwork.graph import Attributes, Node
from brickwork.optimizers import SGD, Adam, Ftrl, Lamb
from brickwork.regularizers import L1L2
from engines.native_checks import (
    all_close,
    arrays_for,
    needs_native,
    numbers,
    plan_for,
    program_of,
    same_on_all_threads,
)
from engines.programs import arrays_of, convnet, data
from optimizers.variants import NATIVE

EACH = pytest.mark.parametrize("make", NATIVE.values(), ids=NATIVE)


def dense(optimizer, *, units=21, regularizer=None):
    """Two kernels, the first one large enough for a gradient that goes straight into the update."""
    attributes = {"W": Attributes(regularizer=regularizer)}
    nodes = [
        Node("b", Bias(), ("mixed",)),
        Node("relu", ReLU(), ("b",)),
        Node("y", Linear(5), ("relu",), attributes=attributes),
    ]
    return replace(program_of(nodes, (800,), units=units), optimizer=optimizer)


def rows_of(program, rows):
    dtypes = {name: spec.dtype for name, spec in program.graph.inputs.items()}
    return ArraySource(arrays_for(program, rows, scale=0.2), dtypes, rows)


def trained(engine, program, steps=7, rows=16):
    plan = plan_for(engine, program)
    for step in range(steps):
        arrays = arrays_for(program, rows, seed=step, scale=0.3)
        plan.step(arrays, 0.05 / (1 + step % 3))
    return plan


def with_slots(plan):
    return {
        **numbers(plan),
        **{f"{slot} {key}": np.array(one) for slot, kept in plan.slots.items() for key, one in kept.items()},
    }


@needs_native
@EACH
@pytest.mark.parametrize("regularizer", [None, L1L2(1e-3, 1e-2)], ids=["plain", "penalised"])
def test_the_native_engine_agrees(make, regularizer):
    program = dense(make(), regularizer=regularizer)
    native = trained("native", program)
    assert native._rule is not None
    all_close(with_slots(native), with_slots(trained("reference", program)), 5e-4)


@EACH
def test_jax_agrees(make):
    pytest.importorskip("jax")
    program = dense(make())
    jax, reference = (plan_for(engine, program) for engine in ("jax", "reference"))
    source = rows_of(program, 30)
    for plan in (jax, reference):
        plan.epoch(source, np.arange(30), [0.05, 0.04, 0.03, 0.02], 0, batch_size=8)
        plan.step(source.gather(slice(0, 8)), 0.01)
    all_close(with_slots(jax), with_slots(reference), 5e-4)


@needs_native
@EACH
def test_the_same_on_all_threads(make):
    same_on_all_threads(dense(make(), units=64))


@needs_native
@pytest.mark.parametrize("name", ["clip by norm", "clip by global norm", "adamw", "average"])
def test_packed_kernels_of_convolutions_agree(name):
    """Their padding takes no part in norms."""
    program = convnet(NATIVE[name]())
    source = data(program, 24)
    plans = [get_engine(one).plan(program, *arrays_of(program), 3) for one in ("native", "reference")]
    for plan in plans:
        plan.epoch(source, np.arange(24), [0.05] * 3, 0, batch_size=8)
    all_close(with_slots(plans[0]), with_slots(plans[1]), 5e-4)


@needs_native
@EACH
def test_gradients_and_apply_make_the_step_of_the_native_engine(make):
    program = dense(make())
    arrays = arrays_for(program, 8)
    step, apart = plan_for("native", program), plan_for("native", program)
    for _ in range(3):
        step.step(arrays, 0.05)
        found = apart.gradients(arrays)
        apart.apply(found.gradients, 0.05, found.state)
    for key, value in with_slots(step).items():
        np.testing.assert_array_equal(value, with_slots(apart)[key], err_msg=key)


@pytest.mark.parametrize("engine", ["reference", pytest.param("native", marks=needs_native), "jax"])
@EACH
def test_training_goes_on_bit_for_bit_with_every_optimizer(engine, make):
    if engine == "jax":
        pytest.importorskip("jax")
    program = dense(make())
    source, order = rows_of(program, 30), np.arange(30)
    rates = [0.01, 0.02, 0.03, 0.04]
    through = plan_for(engine, program)
    through.epoch(source, order, rates, 0, batch_size=8)
    kept = through.state()
    again = plan_for(engine, program, seed=9)
    again.seed = through.seed
    again.load(kept)
    for plan in (through, again):
        plan.epoch(source, order[::-1], rates, 4, batch_size=8)
        plan.finish()
    for key, value in through.state().items():
        np.testing.assert_array_equal(value, again.state()[key], err_msg=key)


@needs_native
def test_steps_that_begin_within_an_epoch_have_its_numbers():
    """A row of numbers for each step: the place in the epoch counts, not the place in the call."""
    program = dense(NATIVE["growing momentum"]())
    source, order, rates = rows_of(program, 40), np.arange(40), np.linspace(0.01, 0.05, 5)
    whole, parts = plan_for("native", program), plan_for("native", program)
    whole.epoch(source, order, rates, 0, batch_size=8)
    for index in range(5):
        parts.step(source.gather(order[8 * index : 8 * index + 8]), rates[index])
    for key, value in numbers(whole).items():
        np.testing.assert_array_equal(value, numbers(parts)[key])


@needs_native
@pytest.mark.parametrize(
    "optimizer",
    [
        Ftrl(0.05, learning_rate_power=-0.7),
        Lamb(0.05),
        SGD(0.1, momentum=0.9, clipnorm=0.05, gradient_accumulation_steps=2),
    ],
    ids=repr,
)
def test_what_has_no_rule_runs_by_its_own_text(optimizer):
    program = dense(optimizer)
    native = trained("native", program)
    assert native._rule is None
    all_close(with_slots(native), with_slots(trained("reference", program)), 5e-4)


@needs_native
def test_the_native_clip_by_norm_bounds_the_step():
    program = dense(Adam(0.1))
    found = plan_for("native", program).gradients(arrays_for(program, 8)).gradients
    squares = sum(float((g.astype(np.float64) ** 2).sum()) for g in found.values())
    bound = 0.25 * np.sqrt(squares)
    plan = plan_for("native", replace(program, optimizer=SGD(1.0, global_clipnorm=bound)))
    before = {key: value.copy() for key, value in plan.parameters.items()}
    plan.step(arrays_for(program, 8), 1.0)
    for key, value in before.items():
        np.testing.assert_allclose(value - plan.parameters[key], 0.25 * found[key], rtol=1e-3, atol=2e-6)
