"""First values drawn under one shape and stored under another."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..arguments import Converted, Many, Whole, argument, configured
from .base import FloatArray, Initializer


def _known(value: Any) -> Any:
    from .lookup import get

    return get(value)


@configured()
class Reshaped(Initializer):
    """Another initializer's numbers for `shape`, in the shape of the parameter.

    An attention kernel is a matrix (F, H*D) in its brick and (F, H, D) in Keras, where the spread of its
    first values follows from the latter.

    Parameters
    ----------
    initializer : what draws
    shape : the shape that it sees

    >>> Reshaped("ones", (2, 3, 4))((2, 12)).shape
    (2, 12)
    """

    initializer: Any = argument(Converted(_known, "an initializer or its name"))
    shape: tuple[int, ...] = argument(Many(Whole(1)))

    @property
    def seed(self) -> int | None:
        """The inner initializer's."""
        return getattr(self.initializer, "seed", None)

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """What the inner one draws."""
        drawn: FloatArray = self.initializer.draw(self.shape, dtype, generator)
        return drawn.reshape(shape)

    def get_config(self) -> dict[str, Any]:
        """The inner configuration, and the shape."""
        from .lookup import serialize

        return {"initializer": serialize(self.initializer), "shape": list(self.shape)}
