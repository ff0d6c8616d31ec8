"""What is told about a model beside its loss, with Keras's names.

A metric is three functions of totals, which engines may trace; the object can also be fed by hand.
"""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
