"""Where the windows of convolutions and pooling lie: padding and output sizes, as in Keras.

A window of K taps with dilation d reaches over ke = (K - 1) d + 1 pixels. With `lo` and `hi` pixels of
padding there are o = (H + lo + hi - ke) // s + 1 windows at stride s. "same" pads so that o = ⌈H / s⌉, one
pixel more behind than before where the sum is odd.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ..arguments import Choice, Either, Many, Whole
from ..arrays import Padding, Pair, Shape
from ..errors import ShapeError
from .base import Brick, letters

PaddingWord: TypeAlias = "str | Padding"
"""What a user may write: "valid", "same", or ((top, bottom), (left, right))."""

SIZES = Many(Whole(1), 2, repeat=True)
PADDING = Either((Choice(("valid", "same")), Many(Many(Whole(0), 2), 2)))


def padding_pairs(
    padding: PaddingWord, size: Sequence[int], window: Pair, strides: Pair, dilation: Pair = (1, 1)
) -> Padding:
    """Rows and columns added to an image of `size` (H, W)."""
    if isinstance(padding, tuple):
        return padding
    if padding == "valid":
        return ((0, 0), (0, 0))
    pairs = [_same(*along) for along in zip(size, window, strides, dilation, strict=True)]
    return (pairs[0], pairs[1])


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
    window: Pair,
    strides: Pair,
    dilation: Pair = (1, 1),
) -> tuple[int | None, int | None]:
    """Windows along H and along W of images (N, H, W, C); None where the image's size is not known.

    Raises ShapeError where not even one window fits.
    """
    found: list[int | None] = []
    for axis, size in enumerate(shape[1:3]):
        if size is None:
            found.append(None)
            continue
        pairs = padding_pairs(padding, (size, size), window, strides, dilation)
        count = window_count(size, pairs[axis], window[axis], strides[axis], dilation[axis])
        if count < 1:
            needed = (window[axis] - 1) * dilation[axis] + 1 - sum(pairs[axis])
            raise ShapeError(
                f"{type(brick).__name__} with a window of {window} takes x with at least {needed} "
                f"{('rows', 'columns')[axis]}; it received {letters(shape)}, {size}. "
                f'Take a smaller window or padding="same".'
            )
        found.append(count)
    return found[0], found[1]
