"""The summary: rows, shapes, numbers of parameters, connections, at any width."""

from __future__ import annotations

import re
import time

import pytest

from brickwork import bricks
from brickwork.graph import Attributes, Graph, InputSpec, Node
from brickwork.inspect.summary import count, size_text, summary_text


def layer(name, kind, *parts, frozen=False):
    """Nodes of one layer in a chain: (role, brick, inputs)."""
    return [
        Node(
            f"{name}/{role}",
            brick,
            tuple(inputs),
            layer=name,
            kind=kind,
            attributes={key: Attributes(trainable=not frozen) for key in ("W", "b", "gamma", "beta")},
        )
        for role, brick, inputs in parts
    ]


def dense(name, units, source, activation=None, kind="Dense", frozen=False):
    parts = [("linear", bricks.Linear(units), [source]), ("bias", bricks.Bias(), [f"{name}/linear"])]
    if activation is not None:
        parts.append(("activation", activation, [f"{name}/bias"]))
    return layer(name, kind, *parts, frozen=frozen)


def table(text):
    """Cells of the rows, and what the totals say."""
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if line[0] == "│"
    ]
    totals = dict(re.findall(r"^(\S.*) params: +([\d,]+)", text, re.MULTILINE))
    return rows[1:], totals


def ten_dense_layers():
    nodes, source = [], "input"
    for index in range(9):
        nodes += dense(f"dense_{index}", 100, source, bricks.Sigmoid())
        source = f"dense_{index}/activation"
    return Graph(
        {"input": (None, 784)},
        [*nodes, *dense("dense_9", 10, source, bricks.Softmax())],
        ["dense_9/activation"],
    )


def test_ten_dense_layers():
    """784 x 100 + 100, eight times 100 x 100 + 100, 100 x 10 + 10."""
    rows, totals = table(summary_text(ten_dense_layers()))
    assert rows[0] == ["input (InputLayer)", "(None, 784)", "0", ""]
    assert rows[1] == ["dense_0 (Dense)", "(None, 100)", "78,500", "input"]
    assert rows[2] == ["dense_1 (Dense)", "(None, 100)", "10,100", "dense_0"]
    assert rows[-1] == ["dense_9 (Dense)", "(None, 10)", "1,010", "dense_8"]
    assert len(rows) == 11
    assert totals == {"Total": "160,310", "Trainable": "160,310", "Non-trainable": "0"}


def test_totals_stand_in_columns_with_their_sizes():
    assert summary_text(ten_dense_layers()).splitlines()[-3:] == [
        "Total params:         160,310 (626.2 KB)",
        "Trainable params:     160,310 (626.2 KB)",
        "Non-trainable params:       0 (0 B)",
    ]


def test_title_and_inputs():
    text = summary_text(ten_dense_layers(), name="deep", kind="Sequential", show_inputs=False)
    assert text.startswith('Model: "deep" (Sequential)\n')
    assert table(text)[0][0] == ["dense_0 (Dense)", "(None, 100)", "78,500", "input"]


def test_running_statistics_and_frozen_parameters_are_not_trained():
    nodes = [
        *dense("a", 8, "x"),
        *layer(
            "norm", "BatchNormalization", ("batch_normalization", bricks.BatchNormalization(), ["a/bias"])
        ),
        *dense("b", 2, "norm/batch_normalization", frozen=True),
    ]
    graph = Graph({"x": (None, 4)}, nodes, ["b/bias"])
    rows, totals = table(summary_text(graph, width=100))
    assert rows[2][0] == "norm (BatchNormalization)" and rows[2][2] == "32"
    assert rows[3][0] == "b (Dense, frozen)"
    assert totals == {"Total": "90", "Trainable": "56", "Non-trainable": "34"}
    assert (count(graph).trainable, count(graph).non_trainable, count(graph).total) == (56, 34, 90)


def test_branches_and_merges():
    nodes = [
        *dense("left", 3, "x"),
        *dense("right", 3, "x"),
        *layer("add", "Add", ("add", bricks.Add(), ["left/bias", "right/bias"])),
    ]
    rows, _ = table(summary_text(Graph({"x": (None, 4)}, nodes, ["add/add", "left/bias"])))
    assert rows[3] == ["add (Add)", "(None, 3)", "0", "left, right"]


def test_a_layer_that_is_called_twice_counts_once():
    first = dense("shared", 3, "x")
    second = [
        Node("shared/linear@2", bricks.Linear(3), ("y",), "shared/linear", "shared", "Dense"),
        Node("shared/bias@2", bricks.Bias(), ("shared/linear@2",), "shared/bias", "shared", "Dense"),
    ]
    add = Node("sum", bricks.Add(), ("shared/bias", "shared/bias@2"))
    graph = Graph({"x": (None, 4), "y": (None, 4)}, [*first, *second, add], ["sum"])
    rows, totals = table(summary_text(graph))
    assert rows[2:] == [
        ["shared (Dense)", "(None, 3)", "15", "x, y"],
        ["sum (Add)", "(None, 3)", "0", "shared"],
    ]
    assert totals["Total"] == "15"
    inner = [row for row in table(summary_text(graph, bricks=True, width=100))[0] if len(row) == 4]
    assert [row[2] for row in inner if row[0].startswith(("Linear", "Bias"))] == [
        "12",
        "3",
        "shared",
        "shared",
    ]


def test_two_layers_that_share_a_parameter():
    tied = Node("b/linear", bricks.Linear(4), ("a/linear",), "a/linear", "b", "Dense")
    graph = Graph(
        {"x": (None, 4)}, [*layer("a", "Dense", ("linear", bricks.Linear(4), ["x"])), tied], ["b/linear"]
    )
    rows, totals = table(summary_text(graph))
    assert [row[2] for row in rows] == ["0", "16", "shared"]
    assert totals["Total"] == "16"


def test_bricks_without_a_layer_are_rows_of_their_own():
    graph = Graph(
        {"x": (None,), "y": (None,), "z": (None,)},
        [("sum", bricks.Add(), ["x", "y"]), ("f", bricks.Multiply(), ["sum", "z"])],
        ["f"],
    )
    rows, _ = table(summary_text(graph))
    assert rows[3:] == [["sum (Add)", "(None,)", "0", "x, y"], ["f (Multiply)", "(None,)", "0", "sum, z"]]
    assert "│   y = x1 + x2 + ..." in summary_text(graph, bricks=True)


def test_a_brick_and_a_layer_of_one_name():
    nodes = [*dense("h", 3, "x"), Node("h", bricks.ReLU(), ("h/bias",))]
    rows, _ = table(summary_text(Graph({"x": (None, 4)}, nodes, ["h"])))
    assert [row[0] for row in rows] == ["x (InputLayer)", "h (Dense)", "h (ReLU)"]


def test_networks_within_networks_are_one_row():
    inner = [
        *dense("base/one", 7, "x", kind="Functional/Dense"),
        *dense("base/two", 5, "base/one/bias", kind="Functional/Dense"),
    ]
    graph = Graph({"x": (None, 4)}, [*inner, *dense("head", 2, "base/two/bias")], ["head/bias"])
    rows, _ = table(summary_text(graph))
    assert rows[1:] == [
        ["base (Functional)", "(None, 5)", "75", "x"],
        ["head (Dense)", "(None, 2)", "12", "base"],
    ]


def test_several_outputs_of_a_layer():
    parts = [
        ("linear", bricks.Linear(3), ["x"]),
        ("relu", bricks.ReLU(), ["two/linear"]),
        ("sum", bricks.Sum(), ["x"]),
    ]
    graph = Graph({"x": (None, 4)}, layer("two", "Two", *parts), ["two/relu", "two/sum"])
    shapes = table(summary_text(graph, width=100))[0][1][1]
    assert shapes == f"{graph.shapes['two/relu']}, {graph.shapes['two/sum']}"


def test_bricks():
    graph = Graph({"x": (None, 4)}, dense("h", 3, "x", bricks.ReLU()), ["h/activation"])
    assert summary_text(graph, name="tiny", bricks=True, width=74) == (
        'Model: "tiny" (Functional)\n'
        "┌───────────────────┬──────────────┬─────────┬──────────────────────┐\n"
        "│ Layer (type)      │ Output shape │ Param # │ Connected to, arrays │\n"
        "├───────────────────┼──────────────┼─────────┼──────────────────────┤\n"
        "│ x (InputLayer)    │ (None, 4)    │       0 │                      │\n"
        "├───────────────────┼──────────────┼─────────┼──────────────────────┤\n"
        "│ h (Dense)         │ (None, 3)    │      15 │ x                    │\n"
        "│   Linear(units=3) │ (None, 3)    │      12 │ W (4, 3)             │\n"
        "│     y = x @ W                                                     │\n"
        "│   Bias            │ (None, 3)    │       3 │ b (3,)               │\n"
        "│     y = x + b                                                     │\n"
        "│   ReLU            │ (None, 3)    │       0 │                      │\n"
        "│     y = max(x, 0)                                                 │\n"
        "└───────────────────┴──────────────┴─────────┴──────────────────────┘\n"
        "Total params:         15 (60 B)\n"
        "Trainable params:     15 (60 B)\n"
        "Non-trainable params:  0 (0 B)"
    )


def test_bricks_of_networks_within_networks_stand_under_their_layers():
    inner = [
        *dense("base/one", 7, "x", kind="Functional/Dense"),
        *dense("base/two", 5, "base/one/bias", kind="Functional/Dense"),
    ]
    lines = summary_text(Graph({"x": (None, 4)}, inner, ["base/two/bias"]), bricks=True).splitlines()
    first = [line[2:].partition(" │")[0].rstrip() for line in lines if line[0] == "│" and "y =" not in line]
    assert first[2:] == [
        "base (Functional)",
        "  one (Dense)",
        "    Linear(units=7)",
        "    Bias",
        "  two (Dense)",
        "    Linear(units=5)",
        "    Bias",
    ]


def test_long_arguments_of_a_brick_get_a_line():
    brick = bricks.Convolution2D(8, (3, 3), padding="same")
    text = summary_text(
        Graph({"x": (None, 28, 28, 1)}, [*layer("c", "C", ("c", brick, ["x"]))], ["c/c"]), bricks=True
    )
    assert "│     filters=8, kernel_size=(3, 3), padding='same'" in text
    assert "│   Convolution2D " in text


@pytest.mark.parametrize("with_bricks", [False, True])
@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_asked_for(width, with_bricks):
    nodes, source = [], "an_input_with_a_long_name"
    for index in range(4):
        name = f"a_layer_whose_name_is_really_long_{index}"
        norm = bricks.BatchNormalization()
        nodes += layer(name, "ALayerWithALongClassName", ("batch_normalization", norm, [source]))
        source = f"{name}/batch_normalization"
    graph = Graph({"an_input_with_a_long_name": (None, 224, 224, 512)}, nodes, [source])
    lines = summary_text(graph, width=width, bricks=with_bricks).splitlines()
    assert max(map(len, lines)) <= width
    assert len({len(line) for line in lines[1:-3]}) == 1


def test_the_width_of_the_terminal(monkeypatch):
    nodes = [*dense("a" * 60, 3, "x"), *dense("b" * 60, 3, "a" * 60 + "/bias")]
    graph = Graph({"x": (None, 4)}, nodes, ["b" * 60 + "/bias"])
    for columns, expected in (("60", 60), ("90", 90), ("300", 110)):
        monkeypatch.setenv("COLUMNS", columns)
        assert max(map(len, summary_text(graph).splitlines())) == expected


def test_float64_takes_twice_the_room():
    graph = Graph({"x": InputSpec((None, 4), "float64")}, dense("h", 3, "x"), ["h/bias"])
    assert "15 (120 B)" in summary_text(graph)


def test_a_graph_of_20000_bricks():
    chain = [(f"n{index}", bricks.Tanh(), [f"n{index - 1}" if index else "x"]) for index in range(20_000)]
    graph = Graph({"x": (None,)}, chain, ["n19999"])
    start = time.perf_counter()
    text = summary_text(graph, bricks=True)
    assert time.perf_counter() - start < 20
    assert text.count("tanh(x)") == 20_000


@pytest.mark.parametrize(
    "size, text",
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (2**20, "1.0 MB"), (2**31, "2.0 GB"), (2**41, "2.0 TB")],
)
def test_sizes(size, text):
    assert size_text(size) == text


def test_the_cell_of_a_recurrent_layer_is_shown_gate_by_gate():
    import brickwork
    from brickwork import layers

    start = brickwork.Input((5, 2))
    one_way = layers.LSTM(3, return_sequences=True)(start, mask=brickwork.bricks.NonZero()(pieces(start)))
    back = layers.GRU(2, go_backwards=True)(layers.TimeDistributed(layers.Dense(4))(one_way))
    model = brickwork.Model(start, back)
    text = summary_text(model.graph, bricks=True, width=110)
    lines = [line.strip("│ ") for line in text.splitlines()]
    assert "cell: x(t), counts(t), h(t - 1), c(t - 1)" in lines
    assert "forget_gate = Sigmoid(f)" in lines and "output_gate = Sigmoid(o)" in lines
    assert "h_carried = Where(counts, new, h)" in lines
    assert "gives y(t) = h_carried, h(t) = h_carried, c(t) = c_carried" in lines
    assert "cell: x(t), counts(t), h(t + 1)" in lines and "recurrent = Linear(units=6)(h)" in lines
    assert "cell: x(t)" in lines and any(line.startswith("gives y(t) = dense") for line in lines)
    assert "Graph(" not in text
    assert "forget_gate" not in summary_text(model.graph)
    alone = brickwork.Model(start, brickwork.graph.Loop(layers.SimpleRNN(2).cell)(start))
    assert "recurrent = Linear(units=2)(h)" in summary_text(alone.graph, bricks=True, width=110)


def pieces(x):
    """One number for each moment."""
    return bricks.Reshape((5,))(bricks.Slice(-1, 0, 1)(x))
