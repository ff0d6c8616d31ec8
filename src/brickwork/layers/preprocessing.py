"""Fixed maps of the data that belong to the network, so that a saved model takes the data as it comes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from .. import bricks
from ..arguments import Check, Either, Flag, Many, Maybe, Real, Whole, argument, configured
from ..arrays import Array
from ..bricks.base import letters
from ..data.rows import LazyRows
from ..data.rows import blocks as row_blocks
from ..errors import DataError, ParameterError, ShapeError
from ..graph.symbol import Owner, Symbol
from .base import Layer, Variable

_BLOCK = 1 << 20
"""Numbers that are brought to float64 at a time."""


@configured()
class Rescaling(Layer):
    """Gain and shift: y = x · scale + offset.

    Parameters
    ----------
    scale : a number, or one for each feature of the last axis.
    offset : likewise; default 0.

    >>> import numpy as np
    >>> Rescaling(1 / 255)(np.array([[0.0, 255.0]]))
    array([[0., 1.]], dtype=float32)
    """

    supports_masking = True

    scale: Any = argument(Either((Real(), Many(Real()))))
    offset: Any = argument(Either((Real(), Many(Real()))), default=0.0)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Rescaling."""
        return self.put(bricks.Rescaling(self.scale, self.offset), x)


class Numbers(Check):
    """A number or an array of finite numbers, none below `low`."""

    def __init__(self, low: float = -math.inf) -> None:
        self.low = low

    def __call__(self, owner: str, name: str, value: Any) -> Array:
        """The numbers in float64."""
        if isinstance(value, (str, bytes, bool)):
            raise self.refuse_type(owner, name, value)
        try:
            numbers = np.array(value, np.float64)
        except (TypeError, ValueError):
            raise self.refuse_type(owner, name, value) from None
        if not np.all(np.isfinite(numbers)) or np.any(numbers < self.low):
            raise self.refuse(owner, name, value)
        return numbers

    def describe(self) -> str:
        """What the numbers may be."""
        least = "" if math.isinf(self.low) else f" of at least {self.low:g}"
        return f"None, or finite numbers{least}"

    def bad(self) -> list[Any]:
        """No numbers, infinite ones, and one that is too small."""
        return ["much", [math.nan], [[1.0], [1.0, 2.0]], *([] if math.isinf(self.low) else [self.low - 1.0])]


class Adapted(Layer):
    """What layers share that lay a Standardization whose numbers `adapt` finds in data.

    A subclass has the arguments `axis` and `invert`, and says by `_finder` what is looked for.
    """

    axis: Any
    invert: bool

    def _finder(self, kept: tuple[int, ...]) -> Finder:
        """What looks at the data, block by block, and tells mean and variance in the end."""
        raise NotImplementedError

    def _brick(self) -> bricks.Standardization:
        return bricks.Standardization(self._axes(), invert=self.invert)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Standardization."""
        return self.put(self._brick(), x)

    def adapt(self, data: Any) -> None:
        """Find the numbers in data; networks that hold this layer take them at once.

        Parameters
        ----------
        data : an array (N, …), or an iterable of such batches, or of tuples that begin with one.

        Raises
        ------
        ParameterError where the layer was given its numbers; DataError for no data and for NaN.
        """
        brick = self._brick()
        found: Finder | None = None
        for block in blocks(data):
            if found is None:
                if not self.built:
                    self.build((None, *block.shape[1:]))
                found = self._finder(brick.kept(block.shape))
                found.expected = tuple(self._owners["standardization"].state["mean"].shape)
            found.add(block, self)
        if found is None:
            raise DataError(
                f"{type(self).__name__} {self.name!r}: adapt needs at least one sample; it received none."
            )
        state = self._owners["standardization"].state
        np.copyto(state["mean"], found.mean, casting="same_kind")
        np.copyto(state["variance"], found.variance, casting="same_kind")

    def _axes(self) -> tuple[int, ...]:
        if self.axis is None:
            return ()
        return tuple(self.axis) if isinstance(self.axis, tuple) else (self.axis,)


@configured()
class Normalization(Adapted):
    """Features brought to mean 0 and variance 1: y = (x − mean) / max(sqrt(variance), 1e-7).

    Mean and variance are found by `adapt`, or given. Where they are found they are weights (mean, variance,
    and a count, as Keras has it) that no training changes.

    Parameters
    ----------
    axis : the axis, or axes, along which numbers have a mean of their own, never the batch axis; None for
        one mean of all numbers; default -1.
    mean, variance : numbers, both or none; at most one axis for each in `axis`.
    invert : whether to lead back: y = x · max(sqrt(variance), 1e-7) + mean; default False.

    >>> import numpy as np
    >>> layer = Normalization()
    >>> layer.adapt(np.array([[0.0, 7.0], [2.0, 9.0]]))
    >>> layer(np.array([[0.0, 8.0]]))
    array([[-1.,  0.]], dtype=float32)

    LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998 (on scaled inputs).
    """

    supports_masking = True

    axis: Any = argument(Maybe(Either((Whole(), Many(Whole())))), default=-1)
    mean: Any = argument(Numbers(), default=None)
    variance: Any = argument(Numbers(0.0), default=None)
    invert: bool = argument(Flag(), default=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._given = (self.mean, self.variance)
        # Keras declares it, reads it from old files, and leaves it at 0
        self._count = np.zeros((), np.int32)
        mean, variance = self._given
        if (mean is None) != (variance is None):
            raise ParameterError(
                f"Normalization takes `mean` and `variance` together; got mean={mean} and variance="
                f"{variance}. Give both, or none and call adapt."
            )
        if mean is not None and (mean.shape != variance.shape or mean.ndim > len(self._axes())):
            raise ParameterError(
                f"Normalization: `mean` and `variance` must have one shape, with at most one axis for each "
                f"in axis={self.axis}; got shapes {mean.shape} and {variance.shape}. Name all axes."
            )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; statistics that were found are weights and are not among them."""
        mean, variance = (None if given is None else given.tolist() for given in self._given)
        return {**super().get_config(), "mean": mean, "variance": variance}

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Standardization."""
        brick = self._brick()
        kept = brick.kept(x.shape)
        if "standardization" not in self._owners:
            self._owners["standardization"] = self._owner(brick, x)
        y = self.put(brick, x)
        state = self._owners["standardization"].state
        shape = [size if axis in kept else 1 for axis, size in enumerate(x.shape)]
        self.mean, self.variance = (state[name].reshape(shape) for name in ("mean", "variance"))
        return y

    def _owner(self, brick: Any, x: Symbol) -> Owner:
        owner = Owner(brick, [x.shape], {})
        for name, given in zip(("mean", "variance"), self._given, strict=True):
            if given is None:
                continue
            held = owner.state[name]
            try:
                np.copyto(held, np.broadcast_to(given, held.shape), casting="same_kind")
            except ValueError:
                raise ShapeError(
                    f"Normalization {self.name!r} with a `{name}` of shape {given.shape} takes x with these "
                    f"sizes at axis={self.axis}; it received {letters(x.shape)}, there {held.shape}. "
                    f"Give one number for each."
                ) from None
        return owner

    def adapt(self, data: Any) -> None:
        """Find mean and variance in data: see Adapted."""
        if self._given[0] is not None:
            raise ParameterError(
                f"Normalization {self.name!r} was given its mean and variance, so that adapt has nothing "
                f"to find; it received data. Make the layer without `mean` and `variance`."
            )
        super().adapt(data)

    def _finder(self, kept: tuple[int, ...]) -> Finder:
        return Moments(kept)

    @property
    def weights(self) -> list[Variable]:
        """Mean, variance and count; none where mean and variance were given."""
        known = super().weights if self._given[0] is None else []
        return [*known, Variable("count", f"{self.name}/count", self._count, False)] if known else []


class Finder:
    """Looks at all blocks of data that are added; `expected` are the sizes of the axes `kept`."""

    mean: Array
    variance: Array

    def __init__(self, kept: tuple[int, ...]) -> None:
        self.kept = kept
        self.expected: tuple[int, ...] = ()

    def add(self, block: Array, layer: Layer) -> None:
        """Join one block (rows, …). Raises ShapeError where its sizes differ from the first one's."""
        owner = f"{type(layer).__name__} {layer.name!r}"
        sizes = tuple(block.shape[axis] for axis in self.kept if axis < block.ndim)
        if sizes != self.expected:
            raise ShapeError(
                f"{owner} has means of shape {self.expected}; adapt received a batch of "
                f"shape {block.shape}, which would need {sizes}. Pass data of the shape it was built for."
            )
        if not np.all(np.isfinite(block)):
            raise DataError(
                f"{owner}: adapt takes finite numbers; it received NaN or infinity. Leave those samples out."
            )
        self.join(block, tuple(axis for axis in range(block.ndim) if axis not in self.kept))

    def join(self, block: Array, others: tuple[int, ...]) -> None:
        """Take in a block; `others` are the axes that are not kept."""
        raise NotImplementedError


class Moments(Finder):
    """Mean and variance of all blocks that were added, in float64.

    Blocks are joined by Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing
    Sample Variances", 1979, which does not lose the variance of numbers with a large mean.
    """

    def __init__(self, kept: tuple[int, ...]) -> None:
        super().__init__(kept)
        self.count = 0
        self.mean = 0.0
        self._squares: Array = 0.0

    @property
    def variance(self) -> Array:
        """The mean of the squared differences from the mean."""
        return self._squares / self.count

    def join(self, block: Array, others: tuple[int, ...]) -> None:
        """Mean and squares of the block with those so far."""
        count = math.prod(block.shape[axis] for axis in others)
        mean = block.mean(axis=others)
        squares = np.square(block - np.expand_dims(mean, others)).sum(axis=others)
        total = self.count + count
        gap = mean - self.mean
        self._squares = self._squares + squares + np.square(gap) * (self.count * count / total)
        self.mean = self.mean + gap * (count / total)
        self.count = total


def blocks(data: Any) -> Iterator[Array]:
    """The samples in float64, as many at a time as fit into a cache."""
    for batch in _batches(data):
        if batch.ndim == 0 or batch.dtype.kind not in "fiub":
            raise DataError(
                f"adapt takes arrays of numbers (N, …); it received a batch of shape {batch.shape} and type "
                f"{batch.dtype}. Pass an array, or an iterable of arrays."
            )
        for _, block in row_blocks(batch, _BLOCK):
            yield np.asarray(block, np.float64)


def _batches(data: Any) -> Iterable[Any]:
    if hasattr(data, "shape"):
        return [data if isinstance(data, LazyRows) else np.asarray(data)]
    if isinstance(data, (str, bytes, Mapping)) or not hasattr(data, "__iter__"):
        raise DataError(
            f"adapt takes an array (N, …) or an iterable of batches; it received {type(data).__name__}. "
            f"Pass the inputs alone."
        )
    if isinstance(data, (list, tuple)) and not any(isinstance(x, tuple) or hasattr(x, "shape") for x in data):
        return [np.asarray(data)] if len(data) else []
    return (np.asarray(batch[0] if isinstance(batch, tuple) else batch) for batch in data)
