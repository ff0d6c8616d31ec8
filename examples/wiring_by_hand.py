"""f(x, y, z) = (x + y) z, wired by hand: values flow forward, gradients flow back."""

import numpy as np

import brickwork
from brickwork.bricks import Add, Multiply
from brickwork.graph import Graph, backprop

# A graph is inputs, nodes (name, brick, what feeds it) and outputs; (None,) is a batch of single numbers.
graph = Graph(
    {"x": (None,), "y": (None,), "z": (None,)},
    [("sum", Add(), ["x", "y"]), ("f", Multiply(), ["sum", "z"])],
    ["f"],
)

# Forward: every brick computes its value and saves what its backward formula will need.
numbers = {"x": np.array([-2.0]), "y": np.array([5.0]), "z": np.array([-4.0])}
run = graph.forward({}, {}, numbers)
print("forward: ", {name: float(value[0]) for name, value in run.values.items()})

# Backward: it starts with df/df = 1 and asks each brick, last one first, for the gradients of its inputs.
_, gradients = backprop(graph, {}, run.saved, {"f": np.array([1.0])}, keep=["x", "y", "z", "sum"])
print("backward:", {name: float(value[0]) for name, value in gradients.items()})

# The same, recorded while it is computed.
with brickwork.record() as tape:
    x, y, z = tape.input(-2.0, "x"), tape.input(5.0, "y"), tape.input(-4.0, "z")
    f = (x + y) * z
recorded = tape.gradients(f)

# And the same by moving each input a little.
step = 1e-6
slopes = {}
for name in "xyz":
    up, down = ({**numbers, name: numbers[name] + sign * step} for sign in (1, -1))
    rise = graph.forward({}, {}, up).values["f"] - graph.forward({}, {}, down).values["f"]
    slopes[name] = float(rise[0]) / (2 * step)
print("slopes:  ", {name: round(slope, 6) for name, slope in slopes.items()})

agree = sum(float(recorded[name]) == gradients[name][0] == round(slopes[name], 6) for name in "xyz")
print(f"score: {agree} of 3 gradients agree in all three ways")
