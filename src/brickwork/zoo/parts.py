"""What the networks of the zoo share: the scaling in front, the checks of shapes, classes and images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..arguments import Many, Maybe, Real, Whole
from ..arrays import Shape
from ..bricks.base import letters
from ..errors import ShapeError
from ..layers import Input, Layer, Rescaling

_SHAPE = Many(Whole(1))
_CLASSES = Whole(2)
_SCALE = Maybe(Real(0.0, low_open=True))
RATE = Real(0.0, 1.0, high_open=True)


def shape_and_classes(owner: str, input_shape: Any, classes: Any) -> tuple[tuple[int, ...], int]:
    """Both arguments, checked."""
    return _SHAPE(owner, "input_shape", input_shape), _CLASSES(owner, "classes", classes)


def beginning(owner: str, input_shape: Sequence[int], scale: Any) -> list[Any]:
    """The input, and behind it the scaling: division by a number, or a layer such as Normalization."""
    if isinstance(scale, Layer):
        return [Input(tuple(input_shape)), scale]
    number = _SCALE(owner, "scale", scale)
    return [Input(tuple(input_shape)), *([] if number is None else [Rescaling(1.0 / number)])]


def require_image(owner: str, input_shape: Sequence[int], smallest: int) -> None:
    """ShapeError unless the shape is (H, W, C) with H and W of at least `smallest`."""
    told: Shape = (None, *input_shape)
    if len(input_shape) != 3:
        repair = "Use zoo.mlp."
        if len(input_shape) == 2:
            repair = f"Give grey images a channel axis: {(*input_shape, 1)}."
        raise ShapeError(f"{owner} takes images of shape (N, H, W, C); it received {letters(told)}. {repair}")
    if min(input_shape[:2]) < smallest:
        raise ShapeError(
            f"{owner} takes images of at least {smallest} x {smallest} pixels, since it halves them twice; "
            f"it received {letters(told)}. Use zoo.mlp, or enlarge the images."
        )
