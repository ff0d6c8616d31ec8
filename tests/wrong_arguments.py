"""Wrong values for every argument of a class, drawn from the checks of its table of arguments."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from brickwork.errors import ParameterError, ParameterTypeError


def wrong_arguments(*classes: type) -> list[Any]:
    """Cases (class, argument, value) for `pytest.mark.parametrize`."""
    return [
        pytest.param(cls, field.name, value, id=f"{cls.__name__}-{field.name}-{value!r}")
        for cls in classes
        for field in dataclasses.fields(cls)
        if field.init and "check" in field.metadata
        for value in field.metadata["check"].bad()
        # None stands for the default where that is None.
        if not (value is None and field.default is None)
    ]


def assert_refuses(cls: type, name: str, value: Any, **needed: Any) -> None:
    """The class refuses the value, and says which argument of which class is wrong and what it received."""
    with pytest.raises((ParameterError, ParameterTypeError)) as caught:
        cls(**{**needed, name: value})
    assert str(caught.value).startswith(f"{cls.__name__}: `{name}` must be ")
    assert f"got {name}={value!r}" in str(caught.value)
