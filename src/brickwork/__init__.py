"""Brickwork: neural networks as graphs of bricks that state their mathematics forward and backward."""

from ._lazy import attach
from ._version import __version__ as __version__

__getattr__, __dir__, __all__ = attach(__name__, __file__)
