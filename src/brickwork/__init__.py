"""Brickwork: neural networks as graphs of bricks that state their mathematics forward and backward."""

from ._lazy import attach

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(__name__, __file__)
