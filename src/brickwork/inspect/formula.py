"""The formulas of a brick, read from the block in its docstring."""

from __future__ import annotations

import inspect
import re

from ..bricks.base import Brick

LABELS = ("Forward", "Backward", "Shapes")


def formula(brick: Brick | type[Brick], label: str = "Forward") -> list[str]:
    """The lines that stand behind `label` ("Forward", "Backward" or "Shapes") in the brick's docstring.

    >>> from brickwork.bricks import Linear
    >>> formula(Linear), formula(Linear, "Backward")
    (['y = x @ W'], ['dx = dy @ W.T     dW = x.T @ dy'])
    """
    cls = brick if isinstance(brick, type) else type(brick)
    lines: list[str] = []
    reading = False
    for line in inspect.cleandoc(cls.__doc__ or "").splitlines():
        first, _, rest = line.partition(" ")
        if first in LABELS and rest.startswith(" "):
            reading = first == label
            line = rest
        elif not line.startswith(" "):
            reading = False
        if reading:
            lines.append(re.sub(r"^(\S+) +=", r"\1 =", line.strip()))
    return lines
