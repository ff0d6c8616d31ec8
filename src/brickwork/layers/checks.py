"""What the arguments of several layers may be."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import activations, constraints, initializers, regularizers
from ..arguments import Check, Choice, Converted, Maybe


class ChannelsLast(Check):
    """The only order of axes that Brickwork has."""

    def __call__(self, owner: str, name: str, value: Any) -> str:
        """The value, or ParameterError."""
        if value == "channels_last":
            return "channels_last"
        hint = " Move the channels to the last axis, numpy.moveaxis(images, 1, -1)."
        raise self.refuse(owner, name, value, hint=hint if value == "channels_first" else "")

    def describe(self) -> str:
        """What may be written."""
        return "None or 'channels_last', images (N, H, W, C)"

    def bad(self) -> list[Any]:
        """Keras's other order, and nonsense."""
        return ["channels_first", 3]


class DType(Check):
    """The type of the numbers that come in."""

    def __call__(self, owner: str, name: str, value: Any) -> str:
        """Its name."""
        try:
            known = np.dtype(value)
        except TypeError:
            raise self.refuse_type(owner, name, value) from None
        if known.name not in ("float32", "float64") and known.kind not in "iub":
            raise self.refuse(owner, name, value)
        return str(known.name)

    def describe(self) -> str:
        """What may be written."""
        return "None, 'float32', 'float64', 'bool' or an integer type such as 'int32'"

    def bad(self) -> list[Any]:
        """Types that no brick takes."""
        return ["complex64", "float16", "no such word", 3]


INITIALIZER = Converted(initializers.get, "an initializer or its name")
REGULARIZER = Maybe(Converted(regularizers.get, "a regularizer or its name"))
CONSTRAINT = Maybe(Converted(constraints.get, "a constraint or its name"))
ACTIVATION = Maybe(Converted(activations.get, "an activation's name or a brick"))
DATA_FORMAT = ChannelsLast()
PADDINGS = Choice(("valid", "same"))
STEPS_PADDINGS = Choice(("valid", "same", "causal"))
