"""What an initializer is: shape and type in, array of first values out.

Numbers come from a counter-based generator whose key is a seed: the initializer's own, or the next of the
global sequence. They are drawn in float64 and rounded, so that both float types start alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..arguments import Configured, Many, Whole, configured
from ..config import floatx
from ..errors import ParameterError, ParameterTypeError
from ..seeds import next_seed

FloatArray = npt.NDArray[Any]

_SHAPE = Many(Whole(0))


@configured()
class Initializer(Configured):
    """Base of all initializers: `initializer(shape, dtype=None)` gives the array.

    A subclass writes `draw(shape, dtype, generator)`. With a whole number as `seed`, every call gives the
    same numbers; with `seed=None` each call takes the next seed of the global sequence, so that
    `utils.set_random_seed` repeats them and a shared initializer still starts each layer differently.
    """

    random: ClassVar[bool] = True
    """False: `draw` asks no random numbers, and no seed is spent on it."""

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """The array, made of the generator's next numbers."""
        if type(self).__call__ is not Initializer.__call__:
            # Written for Keras, where a subclass writes __call__ and seeds itself.
            return np.asarray(self(shape, dtype=dtype), dtype)
        raise NotImplementedError(f"{type(self).__name__} states no draw(shape, dtype, generator)")

    def __call__(self, shape: Any, dtype: npt.DTypeLike | None = None) -> FloatArray:
        """A new array of that shape; `dtype` is `config.floatx()` unless named."""
        sizes = _SHAPE(type(self).__name__, "shape", (shape,) if hasattr(shape, "__index__") else shape)
        seed = getattr(self, "seed", None)
        if seed is None:
            seed = next_seed() if self.random else 0
        return self.draw(sizes, np.dtype(floatx() if dtype is None else dtype), generator_of(seed))


class FromFunction(Initializer):
    """A function `f(shape, dtype=None)` as an initializer; what `get` makes of one.

    >>> float(FromFunction(lambda shape, dtype=None: np.full(shape, 2.0, dtype))((3,)).sum())
    6.0
    """

    random: ClassVar[bool] = False

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """What the function gives, which must have the shape asked for."""
        values = np.asarray(self.function(shape, dtype=dtype), dtype)
        if values.shape != tuple(shape):
            raise ParameterError(
                f"An initializer must give an array of the shape asked for, {tuple(shape)}; "
                f"{self.function!r} gave {values.shape}. Use its argument `shape`."
            )
        return values

    def get_config(self) -> dict[str, Any]:
        """A function cannot be written down: raises ParameterTypeError."""
        raise ParameterTypeError(
            f"Only initializers that are classes can be saved; got the function {self.function!r}. "
            f"Make it a subclass of brickwork.initializers.Initializer."
        )


def generator_of(seed: int) -> np.random.Generator:
    """The generator of random numbers that belongs to a seed: Philox, the same on every machine."""
    return np.random.Generator(np.random.Philox(key=seed))


def rounded(values: Any, dtype: npt.DTypeLike, owner: Initializer) -> FloatArray:
    """The values in the type asked for, which must be a float type."""
    kind = np.dtype(dtype)
    if kind.kind != "f":
        raise ParameterTypeError(
            f"{type(owner).__name__}: `dtype` must be a float type, 'float32' or 'float64'; got "
            f"dtype={kind.name!r}. Whole numbers can be had from Zeros, Ones and Constant only."
        )
    return np.asarray(values, kind)
