"""Checks of arguments that only callbacks have: paths, functions, verbosity, the direction of a metric."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from ..arguments import Check, Choice, Either, Flag, Whole

MODE = Choice(("auto", "min", "max"))
VERBOSE = Either((Whole(0, 2), Flag()))


@dataclass(frozen=True)
class PathText(Check):
    """A path; its normal form is a string."""

    def __call__(self, owner: str, name: str, value: Any) -> str:
        """The path as a string."""
        if not isinstance(value, (str, os.PathLike)):
            raise self.refuse_type(owner, name, value)
        text = os.fspath(value)
        if not isinstance(text, str) or not text:
            raise self.refuse(owner, name, value)
        return text

    def describe(self) -> str:
        """The allowed values."""
        return "a path: a string that is not empty, or a Path"

    def bad(self) -> list[Any]:
        """Values to be refused."""
        return ["", 3, b"bytes"]


@dataclass(frozen=True)
class Stream(Check):
    """Something to write text to."""

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The stream."""
        if not callable(getattr(value, "write", None)):
            raise self.refuse_type(owner, name, value)
        return value

    def describe(self) -> str:
        """The allowed values."""
        return "a stream of text, such as sys.stderr"

    def bad(self) -> list[Any]:
        """Values to be refused."""
        return ["a name", 3]


@dataclass(frozen=True)
class Character(Check):
    """A string of length 1."""

    def __call__(self, owner: str, name: str, value: Any) -> str:
        """The character."""
        if not isinstance(value, str):
            raise self.refuse_type(owner, name, value)
        if len(value) != 1 or value in '"\r\n':
            raise self.refuse(owner, name, value)
        return value

    def describe(self) -> str:
        """The allowed values."""
        return "one character, neither a quotation mark nor the end of a line"

    def bad(self) -> list[Any]:
        """Values to be refused."""
        return ["", ", ", "\n", 3, None]


PATH = PathText()
