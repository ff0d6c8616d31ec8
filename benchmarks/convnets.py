"""The lectures' large convolutional networks, as convnet-benchmarks has them: no normalization, no dropout.

https://github.com/soumith/convnet-benchmarks; images of 224 x 224 (Overfeat 231 x 231), 1000 classes.
"""

from __future__ import annotations

from .networks import Concat, Conv, Dense, Flatten, GlobalAverage, MaxPool, Network


def _conv(filters: int, size: int, strides: int = 1, padding: str = "same") -> Conv:
    return Conv(filters, size, strides, padding, activation="relu")


def _end(network: Network, *units: int) -> Network:
    network.chain(Flatten(), *(Dense(count, "relu") for count in units), Dense(1000))
    return network


def alexnet() -> Network:
    """Krizhevsky, "One Weird Trick for Parallelizing Convolutional Neural Networks", 2014."""
    network = Network((224, 224, 3))
    network.chain(_conv(64, 11, 4), MaxPool(3), _conv(192, 5), MaxPool(3))
    network.chain(_conv(384, 3), _conv(256, 3), _conv(256, 3), MaxPool(3))
    return _end(network, 4096, 4096)


def overfeat() -> Network:
    """The fast model of Sermanet and others, "OverFeat", 2013."""
    network = Network((231, 231, 3))
    network.chain(_conv(96, 11, 4, "valid"), MaxPool(), _conv(256, 5, padding="valid"), MaxPool())
    network.chain(_conv(512, 3), _conv(1024, 3), _conv(1024, 3), MaxPool())
    return _end(network, 3072, 4096)


def vgg_a() -> Network:
    """Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014."""
    network = Network((224, 224, 3))
    for filters, times in ((64, 1), (128, 1), (256, 2), (512, 2), (512, 2)):
        network.chain(*(_conv(filters, 3) for _ in range(times)), MaxPool())
    return _end(network, 4096, 4096)


_INCEPTIONS = (
    (64, 96, 128, 16, 32, 32),
    (128, 128, 192, 32, 96, 64),
    None,
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
    None,
    (256, 160, 320, 32, 128, 128),
    (384, 192, 384, 48, 128, 128),
)
"""Filters of 1x1; 3x3 reduced and full; 5x5 reduced and full; behind the pooling. None is a pooling."""


def googlenet() -> Network:
    """GoogLeNet without its side classifiers: Szegedy and others, "Going Deeper with Convolutions", 2014."""
    network = Network((224, 224, 3))
    network.chain(_conv(64, 7, 2), MaxPool(3, 2, "same"), _conv(64, 1), _conv(192, 3), MaxPool(3, 2, "same"))
    for filters in _INCEPTIONS:
        if filters is None:
            network.add(MaxPool(3, 2, "same"))
        else:
            _inception(network, *filters)
    network.chain(GlobalAverage(), Dense(1000))
    return network


def _inception(network: Network, one: int, to3: int, three: int, to5: int, five: int, pooled: int) -> None:
    before = len(network.nodes) - 1
    ends = [network.add(_conv(one, 1), before)]
    for reduced, filters, size in ((to3, three, 3), (to5, five, 5)):
        network.add(_conv(reduced, 1), before)
        ends.append(network.add(_conv(filters, size)))
    network.add(MaxPool(3, 1, "same"), before)
    ends.append(network.add(_conv(pooled, 1)))
    network.add(Concat(), *ends)
