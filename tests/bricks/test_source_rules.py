"""The text of a brick must run on NumPy and traced by JAX; this forbids what would break one of them.

No augmented assignment and none to a subscript (both write into the caller's array on NumPy), no `numpy`
by name (it leaves the trace), no `.at`, no `out=`, nothing written on `self` or `ctx`.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import brickwork.bricks.base

FOLDER = Path(brickwork.bricks.base.__file__).parent
NOT_BRICKS = {"registry.py"}
FILES = sorted(path for path in FOLDER.glob("*.py") if path.name not in NOT_BRICKS)


def targets(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.Assign):
        return [inner for target in node.targets for inner in ast.walk(target)]
    if isinstance(node, (ast.AnnAssign, ast.For)):
        return list(ast.walk(node.target))
    return []


def offences(text: str) -> list[str]:
    tree = ast.parse(text)
    # Calling a brick on plain lists is for people, outside of any trace.
    allowed = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "__call__"
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if node in allowed:
            continue
        if isinstance(node, ast.AugAssign):
            found.append(f"line {node.lineno}: augmented assignment")
        for target in targets(node):
            stored = isinstance(getattr(target, "ctx", None), ast.Store)
            if isinstance(target, ast.Subscript) and stored:
                found.append(f"line {node.lineno}: subscript assignment")
            if isinstance(target, ast.Attribute) and stored:
                found.append(f"line {node.lineno}: attribute assignment")
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules = modules or ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        if any(name.split(".")[0] in ("numpy", "jax") for name in modules):
            found.append(f"line {node.lineno}: import of {modules[0]}")
        if isinstance(node, ast.Attribute) and node.attr == "at":
            found.append(f"line {node.lineno}: .at")
        if isinstance(node, ast.keyword) and node.arg == "out":
            found.append(f"line {node.value.lineno}: out=")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_bricks_keep_the_rules(path):
    assert offences(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "offence"),
    [
        ("x += 1", "augmented"),
        ("x[0] = 1", "subscript"),
        ("a, x[0] = 1, 2", "subscript"),
        ("self.mean = 3", "attribute"),
        ("import numpy as np", "import of numpy"),
        ("from numpy import linalg", "import of numpy"),
        ("import jax.numpy", "import of jax"),
        ("y = x.at[0].set(1)", ".at"),
        ("xp.add(x, y, out=x)", "out="),
    ],
)
def test_the_rules_find_what_they_forbid(text, offence):
    (found,) = offences(text)
    assert offence in found


def test_all_files_of_the_package_are_looked_at():
    assert {"linear.py", "merge.py", "loss.py", "pooling.py"} <= {path.name for path in FILES}
