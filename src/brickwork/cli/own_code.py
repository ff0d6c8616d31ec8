"""The Python files that a user's own model consists of: its own, and those beside it that it imports."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path


def hash_code(path: Path) -> str:
    """64 hexadecimal digits that change with the file, and with the files beside it that it imports.

    Files are found by the import lines, wherever in the code these stand; a name that is made while the code
    runs is not seen.
    """
    digest = hashlib.sha256(path.read_bytes())
    for file in imported_files(path):
        digest.update(f"\0{file.relative_to(path.resolve().parent).as_posix()}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def imported_files(path: Path) -> list[Path]:
    """The files below the folder of `path` that it imports, directly or by one another, in order of names."""
    start = path.resolve()
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        file = waiting.pop()
        for name, base in _names(file, start.parent):
            new = {one for one in _files(name, base) if one.is_relative_to(start.parent)} - found - {start}
            found |= new
            waiting += new
    return sorted(found)


def _names(file: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """(dotted name, folder in which it is looked for) of all that a file imports."""
    if file.suffix.lower() != ".py":
        return
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # told where it is run
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, folder) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = file.parents[node.level - 1] if 0 < node.level <= len(file.parents) else folder
            yield node.module or "", base
            names = (".".join(filter(None, (node.module, alias.name))) for alias in node.names)
            yield from ((name, base) for name in names)


def _files(name: str, base: Path) -> Iterator[Path]:
    """The files that importing a dotted name runs, as far as they are below `base`."""
    place = base
    for part in [*filter(None, name.split("."))]:
        place = place / part
        for file in (place.with_name(f"{part}.py"), place / "__init__.py"):
            if file.is_file():
                yield file.resolve()
