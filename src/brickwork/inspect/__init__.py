"""Looking at networks and trainings: summary, formulas, curves. Works on graphs, never on models."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
