"""Ctrl-C waits while a step is written, so that no step is half-written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..arrays import Array

_inside = False
"""Whether the main thread is in a block that Ctrl-C must wait for; then the outer one does the work."""


class _Answer:
    """What answers Ctrl-C in place of the handler `before`: at once, or after the block that is under way."""

    def __init__(self, before: Any) -> None:
        self.before = before
        self.came: tuple[Any, ...] | None = None

    def __call__(self, *what: Any) -> None:
        if _inside:
            self.came = what
        else:
            self.give(what)

    def give(self, what: tuple[Any, ...]) -> None:
        """Do what would have been done."""
        if callable(self.before):
            self.before(*what)
        elif self.before == signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.raise_signal(signal.SIGINT)


_answer: _Answer | None = None
"""The handler that stands in the place of another, while `many_blocks` runs."""


@contextmanager
def many_blocks() -> Iterator[None]:
    """Exchange the handler of Ctrl-C once for all `uninterrupted` blocks inside, which are then cheap."""
    global _answer
    if _answer is not None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if before is None:  # set from outside Python: it cannot be put back
        yield
        return
    mine = _answer = _Answer(before)
    try:
        signal.signal(signal.SIGINT, mine)
        yield
    finally:
        _answer = None
        if signal.getsignal(signal.SIGINT) is mine:
            signal.signal(signal.SIGINT, before)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back Ctrl-C inside the `with` block; it comes right after it."""
    global _inside
    if _inside or threading.current_thread() is not threading.main_thread():
        yield
        return
    if _answer is None:
        with many_blocks():
            yield from _held(_answer)
    else:
        yield from _held(_answer)


def _held(answer: _Answer | None) -> Iterator[None]:
    global _inside
    if answer is not None:
        answer.came = None
    _inside = True
    try:
        yield
    finally:
        _inside = False
    if answer is not None and answer.came is not None:
        answer.give(answer.came)


class Waiting:
    """True while a Ctrl-C is held back in this thread: what takes long gives up what is not done."""

    def __bool__(self) -> bool:
        held = _inside and _answer is not None and _answer.came is not None
        return held and threading.current_thread() is threading.main_thread()


def write(held: Mapping[str, Array], values: Mapping[str, Any]) -> None:
    """Copy new numbers into the arrays that the models hold."""
    for key, value in values.items():
        np.copyto(held[key], value)
