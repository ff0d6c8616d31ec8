"""Losses with Keras's names. A loss lays bricks, as a layer does; its result is one number per sample."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
