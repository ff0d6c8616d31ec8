"""The house rules: what importing loads, which room may import which, public names, how errors are raised."""

from __future__ import annotations

import ast
import functools
import graphlib
import importlib
import inspect
import io
import statistics
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "brickwork"
FILES = sorted(SOURCE.rglob("*.py"))
STUBS = sorted(SOURCE.rglob("__init__.pyi"))

# A room imports from the floors below its own, lowest floor first. A room is a package or a module directly
# under brickwork/; one that is new needs its place here.
FLOORS = [
    {"_version", "errors", "_native"},
    {"_lazy", "files", "structs"},
    {"argument_checks"},
    {"arguments"},
    {"arrays", "catalogue", "config", "seeds", "threads"},
    {"initializers", "regularizers", "constraints", "information", "schedules", "data"},
    {"optimizers", "bricks"},
    {"graph"},
    {"activations", "losses"},
    {"metrics"},
    {"layers", "engines", "inspect"},
    {"training"},
    {"callbacks", "models", "datasets", "utils", "zoo", "exchange"},
    {"recipes"},
    {"cli", "playground", "labs", "estimators"},
    {"__init__", "__main__"},
]

# Rooms of one floor of which the first may import the second.
NEIGHBOURS: set[tuple[str, str]] = set()


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def room(module: str) -> str:
    return module.partition(".")[0] or "__init__"


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path, node: ast.AST) -> Iterator[str]:
    """The modules of the package that an import statement names, without the leading `brickwork.`"""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.partition(".")[0] == "brickwork":
                yield alias.name.partition(".")[2]
    if not isinstance(node, ast.ImportFrom):
        return
    package = list(path.relative_to(SOURCE).parts[:-1])
    if node.level == 0:
        if (node.module or "").partition(".")[0] != "brickwork":
            return
        base = (node.module or "").split(".")[1:]
    else:
        base = package[: len(package) - node.level + 1] + (node.module.split(".") if node.module else [])
    for alias in node.names:
        full = ".".join([*base, alias.name])
        if full in MODULES:
            yield full
        else:
            yield lazy_names(".".join(base)).get(alias.name, ".".join(base))


@functools.cache
def lazy_names(package: str) -> dict[str, str]:
    """Public name -> module that holds it, for a package with lazy names."""
    stub = SOURCE.joinpath(*package.split("."), "__init__.pyi") if package else SOURCE / "__init__.pyi"
    if not stub.is_file():
        return {}
    table = {}
    for node in tree(stub).body:
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            for alias in node.names:
                module = f"{package}.{node.module or alias.name}".lstrip(".")
                table[alias.asname or alias.name] = module
    return table


def run_python(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def foreign_packages(code: str) -> set[str]:
    """What this code loads beside the standard library, NumPy and Brickwork, in a fresh interpreter."""
    before, after = "import sys; before = set(sys.modules)", "print(*sorted(set(sys.modules) - before))"
    names = run_python(f"{before}\n{code}\n{after}").split()
    # numpy.random's compiled parts share a module of the compiler that made them
    loaded = {name.partition(".")[0] for name in names if "cython" not in name}
    assert "brickwork" in loaded
    return loaded - sys.stdlib_module_names - {"brickwork", "numpy"}


# What importing loads.


def test_import_loads_the_standard_library_and_numpy_only():
    assert foreign_packages("import brickwork") == set()


def test_building_a_network_loads_no_more():
    """rich, matplotlib, safetensors, pooch, jax: for progress, curves, files, downloads and one engine."""
    code = """
import brickwork
model = brickwork.Sequential([brickwork.Input((3,)), brickwork.layers.Dense(2, activation="relu")])
model.compile("adam", "mean_squared_error", metrics=["mean_absolute_error"])
"""
    assert foreign_packages(code) == set()


@pytest.mark.full
def test_import_costs_at_most_a_fifth_of_a_second():
    code = """
import time, numpy
start = time.perf_counter()
import brickwork
print(time.perf_counter() - start)
"""
    seconds = [float(run_python(code)) for _ in range(5)]
    print(f"import brickwork after numpy: median {statistics.median(seconds):.4f} s of {len(seconds)} runs")
    assert statistics.median(seconds) <= 0.2


# Floors.


def test_every_room_has_its_floor():
    rooms = {room(module) for module in MODULES}
    missing = rooms - set().union(*FLOORS)
    assert not missing, f"give these rooms a floor in {Path(__file__).name}: {sorted(missing)}"


def test_no_room_is_on_two_floors():
    assert sum(map(len, FLOORS)) == len(set().union(*FLOORS))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down(path):
    """Everywhere in the file, inside functions too."""
    floor = {name: level for level, names in enumerate(FLOORS) for name in names}
    here = room(module_name(path))
    upward = []
    for node in ast.walk(tree(path)):
        for module in imported(path, node):
            there = room(module)
            if there != here and (here, there) not in NEIGHBOURS and floor[there] >= floor[here]:
                upward.append(f"{path}:{node.lineno}: {here} imports {there}, which is not on a lower floor")
    assert not upward, "\n".join(upward)


def test_no_modules_import_each_other_in_a_circle():
    """At module level; a function may import what is loaded by then."""

    def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
        for node in body:
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                continue
            yield node

    edges = {
        module: {
            name
            for node in top_level(tree(path).body)
            for name in imported(path, node)
            if name in MODULES and name != module
        }
        for module, path in MODULES.items()
    }
    tuple(graphlib.TopologicalSorter(edges).static_order())


# Public names.


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: str(path.relative_to(SOURCE)))
def test_public_names_can_be_imported(stub):
    name = ".".join(["brickwork", *stub.relative_to(SOURCE).parts[:-1]])
    package = importlib.import_module(name)
    names = sorted(lazy_names(name.partition(".")[2]))
    assert names
    assert package.__all__ == names == dir(package)
    for public in names:
        value = getattr(package, public)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, f"{name}.{public} needs a docstring"


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_stub_holds_re_exports_only(stub):
    """What else would stand there would be unknown to the lazy names."""
    for node in tree(stub).body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_all = isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "__all__"
        is_re_export = (
            isinstance(node, ast.ImportFrom)
            and node.level == 1
            and all(alias.asname == alias.name for alias in node.names)
        )
        message = f"{stub}:{node.lineno}: write `from .module import Name as Name`"
        assert is_docstring or is_all or is_re_export, message


PLAIN = [
    ("activations", "reluu", "relu"),
    ("callbacks", "EarlyStoping", "EarlyStopping"),
    ("config", "set_flotx", "set_floatx"),
    ("constraints", "MaxNorn", "MaxNorm"),
    ("information", "entropi", "entropy"),
    ("models", "load_modell", "load_model"),
    ("optimizers.schedules", "ExponentialDecy", "ExponentialDecay"),
    ("recipes", "default_dn", "default_dnn"),
    ("regularizers", "L1L3", "L1L2"),
    ("utils", "to_categoric", "to_categorical"),
]
LAZY = [("layers", "Dens", "Dense"), ("losses", "MeanSquareError", "MeanSquaredError")]


@pytest.mark.parametrize("module, wrong, right", [*PLAIN, *LAZY])
def test_a_name_that_is_nearly_right(module, wrong, right):
    """In `from … import …`, whose own message Python would make, and as an attribute."""
    with pytest.raises(ImportError, match=f"^cannot import name '{wrong}' from 'brickwork.{module}'") as told:
        exec(f"from brickwork.{module} import {wrong}", {})
    assert str(told.value).endswith(f" Did you mean '{right}'?")
    imported = importlib.import_module(f"brickwork.{module}")
    with pytest.raises(AttributeError, match=f"has no attribute '{wrong}'. Did you mean '{right}'"):
        getattr(imported, wrong)
    assert not hasattr(imported, wrong) and not hasattr(imported, "__wrapped__")


def test_a_suggestion_is_made_once():
    code = "import brickwork; brickwork.layers.Dens"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stderr.count("Did you mean") == 1


def test_every_public_module_suggests():
    """Those of the table above are the plain ones that the top names."""
    top = {name for name in lazy_names("") if (SOURCE / f"{name}.py").is_file()}
    assert top - {"errors"} <= {module for module, _, _ in PLAIN}


def public_classes() -> set[type]:
    classes = set()
    for stub in STUBS:
        package = ".".join(["brickwork", *stub.relative_to(SOURCE).parts[:-1]])
        for name in lazy_names(package.partition(".")[2]):
            value = getattr(importlib.import_module(package), name)
            if inspect.isclass(value) and value.__module__.startswith("brickwork"):
                classes.add(value)
    return classes


def is_not_implemented(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Raise) or node.exc is None:
        return False
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def test_only_base_classes_leave_something_to_be_implemented():
    bases = {
        base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        for base in node.bases
    }
    inside, everywhere = set(), set()
    for path in FILES:
        for node in ast.walk(tree(path)):
            if is_not_implemented(node):
                everywhere.add(f"{path}:{node.lineno}")
            if isinstance(node, ast.ClassDef) and node.name in bases:
                inside |= {f"{path}:{part.lineno}" for part in ast.walk(node) if is_not_implemented(part)}
    assert everywhere == inside


# The gradient check asks for it where a brick names a surrogate, and nobody else does.
OPTIONAL = {"Brick.surrogate_forward"}


def test_no_public_class_inherits_a_method_that_is_not_implemented():
    abstract = {
        f"{node.name}.{method.name}"
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and is_not_implemented(method.body[-1])
    }
    abstract -= OPTIONAL
    classes = public_classes()
    leaves = {
        one for one in classes if not any(other is not one and one in other.__mro__ for other in classes)
    }
    left = []
    for cls in leaves:
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            # A base class that is public alone, for users to derive from, may keep its own.
            if method.__qualname__ in abstract and method.__qualname__.partition(".")[0] != cls.__name__:
                left.append(f"{cls.__module__}.{cls.__name__}.{name}")
    assert not left, sorted(left)


# Errors.


def error_calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name.endswith("Error"):
                yield node


def plain_strings(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string that is no f-string."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.STRING:
            prefix = token.string[: min(token.string.find(quote) % 1000 for quote in "'\"")]
            if "f" not in prefix.lower():
                yield token.start[0], token.string


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_error_messages_are_one_string_with_its_values_filled_in(path):
    """`raise E("a", "b")` prints a tuple; `"{name}"` without the f prints its braces."""
    broken = []
    spans = []
    for call in error_calls(path):
        spans.append((call.lineno, call.end_lineno))
        if len(call.args) > 1 and all(isinstance(part, (ast.Constant, ast.JoinedStr)) for part in call.args):
            broken.append(f"{path}:{call.lineno}: the message is more than one string")
    for line, text in plain_strings(path):
        if any(first <= line <= last for first, last in spans) and ("{" in text or "}" in text):
            broken.append(f"{path}:{line}: {text} has braces and is no f-string")
    assert not broken, "\n".join(broken)
