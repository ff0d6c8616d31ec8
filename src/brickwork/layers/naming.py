"""Names for layers that were given none."""

from __future__ import annotations

import threading
from collections import Counter

from ..catalogue import snake_case

_names: Counter[str] = Counter()
_lock = threading.Lock()


def automatic_name(kind: str) -> str:
    """Keras's names for layers without one: dense, dense_1, dense_2, …"""
    base = snake_case(kind)
    with _lock:
        count = _names[base]
        _names[base] += 1
    return f"{base}_{count}" if count else base


def reset_names() -> None:
    """Start the automatic names again; see `brickwork.utils.clear_session`."""
    with _lock:
        _names.clear()
