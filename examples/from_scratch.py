"""A network from scratch: two layers of sigmoid units that learn digits, in plain NumPy.

Every step of back-propagation is written out. At the end the same weights go into a graph of bricks, and the
deltas computed here are compared with the gradients that come out there.
"""

import numpy as np

import brickwork
from brickwork.bricks import Bias, HalfSquaredError, Linear, Sigmoid
from brickwork.graph import Graph, InputSpec, backprop

HIDDEN, CLASSES = 32, 10
LEARNING_RATE, EPOCHS = 0.1, 30

rng = np.random.default_rng(1)


# The data: images of 8 x 8 pixels as rows of 64 numbers in [0, 1], and one target number per class.

(images, labels), (test_images, test_labels) = brickwork.datasets.digits.load_data()


def rows(images):
    """Images as rows of numbers in [0, 1]."""
    return images.reshape(len(images), -1) / 16.0


def targets(labels):
    """1 for the right class, 0 for the others."""
    return np.eye(CLASSES)[labels]


# The network: x -> z1 = x W1 + b1 -> h = s(z1) -> z2 = h W2 + b2 -> y = s(z2)


def new_weights(inputs, units):
    """Small random weights, so that no sigmoid starts flat, and zeros as biases."""
    return rng.normal(0.0, 1.0 / np.sqrt(inputs), (inputs, units)), np.zeros(units)


def s(z):
    """The sigmoid: any number becomes one between 0 and 1."""
    return 1.0 / (1.0 + np.exp(-z))


def forward(x):
    """The values of the hidden units and of the output units."""
    h = s(x @ W1 + b1)
    y = s(h @ W2 + b2)
    return h, y


def error(y, t):
    """E = ½ Σ (y - t)², the mean over the samples."""
    return 0.5 * np.sum((y - t) ** 2) / len(y)


# Back-propagation. The delta of a unit is dE/dz, how much the error grows with what the unit receives.


def deltas(h, y, t):
    """The deltas of both layers; s'(z) is s (1 - s)."""
    delta2 = (y - t) * y * (1.0 - y)  # an output unit knows its own error
    delta1 = (delta2 @ W2.T) * h * (1.0 - h)  # a hidden unit has its share of all the errors it fed
    return delta1, delta2


def gradients(x, h, delta1, delta2):
    """dE/dw of a connection is what went in times the delta at its end; a bias has an input of 1."""
    return x.T @ delta1, delta1.sum(axis=0), h.T @ delta2, delta2.sum(axis=0)


def accuracy(x, labels):
    """The share of images whose largest output is the right one."""
    _, y = forward(x)
    return np.mean(np.argmax(y, axis=1) == labels)


# Learning: down the gradient, a few samples at a time.

x_train, t_train = rows(images), targets(labels)
W1, b1 = new_weights(x_train.shape[1], HIDDEN)
W2, b2 = new_weights(HIDDEN, CLASSES)

for epoch in range(1, EPOCHS + 1):
    order = rng.permutation(len(x_train))
    for start in range(0, len(order), 10):
        x, t = x_train[order[start : start + 10]], t_train[order[start : start + 10]]
        h, y = forward(x)
        dW1, db1, dW2, db2 = gradients(x, h, *deltas(h, y, t))
        W1, b1 = W1 - LEARNING_RATE * dW1, b1 - LEARNING_RATE * db1
        W2, b2 = W2 - LEARNING_RATE * dW2, b2 - LEARNING_RATE * db2
    if epoch % 10 == 0:
        print(f"epoch {epoch}: error {error(forward(x_train)[1], t_train):.4f}")


# The same network as bricks, with the same weights: its gradients are the deltas from above.

graph = Graph(
    {"x": (None, 64), "t": InputSpec((None, CLASSES))},
    [
        ("x W1", Linear(HIDDEN), ["x"]), ("z1", Bias(), ["x W1"]), ("h", Sigmoid(), ["z1"]),
        ("h W2", Linear(CLASSES), ["h"]), ("z2", Bias(), ["h W2"]), ("y", Sigmoid(), ["z2"]),
        ("E", HalfSquaredError(), ["y", "t"]),
    ],
    ["E"],
)  # fmt: skip
weights = {"x W1/W": W1, "z1/b": b1, "h W2/W": W2, "z2/b": b2}

x, t = x_train[:100], t_train[:100]
run = graph.forward(weights, {}, {"x": x, "t": t})
dweights, dvalues = backprop(graph, weights, run.saved, {"E": np.ones(100)}, keep=["z1", "z2"])

h, y = forward(x)
by_hand = [*deltas(h, y, t), *gradients(x, h, *deltas(h, y, t))]
by_bricks = [dvalues["z1"], dvalues["z2"], *(dweights[name] for name in weights)]
difference = max(np.abs(one - other).max() for one, other in zip(by_hand, by_bricks, strict=True))
print(f"deltas and gradients, by hand and by bricks: largest difference {difference:.1e}")

print(f"score: {accuracy(rows(test_images), test_labels):.3f} of the test images are recognized")
