"""Optimizers with Keras 3's names, arguments, defaults and formulas.

An optimizer holds hyper-parameters only: `update` is a function of parameters, gradients and slots, and runs
on NumPy arrays as it does under `jax.jit`.
"""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
