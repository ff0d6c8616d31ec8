"""What an argument may be: whole numbers, numbers in a range, words, tuples, and combinations of these.

A check is called with the owner's name, the argument's name and the value; it gives the value in its normal
form or raises an error that says what is allowed. `bad` gives values that tests expect to be refused.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from .errors import ParameterError, ParameterTypeError, did_you_mean, known_names
from .structs import struct


class Check:
    """What an argument may be. Calling it returns the value in its normal form, or raises."""

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The value in its normal form. Raises ParameterError or ParameterTypeError."""
        raise NotImplementedError

    def describe(self) -> str:
        """The allowed values, to be read after 'must be'."""
        raise NotImplementedError

    def bad(self) -> list[Any]:
        """A few values that must be refused."""
        return []

    def refuse(self, owner: str, name: str, value: Any, *, hint: str = "") -> ParameterError:
        """The error for a value outside the range."""
        return ParameterError(f"{owner}: `{name}` must be {self.describe()}; got {name}={value!r}.{hint}")

    def refuse_type(self, owner: str, name: str, value: Any, *, hint: str = "") -> ParameterTypeError:
        """The error for a value of another type."""
        return ParameterTypeError(
            f"{owner}: `{name}` must be {self.describe()}; got {name}={value!r} "
            f"of type {type(value).__name__}.{hint}"
        )


@struct(frozen=True)
class Whole(Check):
    """A whole number in [low, high]."""

    low: int | None = None
    high: int | None = None

    def __call__(self, owner: str, name: str, value: Any) -> int:
        """The value, checked."""
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise self.refuse_type(owner, name, value)
        number = operator.index(value)
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise self.refuse(owner, name, value)
        return number

    def describe(self) -> str:
        """The allowed values."""
        if self.low is None and self.high is None:
            return "a whole number"
        if self.high is None:
            return f"a whole number of at least {self.low}"
        return f"a whole number in [{self.low}, {self.high}]"

    def bad(self) -> list[Any]:
        """Values that are refused."""
        values: list[Any] = ["many", 1.5, True, [3]]
        return values + ([] if self.low is None else [self.low - 1])


@struct(frozen=True)
class Real(Check):
    """A finite number between low and high; `open` names the bounds that are excluded."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def __call__(self, owner: str, name: str, value: Any) -> float:
        """The value, checked."""
        if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
            raise self.refuse_type(owner, name, value)
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise self.refuse_type(owner, name, value) from None
        above = number > self.low if self.low_open else number >= self.low
        below = number < self.high if self.high_open else number <= self.high
        if not (math.isfinite(number) and above and below):
            raise self.refuse(owner, name, value)
        return number

    def describe(self) -> str:
        """The allowed values."""
        if math.isinf(self.low) and math.isinf(self.high):
            return "a finite number"
        if math.isinf(self.high):
            return f"a finite number {'above' if self.low_open else 'of at least'} {self.low:g}"
        if math.isinf(self.low):
            return f"a finite number {'below' if self.high_open else 'of at most'} {self.high:g}"
        left, right = "(["[not self.low_open], ")]"[not self.high_open]
        return f"in {left}{self.low:g}, {self.high:g}{right}"

    def bad(self) -> list[Any]:
        """Values that are refused."""
        values: list[Any] = ["much", math.nan, math.inf, True, [0.5]]
        if not math.isinf(self.low):
            values.append(self.low if self.low_open else self.low - 1)
        if not math.isinf(self.high):
            values.append(self.high if self.high_open else self.high + 1)
        return values


@struct(frozen=True)
class Flag(Check):
    """True or False."""

    def __call__(self, owner: str, name: str, value: Any) -> bool:
        """The value, checked."""
        if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
            return bool(value)
        raise self.refuse_type(owner, name, value)

    def describe(self) -> str:
        """The allowed values."""
        return "True or False"

    def bad(self) -> list[Any]:
        """Values that are refused."""
        return ["yes", 2, None]


@struct(frozen=True)
class Choice(Check):
    """One of a few words."""

    words: tuple[str, ...]

    def __call__(self, owner: str, name: str, value: Any) -> str:
        """The value, checked."""
        if not isinstance(value, str):
            raise self.refuse_type(owner, name, value)
        if value not in self.words:
            raise self.refuse(owner, name, value, hint=did_you_mean(value, self.words))
        return value

    def describe(self) -> str:
        """The allowed values."""
        return f"one of {known_names(self.words)}"

    def bad(self) -> list[Any]:
        """Values that are refused."""
        return ["no such word", 3, None]


@struct(frozen=True)
class Text(Check):
    """A string that is not empty."""

    def __call__(self, owner: str, name: str, value: Any) -> str:
        """The value, checked."""
        if not isinstance(value, str):
            raise self.refuse_type(owner, name, value)
        if not value:
            raise self.refuse(owner, name, value)
        return value

    def describe(self) -> str:
        """The allowed values."""
        return "a string that is not empty"

    def bad(self) -> list[Any]:
        """Values that are refused."""
        return ["", 3]


@struct(frozen=True)
class Many(Check):
    """A tuple of values of one kind; of `size` of them when a size is given.

    With `repeat`, a single value stands for `size` equal ones, as in `kernel_size=3`.
    """

    item: Check
    size: int | None = None
    repeat: bool = False

    def __call__(self, owner: str, name: str, value: Any) -> tuple[Any, ...]:
        """The value, checked."""
        if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
            if self.repeat and self.size is not None:
                return (self._item(owner, name, value, value),) * self.size
            raise self.refuse_type(owner, name, value)
        items = tuple(value)
        if self.size is not None and len(items) != self.size:
            raise self.refuse(owner, name, value)
        return tuple(self._item(owner, name, one, value) for one in items)

    def _item(self, owner: str, name: str, one: Any, whole: Any) -> Any:
        try:
            return self.item(owner, name, one)
        except ParameterTypeError:
            raise self.refuse_type(owner, name, whole) from None
        except ParameterError:
            raise self.refuse(owner, name, whole) from None

    def describe(self) -> str:
        """The allowed values."""
        if self.size is None:
            return f"a tuple whose items are each {self.item.describe()}"
        each = f"a tuple of {self.size}, each {self.item.describe()}"
        return f"{self.item.describe()}, or {each}" if self.repeat else each

    def bad(self) -> list[Any]:
        """Values that are refused."""
        values = [one for one in self.item.bad() if not hasattr(one, "__iter__") or isinstance(one, str)]
        tuples: list[Any] = [(one,) * (self.size or 1) for one in values]
        if self.size is not None:
            tuples.append((1,) * (self.size + 1))
        return tuples + (values if self.repeat else [3])


@struct(frozen=True)
class Maybe(Check):
    """None, or what the inner check allows."""

    item: Check

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The value, checked."""
        if value is None:
            return None
        try:
            return self.item(owner, name, value)
        except ParameterTypeError:
            raise self.refuse_type(owner, name, value) from None
        except ParameterError as error:
            hint = str(error).rpartition("Did you mean")
            raise self.refuse(owner, name, value, hint=" Did you mean" + hint[2] if hint[1] else "") from None

    def describe(self) -> str:
        """The allowed values."""
        return f"None or {self.item.describe()}"

    def bad(self) -> list[Any]:
        """Values that are refused."""
        return [value for value in self.item.bad() if value is not None]


@struct(frozen=True)
class Either(Check):
    """What the first of several checks allows that allows it."""

    items: tuple[Check, ...]

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The value, checked."""
        hints = []
        wrong_type = True
        for item in self.items:
            try:
                return item(owner, name, value)
            except (ParameterError, ParameterTypeError) as error:
                wrong_type = wrong_type and isinstance(error, ParameterTypeError)
                hints.append(str(error).rpartition(" Did you mean"))
        hint = next((mark + rest for _, mark, rest in hints if mark), "")
        raise (self.refuse_type if wrong_type else self.refuse)(owner, name, value, hint=hint)

    def describe(self) -> str:
        """The allowed values."""
        return ", or ".join(item.describe() for item in self.items)

    def bad(self) -> list[Any]:
        """Values that are refused."""
        return [value for value in self.items[0].bad() if not self._allows(value)]

    def _allows(self, value: Any) -> bool:
        try:
            self("", "", value)
        except (ParameterError, ParameterTypeError):
            return False
        return True


@struct(frozen=True)
class Converted(Check):
    """Whatever `convert` makes of the value; `convert` raises errors of its own."""

    convert: Callable[[Any], Any]
    words: str

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The value, checked."""
        try:
            return self.convert(value)
        except (ParameterError, ParameterTypeError) as error:
            error.add_note(f"in argument `{name}` of {owner}")
            raise

    def describe(self) -> str:
        """The allowed values."""
        return self.words

    def bad(self) -> list[Any]:
        """Values that are refused."""
        return ["no such word", 3.5]


@struct(frozen=True)
class Function(Check):
    """Something to call; `takes` says with what."""

    takes: str

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The function."""
        if not callable(value) or isinstance(value, type):
            raise self.refuse_type(owner, name, value)
        return value

    def describe(self) -> str:
        """The allowed values."""
        return f"a function of {self.takes}"

    def bad(self) -> list[Any]:
        """Values to be refused."""
        return ["no function", 3, None]


@struct(frozen=True)
class Absent(Check):
    """None alone: an argument of Keras that is not here; `instead` says what to do."""

    instead: str

    def __call__(self, owner: str, name: str, value: Any) -> None:
        """None."""
        if value is not None:
            raise self.refuse(owner, name, value, hint=f" {self.instead}")

    def describe(self) -> str:
        """The allowed value."""
        return "None"

    def bad(self) -> list[Any]:
        """Anything else."""
        return ["no such word", 3.5, 0]


@struct(frozen=True)
class Anything(Check):
    """Any value; the class checks it elsewhere."""

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The value, checked."""
        return value

    def describe(self) -> str:
        """The allowed values."""
        return "any value"
