"""Wiring: order, names, shapes, several inputs and outputs, shared owners, numbers."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import (
    Add,
    BatchNormalization,
    Bias,
    Concatenate,
    Dropout,
    Identity,
    Linear,
    Multiply,
    ReLU,
    Reshape,
    Sum,
    Tanh,
)
from brickwork.errors import GraphError, ShapeError
from brickwork.graph import Attributes, Graph, InputSpec, Node
from brickwork.initializers import Ones
from graph.made_bricks import Split


def values(graph, inputs, params=None, state=None, **options):
    return graph.forward(params or {}, state or {}, inputs, **options).values


def notes(raised) -> str:
    return "\n".join(getattr(raised.value, "__notes__", []))


def test_the_lectures_graph():
    graph = Graph(
        {"x": (None,), "y": (None,), "z": (None,)},
        [("f", Multiply(), ("sum", "z")), ("sum", Add(), ("x", "y"))],
        ["f"],
    )
    assert [node.name for node in graph.nodes] == ["sum", "f"]
    assert [node.index for node in graph.nodes] == [0, 1]
    found = values(graph, {"x": np.array([-2.0]), "y": np.array([5.0]), "z": np.array([-4.0])})
    assert found["sum"] == 3 and found["f"] == -12


def test_order_is_topological_and_keeps_the_given_order_where_it_may():
    names = ["d", "b", "c", "a", "e"]
    feeds = {"a": ("x",), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ("x",)}
    nodes = [(name, Add() if len(feeds[name]) > 1 else Identity(), feeds[name]) for name in names]
    graph = Graph({"x": (None, 2)}, nodes, ["d", "e"])
    assert [node.name for node in graph.nodes] == ["a", "b", "c", "d", "e"]
    again = Graph(graph.inputs, graph.nodes, graph.outputs)
    assert again.nodes == graph.nodes


def test_diamond():
    graph = Graph(
        {"x": (None, 2)},
        [("left", Tanh(), "x"), ("right", ReLU(), "x"), ("join", Multiply(), ("left", "right"))],
        ["join"],
    )
    x = np.array([[0.5, -1.0]])
    np.testing.assert_array_equal(values(graph, {"x": x})["join"], np.tanh(x) * np.maximum(x, 0))


def test_one_value_twice_into_one_brick():
    graph = Graph({"x": (None, 1)}, [("square", Multiply(), ("x", "x"))], ["square"])
    assert values(graph, {"x": np.array([[3.0]])})["square"] == 9


def test_several_inputs_and_outputs_and_an_output_that_is_an_input():
    graph = Graph(
        {"x": (None, 2), "y": InputSpec((None, 3)), "unread": (None, 1)},
        [("both", Concatenate(), ("x", "y")), ("sum", Sum(), "both")],
        ["sum", "both", "y", "sum"],
    )
    assert graph.outputs == ("sum", "both", "y", "sum")
    assert graph.shapes["both"] == (None, 5) and graph.shapes["sum"] == (None,)
    found = values(graph, {"x": np.ones((1, 2)), "y": np.ones((1, 3))}, keep=[])
    assert sorted(found) == ["both", "sum", "x", "y"] and found["sum"] == 5


def test_a_brick_with_two_outputs():
    graph = Graph(
        {"x": (None, 4)},
        [("split", Split(), "x"), ("difference", Add(), ("split:1", "split:0"))],
        ["difference", "split:1"],
    )
    assert graph.shapes["split:0"] == (None, 2) and "split" not in graph.shapes
    x = np.array([[1.0, 2.0, 10.0, 20.0]])
    found = values(graph, {"x": x}, keep=[])
    assert found["difference"].tolist() == [[11, 22]] and found["split:1"].tolist() == [[10, 20]]
    assert "split:0" not in found
    with pytest.raises(GraphError, match=r"reads 'split', which no node produces.* Did you mean 'split:\d'"):
        Graph({"x": (None, 4)}, [("split", Split(), "x"), ("y", ReLU(), "split")], ["y"])
    with pytest.raises(GraphError, match=r"reads 'split:2', which no node produces"):
        Graph({"x": (None, 4)}, [("split", Split(), "x"), ("y", ReLU(), "split:2")], ["y"])
    with pytest.raises(GraphError, match=r"'split:0' is used twice"):
        Graph({"x": (None, 4)}, [("split", Split(), "x"), ("split:0", ReLU(), "x")], ["split:0"])


def test_no_nodes_at_all():
    graph = Graph({"x": (None, 2)}, [], ["x"])
    assert values(graph, {"x": 3})["x"] == 3


# -- what is refused -------------------------------------------------------------------------------


def test_dangling_name():
    message = (
        r"node 'add' reads 'skip', which no node produces. Known nodes: 'x', 'skip1', 'add'. "
        r"Did you mean 'skip1'\?"
    )
    with pytest.raises(GraphError, match=message):
        Graph({"x": (None, 2)}, [("skip1", ReLU(), "x"), ("add", Add(), ("x", "skip"))], ["add"])


def test_unknown_output():
    with pytest.raises(GraphError, match=r"output 'relu1' names no node. Known names: .*Did you mean 'relu'"):
        Graph({"x": (None, 2)}, [("relu", ReLU(), "x")], ["relu1"])


@pytest.mark.parametrize("name", ["relu", "x"])
def test_name_used_twice(name):
    with pytest.raises(GraphError, match=rf"names that differ; {name!r} is used twice. Rename one"):
        Graph({"x": (None, 2)}, [("relu", ReLU(), "x"), (name, ReLU(), "x")], ["relu"])


def test_cycle():
    nodes = [
        ("before", ReLU(), "x"),
        ("a", Add(), ("before", "c")),
        ("b", ReLU(), "a"),
        ("c", ReLU(), "b"),
        ("behind", ReLU(), "c"),
    ]
    with pytest.raises(GraphError, match=r"must not run in a circle; it received .* Cut one") as raised:
        Graph({"x": (None, 2)}, nodes, ["behind"])
    circle = str(raised.value).split("received ")[1].split(". Cut")[0].split(" → ")
    assert sorted(circle[1:]) == ["'a'", "'b'", "'c'"] and circle[0] == circle[-1]
    after = {"'a'": "'b'", "'b'": "'c'", "'c'": "'a'"}
    assert all(after[one] == other for one, other in zip(circle, circle[1:], strict=False))


def test_a_node_that_feeds_itself():
    with pytest.raises(GraphError, match=r"received 'a' → 'a'\."):
        Graph({"x": (None, 2)}, [("a", Add(), ("x", "a"))], ["a"])


def test_a_long_circle_is_named_shortly():
    count = 20_000
    nodes = [(f"n{i}", Identity(), f"n{(i - 1) % count}") for i in range(count)]
    with pytest.raises(GraphError, match=r"… \(19989 more\)"):
        Graph({}, nodes, ["n0"])


def test_shape_errors_name_node_and_feeders():
    with pytest.raises(ShapeError, match="Add takes shapes that broadcast") as raised:
        Graph({"x": (None, 2), "y": (None, 3)}, [("add", Add(), ("x", "y"))], ["add"])
    assert notes(raised) == "at node 'add', fed by 'x', 'y'"


@pytest.mark.parametrize(
    ("brick", "inputs", "message"),
    [
        (ReLU(), ("x", "x"), r"ReLU takes 1 input \(x\); it received 2. Mend the list"),
        (ReLU(), (), r"ReLU takes 1 input \(x\); it received 0"),
        (Add(), ("x",), "Add takes at least 2 inputs; it received 1"),
    ],
)
def test_wrong_number_of_inputs(brick, inputs, message):
    with pytest.raises(ShapeError, match=message) as raised:
        Graph({"x": (None, 2)}, [("y", brick, inputs)], ["y"])
    assert notes(raised) == f"at node 'y', fed by {', '.join(map(repr, inputs)) or 'nothing'}"


def test_a_type_error_inside_a_brick_is_not_taken_for_a_wrong_number_of_inputs():
    class Broken(ReLU):
        def output_shape(self, x):
            return sorted()

    with pytest.raises(TypeError, match="sorted expected 1 argument") as raised:
        Graph({"x": (None, 2)}, [("y", Broken(), "x")], ["y"])
    assert "at node 'y'" in notes(raised)


def test_a_brick_that_tells_too_few_shapes():
    class Half(Split):
        def output_shape(self, x):
            return (super().output_shape(x)[0],)

    with pytest.raises(ShapeError, match="Half has 2 outputs; its output_shape gave 1 shapes"):
        Graph({"x": (None, 4)}, [("y", Half(), "x")], ["y:0"])


def test_a_class_for_a_brick():
    with pytest.raises(GraphError, match=r"Node 'y' needs a brick; .* Write an instance"):
        Graph({"x": (None, 2)}, [("y", ReLU, "x")], ["y"])


# -- parameters and state --------------------------------------------------------------------------


def shared(second=(None, 3), brick=None):
    nodes = [
        Node("first", brick or Linear(2), ("x",)),
        Node("second", brick or Linear(2), ("y",), owner="first"),
        Node("join", Add(), ("first", "second")),
    ]
    return Graph({"x": (None, 3), "y": second}, nodes, ["join"])


def test_shared_owner():
    graph = shared()
    assert list(graph.parameters) == ["first/W"]
    params, _ = graph.initialize(1)
    x, y = np.ones((1, 3), np.float32), np.full((1, 3), 2, np.float32)
    np.testing.assert_allclose(
        values(graph, {"x": x, "y": y}, params)["join"], 3 * x @ params["first/W"], rtol=1e-6
    )


def test_equal_bricks_do_not_share():
    graph = Graph({"x": (None, 2)}, [("a", Linear(2), "x"), ("b", Linear(2), "a")], ["b"])
    assert list(graph.parameters) == ["a/W", "b/W"]
    params, _ = graph.initialize(0)
    assert not np.array_equal(params["a/W"], params["b/W"])


def test_shared_owner_of_another_shape():
    with pytest.raises(
        ShapeError, match=r"Linear shares 'first/W' of shape \(3, 2\); .* need \(4, 2\)"
    ) as raised:
        shared((None, 4))
    assert notes(raised) == "at node 'second', fed by 'y'"


def test_shared_statistics_of_another_shape():
    brick = BatchNormalization(center=False, scale=False)
    with pytest.raises(ShapeError, match=r"shares 'first/running_mean' of shape \(3,\)"):
        shared((None, 4), brick)


def test_attributes_belong_to_parameters():
    node = Node("dense", Linear(2), ("x",), attributes={"W": Attributes(Ones(), trainable=False)})
    graph = Graph({"x": (None, 3)}, [node, Node("bias", Bias(), ("dense",))], ["bias"])
    assert not graph.parameters["dense/W"].trainable and graph.parameters["bias/b"].trainable
    params, state = graph.initialize()
    assert params["dense/W"].tolist() == [[1, 1]] * 3 and state == {}
    assert params["dense/W"].dtype == np.float32


def test_initialize_repeats():
    graph = shared()
    one, _ = graph.initialize(3, "float64")
    two, _ = graph.initialize(3, "float64")
    other, _ = graph.initialize(4, "float64")
    np.testing.assert_array_equal(one["first/W"], two["first/W"])
    assert not np.array_equal(one["first/W"], other["first/W"])
    assert one["first/W"].dtype == np.float64


def test_running_statistics():
    graph = Graph({"x": (None, 1)}, [("norm", BatchNormalization(momentum=0.5), "x")], ["norm"])
    params, state = graph.initialize(0, "float64")
    x = np.array([[1.0], [3.0]])
    trained = graph.forward(params, state, {"x": x}, training=True)
    assert trained.state["norm/running_mean"] == 1 and trained.state["norm/running_var"] == 1
    assert state["norm/running_mean"] == 0, "state that was given is not changed"
    inferred = graph.forward(params, trained.state, {"x": x}, training=False)
    assert inferred.state == trained.state
    np.testing.assert_allclose(inferred.values["norm"].ravel(), np.array([0.0, 2.0]) / np.sqrt(1.001))


def test_two_uses_of_one_batch_normalization_update_its_statistics_twice():
    brick = BatchNormalization(momentum=0.5)
    graph = shared((None, 3), brick)
    params, state = graph.initialize(0, "float64")
    after = graph.forward(
        params, state, {"x": np.full((2, 3), 1.0), "y": np.full((2, 3), 4.0)}, training=True
    ).state
    assert after["first/running_mean"].tolist() == [2.25] * 3


def test_a_frozen_batch_normalization_uses_its_statistics_in_training():
    nodes = [
        Node("norm", BatchNormalization(), ("x",), frozen=True),
        Node("drop", Dropout(0.5), ("norm",), frozen=True),
    ]
    graph = Graph({"x": (None, 64)}, nodes, ["norm", "drop"])
    params, state = graph.initialize(0, "float64")
    passed = graph.forward(params, state, {"x": np.full((2, 64), 5.0)}, training=True)
    np.testing.assert_allclose(passed.values["norm"], 5 / np.sqrt(1.001))
    assert passed.state == state
    assert (passed.values["drop"] == 0).any(), "dropout goes on in a frozen layer, as in Keras"


def test_streams_count_random_nodes_only_and_masks_differ():
    nodes = [("a", Dropout(0.5), "x"), ("relu", ReLU(), "a"), ("b", Dropout(0.5), "x")]
    graph = Graph({"x": (None, 32)}, nodes, ["relu", "b"])
    assert [(node.name, node.stream) for node in graph.nodes] == [("a", 0), ("relu", -1), ("b", 1)]
    x = {"x": np.ones((2, 32))}
    one = values(graph, x, training=True, key=5, step=1)
    same = values(graph, x, training=True, key=5, step=1)
    next_step = values(graph, x, training=True, key=5, step=2)
    assert not np.array_equal(one["relu"], one["b"])
    np.testing.assert_array_equal(one["b"], same["b"])
    assert not np.array_equal(one["b"], next_step["b"])
    below = values(graph, {"x": np.ones((1, 32))}, training=True, key=5, step=1, row=1)
    np.testing.assert_array_equal(below["b"], one["b"][1:])


def test_keep_and_save():
    nodes = [("a", Tanh(), "x"), ("b", Tanh(), "a"), ("c", Tanh(), "b")]
    graph = Graph({"x": (None, 1)}, nodes, ["c"])
    passed = graph.forward({}, {}, {"x": np.ones((1, 1))}, keep={"a"}, save=False)
    assert sorted(passed.values) == ["a", "c", "x"] and passed.saved == {}
    passed = graph.forward({}, {}, {"x": np.ones((1, 1))})
    assert sorted(passed.values) == ["a", "b", "c", "x"] and sorted(passed.saved) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            ({}, {}, {"xx": 1}),
            r"array for each input; there is none for 'x', only for 'xx'. Did you mean 'xx'",
        ),
        (({}, {}, {"x": 1}), r"each parameter; there is none for 'norm/gamma', only for nothing"),
        (({"norm/gamma": 1, "norm/beta": 1}, {}, {"x": 1}), "each running statistic; .* 'norm/running_mean'"),
    ],
)
def test_missing_arrays(given, message):
    graph = Graph({"x": (None, 1), "unread": (None,)}, [("norm", BatchNormalization(), "x")], ["norm"])
    with pytest.raises(GraphError, match=message):
        graph.forward(*given)


def test_an_error_inside_forward_names_the_node():
    graph = Graph({"x": (None, 4)}, [("image", Reshape((2, 2)), "x")], ["image"])
    with pytest.raises(ValueError, match="reshape") as raised:
        values(graph, {"x": np.ones((1, 5))})
    assert notes(raised) == "at node 'image', fed by 'x'"


def test_a_chain_of_20000_bricks():
    count = 20_000
    nodes = [(f"n{i}", Identity(), f"n{i - 1}" if i else "x") for i in reversed(range(count))]
    graph = Graph({"x": (None, 1)}, nodes, [f"n{count - 1}"])
    assert [node.name for node in graph.nodes[:3]] == ["n0", "n1", "n2"]
    x = np.array([[7.0]])
    assert values(graph, {"x": x}, keep=[])[f"n{count - 1}"] == 7


def test_repr():
    assert repr(shared()) == "Graph(3 nodes, inputs ['x', 'y'], outputs ['join'])"
