"""What is measured: networks with batch, optimizer, amount of data, and the aims that were set beforehand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from . import bricks, convnets
from .networks import (
    Add,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAverage,
    MaxPool,
    Network,
    ReLU,
)


@dataclass(frozen=True)
class Workload:
    """`aims` are ratios, peer's time over ours; `aim_ms` is a step of ours, `share` of the peak."""

    name: str
    title: str
    build: Callable[[], Network]
    batch: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.01
    batches: int = 469
    aim_ms: float | None = None
    aims: dict[str, float] = field(default_factory=dict)
    share: float | None = None

    @property
    def optimizer_title(self) -> str:
        return "Adam" if self.optimizer == "adam" else "SGD, momentum 0.9"

    def data(self, batches: int | None = None, batch: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Inputs in [-1, 1) and classes, drawn from a fixed seed: enough for so many batches."""
        network = self.build()
        rows = (batches or self.batches) * (batch or self.batch)
        rng = np.random.default_rng(1)
        x = rng.random((rows, *network.input_shape), np.float32)
        x *= 2
        x -= 1
        return x, rng.integers(0, network.nodes[-1].shape[0], rows)


MOMENTUM = 0.9


def dense(*sizes: int, activation: str = "relu") -> Callable[[], Network]:
    """Dense layers of these sizes, inputs first; the last one gives logits."""

    def build() -> Network:
        network = Network(sizes[:1])
        network.chain(*(Dense(units, activation) for units in sizes[1:-1]), Dense(sizes[-1]))
        return network

    return build


def lenet5() -> Network:
    """As brickwork.zoo.lenet5."""
    network = Network((28, 28, 1))
    network.chain(Conv(6, 5, activation="relu"), MaxPool())
    network.chain(Conv(16, 5, padding="valid", activation="relu"), MaxPool(), Flatten())
    network.chain(Dense(120, "relu"), Dense(84, "relu"), Dense(10))
    return network


def fashion_convnet() -> Network:
    """As brickwork.zoo.convnet."""
    network = Network((28, 28, 1))
    network.chain(Conv(32, 3, activation="relu"), MaxPool(), Conv(64, 3, activation="relu"), MaxPool())
    network.chain(Flatten(), Dropout(0.25), Dense(128, "relu"), Dense(10))
    return network


def resnet20() -> Network:
    """ResNet-20 for CIFAR-10, with 1x1 projections where a stage begins.

    He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", 2015, section 4.2, with the
    shortcuts of its option B.
    """
    network = Network((32, 32, 3))
    network.chain(Conv(16, 3, bias=False), BatchNorm(), ReLU())
    for filters in (16, 32, 64):
        for block in range(3):
            strides = 2 if filters > 16 and block == 0 else 1
            _residual(network, filters, strides)
    network.chain(GlobalAverage(), Dense(10))
    return network


def _residual(network: Network, filters: int, strides: int) -> None:
    shortcut = begin = len(network.nodes) - 1
    if strides > 1:
        network.add(Conv(filters, 1, strides, bias=False), begin)
        shortcut = network.add(BatchNorm())
    network.add(Conv(filters, 3, strides, bias=False), begin)
    end = network.chain(BatchNorm(), ReLU(), Conv(filters, 3, bias=False), BatchNorm())
    network.add(Add(), end, shortcut)
    network.add(ReLU())


TRAINING = (
    Workload(
        "tiny",
        "tiny: 2-4-2-2 (tanh)",
        dense(2, 4, 2, 2, activation="tanh"),
        batch=10,
        batches=20_000,
        aim_ms=0.0006,
        aims={"torch": 400, "jax": 12},
    ),
    Workload(
        "softmax", "softmax regression 784-10", dense(784, 10), aim_ms=0.065, aims={"torch": 5, "jax": 3}
    ),
    Workload(
        "mlp",
        "MLP 784-500-50-10",
        dense(784, 500, 50, 10),
        aim_ms=1.25,
        aims={"torch": 1.5, "jax": 1.25},
        share=0.75,
    ),
    Workload(
        "ten_layers",
        "ten layers of 100",
        dense(784, *[100] * 10, 10),
        aim_ms=0.72,
        aims={"torch": 2.5, "jax": 1.7},
    ),
    Workload(
        "large_mlp",
        "MLP 784-1024-1024-10",
        dense(784, 1024, 1024, 10),
        aim_ms=6.8,
        aims={"torch": 1.4, "jax": 1.08},
        share=0.75,
    ),
    Workload(
        "lenet5",
        "LeNet-5",
        lenet5,
        optimizer="adam",
        learning_rate=0.001,
        aim_ms=2.2,
        aims={"torch": 3, "jax": 3},
    ),
    Workload(
        "fashion_convnet",
        "Fashion-MNIST convnet (32-64, dense 128)",
        fashion_convnet,
        optimizer="adam",
        learning_rate=0.001,
        batches=100,
        aim_ms=13,
        aims={"torch": 2.7, "jax": 2.8},
    ),
    Workload(
        "resnet20",
        "ResNet-20 (CIFAR), batch normalization",
        resnet20,
        batches=20,
        aim_ms=120,
        aims={"torch": 1.8, "jax": 2},
    ),
)

_IMAGE = (28, 28, 1)

BRICKS = (
    Workload(
        "depthwise", "depthwise convolution", bricks.depthwise(1), batch=32, batches=4, aims={"torch": 1}
    ),
    Workload(
        "depthwise_strided",
        "depthwise convolution, strides 2",
        bricks.depthwise(2),
        batch=32,
        batches=4,
        aims={"torch": 1},
    ),
    Workload(
        "transposed", "transposed convolution", bricks.transposed, batch=32, batches=16, aims={"torch": 1}
    ),
    Workload("lstm", "LSTM", bricks.recurrent("lstm"), batch=64, batches=16, aims={"torch": 1}),
    Workload("gru", "GRU", bricks.recurrent("gru"), batch=64, batches=16, aims={"torch": 1}),
    Workload("attention", "attention", bricks.attention, batch=32, batches=16, aims={"torch": 1}),
    Workload(
        "augment_places",
        "translation, rotation, zoom, flip",
        bricks.stacked(_IMAGE, *bricks.GEOMETRY),
        batches=100,
        aims={"torch": 1},
    ),
    Workload(
        "augment_colours",
        "brightness, contrast",
        bricks.stacked(_IMAGE, *bricks.COLOURS),
        batches=100,
        aims={"torch": 1},
    ),
)


def _large(name: str, title: str, build: Callable[[], Network], batch: int) -> Workload:
    """At the rate that smaller networks have, these diverge within some steps on their one batch."""
    return Workload(name, title, build, batch, learning_rate=0.0005, batches=1)


CONVNETS = (
    _large("alexnet", "AlexNet (one tower)", convnets.alexnet, 32),
    _large("overfeat", "Overfeat, fast", convnets.overfeat, 16),
    _large("vgg_a", "VGG-A", convnets.vgg_a, 8),
    _large("googlenet", "GoogLeNet-like", convnets.googlenet, 16),
)

INFERENCE = ("mlp", "lenet5", "fashion_convnet")
"""Those of the training workloads whose predictions are timed."""

BY_NAME = {workload.name: workload for workload in (*TRAINING, *CONVNETS, *BRICKS)}
