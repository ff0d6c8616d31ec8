"""Keras's `models`: Model, Sequential, load_model."""

from typing import TYPE_CHECKING

from ._lazy import suggest
from .training.model import Model
from .training.saving import load_model
from .training.sequential import Sequential

__all__ = ["Model", "Sequential", "load_model"]


if not TYPE_CHECKING:
    __getattr__ = suggest(__name__)
