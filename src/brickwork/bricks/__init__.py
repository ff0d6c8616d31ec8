"""The atoms of a network: small frozen blocks that state their formula forward and backward.

One family per file. `base` holds the contract that every brick keeps.
"""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
