"""The numeric check: it must fail on planted errors, and pass where backward is right."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork import bricks
from brickwork.bricks import (
    Add,
    BatchNormalization,
    Dropout,
    HalfSquaredError,
    Heaviside,
    Linear,
    Maximum,
    MaxPooling2D,
    Multiply,
    ReLU,
    Sigmoid,
    SoftmaxCrossEntropy,
    StateSpec,
    Sum,
    Tanh,
    WeightedMean,
)
from brickwork.errors import GraphError, ParameterTypeError
from brickwork.graph import GradientError, Graph, InputSpec, Node, backpropagation, check_gradients
from graph.made_bricks import (
    DropsOne,
    InputNotTransposed,
    KernelNotTransposed,
    KernelTurned,
    MeanForSum,
    NoFormula,
    Split,
    Square,
    WrongDerivative,
)

# -- it fails on planted errors -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "right", "shape", "name"),
    [
        (MeanForSum(), Sum(), (4, 3), "x1"),
        (InputNotTransposed(), Square(), (4, 3), "x1"),
        (KernelNotTransposed(), Square(), (4, 3), "brick/W"),
        (WrongDerivative(), Sigmoid(), (4, 3), "x1"),
        (NoFormula(), Sigmoid(), (4, 3), "x1"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, bricks.Brick) else "",
)
def test_planted_errors(wrong, right, shape, name):
    assert check_gradients(right, (shape,)).worst < 1e-6
    with pytest.raises(
        GradientError, match=rf"differ: {name}: backward says .*, the slope is .*Look at"
    ) as raised:
        check_gradients(wrong, (shape,))
    others = {"x1", "brick/W"} - {name}
    assert not any(f"{other}: backward" in str(raised.value) for other in others)


def test_a_gradient_of_another_shape():
    message = r"gradient of brick/W must have its shape, \(3, 2\); it has \(2, 3\).* is a transpose"
    with pytest.raises(GradientError, match=message):
        check_gradients(KernelTurned(2), ((4, 3),))


def test_a_forgotten_input():
    assert check_gradients(Multiply(), ((4, 3), (4, 3))).worst < 1e-6
    with pytest.raises(GradientError, match=r"x2: backward says 0, the slope is"):
        check_gradients(DropsOne(), ((4, 3), (4, 3)))


def diamond() -> Graph:
    nodes = [
        ("a", Tanh(), "x"),
        ("left", Sigmoid(), "a"),
        ("right", ReLU(), "a"),
        ("y", Multiply(), ("left", "right")),
    ]
    return Graph({"x": (None, 3)}, nodes, ["y"])


def test_a_forgotten_fan_out(monkeypatch):
    assert check_gradients(diamond()).worst < 1e-6
    monkeypatch.setattr(backpropagation, "_add", lambda found, name, dx: found.__setitem__(name, dx))
    with pytest.raises(GradientError, match="x: backward says"):
        check_gradients(diamond())


def test_a_fan_out_counted_twice(monkeypatch):
    def in_place(found, name, dx):
        if name in found:
            found[name] += dx
        else:
            found[name] = dx

    graph = Graph({"x": (None, 1)}, [("y", Add(), ("x", "x")), ("z", Add(), ("y", "y"))], ["z"])
    assert check_gradients(graph).worst < 1e-6
    monkeypatch.setattr(backpropagation, "_add", in_place)
    with pytest.raises(GradientError, match="x: backward says"):
        check_gradients(graph)


def test_a_mistake_in_the_second_output():
    class Forgets(Split):
        def backward(self, params, saved, dy):
            return super().backward(params, saved, (dy[0], None))

    assert check_gradients(Split(), ((3, 4),)).worst < 1e-6
    with pytest.raises(GradientError, match="x1: backward says"):
        check_gradients(Forgets(), ((3, 4),))


def test_a_mistake_in_inference_mode_only():
    class Forgets(BatchNormalization):
        def backward(self, params, saved, dy):
            (dx,), own = super().backward(params, saved, dy)
            return (dx if saved[2] is not None else dx / saved[1],), own

    assert check_gradients(Forgets(), ((5, 3),)).worst < 1e-6
    assert check_gradients(BatchNormalization(), ((5, 3),), training=False).worst < 1e-6
    with pytest.raises(GradientError, match="x1: backward says"):
        check_gradients(Forgets(), ((5, 3),), training=False)


def test_a_statistic_that_is_forgotten():
    """It starts at 1, where forgetting it would not show."""

    class Gain(Tanh):
        def state(self, x):
            return {"gain": StateSpec((), 1.0)}

        def forward(self, params, x, *, ctx):
            return x * ctx.state["gain"], ()

        def backward(self, params, saved, dy):
            return (dy,), {}

    with pytest.raises(GradientError, match="x1: backward says"):
        check_gradients(Gain(), ((2, 2),), training=False)


def test_batch_statistics_taken_for_constants():
    class Constant(BatchNormalization):
        def backward(self, params, saved, dy):
            z, inverse, _, _ = saved
            return super().backward(params, (z, inverse, None, None), dy)

    with pytest.raises(GradientError, match="x1: backward says"):
        check_gradients(Constant(), ((5, 3),))


def test_nan_is_a_difference():
    class Nan(Sigmoid):
        def backward(self, params, saved, dy):
            return (dy * float("nan"),), {}

    with pytest.raises(GradientError, match="x1: backward says nan"):
        check_gradients(Nan(), ((2, 2),))


def test_a_small_mistake_is_found():
    class Rough(Tanh):
        def backward(self, params, saved, dy):
            (dx,), own = super().backward(params, saved, dy)
            return (dx * (1 + 1e-5),), own

    with pytest.raises(GradientError, match="3 of 3 differ"):
        check_gradients(Rough(), ((4, 3),))


# -- it passes where backward is right --------------------------------------------------------------


def test_heaviside_with_its_surrogate():
    assert Heaviside().surrogate == "Identity"
    assert check_gradients(Heaviside(), ((4, 3),)).worst < 1e-6
    nodes = [("a", Linear(3), "x"), ("b", Heaviside(), "a"), ("e", HalfSquaredError(), ("b", "t"))]
    graph = Graph({"x": (None, 2), "t": (None, 3)}, nodes, ["e"])
    assert check_gradients(graph).worst < 1e-6


def test_a_surrogate_that_backward_does_not_follow():
    class Wrong(Heaviside):
        def backward(self, params, saved, dy):
            return (0.5 * dy,), {}

    with pytest.raises(GradientError, match="x1: backward says"):
        check_gradients(Wrong(), ((4, 3),))


def test_a_surrogate_with_two_outputs():
    class Steps(Split):
        surrogate = "Split"

        def forward(self, params, x, *, ctx):
            ys, saved = super().forward(params, x, ctx=ctx)
            return tuple((y > 0) * 1.0 for y in ys), saved

        def surrogate_forward(self, params, x):
            return Split().forward(params, x, ctx=None)[0]

    assert check_gradients(Steps(), ((3, 4),)).worst < 1e-6


def training_graph() -> Graph:
    nodes = [
        Node("dense", Linear(4), ("x",)),
        Node("norm", BatchNormalization(), ("dense",)),
        Node("relu", ReLU(), ("norm",)),
        Node("drop", Dropout(0.3), ("relu",)),
        Node("again", Linear(4), ("drop",)),
        Node("twice", Linear(4), ("again",), owner="again"),
        Node("skip", Add(), ("relu", "twice")),
        Node("loss", SoftmaxCrossEntropy(), ("skip", "t")),
        Node("mean", WeightedMean(), ("loss", "w")),
    ]
    inputs = {"x": (None, 5), "t": InputSpec((None,), "int32"), "w": (None,)}
    return Graph(inputs, nodes, ["mean"])


@pytest.mark.parametrize("training", [True, False])
def test_a_training_graph_with_a_number_as_output(training):
    report = check_gradients(training_graph(), {"t": np.array([0, 3, 1, 2], np.int32)}, training=training)
    names = {slope.name for slope in report.slopes}
    assert names == {"x", "w", "dense/W", "norm/gamma", "norm/beta", "again/W"}
    assert len(report.slopes) == 3 * len(names) and all(slope.ok for slope in report.slopes)


def test_what_is_drawn_and_what_is_given():
    seen = {}

    class Watched(Linear):
        def forward(self, params, x, *, ctx):
            seen["shape"], seen["W"], seen["dtype"] = x.shape, params["W"], x.dtype
            return super().forward(params, x, ctx=ctx)

    graph = Graph({"x": (None, 2)}, [("y", Watched(1), "x")], ["y"])
    check_gradients(graph)
    assert seen["shape"] == (3, 2) and seen["dtype"] == np.float64
    check_gradients(graph, {"x": (None, 2)})
    assert seen["shape"] == (3, 2)
    check_gradients(graph, {"x": np.ones((7, 2), np.float32)}, params={"y/W": [[100.0], [200.0]]})
    assert seen["shape"] == (7, 2) and seen["dtype"] == np.float64
    np.testing.assert_allclose(seen["W"], [[100.0], [200.0]], atol=1e-4)


def test_inputs_are_drawn_away_from_kinks():
    for brick, shapes in (
        (ReLU(), ((20, 20),)),
        (Maximum(), ((20, 20), (20, 20))),
        (MaxPooling2D(), ((2, 4, 4, 2),)),
    ):
        assert check_gradients(brick, shapes).worst < 1e-6
    with pytest.raises(GradientError, match=r"away from points without derivative; .* came within 0 of one"):
        check_gradients(ReLU(), (np.zeros((2, 2)),))


def test_integers_are_drawn_from_0_and_1():
    graph = Graph(
        {"x": (None, 2), "t": InputSpec((None,), "int32")},
        [("loss", SoftmaxCrossEntropy(), ("x", "t"))],
        ["loss"],
    )
    assert {slope.name for slope in check_gradients(graph).slopes} == {"x"}


# -- what is refused --------------------------------------------------------------------------------


def test_wrong_inputs():
    graph = diamond()
    with pytest.raises(GraphError, match=r"has the inputs 'x'; `inputs` names 'xx'. Did you mean 'x'"):
        check_gradients(graph, {"xx": (3, 3)})
    with pytest.raises(ParameterTypeError, match=r"takes a dict for the inputs of a graph.*Name them: 'x'"):
        check_gradients(graph, ((3, 3),))
    with pytest.raises(GraphError, match=r"has the parameters none; `params` names 'a/W'"):
        check_gradients(graph, params={"a/W": np.ones(3)})
    with pytest.raises(
        ParameterTypeError, match=r"takes a tuple for the inputs of a brick, .* Mind the comma"
    ):
        check_gradients(Tanh(), (4, 3))
    with pytest.raises(ParameterTypeError, match="takes a tuple for the inputs of a brick"):
        check_gradients(Tanh())
