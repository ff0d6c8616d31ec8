"""Random networks: gradients are slopes, engines' arrays agree, back-propagation is linear."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from brickwork.graph import (
    GradientError,
    Graph,
    backprop,
    check_gradients,
    graph_from_config,
    graph_to_config,
)
from graph.made_bricks import Split
from property.dags import dags

pytest.importorskip("jax")
slow = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def draw_numbers(graph: Graph, seed: int):
    rng = np.random.default_rng(seed)
    params, state = graph.initialize(seed, "float64")
    params = {key: value + 0.1 * rng.standard_normal(value.shape) for key, value in params.items()}
    inputs = {
        name: rng.standard_normal([3 if size is None else size for size in spec.shape])
        for name, spec in graph.inputs.items()
    }
    return params, state, inputs


def run(graph: Graph, params, state, inputs, seeds, key, training: bool):
    passed = graph.forward(params, state, inputs, training=training, key=key, step=3)
    dparams, dvalues = backprop(graph, params, passed.saved, seeds, keep=frozenset(graph.shapes))
    outputs = {name: passed.values[name] for name in graph.shapes}
    return outputs, passed.state, dparams, dvalues


def draw_seeds(graph: Graph, params, state, inputs, seed: int):
    rng = np.random.default_rng([seed, 1])
    values = graph.forward(params, state, inputs).values
    return {name: np.asarray(rng.standard_normal(values[name].shape)) for name in graph.outputs}


def assert_close(one, other, tolerance=1e-9):
    assert list(one) == list(other)
    for name, value in one.items():
        scale = max(1.0, float(np.max(np.abs(value), initial=0.0)))
        np.testing.assert_allclose(np.asarray(other[name]), value, rtol=tolerance, atol=tolerance * scale)


@slow
@given(graph=dags(), seed=st.integers(0, 2**32 - 1), training=st.booleans())
def test_gradients_are_slopes(graph, seed, training):
    try:
        report = check_gradients(graph, seed=seed, training=training)
    except GradientError as error:
        assume("points without derivative" not in str(error))
        raise
    named = {slope.name for slope in report.slopes}
    assert named == {*graph.inputs, *graph.parameters}


@slow
@given(graph=dags(most=7), seed=st.integers(0, 2**64 - 1), training=st.booleans())
def test_numpy_and_jax_agree(graph, seed, training):
    import jax
    import jax.numpy as jnp

    numbers = draw_numbers(graph, seed)
    seeds = draw_seeds(graph, *numbers, seed)
    expected = run(graph, *numbers, seeds, seed, training)
    with jax.enable_x64(True):
        words = jnp.array([seed & 0xFFFFFFFF, seed >> 32], jnp.uint32)
        on_device = jax.tree.map(jnp.array, (*numbers, seeds))
        found = jax.jit(lambda arrays, key: run(graph, *arrays, key, training))(on_device, words)
    for one, other in zip(expected, found, strict=True):
        assert_close(
            {key: np.asarray(one[key]) for key in sorted(one)}, {key: other[key] for key in sorted(other)}
        )


@slow
@given(graph=dags(), seed=st.integers(0, 2**32 - 1))
def test_gradient_of_the_sum_is_the_sum_of_gradients(graph, seed):
    numbers = draw_numbers(graph, seed)
    seeds = draw_seeds(graph, *numbers, seed)
    *_, dparams, dvalues = run(graph, *numbers, seeds, seed, True)
    sums = {key: np.zeros_like(value) for key, value in {**dparams, **dvalues}.items()}
    for name, value in seeds.items():
        *_, part, part_values = run(graph, *numbers, {name: value}, seed, True)
        for key, gradient in {**part, **part_values}.items():
            sums[key] += gradient
    assert_close({**dparams, **dvalues}, sums)


@slow
@given(graph=dags(), seed=st.integers(0, 2**32 - 1), training=st.booleans())
def test_forgetting_values_changes_nothing(graph, seed, training):
    params, state, inputs = draw_numbers(graph, seed)
    all_values = graph.forward(params, state, inputs, training=training, key=seed).values
    kept = graph.forward(params, state, inputs, training=training, key=seed, keep=[], save=False).values
    assert set(kept) == {*graph.inputs, *graph.outputs}
    for name, value in kept.items():
        np.testing.assert_array_equal(value, all_values[name])


@slow
@given(graph=dags())
def test_json_round_trip(graph):
    assume(not any(isinstance(node.brick, Split) for node in graph.nodes))
    assert graph_from_config(json.loads(json.dumps(graph_to_config(graph)))).nodes == graph.nodes
