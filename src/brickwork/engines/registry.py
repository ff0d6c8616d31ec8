"""Engines by name."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from ..errors import ParameterError, did_you_mean, known_names
from .base import Engine
from .native_module import load_native, why_missing


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


def default_name() -> str:
    """The engine where nobody names one: "native", or "reference" where its module cannot be loaded."""
    return "reference" if load_native() is None else "native"


@functools.cache
def _tell_why_not_native() -> None:
    """Said once in a process."""
    warnings.warn(f"{why_missing()} Until then the reference engine computes, slowly.", stacklevel=4)


def get_engine(identifier: Any = None) -> Engine:
    """The engine of a name, for None the default one; an engine stays as it is.

    Warns, once, where the default is not the native engine, and says why.
    """
    if identifier is None:
        identifier = default_name()
        if identifier != "native":
            _tell_why_not_native()
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
