"""The errors that users meet.

Every message says what was expected, what was received and how to repair it, in that order. Each class
also derives from the built-in exception that a caller would catch without knowing Brickwork.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BrickworkError(Exception):
    """Base of every error that Brickwork raises on purpose."""


class ParameterError(BrickworkError, ValueError):
    """An argument of a constructor or method has a value outside its range."""


class ParameterTypeError(BrickworkError, TypeError):
    """An argument has the wrong type, or a name that does not exist."""


class ShapeError(BrickworkError, ValueError):
    """Arrays or bricks do not fit together."""


class GraphError(BrickworkError, ValueError):
    """The wiring of a network is wrong: a cycle, a dangling name, a name used twice."""


class DataError(BrickworkError, ValueError):
    """Data that a network cannot learn from: wrong labels, NaN, nothing there."""


class FormatError(BrickworkError, ValueError):
    """A file is not what it claims to be: foreign, truncated, of a newer version."""


class UnknownClassError(FormatError):
    """A file names a layer or a brick that nobody has defined here: one of a user's own, not imported yet."""


class NotFittedError(BrickworkError, ValueError, AttributeError):
    """Something is used before it was built, compiled or fitted."""


class DivergenceError(BrickworkError, ArithmeticError):
    """Training met a NaN or an infinite number and stopped before the update."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """A sentence that names the nearest known name, whatever its case, or nothing where none is near."""
    listed = list(known)
    near = difflib.get_close_matches(str(name), listed, n=1, cutoff=0.6)
    if not near:
        folded = {one.casefold(): one for one in reversed(listed)}
        found = difflib.get_close_matches(str(name).casefold(), folded, n=1, cutoff=0.6)
        near = [folded[one] for one in found]
    return f" Did you mean {near[0]!r}?" if near else ""


def known_names(known: Iterable[str], limit: int = 12) -> str:
    """The known names in quotes, shortened when there are many."""
    names = list(known)
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown + (f", … ({len(names)} in all)" if len(names) > limit else "")
