"""Every loss on the native engine: the reference's numbers, its gradient made with it or behind it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from brickwork import bricks
from brickwork.bricks import Linear, ReLU, Sigmoid, Softmax, Sum, Tanh, WeightedMean
from brickwork.bricks.loss import CategoricalLoss, PairedLoss
from brickwork.engines import Program
from brickwork.engines.native.lowering import lowering_for
from brickwork.graph import Graph, Node
from brickwork.graph.node import InputSpec
from brickwork.optimizers import SGD
from brickwork.threads import limited_threads
from engines.native_checks import THREADS, all_close, needs_native, plan_for

pytestmark = needs_native

EXP = bricks.Exp()
# loss, what makes y fit it, how targets are drawn
LOSSES = [
    (bricks.HalfSquaredError(), Tanh(), "numbers"),
    (bricks.MeanSquaredError(), Tanh(), "numbers"),
    (bricks.SigmoidCrossEntropy(), Tanh(), "bits"),
    (bricks.BinaryCrossEntropy(clip=1e-7), Sigmoid(), "bits"),
    (bricks.CrossEntropy(clip=1e-7), Softmax(), "classes"),
    (bricks.CrossEntropy(), Softmax(), "distributions"),
    (bricks.SoftmaxCrossEntropy(), Tanh(), "classes"),
    (bricks.SoftmaxCrossEntropy(), Tanh(), "distributions"),
    (bricks.MeanAbsoluteError(), Tanh(), "numbers"),
    (bricks.MeanAbsolutePercentageError(), Tanh(), "numbers"),
    (bricks.MeanAbsolutePercentageError(epsilon=0.4), Tanh(), "bits"),
    (bricks.MeanSquaredLogarithmicError(), EXP, "bits"),
    (bricks.MeanSquaredLogarithmicError(epsilon=0.3), ReLU(), "numbers"),
    (bricks.Huber(), EXP, "numbers"),
    (bricks.Huber(delta=0.2), Tanh(), "numbers"),
    (bricks.LogCosh(), EXP, "numbers"),
    (bricks.Poisson(), EXP, "classes of each"),
    (bricks.Hinge(), Tanh(), "signs"),
    (bricks.Hinge(), EXP, "bits"),
    (bricks.SquaredHinge(), EXP, "signs"),
    (bricks.SquaredHinge(), Tanh(), "bits"),
    (bricks.CategoricalHinge(), Tanh(), "one-hot"),
    (bricks.CategoricalHinge(), EXP, "distributions"),
    (bricks.KLDivergence(), Softmax(), "distributions"),
    (bricks.KLDivergence(epsilon=0.15), Softmax(), "one-hot"),
    (bricks.BinaryFocalCrossEntropy(), Sigmoid(), "bits"),
    (bricks.BinaryFocalCrossEntropy(0.5, 0.25, 0.3), Sigmoid(), "distributions"),
    (bricks.FocalCrossEntropy(), Softmax(), "one-hot"),
    (bricks.FocalCrossEntropy(1.5, 0.2), Softmax(), "distributions"),
    (bricks.GeneralizedCrossEntropy(), Softmax(), "classes"),
    (bricks.GeneralizedCrossEntropy(0.9, 0.2), Softmax(), "distributions"),
    (bricks.Tversky(), Sigmoid(), "bits"),
    (bricks.Tversky(0.2, 0.7, (1,), epsilon=0.1), Sigmoid(), "distributions"),
    (bricks.CosineSimilarity(), Tanh(), "numbers"),
    (bricks.CosineSimilarity(epsilon=0.4), EXP, "bits"),
]
SHAPES = [(5,), (1,), (17,), (2, 3), (3, 2, 4)]
every_loss = pytest.mark.parametrize(
    "loss, activation, kind", LOSSES, ids=lambda value: getattr(value, "id", None) or repr(value)
)


def test_every_loss_brick_is_here():
    """None of them is called back in Python."""
    known = {getattr(bricks, name) for name in bricks.__all__}
    of_losses = {
        cls for cls in known if isinstance(cls, type) and issubclass(cls, PairedLoss | CategoricalLoss)
    }
    assert of_losses == {type(loss) for loss, _, _ in LOSSES}
    assert all(lowering_for(cls) is not None for cls in of_losses)


def program_of(loss, activation, kind, shape, *, twice=False, integer=False) -> Program:
    """The loss of a bent layer; `twice`: y is read by another term too, and so is the loss itself."""
    target = shape[:-1] if kind == "classes" else shape
    dtype = "int32" if integer or kind == "classes" else "float32"
    network = [Node("mixed", Linear(shape[-1]), ("x",)), Node("y", activation, ("mixed",))]
    inputs = {"x": InputSpec((None, *shape))}
    made = Graph(inputs, network, ["y"])
    nodes = [Node("loss", loss, ("y", "t")), Node("mean", WeightedMean(), ("loss", "w"))]
    if twice:
        square = [Node("pay", bricks.ActivityPenalty(l2=0.1), ("y",)), Node("paid", Sum(axis=0), ("pay",))]
        nodes += [*square, Node("again", Sum(axis=0), ("loss",)), Node("total", bricks.Add(), _TERMS)]
    both = {**inputs, "t": InputSpec((None, *target), dtype), "w": InputSpec((None,))}
    total = "total" if twice else "mean"
    graph = Graph(both, [*network, *nodes], [total])
    return Program(
        graph, made, total, losses=(("loss", "mean"),), targets=("t",), weights=("w",), optimizer=SGD(0.01)
    )


_TERMS = ("mean", "paid", "again")


def batch_for(program, kind, rows, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {name: (rows, *spec.shape[1:]) for name, spec in program.graph.inputs.items()}
    t = shapes["t"]
    last = program.predictor.shapes["y"][-1]
    drawn = {
        "numbers": lambda: rng.standard_normal(t),
        "bits": lambda: rng.integers(0, 2, t),
        "signs": lambda: 2 * rng.integers(0, 2, t) - 1,
        "classes": lambda: rng.integers(0, last, t),
        "classes of each": lambda: rng.integers(0, 5, t),
        "one-hot": lambda: np.eye(last)[rng.integers(0, last, t[:-1])],
        "distributions": lambda: rng.dirichlet(np.ones(last), t[:-1]),
    }[kind]()
    return {
        "x": rng.standard_normal(shapes["x"]).astype(np.float32),
        "t": np.asarray(drawn, program.graph.inputs["t"].dtype),
        "w": rng.uniform(0.0, 2.0, rows).astype(np.float32),
    }


@every_loss
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("twice", [False, True])
def test_loss_and_gradient(loss, activation, kind, shape, twice):
    program = program_of(loss, activation, kind, shape, twice=twice)
    batch = batch_for(program, kind, 7)
    native, reference = (plan_for(name, program) for name in ("native", "reference"))
    assert native._pass("train", 7).writer.noticed == []
    got, wanted = (plan.gradients(batch) for plan in (native, reference))
    assert got.total == pytest.approx(wanted.total, rel=3e-5, abs=1e-6)
    assert got.losses["loss"] == pytest.approx(wanted.losses["loss"], rel=3e-5, abs=1e-6)
    all_close(got.gradients, wanted.gradients, 5e-5)


@pytest.mark.parametrize("kind", ["bits", "one-hot"])
@pytest.mark.parametrize("loss", [loss for loss, _, kind in LOSSES if kind in ("bits", "one-hot")], ids=repr)
def test_targets_in_whole_numbers(loss, kind):
    activation = next(bent for one, bent, _ in LOSSES if one is loss)
    found = []
    for integer in (False, True):
        program = program_of(loss, activation, kind, (2, 5), integer=integer)
        plan = plan_for("native", program)
        made = plan.gradients(batch_for(program, kind, 6))
        found.append((made.total, *made.gradients.values()))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_the_cosine_along_another_axis():
    for axis in (1, 2, -3):
        loss = bricks.CosineSimilarity(axis=axis)
        program = program_of(loss, Tanh(), "numbers", (3, 2, 4))
        batch = batch_for(program, "numbers", 5)
        got, wanted = (plan_for(name, program).gradients(batch) for name in ("native", "reference"))
        assert got.total == pytest.approx(wanted.total, rel=3e-5)
        all_close(got.gradients, wanted.gradients, 5e-5)


@every_loss
def test_a_loss_that_is_not_a_number_says_so(loss, activation, kind):
    """A NaN in y must not be cut off by a margin or a clip."""
    program = program_of(loss, activation, kind, (5,))
    batch = batch_for(program, kind, 6)
    batch["x"][2, 1] = np.nan
    assert not np.isfinite(plan_for("native", program).gradients(batch).total)


@every_loss
def test_the_same_bits_on_any_number_of_threads(loss, activation, kind):
    program = program_of(loss, activation, kind, (17,))
    batch = batch_for(program, kind, 130)
    found = []
    for threads in THREADS:
        with limited_threads(threads):
            made = plan_for("native", program).gradients(batch)
            found.append(dataclasses.astuple(made)[:3])
    for other in found[1:]:
        assert other[:2] == found[0][:2]
        for key, value in found[0][2].items():
            np.testing.assert_array_equal(value, other[2][key], err_msg=key)
