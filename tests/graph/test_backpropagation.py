"""Back-propagation: fan-out, sharing, what is asked for and what is not computed."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import (
    Add,
    Bias,
    HalfSquaredError,
    Identity,
    Linear,
    Multiply,
    ReLU,
    Scale,
    Sigmoid,
    SoftmaxCrossEntropy,
    Sum,
    Tanh,
)
from brickwork.errors import GraphError
from brickwork.graph import Attributes, Graph, InputSpec, Node, backprop
from graph.made_bricks import Counted, Split


def run(graph, inputs, params=None, seeds=None, **options):
    passed = graph.forward(params or {}, {}, inputs)
    seeds = seeds or {name: np.ones_like(passed.values[name]) for name in graph.outputs}
    return backprop(graph, params or {}, passed.saved, seeds, **options)


def notes(raised) -> str:
    return "\n".join(getattr(raised.value, "__notes__", []))


def test_the_lectures_gradients():
    graph = Graph(
        {"x": (None,), "y": (None,), "z": (None,)},
        [("sum", Add(), ("x", "y")), ("f", Multiply(), ("sum", "z"))],
        ["f"],
    )
    numbers = {"x": np.array([-2.0]), "y": np.array([5.0]), "z": np.array([-4.0])}
    _, dvalues = run(graph, numbers, keep=["x", "y", "z", "sum", "f"])
    assert {name: float(dx[0]) for name, dx in dvalues.items()} == {
        "x": -4,
        "y": -4,
        "z": 3,
        "sum": -4,
        "f": 1,
    }


def test_fan_out_adds():
    nodes = [("a", Tanh(), "x"), ("b", Sigmoid(), "x"), ("c", ReLU(), "x"), ("y", Add(), ("a", "b", "c"))]
    graph = Graph({"x": (None, 1)}, nodes, ["y"])
    x = np.array([[0.3]])
    _, dvalues = run(graph, {"x": x}, keep=["x"])
    s = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(dvalues["x"], 1 - np.tanh(x) ** 2 + s * (1 - s) + 1, rtol=1e-12)


def test_one_value_twice_into_one_brick():
    """Add returns one array for both inputs; adding in place would count it four times."""
    graph = Graph({"x": (None, 1)}, [("y", Add(), ("x", "x")), ("z", Add(), ("y", "y"))], ["z"])
    _, dvalues = run(graph, {"x": np.array([[3.0]])}, keep=["x", "y"])
    assert dvalues["x"] == 4 and dvalues["y"] == 2


def test_diamonds_one_behind_the_other():
    nodes, last = [], "x"
    for index in range(60):
        nodes += [(f"left{index}", Identity(), last), (f"right{index}", Identity(), last)]
        nodes += [(f"join{index}", Add(), (f"left{index}", f"right{index}"))]
        last = f"join{index}"
    graph = Graph({"x": (None, 1)}, nodes, [last])
    _, dvalues = run(graph, {"x": np.array([[1.0]])}, keep=["x"])
    assert dvalues["x"] == 2.0**60


def test_seeds_are_not_changed_and_add_to_what_comes_back():
    graph = Graph({"x": (None, 1)}, [("a", Tanh(), "x"), ("b", Add(), ("a", "x"))], ["a", "b"])
    x = {"x": np.array([[0.0]])}
    seeds = {"a": np.array([[10.0]]), "b": np.array([[1.0]]), "x": np.array([[100.0]])}
    for seed in seeds.values():
        seed.setflags(write=False)
    _, dvalues = run(graph, x, seeds=seeds, keep=["x", "a"])
    assert dvalues["a"] == 11 and dvalues["x"] == 112
    assert seeds["a"] == 10


def test_gradient_of_a_sum_is_the_sum_of_gradients(rng):
    nodes = [("a", Linear(3), "x"), ("b", Tanh(), "a"), ("c", Linear(2), "b"), ("d", Multiply(), ("a", "b"))]
    graph = Graph({"x": (None, 4)}, nodes, ["c", "d"])
    params, _ = graph.initialize(0, "float64")
    x = {"x": rng.standard_normal((5, 4))}
    seeds = {"c": rng.standard_normal((5, 2)), "d": rng.standard_normal((5, 3))}
    both, both_x = run(graph, x, params, seeds, keep=["x"])
    parts = [run(graph, x, params, {name: seed}, keep=["x"]) for name, seed in seeds.items()]
    for key in params:
        np.testing.assert_allclose(both[key], parts[0][0][key] + parts[1][0][key], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(both_x["x"], parts[0][1]["x"] + parts[1][1]["x"], rtol=1e-12, atol=1e-14)


def test_a_second_backward_gives_the_same(rng):
    nodes = [("a", Linear(3), "x"), ("b", Tanh(), "a"), ("c", Add(), ("a", "b"))]
    graph = Graph({"x": (None, 4)}, nodes, ["c"])
    params, _ = graph.initialize(0, "float64")
    passed = graph.forward(params, {}, {"x": rng.standard_normal((5, 4))})
    seeds = {"c": rng.standard_normal((5, 3))}
    first = backprop(graph, params, passed.saved, seeds, keep=["x"])
    second = backprop(graph, params, passed.saved, seeds, keep=["x"])
    np.testing.assert_array_equal(first[0]["a/W"], second[0]["a/W"])
    np.testing.assert_array_equal(first[1]["x"], second[1]["x"])


def test_a_shared_parameter_gets_the_sum():
    nodes = [
        Node("first", Scale(), ("x",)),
        Node("second", Scale(), ("first",), owner="first"),
    ]
    graph = Graph({"x": (None, 1)}, nodes, ["second"])
    dparams, _ = run(graph, {"x": np.array([[5.0]])}, {"first/gamma": np.array([3.0])})
    assert list(dparams) == ["first/gamma"] and dparams["first/gamma"] == 2 * 3 * 5


# -- what is asked for ------------------------------------------------------------------------------


def test_frozen_parameters_are_left_out_unless_wanted():
    frozen = {"W": Attributes(trainable=False)}
    nodes = [Node("a", Linear(2), ("x",), attributes=frozen), Node("b", Linear(2), ("a",))]
    graph = Graph({"x": (None, 2)}, nodes, ["b"])
    params, _ = graph.initialize()
    x = {"x": np.ones((1, 2), np.float32)}
    assert list(run(graph, x, params)[0]) == ["b/W"]
    assert list(run(graph, x, params, wanted=["b/W", "a/W"])[0]) == ["a/W", "b/W"]
    assert run(graph, x, params, wanted=[])[0] == {}


def test_a_parameter_that_does_not_matter_gets_zeros():
    graph = Graph({"x": (None, 2)}, [("a", Linear(3), "x"), ("b", Linear(4), "x")], ["a", "b"])
    params, _ = graph.initialize()
    x = {"x": np.ones((1, 2), np.float32)}
    dparams, dvalues = run(graph, x, params, {"a": np.ones((1, 3), np.float32)}, keep=["b", "a"])
    assert dparams["b/W"].shape == (2, 4) and not dparams["b/W"].any()
    assert dparams["b/W"].dtype == np.float32
    assert list(dvalues) == ["a"], "a value that E does not depend on is left out"


def halves(wanted=None, keep=(), frozen=False):
    """Which functions of two Linear bricks are called."""
    calls = []
    one, two = Counted(2), Counted(2)
    for name, brick in (("1", one), ("2", two)):
        log = type("Log", (), {"append": lambda self, what, name=name: calls.append(what + name)})()
        object.__setattr__(brick, "calls", log)
    attributes = {"W": Attributes(trainable=not frozen)}
    nodes = [Node("a", one, ("x",), attributes=attributes), Node("r", ReLU(), ("a",)), Node("b", two, ("r",))]
    graph = Graph({"x": (None, 2)}, nodes, ["b"])
    params, _ = graph.initialize()
    run(graph, {"x": np.ones((1, 2), np.float32)}, params, wanted=wanted, keep=keep)
    return sorted(call for call in calls if not call.startswith("forward"))


def test_unwanted_halves_are_not_computed():
    assert halves() == ["input2", "parameter1", "parameter2"]
    assert halves(keep=["x"]) == ["input1", "input2", "parameter1", "parameter2"]
    assert halves(frozen=True) == ["parameter2"]
    assert halves(wanted=[], keep=["x"]) == ["input1", "input2"]
    assert halves(wanted=[], keep=["a"]) == ["input2"]
    assert halves(wanted=[], keep=["b"]) == []
    assert halves(wanted=["a/W"]) == ["input2", "parameter1"]


def test_integer_inputs_have_no_gradient():
    graph = Graph(
        {"x": (None, 3), "t": InputSpec((None,), "int32")},
        [("scores", Linear(3), "x"), ("loss", SoftmaxCrossEntropy(), ("scores", "t"))],
        ["loss"],
    )
    params, _ = graph.initialize(0, "float64")
    inputs = {"x": np.ones((2, 3)), "t": np.array([0, 2], np.int32)}
    dparams, dvalues = run(graph, inputs, params, keep=["x", "t"])
    assert list(dvalues) == ["x"] and dparams["scores/W"].any()


def test_targets_of_float_type_have_one():
    graph = Graph({"y": (None, 1), "t": (None, 1)}, [("l", HalfSquaredError(), ("y", "t"))], ["l"])
    _, dvalues = run(graph, {"y": np.array([[3.0]]), "t": np.array([[1.0]])}, keep=["y", "t"])
    assert dvalues["y"] == 2 and dvalues["t"] == -2


def test_an_unused_output_is_none():
    seen = []

    class Watched(Split):
        def backward(self, params, saved, dy):
            seen.append([None if part is None else part.tolist() for part in dy])
            return super().backward(params, saved, dy)

    graph = Graph({"x": (None, 4)}, [("split", Watched(), "x"), ("sum", Sum(), "split:1")], ["sum"])
    _, dvalues = run(graph, {"x": np.ones((1, 4))}, keep=["x", "split:0", "split:1"])
    assert seen == [[None, [[1, 1]]]]
    assert dvalues["x"].tolist() == [[0, 0, 1, 1]] and sorted(dvalues) == ["split:1", "x"]


def test_a_brick_none_of_whose_outputs_is_used_is_passed_by():
    graph = Graph({"x": (None, 4)}, [("split", Split(), "x"), ("sum", Sum(), "x")], ["split:0", "sum"])
    _, dvalues = run(graph, {"x": np.ones((1, 4))}, seeds={"sum": np.ones(1)}, keep=["x"])
    assert dvalues["x"].tolist() == [[1, 1, 1, 1]]


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"keep": ["bias1"]},
            r"`keep` names a value .*'dense', 'bias'; it received 'bias1'. Did you mean 'bias'",
        ),
        ({"wanted": ["dense/w"]}, r"`wanted` names .* it received 'dense/w'. Did you mean 'dense/W'"),
        ({"seeds": {"loss": np.ones(1)}}, r"A seed names .* it received 'loss'."),
    ],
)
def test_unknown_names(options, message):
    graph = Graph({"x": (None, 2)}, [("dense", Linear(2), "x"), ("bias", Bias(), "dense")], ["bias"])
    params, _ = graph.initialize()
    with pytest.raises(GraphError, match=message):
        run(graph, {"x": np.ones((1, 2), np.float32)}, params, **options)


def test_a_brick_with_too_few_gradients():
    class One(Multiply):
        def backward(self, params, saved, dy):
            return (dy,), {}

    graph = Graph({"x": (None, 2)}, [("y", One(), ("x", "x"))], ["y"])
    message = r"One needs one gradient for each of its 2 inputs, .* its backward gave 1. Mend the brick"
    with pytest.raises(GraphError, match=message) as raised:
        run(graph, {"x": np.ones((1, 2))}, keep=["x"])
    assert notes(raised) == "at node 'y', fed by 'x', 'x', on the way back"


def test_an_error_inside_backward_names_the_node():
    class Broken(Tanh):
        def backward(self, params, saved, dy):
            raise ArithmeticError("no")

    graph = Graph({"x": (None, 2)}, [("y", Broken(), "x")], ["y"])
    with pytest.raises(ArithmeticError, match="no") as raised:
        run(graph, {"x": np.ones((1, 2))}, keep=["x"])
    assert notes(raised) == "at node 'y', fed by 'x', on the way back"


def test_a_chain_of_20000_bricks():
    count = 20_000
    nodes = [(f"n{i}", Identity(), f"n{i - 1}" if i else "x") for i in range(count)]
    graph = Graph({"x": (None, 1)}, nodes, [f"n{count - 1}"])
    _, dvalues = run(graph, {"x": np.array([[7.0]])}, seeds={f"n{count - 1}": np.array([[3.0]])}, keep=["x"])
    assert dvalues["x"] == 3
