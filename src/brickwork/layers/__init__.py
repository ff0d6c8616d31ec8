"""Layers with Keras's names, arguments and defaults; each lays the bricks that do its mathematics."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
