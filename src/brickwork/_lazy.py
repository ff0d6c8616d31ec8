"""Names that are imported when they are first used (PEP 562).

A package's public names stand once, in its `__init__.pyi`, where type checkers and editors read them;
`attach` reads the same file, so that `import brickwork` stays fast and the two cannot disagree.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


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


def attach(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` for the package whose stub lies beside `file`."""
    table = _table(Path(file).with_suffix(".pyi"))
    names = sorted(table)

    def __getattr__(name: str) -> Any:
        if name not in table:
            from .errors import did_you_mean

            raise AttributeError(f"module {package!r} has no attribute {name!r}.{did_you_mean(name, names)}")
        module_name, attribute = table[name]
        module = importlib.import_module(f"{package}.{module_name}")
        value = module if attribute is None else getattr(module, attribute)
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__, lambda: names, names
