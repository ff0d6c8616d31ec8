"""What runs a graph: the protocol, and one file per engine."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
