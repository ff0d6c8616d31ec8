"""Nodes and edges, checks and order, back-propagation, the numeric gradient check."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
