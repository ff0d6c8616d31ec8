"""Products of data with data, masks, tables and positions on the native engine."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import (
    CausalMask,
    Embedding,
    Flatten,
    HalfSquaredError,
    LearnedPositions,
    Linear,
    Mask,
    MatMul,
    Multiply,
    Reshape,
    SinePositions,
    Softmax,
    Tanh,
    Transpose,
    WeightedMean,
)
from brickwork.data.source import ArraySource
from brickwork.engines import Program
from brickwork.graph import Graph, InputSpec, Node
from brickwork.optimizers import SGD
from brickwork.threads import limited_threads
from engines.native_checks import (
    THREADS,
    agrees,
    all_close,
    close,
    needs_native,
    numbers,
    plan_for,
    program_of,
    same_on_all_threads,
)

pytestmark = needs_native


def product(rows, inner, columns, lead=(2,), *, transpose_a=False, transpose_b=False):
    """Two matrices made from one row of numbers by Linear bricks of their own."""
    left = (inner, rows) if transpose_a else (rows, inner)
    right = (columns, inner) if transpose_b else (inner, columns)
    nodes = [
        Node("left", Linear(int(np.prod((*lead, *left)))), ("mixed",)),
        Node("right", Linear(int(np.prod((*lead, *right)))), ("mixed",)),
        Node("a", Reshape((*lead, *left)), ("left",)),
        Node("b", Reshape((*lead, *right)), ("right",)),
        Node("own", MatMul(transpose_a, transpose_b), ("a", "b")),
        Node("y", Tanh(), ("own",)),
    ]
    return program_of(nodes, (3,))


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize(
    "sizes", [(1, 1, 1), (5, 3, 7), (17, 33, 40), (4, 300, 5), (33, 2, 1), (1, 9, 65)], ids=str
)
def test_products(sizes, transpose_a, transpose_b):
    program = product(*sizes, transpose_a=transpose_a, transpose_b=transpose_b)
    agrees(program, tolerance=2e-4, scale=0.3)


def test_product_of_a_value_with_itself():
    nodes = [Node("own", MatMul(transpose_b=True), ("mixed", "mixed")), Node("y", Tanh(), ("own",))]
    agrees(program_of(nodes, (5, 4)), scale=0.3)


def test_product_whose_factor_is_read_twice():
    nodes = [
        Node("bent", Tanh(), ("mixed",)),
        Node("own", MatMul(transpose_a=True), ("bent", "bent")),
        Node("y", MatMul(), ("bent", "own")),
    ]
    agrees(program_of(nodes, (2, 5, 4)), scale=0.3)


@pytest.mark.parametrize("shape", [(5, 5), (2, 3, 5), (2, 5, 3), (1, 1), (2, 2, 17, 16)], ids=str)
def test_causal_masks(shape):
    nodes = [Node("own", CausalMask(), ("mixed",)), Node("y", Softmax(), ("own",))]
    agrees(program_of(nodes, shape))
    nodes = [Node("bent", Tanh(), ("mixed",)), Node("own", CausalMask(low=-0.5), ("bent",))]
    agrees(program_of([*nodes, Node("y", Multiply(), ("bent", "own"))], shape))


def masked(shape, mask, dtype):
    """A mask that comes in beside x."""
    nodes = [
        Node("mixed", Linear(shape[-1]), ("x",)),
        Node("own", Mask(low=-0.5), ("mixed", "m")),
        Node("y", Tanh(), ("own",)),
    ]
    loss = [Node("loss", HalfSquaredError(), ("y", "t")), Node("mean", WeightedMean(), ("loss", "w"))]
    inputs = {"x": InputSpec((None, *shape), "float32"), "m": InputSpec((None, *mask), dtype)}
    more = {"t": InputSpec((None, *shape), "float32"), "w": InputSpec((None,), "float32")}
    return beside(inputs, more, nodes, loss)


def beside(inputs, more, nodes, loss):
    return Program(
        Graph({**inputs, **more}, [*nodes, *loss], ["mean"]),
        Graph(inputs, nodes, ["y"]),
        "mean",
        losses=(("loss", "mean"),),
        targets=("t",),
        weights=("w",),
        optimizer=SGD(0.01, momentum=0.5),
    )


def draw(program, rows, low, high):
    """Whole numbers for inputs of whole numbers and for `m` and `ids`, others for the others."""
    rng = np.random.default_rng(1)
    arrays = {}
    for name, spec in program.graph.inputs.items():
        shape = (rows, *spec.shape[1:])
        if name in ("m", "ids"):
            arrays[name] = rng.integers(low, high, shape).astype(spec.dtype)
        else:
            arrays[name] = rng.uniform(0.5, 1.5, shape).astype(np.float32)
    return arrays


def both(program, arrays, *, hosted=(), batch_size=4):
    """As `agrees`, with inputs of one's own."""
    rows = len(arrays["t"])
    reference, native = (plan_for(name, program) for name in ("reference", "native"))
    noticed = native._pass("train", rows).writer.noticed
    assert [text.split(" ")[0] for text in noticed] == list(hosted)
    given = {name: arrays[name] for name in program.predictor.inputs}
    close(native.predict_batch(given)[0], reference.predict_batch(given)[0], 2e-5, "prediction")
    wanted, got = (plan.gradients(arrays) for plan in (reference, native))
    all_close(got.gradients, wanted.gradients, 2e-5)
    dtypes = {name: spec.dtype for name, spec in program.graph.inputs.items()}
    for plan in (reference, native):
        source = ArraySource(arrays, dtypes, rows)
        plan.epoch(source, np.arange(rows), [0.01] * (-(-rows // batch_size)), 0, batch_size=batch_size)
    all_close(numbers(native), numbers(reference), 6e-5)


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
@pytest.mark.parametrize(
    "mask", [(2, 3, 5), (1, 3, 5), (1, 1, 5), (1, 1, 1), (2, 3, 1), (2, 1, 5), (1, 3, 1)], ids=str
)
def test_masks(mask, dtype):
    program = masked((2, 3, 5), mask, dtype)
    both(program, draw(program, 7, 0, 2))


def test_a_mask_of_many_runs_is_called_back():
    program = masked((2, 3, 2, 3), (2, 1, 2, 1), "int32")
    both(program, draw(program, 6, 0, 2), hosted=["Mask"])


@pytest.mark.parametrize("shape", [(5, 6), (1, 1), (7, 3), (16, 32)], ids=str)
@pytest.mark.parametrize("kind", [SinePositions, LearnedPositions])
def test_positions(kind, shape):
    brick = kind() if kind is SinePositions else kind(shape[0])
    nodes = [Node("bent", Tanh(), ("mixed",)), Node("own", brick, ("bent",)), Node("y", Tanh(), ("own",))]
    agrees(program_of(nodes, shape))


def test_positions_of_a_shorter_sequence_are_called_back():
    nodes = [Node("own", LearnedPositions(7), ("mixed",)), Node("y", Tanh(), ("own",))]
    agrees(program_of(nodes, (5, 6)), hosted=["LearnedPositions"])


def embedded(places, rows, columns, dtype, twice=False):
    """The mean of what comes out, behind a function that bends; `twice`: one table for two inputs."""
    nodes = [
        Node("own", Embedding(rows, columns), ("ids",)),
        Node("y", Tanh(), ("own",)),
    ]
    if twice:
        nodes[1:] = [
            Node("flat", Flatten(), ("own",)),
            Node("again", Embedding(rows, columns), ("ids",), owner="own"),
            Node("other", Flatten(), ("again",)),
            Node("y", Multiply(), ("flat", "other")),
        ]
    inputs = {"ids": InputSpec((None, *places), dtype)}
    shape = (int(np.prod((*places, columns))),) if twice else (*places, columns)
    more = {"t": InputSpec((None, *shape), "float32"), "w": InputSpec((None,), "float32")}
    loss = [Node("loss", HalfSquaredError(), ("y", "t")), Node("mean", WeightedMean(), ("loss", "w"))]
    return beside(inputs, more, nodes, loss)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
@pytest.mark.parametrize(
    ("places", "rows", "columns"), [((), 3, 5), ((4,), 5, 1), ((128,), 9, 16), ((3, 2), 4, 37)], ids=str
)
def test_embeddings(places, rows, columns, dtype):
    program = embedded(places, rows, columns, dtype)
    both(program, draw(program, 7, 0, rows))


def test_one_table_read_twice():
    program = embedded((4,), 5, 3, "int32", twice=True)
    both(program, draw(program, 7, 0, 5))


@pytest.mark.parametrize("dtype", ["int32", "float32"])
@pytest.mark.parametrize("wrong", [-1, 3, 2**31 - 1])
def test_a_number_without_a_row_gives_nan(dtype, wrong):
    """And nothing is read that is not the table's."""
    program = embedded((2,), 3, 4, dtype)
    plan = plan_for("native", program)
    (y,) = plan.predict_batch({"ids": np.array([[0, wrong], [2, 1]], dtype)})
    assert np.isnan(y[0, 1]).all()
    assert np.isfinite(y[0, 0]).all() and np.isfinite(y[1]).all()


def attention(shape=(9, 24), heads=3):
    """One head after the other, all in one: what MultiHeadAttention lays."""
    positions, features = shape
    split = (positions, heads, features // heads)
    nodes = [
        Node("placed", SinePositions(), ("mixed",)),
        Node("more", LearnedPositions(positions), ("placed",)),
    ]
    for name in "qkv":
        nodes += [
            Node(f"{name}1", Linear(features), ("more",)),
            Node(f"{name}2", Reshape(split), (f"{name}1",)),
            Node(name, Transpose((0, 2, 1, 3)), (f"{name}2",)),
        ]
    nodes += [
        Node("scores", MatMul(transpose_b=True), ("q", "k")),
        Node("masked", CausalMask(), ("scores",)),
        Node("weights", Softmax(), ("masked",)),
        Node("mixture", MatMul(), ("weights", "v")),
        Node("joined", Transpose((0, 2, 1, 3)), ("mixture",)),
        Node("y", Reshape(shape), ("joined",)),
    ]
    return program_of(nodes, shape)


def test_attention():
    agrees(attention(), tolerance=2e-4, scale=0.3, rate=1e-3)


def test_attention_is_the_same_on_all_threads():
    same_on_all_threads(attention())


def test_embeddings_are_the_same_on_all_threads():
    program = embedded((6,), 5, 40, "int32")
    arrays = draw(program, 37, 0, 5)
    dtypes = {name: spec.dtype for name, spec in program.graph.inputs.items()}
    found = []
    for threads in THREADS:
        with limited_threads(threads):
            plan = plan_for("native", program)
            plan.epoch(ArraySource(arrays, dtypes, 37), np.arange(37), [0.1] * 3, 0, batch_size=16)
            found.append(numbers(plan))
    for other in found[1:]:
        for key, value in found[0].items():
            np.testing.assert_array_equal(value.view(np.int32), other[key].view(np.int32), err_msg=key)
