"""Where the windows of convolutions and pooling lie: padding and output sizes, as in Keras.

A window of K taps with dilation d reaches over ke = (K - 1) d + 1 pixels. With `lo` and `hi` pixels of
padding there are o = (H + lo + hi - ke) // s + 1 windows at stride s. "same" pads so that o = ⌈H / s⌉, one
pixel more behind than before where the sum is odd; "causal" pads ke - 1 steps before and none behind, so
that no output sees later steps.

Sequences (N, T, C) are images (N, 1, T, C) of one row: one text serves both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from ..arguments import Choice, Either, Many, Whole
from ..arrays import Array, Padding, Pair, Shape, namespace
from ..errors import ShapeError
from ..structs import struct
from .base import Brick, letters

PaddingWord: TypeAlias = "str | Padding | Pair"
"""What a user may write: "valid", "same", ((top, bottom), (left, right)), of sequences (before, behind)."""

Sizes: TypeAlias = tuple[int, ...]
"""One number for each axis along which windows move: two for images, one for sequences."""

SIZES = Many(Whole(1), 2, repeat=True)
LENGTH = Many(Whole(1), 1, repeat=True)
PADDING = Either((Choice(("valid", "same")), Many(Many(Whole(0), 2), 2)))
STEPS_PADDING = Either((Choice(("valid", "same")), Many(Whole(0), 2)))
CAUSAL_PADDING = Either((Choice(("valid", "same", "causal")), Many(Whole(0), 2)))

_AXES = {1: ("steps",), 2: ("rows", "columns")}


@struct(frozen=True)
class Windows:
    """Windows on images of a known size, rows before columns."""

    size: Pair
    window: Pair
    strides: Pair
    padding: Padding
    dilation: Pair

    @property
    def output(self) -> Pair:
        """How many windows there are."""
        high, wide = map(window_count, self.size, self.padding, self.window, self.strides, self.dilation)
        return high, wide

    @property
    def numbers(self) -> dict[str, Any]:
        """What the functions of `arrays` take."""
        return {"strides": self.strides, "padding": self.padding, "dilation": self.dilation}


def windows_on(
    size: Sequence[int],
    padding: PaddingWord,
    window: Sizes,
    strides: Sizes,
    dilation: Sizes | None = None,
) -> Windows:
    """The windows on an image of `size` (H, W), or on a sequence of `size` (T,)."""
    dilation = dilation or (1,) * len(window)
    pairs = padding_pairs(padding, size, window, strides, dilation)
    if len(window) == 1:
        length = size[0]
        return Windows((1, length), (1, window[0]), (1, strides[0]), ((0, 0), pairs[0]), (1, dilation[0]))
    return Windows(
        (size[0], size[1]),
        (window[0], window[1]),
        (strides[0], strides[1]),
        (pairs[0], pairs[1]),
        (dilation[0], dilation[1]),
    )


def as_image(x: Array) -> Array:
    """Sequences as images of one row; images as they are."""
    return x if x.ndim == 4 else namespace(x).expand_dims(x, axis=1)


def as_kernel(W: Array) -> Array:
    """The kernel of sequences as one of a single row; that of images as it is."""
    return W if W.ndim == 4 else namespace(W).expand_dims(W, axis=0)


def like(image: Array, x: Array) -> Array:
    """An image of one row as a sequence again, where x is sequences."""
    return image if x.ndim == 4 else image[:, 0]


def padding_pairs(
    padding: PaddingWord, size: Sequence[int], window: Sizes, strides: Sizes, dilation: Sizes
) -> tuple[Pair, ...]:
    """Pixels added before and behind, along each axis."""
    if isinstance(padding, tuple):
        return pairs_of(padding)
    if padding == "valid":
        return ((0, 0),) * len(window)
    if padding == "causal":
        return tuple(((taps - 1) * d, 0) for taps, d in zip(window, dilation, strict=True))
    return tuple(_same(*along) for along in zip(size, window, strides, dilation, strict=True))


def pairs_of(padding: Any) -> tuple[Pair, ...]:
    """(before, behind) of each axis; for sequences the pair alone is written."""
    return padding if isinstance(padding[0], tuple) else (padding,)


def _same(size: int, taps: int, stride: int, dilation: int) -> Pair:
    total = max((-(-size // stride) - 1) * stride + (taps - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def window_count(size: int, low_high: Pair, taps: int, stride: int, dilation: int = 1) -> int:
    """How many windows fit along one axis; 0 or less where none does."""
    return (size + sum(low_high) - (taps - 1) * dilation - 1) // stride + 1


def output_size(
    brick: Brick,
    shape: Shape,
    padding: PaddingWord,
    window: Sizes,
    strides: Sizes,
    dilation: Sizes | None = None,
) -> Shape:
    """Windows along each axis between the first and the last; None where its size is not known.

    Raises ShapeError where not even one window fits.
    """
    dilation = dilation or (1,) * len(window)
    found: list[int | None] = []
    for axis, size in enumerate(shape[1:-1]):
        if size is None:
            found.append(None)
            continue
        pairs = padding_pairs(padding, (size,) * len(window), window, strides, dilation)
        count = window_count(size, pairs[axis], window[axis], strides[axis], dilation[axis])
        if count < 1:
            needed = (window[axis] - 1) * dilation[axis] + 1 - sum(pairs[axis])
            raise ShapeError(
                f"{type(brick).__name__} with a window of {window if len(window) > 1 else window[0]} "
                f"takes x with at least {needed} "
                f"{_AXES[len(window)][axis]}; it received {letters(shape)}, {size}. "
                f'Take a smaller window or padding="same".'
            )
        found.append(count)
    return tuple(found)
