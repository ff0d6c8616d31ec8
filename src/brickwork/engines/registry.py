"""Engines by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ParameterError, did_you_mean, known_names
from .base import Engine


def _reference() -> Engine:
    from .reference import ReferenceEngine

    return ReferenceEngine()


def _native() -> Engine:
    from .native.engine import NativeEngine

    return NativeEngine()


def _jax() -> Engine:
    try:
        from .jax_engine import JaxEngine
    except ImportError as error:
        raise ParameterError(
            f"engine='jax' needs JAX, which is not installed ({error}). Run: pip install 'brickwork[jax]'."
        ) from error
    engine: Engine = JaxEngine()
    return engine


KNOWN: dict[str, Callable[[], Engine]] = {"native": _native, "reference": _reference, "jax": _jax}


def get_engine(identifier: Any) -> Engine:
    """The engine of a name; an engine stays as it is."""
    if not isinstance(identifier, str):
        if hasattr(identifier, "plan") and hasattr(identifier, "name"):
            engine: Engine = identifier
            return engine
        raise ParameterError(
            f"`engine` must be one of {known_names(KNOWN)}, or an object with a method plan; "
            f"got {identifier!r}."
        )
    if identifier not in KNOWN:
        raise ParameterError(
            f"`engine` must be one of {known_names(KNOWN)}; got engine={identifier!r}."
            f"{did_you_mean(identifier, KNOWN)}"
        )
    return KNOWN[identifier]()
