"""The data in a pickle, read without running it.

A pickle is a program that may call anything. CIFAR-10's "Python version" is published as pickles all the
same; here their instructions are read as what they say about plain data, and what says more is refused.
Nothing is imported, called or made by name, whatever the file asks for.
"""

from __future__ import annotations

import math
import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import FormatError

_ARRAY = {("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")}
_NAMES = _ARRAY | {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}
_TYPE = re.compile(r"[<>|=]?[biuf][1248]")


@dataclass
class _Name:
    """A global that the pickle mentions; it stays a pair of words."""

    module: str
    name: str


@dataclass
class _Type:
    """A NumPy dtype that the pickle describes."""

    word: str
    order: str = "="


@dataclass
class _Shell:
    """An array of which the pickle has told so far that there is one."""

    array: Any = None


def read_pickled(content: bytes, name: str) -> Any:
    """The dicts, lists, tuples, texts, bytes, numbers and numeric NumPy arrays that a pickle holds.

    Parameters
    ----------
    content : the pickle, protocol 2 to 4; texts of Python 2 come as bytes.
    name : the file, for messages.

    Raises FormatError for anything else, a pickle that calls or names what is no plain data above all.

    >>> import pickle
    >>> read_pickled(pickle.dumps({"labels": [6, 9]}, protocol=2), "batch")
    {'labels': [6, 9]}
    """
    machine = _Machine(name)
    try:
        for opcode, argument, _ in pickletools.genops(content):
            machine.step(opcode.name, argument)
            if opcode.name == "STOP":
                return _finished(machine.stack[-1])
    except FormatError:
        raise
    except Exception as error:  # whatever a damaged program leads to: an empty stack, a wrong type, …
        raise FormatError(
            f"{name}: expected a whole pickle of plain data; received one that is truncated or damaged "
            f"({type(error).__name__}). Fetch the file again."
        ) from None
    raise FormatError(f"{name}: expected a pickle that ends; received one without its end. Fetch it again.")


def _finished(value: Any) -> Any:
    """Arrays in the places of their shells: at the top, and one level down in a dict."""
    if isinstance(value, _Shell):
        return value.array
    if isinstance(value, dict):
        return {key: item.array if isinstance(item, _Shell) else item for key, item in value.items()}
    return value


class _Machine:
    """The stack on which a pickle builds its data."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def step(self, code: str, argument: Any) -> None:
        """One instruction."""
        if code in _CONSTANTS:
            self.stack.append(_CONSTANTS[code]())
        elif code in _LITERALS:
            self.stack.append(argument)
        elif code in ("BINSTRING", "SHORT_BINSTRING"):
            self.stack.append(argument.encode("latin-1"))
        elif code in ("PROTO", "FRAME", "STOP"):
            pass
        elif code in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif code == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif code in ("BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[argument])
        elif code in _ACTIONS:
            _ACTIONS[code](self, argument)
        else:
            raise self.refuse(f"the instruction {code}")

    def refuse(self, what: str) -> FormatError:
        return FormatError(
            f"{self.file}: expected a pickle of plain data: dicts, lists, texts, numbers and arrays; "
            f"received one with {what}, which could run any program and is refused. Take the binary version "
            "of the data."
        )

    def pop_mark(self) -> list[Any]:
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def pop_many(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def put_items(self, pairs: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(pairs) % 2:
            raise TypeError
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if not isinstance(key, (str, bytes, int)):
                raise TypeError
            target[key] = value

    def put_values(self, values: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise TypeError
        self.stack[-1].extend(values)

    def put_name(self, module: Any, name: Any) -> None:
        if (module, name) not in _NAMES:
            raise self.refuse(f"the name {str(module)[:60]}.{str(name)[:60]}")
        self.stack.append(_Name(module, name))

    def call(self) -> None:
        """What the allowed calls would give, told in data."""
        name, arguments = self.pop_many(2)
        words = (name.module, name.name)
        if words in _ARRAY:
            self.stack.append(_Shell())
        elif words == ("numpy", "dtype"):
            word = _text(arguments[0])
            if _TYPE.fullmatch(word) is None:
                raise self.refuse(f"an array of type {word[:20]!r}")
            self.stack.append(_Type(word))
        elif words == ("_codecs", "encode"):
            text, coding = arguments
            if coding != "latin1":
                raise ValueError
            self.stack.append(text.encode("latin-1"))
        else:
            raise self.refuse(f"a call of {name.module}.{name.name}")

    def build(self) -> None:
        """What an array or a dtype is told about itself."""
        target, state = self.pop_many(2)
        if isinstance(target, _Type):
            order = _text(state[1])
            if order not in "<>|=" or state[2:5] != (None, None, None):
                raise ValueError
            target.order = order
        elif isinstance(target, _Shell):
            _, shape, kind, fortran, data = state
            dtype = np.dtype(kind.word.lstrip("<>|=")).newbyteorder(kind.order.replace("|", "="))
            if (
                not isinstance(data, bytes)
                or math.prod(shape) * dtype.itemsize != len(data)
                or min(shape) < 0
            ):
                raise ValueError
            array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
            target.array = array.astype(dtype.newbyteorder("="), copy=False)
        else:
            raise self.refuse(f"the state of a {type(target).__name__}")
        self.stack.append(target)


def _text(word: Any) -> str:
    return word.decode("latin-1") if isinstance(word, bytes) else str(word)


_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_LITERALS = {
    *("BININT", "BININT1", "BININT2", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BINUNICODE8"),
}
_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.pop_mark())),
    "TUPLE1": lambda machine, _: machine.stack.append(tuple(machine.pop_many(1))),
    "TUPLE2": lambda machine, _: machine.stack.append(tuple(machine.pop_many(2))),
    "TUPLE3": lambda machine, _: machine.stack.append(tuple(machine.pop_many(3))),
    "SETITEM": lambda machine, _: machine.put_items(machine.pop_many(2)),
    "SETITEMS": lambda machine, _: machine.put_items(machine.pop_mark()),
    "APPEND": lambda machine, _: machine.put_values(machine.pop_many(1)),
    "APPENDS": lambda machine, _: machine.put_values(machine.pop_mark()),
    "GLOBAL": lambda machine, argument: machine.put_name(*argument.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.put_name(*machine.pop_many(2)),
    "REDUCE": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.build(),
}
