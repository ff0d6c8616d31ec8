"""The suites: which workloads are measured how. Each gives what report.py makes a table of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .bricks import bricks
from .convnet import convnet
from .imports import imports
from .inference import inference
from .session import NotStarted, Session
from .training import training

SUITES: dict[str, Callable[[Session], dict[str, Any]]] = {
    "training": training,
    "inference": inference,
    "import": imports,
    "bricks": bricks,
    "convnet": convnet,
}

__all__ = ["SUITES", "NotStarted", "Session"]
