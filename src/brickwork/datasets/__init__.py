"""Data sets under Keras's names: `datasets.mnist.load_data()` and its relatives."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
