"""A bound on the numbers that networks may take room for, while they are made by a description from a file.

A file that is damaged, or made to do harm, may describe a layer of a billion units and hold the arrays of
ten; so it is refused before anything is drawn, which would take minutes and all memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from ..arrays import Shape
from ..errors import FormatError


class _Room:
    def __init__(self, numbers: int) -> None:
        self.numbers = self.left = numbers


_room: ContextVar[_Room | None] = ContextVar("brickwork_room", default=None)


@contextmanager
def room_for(numbers: int) -> Iterator[None]:
    """Parameters and running statistics made inside hold so many numbers at most; else FormatError."""
    token = _room.set(_Room(numbers))
    try:
        yield
    finally:
        _room.reset(token)


def take_room(owner: str, shapes: Sequence[Shape]) -> None:
    """Called before arrays of these shapes are made."""
    room = _room.get()
    if room is None:
        return
    wanted = sum(math.prod(size or 0 for size in shape) for shape in shapes)
    if wanted > room.left:
        raise FormatError(
            f"A network in a file must be no larger than its arrays, with room for {room.numbers:,} numbers; "
            f"its description asks for {wanted:,} in one {owner}. It is damaged; take another copy of it."
        )
    room.left -= wanted
