"""Questions that bricks ask about shapes when a graph is built, each with its message.

Every message says what is expected, what was received and how to repair it; the graph adds the node.
"""

from __future__ import annotations

import math

from ..arrays import Shape
from ..errors import ShapeError
from .base import Brick, letters, require_rank


def axes_text(count: int) -> str:
    """1 axis, 2 axes."""
    return f"{count} {'axis' if count == 1 else 'axes'}"


def require_axes(brick: Brick, shape: Shape, least: int, pattern: str, repair: str) -> None:
    """Raise ShapeError unless `shape` has at least `least` axes."""
    if len(shape) < least:
        raise ShapeError(
            f"{type(brick).__name__} takes x of shape {pattern}, at least {axes_text(least)}; it received "
            f"{letters(shape)}, {axes_text(len(shape))}. {repair}"
        )


def require_features(brick: Brick, shape: Shape) -> int:
    """The size of the last axis, which the brick's parameters need."""
    require_axes(
        brick, shape, 2, "(N, …, F)", "Put Reshape((1,)) before it, or give each sample its own row."
    )
    return known_size(brick, shape, len(shape) - 1)


def known_size(brick: Brick, shape: Shape, axis: int) -> int:
    """The size of one axis; ShapeError where it is not known."""
    size = shape[axis]
    if size is None:
        raise ShapeError(
            f"{type(brick).__name__} needs to know the size of axis {axis}; it received {letters(shape)}. "
            f"Give that axis a number in the shape of the input."
        )
    return size


def require_image(brick: Brick, shape: Shape) -> tuple[int | None, int | None, int]:
    """(H, W, C) of a batch of images; H and W may be unknown."""
    require_rank(brick, shape, "(N, H, W, C)", _image_repair(shape))
    _, height, width, _ = shape
    return height, width, known_size(brick, shape, 3)


def require_places(brick: Brick, shape: Shape, rank: int) -> int:
    """The channels C of images (N, H, W, C), or for rank 1 of sequences (N, T, C)."""
    if rank == 2:
        return require_image(brick, shape)[2]
    known = shape[1] if len(shape) == 2 and shape[1] is not None else "T"
    repair = (
        "Put Flatten() and Reshape((T, C)) before it."
        if len(shape) != 2
        else f"Put Reshape(({known}, 1)) before it."
    )
    require_rank(brick, shape, "(N, T, C)", repair)
    return known_size(brick, shape, 2)


def require_axis(brick: Brick, axis: int, shape: Shape, *, repair: str) -> int:
    """The axis counted from 0; ShapeError where it is the batch axis or there is none such."""
    rank = len(shape)
    if not -rank <= axis < rank or axis % rank == 0:
        allowed = f"in [1, {rank - 1}] or [{1 - rank}, -1]" if rank > 1 else "after the batch axis"
        raise ShapeError(
            f"{type(brick).__name__} takes an axis {allowed} for x of {axes_text(rank)}; it received "
            f"axis={axis} with {letters(shape)}. {repair}"
        )
    return axis % rank


def shared_axes(brick: Brick, axes: tuple[int, ...], shape: Shape) -> set[int]:
    """The axes counted from 0; ShapeError where one is the batch axis or not there."""
    require_axes(brick, shape, 2, "(N, …, F)", "Give each sample its own row.")
    return {require_axis(brick, axis, shape, repair="Name axes of one sample.") for axis in axes}


def shared_shape(brick: Brick, axes: tuple[int, ...], shape: Shape) -> tuple[int, ...]:
    """The sizes of a sample, with 1 for the axes along which all places share one number."""
    shared = shared_axes(brick, axes, shape)
    return tuple(1 if axis in shared else known_size(brick, shape, axis) for axis in range(1, len(shape)))


def _image_repair(shape: Shape) -> str:
    """The Reshape that would make images of `shape`, as far as it can be guessed."""
    if len(shape) == 3:
        height, width = ("H" if shape[1] is None else shape[1]), ("W" if shape[2] is None else shape[2])
        return f"Put Reshape(({height}, {width}, 1)) before it."
    if len(shape) == 2 and shape[1] is not None:
        for channels in (1, 3):
            side = math.isqrt(shape[1] // channels)
            if side > 1 and side * side * channels == shape[1]:
                return f"Put Reshape(({side}, {side}, {channels})) before it."
    return "Put Reshape((H, W, C)) before it."
