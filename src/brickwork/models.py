"""Keras's `models`: Model, Sequential, load_model."""

from .training.model import Model
from .training.saving import load_model
from .training.sequential import Sequential

__all__ = ["Model", "Sequential", "load_model"]
