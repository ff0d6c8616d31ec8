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
"""Whether the main thread is in such a block already; then the outer one does the work."""


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back Ctrl-C inside the `with` block; it comes right after it."""
    global _inside
    if _inside or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[Any] = []
    before = signal.getsignal(signal.SIGINT)
    if before is None:  # set from outside Python: it cannot be put back
        yield
        return
    signal.signal(signal.SIGINT, lambda *what: came.append(what))
    _inside = True
    try:
        yield
    finally:
        _inside = False
        signal.signal(signal.SIGINT, before)
    if came and callable(before):
        before(*came[0])
    elif came and before == signal.SIG_DFL:
        signal.raise_signal(signal.SIGINT)


def write(held: Mapping[str, Array], values: Mapping[str, Any]) -> None:
    """Copy new numbers into the arrays that the models hold."""
    for key, value in values.items():
        np.copyto(held[key], value)
