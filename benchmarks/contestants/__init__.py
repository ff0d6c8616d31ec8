"""Whoever takes part, by name. A library is imported when its contestant is asked for."""

from __future__ import annotations

import importlib

from .base import Contestant, Made, Unsupported, measured

_PLACES = {
    "brickwork": ("own", "Brickwork"),
    "unshuffled": ("own", "Unshuffled"),
    "torch": ("with_torch", "Torch"),
    "torch-compiled": ("with_torch", "TorchCompiled"),
    "jax": ("with_jax", "Jax"),
    "keras": ("with_keras", "Keras"),
    "sklearn": ("with_sklearn", "ScikitLearn"),
    "onnxruntime": ("with_onnxruntime", "OnnxRuntime"),
}

PEERS = tuple(name for name in _PLACES if name != "brickwork")
"""Names for --peers."""

OWN = "brickwork"

PACKAGES = {
    "unshuffled": "brickwork",
    "torch": "torch",
    "torch-compiled": "torch",
    "jax": "jax",
    "keras": "keras",
    "sklearn": "sklearn",
    "onnxruntime": "onnxruntime",
}
"""The module that each peer needs."""

__all__ = ["OWN", "PACKAGES", "PEERS", "Contestant", "Made", "Unsupported", "contestant", "measured"]


def contestant(name: str, threads: int, engine: str) -> Contestant:
    """The contestant of that name, its library loaded and told of the threads."""
    module, kind = _PLACES[name]
    made: Contestant = getattr(importlib.import_module(f"{__name__}.{module}"), kind)(threads, engine)
    return made
