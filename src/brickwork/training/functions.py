"""A callback made of functions, for what is too short to deserve a class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ParameterTypeError, did_you_mean, known_names
from .callback import HOOKS, Callback


class LambdaCallback(Callback):
    """A callback made of functions.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : functions of (epoch, logs), or None.
    on_train_begin, on_train_end : functions of (logs), or None.
    on_train_batch_begin, on_train_batch_end : functions of (batch, logs), or None.
    kwargs : functions for any other method of `Callback`, by its name.

    >>> seen = []
    >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["loss"]))
    >>> callback.on_epoch_end(0, {"loss": 0.5})
    >>> seen
    [0.5]
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Callable[..., Any] | None,
    ) -> None:
        functions = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        known = [*HOOKS, "close"]
        for name, function in functions.items():
            if name not in known:
                raise ParameterTypeError(
                    f"LambdaCallback takes functions for {known_names(known, 24)}; it received `{name}`."
                    f"{did_you_mean(name, known)}"
                )
            if function is None:
                continue
            if not callable(function):
                raise ParameterTypeError(
                    f"LambdaCallback: `{name}` must be None or a function; got {name}={function!r} "
                    f"of type {type(function).__name__}."
                )
            setattr(self, name, function)
