"""Recurrence: the loop against its unrolled graph, numeric slopes, JAX, files and messages."""

from __future__ import annotations

import json

import numpy as np
import pytest

import brickwork
from bricks import test_all_bricks as every_brick
from bricks.cases import ROWS, Case, normal
from brickwork.bricks import Add, BatchNormalization, Dropout, Linear, Multiply, Sigmoid, Slice, Tanh
from brickwork.bricks.registry import brick_from_config, brick_to_config
from brickwork.errors import GraphError, ParameterError, ShapeError
from brickwork.graph import Graph, Loop, backprop, check_gradients, graph_from_config, graph_to_config

F, U, T = 3, 2, 5


def plain(features: int = U) -> Graph:
    """h' = tanh(x + h R)"""
    return Graph(
        {"x": (None, features), "h": (None, U)},
        [
            ("recurrent", Linear(U), "h"),
            ("sum", Add(), ("x", "recurrent")),
            ("new", Tanh(), "sum"),
        ],
        ["new", "new"],
    )


def two_states() -> Graph:
    """Two sequences, two states of which one is handed on unchanged, a parameter used twice a moment."""
    return Graph(
        {"x": (None, F), "g": (None, U), "h": (None, U), "m": (None, U)},
        [
            ("kernel", Linear(U), "x"),
            ("masked", Multiply(), ("h", "m")),
            ("recurrent", Linear(U), "masked"),
            ("sum", Add(), ("kernel", "recurrent", "g")),
            ("again", Linear(U), "sum"),
            ("gate", Sigmoid(), "again"),
            ("new", Multiply(), ("gate", "sum")),
            ("first", Slice(-1, 0, 1), "new"),
        ],
        ["first", "sum", "new", "m"],
    )


def stateless() -> Graph:
    return Graph({"x": (None, F)}, [("kernel", Linear(U), "x"), ("y", Tanh(), "kernel")], ["y"])


SEQUENCE, STATE = normal(ROWS, T, U), normal(ROWS, U)
LOOPS = {
    "zeros": (Loop(plain()), (SEQUENCE,)),
    "given": (Loop(plain()), (SEQUENCE, STATE)),
    "reverse": (Loop(plain(), reverse=True), (SEQUENCE, STATE)),
    "two": (Loop(two_states(), 2), (normal(ROWS, T, F), SEQUENCE, STATE, STATE)),
    "one-moment": (Loop(plain()), (normal(ROWS, 1, U), STATE)),
    "stateless": (Loop(stateless(), states=0), (normal(ROWS, T, F),)),
}
every_loop = pytest.mark.parametrize("name", LOOPS)


def drawn(name: str):
    loop, draws = LOOPS[name]
    point = Case(name, loop, draws).draw()
    return loop, point


def as_tuple(y):
    return y if isinstance(y, tuple) else (y,)


@every_loop
def test_the_unrolled_graph_agrees(name):
    """Values, gradients of all inputs and of all parameters, in float64."""
    loop, point = drawn(name)
    y, saved = loop.forward(point.params, *point.xs, ctx=point.ctx)
    rng = np.random.default_rng(0)
    dy = tuple(rng.standard_normal(one.shape) for one in as_tuple(y))
    dxs, dparams = loop.backward(point.params, saved, dy if len(dy) > 1 else dy[0])

    graph = loop.unroll(point.xs[0].shape[1])
    names = list(graph.inputs)
    inputs = dict(zip(names, point.xs, strict=False))
    for state in names[len(point.xs) :]:
        inputs[state] = np.zeros((ROWS, *graph.inputs[state].shape[1:]))
    params = {key.replace(".", "/"): value for key, value in point.params.items()}
    passed = graph.forward(params, {}, inputs)
    seeds: dict[str, np.ndarray] = {}
    for reference, one, seed in zip(graph.outputs, as_tuple(y), dy, strict=True):
        np.testing.assert_allclose(passed.values[reference], one, rtol=1e-13, atol=1e-15)
        seeds[reference] = seeds.get(reference, 0.0) + seed
    told, found = backprop(graph, params, passed.saved, seeds, keep=names)
    assert {key.replace("/", ".") for key in told} == set(dparams)
    for key, value in told.items():
        np.testing.assert_allclose(dparams[key.replace("/", ".")], value, rtol=1e-11, atol=1e-13)
    for input_name, dx in zip(names, dxs, strict=False):
        np.testing.assert_allclose(dx, found[input_name], rtol=1e-11, atol=1e-13)


@every_loop
def test_gradients_are_the_slopes(name):
    loop, point = drawn(name)
    assert check_gradients(loop, point.xs).worst < 1e-6


ONE = tuple(
    Case(name, Loop(cell, states, reverse=reverse), draws)
    for name, cell, states, reverse, draws in [
        ("stateless", stateless(), 0, False, (normal(ROWS, T, F),)),
        ("stateless-reverse", stateless(), 0, True, (normal(ROWS, T, F),)),
    ]
)
CONTRACT = [
    every_brick.test_output_shape_is_the_shape_of_the_output,
    every_brick.test_parameters_and_state_are_told,
    every_brick.test_inputs_are_left_alone,
    every_brick.test_a_second_backward_gives_the_same,
    every_brick.test_batched_is_one_by_one,
    every_brick.test_float32_stays_float32,
    every_brick.test_saved_holds_arrays_or_none_only,
    every_brick.test_the_halves_are_the_whole,
    every_brick.test_one_sample_and_none,
]


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
@pytest.mark.parametrize("case", ONE, ids=lambda case: case.id)
def test_it_keeps_the_contract_of_bricks(check, case):
    check(case)


@every_loop
def test_float32_stays_float32_with_states(name):
    loop, point = drawn(name)
    point = point.astype(np.float32).read_only()
    y, saved = loop.forward(point.params, *point.xs, ctx=point.ctx)
    made = loop.backward(point.params, saved, y)
    for array in every_brick.leaves((as_tuple(y), saved, made)):
        assert array.dtype == np.float32
    told = loop.output_shape(*(x.shape for x in point.xs))
    assert [one.shape for one in as_tuple(y)] == (list(told) if len(as_tuple(y)) > 1 else [told])


@every_loop
def test_jitted_jax_agrees(name):
    """Forward and backward apart, so that what is saved crosses the border of jit; and JAX's own gradient."""
    jax = pytest.importorskip("jax")
    loop, point = drawn(name)
    y, saved = loop.forward(point.params, *point.xs, ctx=point.ctx)
    dy = jax.tree.map(lambda one: np.random.default_rng(1).standard_normal(one.shape), y)
    found = loop.backward(point.params, saved, dy)

    def forward(params, xs):
        return loop.forward(params, *xs, ctx=point.ctx)

    with jax.enable_x64(True):
        y_jax, saved_jax = jax.jit(forward)(point.params, point.xs)
        found_jax = jax.jit(loop.backward)(point.params, saved_jax, dy)
        value = jax.jit(lambda params, xs: forward(params, xs)[0])
        own = jax.vjp(value, point.params, point.xs)[1](dy)
    every_brick.assert_close(y, y_jax, 1e-12)
    every_brick.assert_close(found, found_jax, 1e-12)
    every_brick.assert_close((found[1], found[0][: len(point.xs)]), own, 1e-11)


def test_outputs_that_nobody_reads_have_no_gradient():
    loop, point = drawn("given")
    y, saved = loop.forward(point.params, *point.xs, ctx=point.ctx)
    zero = np.zeros_like(y[0])
    for dy, same in (((None, y[1]), (zero, y[1])), ((y[0], None), (y[0], np.zeros_like(y[1])))):
        one, other = (loop.backward(point.params, saved, each) for each in (dy, same))
        every_brick.assert_close(one, other, 1e-15)


def test_a_sum_worked_by_hand():
    """s(t) = w s(t-1) + x(t): y = 1, 2.5, 4.25 for w = 1/2; dE/dw = Σ over t of ds(t) s(t-1)."""
    cell = Graph(
        {"x": (None, 1), "s": (None, 1)},
        [("keep", Linear(1), "s"), ("sum", Add(), ("x", "keep"))],
        ["sum", "sum"],
    )
    params = {"keep.W": np.array([[0.5]])}
    loop = Loop(cell)
    x = np.array([[[1.0], [2.0], [3.0]]])
    (y, last), saved = loop.forward(params, x, np.zeros((1, 1)), ctx=every_brick.Context())
    np.testing.assert_array_equal(y[0, :, 0], [1.0, 2.5, 4.25])
    np.testing.assert_array_equal(last, [[4.25]])
    (dx, ds), dparams = loop.backward(params, saved, (None, np.ones((1, 1))))
    np.testing.assert_array_equal(dx[0, :, 0], [0.25, 0.5, 1.0])
    np.testing.assert_array_equal(ds, [[0.125]])
    np.testing.assert_array_equal(dparams["keep.W"], [[0.25 * 0.0 + 0.5 * 1.0 + 1.0 * 2.5]])


@every_loop
def test_a_file_holds_the_cell(name):
    loop = LOOPS[name][0]
    told = json.loads(json.dumps(brick_to_config(loop)))
    again = brick_from_config(told)
    assert again == loop and hash(again) == hash(loop)
    assert brick_to_config(again) == brick_to_config(loop)
    assert again != Loop(plain(), reverse=not loop.reverse)


def test_a_graph_with_a_loop_is_saved_and_read():
    inner = Graph(
        {"x": (None, T, F), "s": (None, 1)},
        [("loop", Loop(stateless(), states=0), "x"), ("sum", Add(), ("s", "s"))],
        ["loop", "sum"],
    )
    graph = Graph({"x": (None, 4, T, F)}, [("outer", Loop(inner), "x")], ["outer:0", "outer:1"])
    told = json.loads(json.dumps(graph_to_config(graph)))
    assert told["nodes"][0]["type"] == "loop"
    again = graph_from_config(told)
    assert again.nodes == graph.nodes and again.shapes == graph.shapes
    x = np.random.default_rng(0).standard_normal((2, 4, T, F))
    params, _ = graph.initialize(0, "float64")
    assert list(params) == ["outer/loop.kernel.W"]
    one, other = (each.forward(params, {}, {"x": x}).values["outer:0"] for each in (graph, again))
    np.testing.assert_array_equal(one, other)


def test_a_bare_loop_in_a_model_is_saved(tmp_path):
    x = brickwork.Input((T, U))
    y, last = Loop(plain())(x)
    model = brickwork.Model(x, [y, last])
    data = np.random.default_rng(0).standard_normal((4, T, U)).astype("float32")
    before = model.predict(data, verbose=0)
    model.save(tmp_path / "loop.safetensors")
    after = brickwork.models.load_model(tmp_path / "loop.safetensors").predict(data, verbose=0)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_damaged_file():
    with pytest.raises(ParameterError, match="Loop: `cell` must be a Graph, or what graph_to_config tells"):
        Loop({"format": "other"})


BAD_CELLS = [
    (lambda: Loop(stateless()), "A cell with 1 states takes at least one input"),
    (
        lambda: Loop(Graph({"x": (3,), "s": (None,)}, [("sum", Add(), ("s", "s"))], ["sum"])),
        "begin with the batch axis, None; 'x' has the shape",
    ),
    (
        lambda: Loop(Graph({"x": (None, 3), "s": (None, 2)}, [("y", Linear(3), "x")], ["y"])),
        r"'y' has \(None, 3\), 's' has \(None, 2\)",
    ),
    (
        lambda: Loop(Graph({"x": (None, 3)}, [("drop", Dropout(0.5), "x")], ["drop"]), states=0),
        "neither random bricks nor running statistics; it received Dropout as 'drop'",
    ),
    (
        lambda: Loop(Graph({"x": (None, 3)}, [("norm", BatchNormalization(), "x")], ["norm"]), states=0),
        "it received BatchNormalization as 'norm'",
    ),
]


@pytest.mark.parametrize(("make", "message"), BAD_CELLS)
def test_what_cannot_be_a_cell(make, message):
    with pytest.raises(GraphError, match=message):
        make()


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(None, T, 3)], r"Loop takes 'x' of shape \(N, T, 2\); it received \(N, 5, 3\)"),
        ([(None, U)], r"'x' of shape \(N, T, 2\); it received \(N, 2\)"),
        ([(None, T, U), (None, 1)], r"'h' of shape \(N, 2\); it received \(N, 1\)"),
        ([(None, T, U), (None, U), (None, U)], "it received 3 inputs"),
        ([(None, 0, U)], "one length of at least 1"),
    ],
)
def test_shapes_that_do_not_fit(shapes, message):
    with pytest.raises(ShapeError, match=message):
        Loop(plain()).output_shape(*shapes)


def test_two_sequences_of_two_lengths():
    with pytest.raises(ShapeError, match=r"sequences of one length .* received \(N, 5, 3\), \(N, 4, 2\)"):
        Loop(two_states(), 2).output_shape((None, T, F), (None, T - 1, U))


def test_a_length_that_is_not_known():
    assert Loop(plain()).output_shape((None, None, U)) == ((None, None, U), (None, U))
