"""Names that are imported when they are first used (PEP 562).

A package's public names stand once, in its `__init__.pyi`, where type checkers and editors read them;
`attach` reads the same file, so that `import brickwork` stays fast and the two cannot disagree.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable, Iterable
from opcode import opmap
from pathlib import Path
from types import FrameType
from typing import Any

_IMPORT_FROM = bytes([opmap["IMPORT_FROM"]])


def _table(stub: Path) -> dict[str, tuple[str, str | None]]:
    """Public name -> (relative module, attribute, or None for the module itself)."""
    table: dict[str, tuple[str, str | None]] = {}
    for statement in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.ImportFrom) and statement.level == 1:
            for alias in statement.names:
                public = alias.asname or alias.name
                if statement.module is None:
                    table[public] = (alias.name, None)
                else:
                    table[public] = (statement.module, alias.name)
    return table


def suggest(module: str) -> Callable[[str], Any]:
    """`__getattr__` for a module whose names stand in itself: it says which name is near a missing one.

    Used as `if not TYPE_CHECKING: __getattr__ = suggest(__name__)`, since type checkers take a module with
    `__getattr__` for one that has every name.
    """

    def __getattr__(name: str) -> Any:
        here = vars(sys.modules[module])
        homes = {known: getattr(thing, "__module__", None) or "" for known, thing in here.items()}
        defined = [known for known, home in homes.items() if home == module]
        handed_on = [known for known, home in homes.items() if home.startswith("brickwork.")]
        raise missing(module, name, here.get("__all__") or defined or handed_on, sys._getframe(1))

    return __getattr__


def missing(module: str, name: str, known: Iterable[str], frame: FrameType) -> Exception:
    """The error for a name that a module does not have.

    Where an AttributeError comes out of `from module import name`, Python drops its message and raises an
    ImportError of its own, so that one is given here; `frame` is the code that asks.
    """
    if name.startswith("__"):
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    from .errors import did_you_mean

    near = did_you_mean(name, known)
    if frame.f_code.co_code[frame.f_lasti : frame.f_lasti + 1] == _IMPORT_FROM:
        return ImportError(f"cannot import name {name!r} from {module!r}.{near}", name=module)
    # with a name, but no object, Python adds no suggestion of its own behind this one
    return AttributeError(f"module {module!r} has no attribute {name!r}.{near}", name=name)


def attach(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` for the package whose stub lies beside `file`."""
    table = _table(Path(file).with_suffix(".pyi"))
    names = sorted(table)

    def __getattr__(name: str) -> Any:
        if name not in table:
            raise missing(package, name, names, sys._getframe(1))
        module_name, attribute = table[name]
        module = importlib.import_module(f"{package}.{module_name}")
        value = module if attribute is None else getattr(module, attribute)
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__, lambda: names, names
