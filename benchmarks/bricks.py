"""Small networks in which one kind of brick does nearly all the work.

Two of a kind stand behind one another, so that one of them also computes the gradient of its inputs; the mean
and the dense layer of ten units behind them cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from .networks import (
    Augment,
    ConvTranspose,
    Dense,
    DepthwiseConv,
    GlobalAverage,
    Layer,
    Network,
    Recurrent,
    SelfAttention,
    Shape,
)


def stacked(input_shape: Shape, *layers: Layer) -> Callable[[], Network]:
    """These layers, and what makes ten classes of the result."""

    def build() -> Network:
        network = Network(input_shape)
        network.chain(*layers)
        if len(network.nodes[-1].shape) > 1:
            network.add(GlobalAverage())
        network.add(Dense(10))
        return network

    return build


def recurrent(kind: str) -> Callable[[], Network]:
    """Two layers of 128 units over 50 moments of 128 features."""
    return stacked((50, 128), Recurrent(128, kind, sequences=True), Recurrent(128, kind))


def depthwise(strides: int) -> Callable[[], Network]:
    """Kernels of 3 x 3 on images of 56 x 56 x 64."""
    return stacked((56, 56, 64), *[DepthwiseConv(3, strides, "relu")] * 2)


def transposed() -> Network:
    """Kernels of 4 x 4, strides 2: from 14 x 14 x 64 to 28 x 28 x 32 and 56 x 56 x 16."""
    return stacked((14, 14, 64), ConvTranspose(32, 4, 2, "relu"), ConvTranspose(16, 4, 2, "relu"))()


def attention() -> Network:
    """64 tokens of 128 features, 4 heads of 32, with projections."""
    return stacked((64, 128), *[SelfAttention(4, 32)] * 2)()


GEOMETRY = (
    Augment("translation", 0.1),
    Augment("rotation", 0.05),
    Augment("zoom", 0.1),
    Augment("flip"),
)
COLOURS = Augment("brightness", 0.2), Augment("contrast", 0.2)
