"""First values of parameters, with Keras's names, formulas and defaults.

An initializer draws from a counter-based generator (Philox) whose key is a seed: its own, or the next of
the global sequence. The numbers are drawn in float64 and rounded, so both float types start alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .arguments import Anything, Choice, Configured, Many, Maybe, Real, Whole, argument, configured
from .catalogue import Catalogue
from .config import floatx
from .errors import ParameterError, ParameterTypeError
from .seeds import next_seed

FloatArray = npt.NDArray[Any]

_SEED = Maybe(Whole(0, 2**64 - 1))
_SHAPE = Many(Whole(0))
_FIXED = Anything()
_DISTRIBUTION = Choice(("truncated_normal", "untruncated_normal", "uniform"))

# Standard deviation of the standard normal distribution cut at -2 and 2.
_TRUNCATED_STDDEV = 0.87962566103423978


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
        raise NotImplementedError(f"{type(self).__name__} states no draw(shape, dtype, generator)")

    def __call__(self, shape: Any, dtype: npt.DTypeLike | None = None) -> FloatArray:
        """A new array of that shape; `dtype` is `config.floatx()` unless named."""
        sizes = _SHAPE(type(self).__name__, "shape", (shape,) if hasattr(shape, "__index__") else shape)
        seed = getattr(self, "seed", None)
        if seed is None:
            seed = next_seed() if self.random else 0
        return self.draw(sizes, np.dtype(floatx() if dtype is None else dtype), generator_of(seed))


def generator_of(seed: int) -> np.random.Generator:
    """The generator of random numbers that belongs to a seed: Philox, the same on every machine."""
    return np.random.Generator(np.random.Philox(key=seed))


@configured()
class Constant(Initializer):
    """All equal to `value`.

    Parameters
    ----------
    value : finite number, default 0.0

    >>> float(Constant(0.5)((2, 3)).sum())
    3.0
    """

    random: ClassVar[bool] = False
    value: float = argument(Real(), default=0.0)

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """The constant; the generator is not asked."""
        return np.full(shape, self.value, dtype)


@configured()
class Zeros(Initializer):
    """All 0.

    >>> float(Zeros()((2, 3)).sum())
    0.0
    """

    random: ClassVar[bool] = False

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Zeros; the generator is not asked."""
        return np.zeros(shape, dtype)


@configured()
class Ones(Initializer):
    """All 1.

    >>> float(Ones()((2, 3)).sum())
    6.0
    """

    random: ClassVar[bool] = False

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Ones; the generator is not asked."""
        return np.ones(shape, dtype)


@configured()
class RandomNormal(Initializer):
    """Normal distribution: w = mean + stddev z, z ~ N(0, 1).

    Parameters
    ----------
    mean : finite number, default 0.0
    stddev : number of at least 0, default 0.05
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> round(float(RandomNormal(stddev=0.5, seed=1)((1000,)).std()), 1)
    0.5
    """

    mean: float = argument(Real(), default=0.0)
    stddev: float = argument(Real(0.0), default=0.05)
    seed: int | None = argument(_SEED, default=None)

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Normal numbers."""
        return _rounded(generator.standard_normal(shape) * self.stddev + self.mean, dtype, self)


@configured()
class TruncatedNormal(Initializer):
    """Normal distribution cut at two standard deviations: what falls outside is drawn again.

    `stddev` belongs to the distribution before the cut; after it, it is 0.8796 times that.

    Parameters
    ----------
    mean : finite number, default 0.0
    stddev : number of at least 0, default 0.05
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> bool(abs(TruncatedNormal(stddev=0.5, seed=1)((1000,))).max() <= 1.0)
    True
    """

    mean: float = argument(Real(), default=0.0)
    stddev: float = argument(Real(0.0), default=0.05)
    seed: int | None = argument(_SEED, default=None)

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Numbers within two `stddev` of the mean."""
        return _rounded(_truncated(shape, generator) * self.stddev + self.mean, dtype, self)


@configured()
class RandomUniform(Initializer):
    """Uniform distribution on [minval, maxval).

    Parameters
    ----------
    minval : finite number, default -0.05
    maxval : finite number of at least `minval`, default 0.05
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> round(float(RandomUniform(0.0, 1.0, seed=1)((10000,)).mean()), 1)
    0.5
    """

    minval: float = argument(Real(), default=-0.05)
    maxval: float = argument(Real(), default=0.05)
    seed: int | None = argument(_SEED, default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.maxval < self.minval:
            raise ParameterError(
                f"RandomUniform: `maxval` must be at least minval={self.minval}; got maxval={self.maxval}. "
                f"Exchange the two."
            )

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Uniform numbers."""
        return _rounded(generator.random(shape) * (self.maxval - self.minval) + self.minval, dtype, self)


@configured()
class VarianceScaling(Initializer):
    """Random numbers whose variance is scale / n, n being counted from the shape of the parameter.

    n is the fan-in (F of a weight matrix (F, U), K*K*C of a kernel (K, K, C, O)), the fan-out (U, K*K*O) or
    their mean, and at least 1. A uniform distribution has the bounds -+sqrt(3 scale / n).

    Parameters
    ----------
    scale : number above 0, default 1.0
    mode : "fan_in" (default), "fan_out" or "fan_avg"
    distribution : "truncated_normal" (default), "untruncated_normal" or "uniform"
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> round(float(VarianceScaling(seed=1)((100, 400)).std()), 2)
    0.1
    """

    scale: float = argument(Real(0.0, low_open=True), default=1.0)
    mode: str = argument(Choice(("fan_in", "fan_out", "fan_avg")), default="fan_in")
    distribution: str = argument(_DISTRIBUTION, default="truncated_normal")
    seed: int | None = argument(_SEED, default=None)

    def __post_init__(self) -> None:
        if self.distribution == "normal":
            self.distribution = "truncated_normal"
        super().__post_init__()

    def draw(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, generator: np.random.Generator
    ) -> FloatArray:
        """Numbers of variance scale / n."""
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            values = generator.random(shape) * (2 * limit) - limit
        elif self.distribution == "untruncated_normal":
            values = generator.standard_normal(shape) * math.sqrt(variance)
        else:
            values = _truncated(shape, generator) * (math.sqrt(variance) / _TRUNCATED_STDDEV)
        return _rounded(values, dtype, self)


@configured()
class GlorotUniform(VarianceScaling):
    """Uniform on -+sqrt(6 / (fan_in + fan_out)); Keras's default for weights (Glorot, Bengio 2010).

    Parameters
    ----------
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> bool(abs(GlorotUniform(seed=1)((2, 4))).max() <= 1.0)
    True
    """

    scale: float = argument(_FIXED, default=1.0, init=False)
    mode: str = argument(_FIXED, default="fan_avg", init=False)
    distribution: str = argument(_FIXED, default="uniform", init=False)


@configured()
class GlorotNormal(VarianceScaling):
    """Truncated normal of standard deviation sqrt(2 / (fan_in + fan_out)) (Glorot, Bengio 2010).

    Parameters
    ----------
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> round(float(GlorotNormal(seed=1)((100, 100)).std()), 2)
    0.1
    """

    scale: float = argument(_FIXED, default=1.0, init=False)
    mode: str = argument(_FIXED, default="fan_avg", init=False)
    distribution: str = argument(_FIXED, default="truncated_normal", init=False)


@configured()
class HeUniform(VarianceScaling):
    """Uniform on -+sqrt(6 / fan_in), for layers before a ReLU (He and others 2015).

    Parameters
    ----------
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> bool(abs(HeUniform(seed=1)((6, 4))).max() <= 1.0)
    True
    """

    scale: float = argument(_FIXED, default=2.0, init=False)
    mode: str = argument(_FIXED, default="fan_in", init=False)
    distribution: str = argument(_FIXED, default="uniform", init=False)


@configured()
class HeNormal(VarianceScaling):
    """Truncated normal of standard deviation sqrt(2 / fan_in), before a ReLU (He and others 2015).

    Parameters
    ----------
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> round(float(HeNormal(seed=1)((200, 100)).std()), 2)
    0.1
    """

    scale: float = argument(_FIXED, default=2.0, init=False)
    mode: str = argument(_FIXED, default="fan_in", init=False)
    distribution: str = argument(_FIXED, default="truncated_normal", init=False)


@configured()
class LecunUniform(VarianceScaling):
    """Uniform on -+sqrt(3 / fan_in) (LeCun and others, Efficient BackProp, 1998).

    Parameters
    ----------
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> bool(abs(LecunUniform(seed=1)((3, 4))).max() <= 1.0)
    True
    """

    scale: float = argument(_FIXED, default=1.0, init=False)
    mode: str = argument(_FIXED, default="fan_in", init=False)
    distribution: str = argument(_FIXED, default="uniform", init=False)


@configured()
class LecunNormal(VarianceScaling):
    """Truncated normal of standard deviation sqrt(1 / fan_in) (LeCun and others 1998).

    Parameters
    ----------
    seed : whole number in [0, 2**64 - 1], or None (default) for the next of the global sequence

    >>> round(float(LecunNormal(seed=1)((100, 100)).std()), 2)
    0.1
    """

    scale: float = argument(_FIXED, default=1.0, init=False)
    mode: str = argument(_FIXED, default="fan_in", init=False)
    distribution: str = argument(_FIXED, default="truncated_normal", init=False)


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
        if values.shape != shape:
            raise ParameterError(
                f"An initializer must give an array of the shape asked for, {shape}; {self.function!r} gave "
                f"{values.shape}. Use its argument `shape`."
            )
        return values

    def get_config(self) -> dict[str, Any]:
        """A function cannot be written down: raises ParameterTypeError."""
        raise ParameterTypeError(
            f"Only initializers that are classes can be saved; got the function {self.function!r}. "
            f"Make it a subclass of brickwork.initializers.Initializer."
        )


def fans(shape: Sequence[int]) -> tuple[float, float]:
    """(fan-in, fan-out) of a parameter, as Keras counts them.

    >>> fans((784, 100)), fans((3, 3, 16, 32)), fans((10,)), fans(())
    ((784, 100), (144, 288), (10, 10), (1, 1))
    """
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


def _truncated(shape: tuple[int, ...], generator: np.random.Generator) -> FloatArray:
    values = generator.standard_normal(shape)
    flat = values.reshape(-1)
    outside = np.flatnonzero(abs(flat) > 2.0)
    while outside.size:
        flat[outside] = generator.standard_normal(outside.size)
        outside = outside[abs(flat[outside]) > 2.0]
    return values


def _rounded(values: Any, dtype: npt.DTypeLike, owner: Initializer) -> FloatArray:
    kind = np.dtype(dtype)
    if kind.kind != "f":
        raise ParameterTypeError(
            f"{type(owner).__name__}: `dtype` must be a float type, 'float32' or 'float64'; got "
            f"dtype={kind.name!r}. Whole numbers can be had from Zeros, Ones and Constant only."
        )
    return np.asarray(values, kind)


constant, zeros, ones = Constant, Zeros, Ones
random_normal, truncated_normal, random_uniform = RandomNormal, TruncatedNormal, RandomUniform
variance_scaling = VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal

_CATALOGUE: Catalogue[Initializer] = Catalogue(
    "initializer",
    Initializer,
    (
        Zeros,
        Ones,
        Constant,
        RandomNormal,
        TruncatedNormal,
        RandomUniform,
        VarianceScaling,
        GlorotUniform,
        GlorotNormal,
        HeUniform,
        HeNormal,
        LecunUniform,
        LecunNormal,
    ),
    {"normal": RandomNormal, "uniform": RandomUniform, "one": Ones, "zero": Zeros},
)


def get(identifier: Any) -> Initializer | None:
    """The initializer that a name, class, configuration, function or the object itself stands for.

    None gives None. Raises ParameterError for an unknown name, naming the known ones.

    >>> get("he_normal")
    HeNormal()
    """
    known = identifier is None or isinstance(identifier, (Initializer, type, str, Mapping))
    if not known and callable(identifier):
        return FromFunction(identifier)
    return _CATALOGUE.get(identifier)


def serialize(initializer: Initializer) -> dict[str, Any]:
    """{"class_name", "config"} of the initializer.

    >>> serialize(Constant(2.0))
    {'class_name': 'Constant', 'config': {'value': 2.0}}
    """
    return _CATALOGUE.serialize(initializer)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, type[Initializer]] | None = None
) -> Initializer:
    """The initializer that `serialize` told; `custom_objects` names classes of your own.

    >>> deserialize({"class_name": "Constant", "config": {"value": 2.0}})
    Constant(value=2.0)
    """
    return _CATALOGUE.deserialize(config, custom_objects)
