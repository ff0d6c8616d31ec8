"""Dense layers at their edges: few rows with large kernels, few columns."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import Bias, Flatten, GlobalAveragePooling2D, Linear, ReLU, Softmax
from brickwork.engines import Program
from brickwork.graph import Graph, Node
from brickwork.threads import limited_threads
from engines.native_checks import THREADS, agrees, all_close, needs_native, plan_for, program_of

pytestmark = needs_native


def predicting(shape, *bricks) -> Program:
    nodes, before = [], "x"
    for index, brick in enumerate(bricks):
        nodes.append(Node(f"n{index}", brick, (before,)))
        before = f"n{index}"
    graph = Graph({"x": (None, *shape)}, nodes, [before])
    return Program(graph, graph, before)


def shared(program, rows, threads) -> list[int]:
    """Into how many parts products are divided among the threads."""
    with limited_threads(threads):
        made = plan_for("native", program)._pass("predict", rows)
    phases = [phase for phase in made.schedule.forward if not phase.by_rows]
    return [step.parts for phase in phases for step in phase.steps]


@pytest.mark.parametrize("rows", [1, 2, 16, 17])
def test_few_rows_share_the_columns_of_large_kernels(rows):
    program = predicting((600,), Linear(1003), Bias(), ReLU(), Linear(7), Bias(), Softmax())
    x = np.random.default_rng(rows).standard_normal((rows, 600)).astype(np.float32)
    assert shared(program, rows, 1) == []
    assert shared(program, rows, 3) == ([3] if rows <= 16 else [])
    found = {}
    for threads in THREADS:
        with limited_threads(threads):
            found[threads] = plan_for("native", program).predict_batch({"x": x})[0]
    for threads in THREADS[1:]:
        np.testing.assert_array_equal(found[threads], found[1])
    wanted = plan_for("reference", program).predict_batch({"x": x})[0]
    all_close({"y": found[2]}, {"y": wanted}, 2e-5)


def test_a_kernel_of_one_block_stays_whole():
    assert shared(predicting((40_000,), Linear(8)), 1, 4) == [1]


def test_small_kernels_and_those_behind_images_are_not_shared():
    assert shared(predicting((60,), Linear(100)), 1, 2) == []
    assert shared(predicting((40, 40, 3), Flatten(), Linear(400)), 1, 2) == [2]
    pooled = predicting((40, 40, 600), GlobalAveragePooling2D(), Linear(1003))
    assert shared(pooled, 1, 2) == []


@pytest.mark.parametrize("columns", [1, 3, 4, 7, 10, 16])
@pytest.mark.parametrize("features", [5, 17, 33, 200])
def test_gradients_of_kernels_with_few_columns(columns, features):
    program = program_of([Node("y", Linear(columns), ("mixed",))], (features,))
    agrees(program)


@pytest.mark.parametrize("rows, batch_size", [(300, 256), (300, 257)])
def test_few_columns_of_many_rows(rows, batch_size):
    agrees(program_of([Node("y", Linear(10), ("mixed",))], (48,)), rows, batch_size)


def test_few_columns_go_straight_into_the_update():
    nodes = [Node("z", Linear(10), ("mixed",)), Node("y", Bias(), ("z",))]
    agrees(program_of(nodes, (20,), units=1700), rows=9, batch_size=8)


def test_a_kernel_with_few_columns_that_is_used_twice():
    nodes = [Node("h", Linear(6), ("mixed",), owner="o"), Node("y", Linear(6), ("h",), owner="o")]
    agrees(program_of(nodes, (6,)))
