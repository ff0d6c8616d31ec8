"""First values of parameters, with Keras's names, formulas and defaults."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
