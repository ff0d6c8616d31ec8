"""Learning rates, and momenta, that change with the step.

A schedule is a function of the number of updates made so far: 0 before the first one. It is evaluated in
Python, in float64; engines receive the numbers.
"""

from ..._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
