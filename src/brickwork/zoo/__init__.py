"""Known networks, ready to be compiled: a multilayer perceptron, LeNet-5, a small convolutional network."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
