"""The compiled module, which a Brickwork that was installed without a C++ compiler does not have.

`load_native` gives it or None, `why_missing` the one line that says why it is None.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from types import ModuleType

from ..errors import ParameterError

_MODULE = "brickwork._native"
_COMPILERS = ("clang-cl",) if sys.platform == "win32" else ("c++", "g++", "clang++")


@functools.cache
def _attempt() -> tuple[ModuleType | None, str]:
    """The module, or None and why."""
    try:
        return importlib.import_module(_MODULE), ""
    except ModuleNotFoundError as error:
        if error.name != _MODULE:
            raise
        return None, _never_built()
    except ImportError as error:
        if str(error).startswith("BRICKWORK_ISA"):
            raise ParameterError(str(error)) from error
        return None, f"The native engine cannot be loaded: {error}. {_repair()}"


def load_native() -> ModuleType | None:
    """The module `brickwork._native`, or None where it was not built or cannot be loaded.

    Raises ParameterError where BRICKWORK_ISA names an instruction set that this machine cannot run.
    """
    return _attempt()[0]


def why_missing() -> str:
    """One line: why `load_native()` is None and what to do; empty where it is not."""
    return _attempt()[1]


def _compiler() -> str | None:
    import shutil  # brings compression libraries along; only a failure needs it

    names = (os.environ.get("CXX", ""), *_COMPILERS)
    return next((name for name in names if name and shutil.which(name)), None)


def _never_built() -> str:
    if _compiler() is None:
        return (
            "The native engine was not built: there was no C++ compiler when Brickwork was installed, nor is "
            f"there one now. Install {_package()}, then {_repair(first=False)}"
        )
    return (
        "The native engine was not built when Brickwork was installed: there was no C++ compiler then, or "
        f"the build failed. {_repair()}"
    )


def _package() -> str:
    """What holds a compiler, in the words of this system."""
    if sys.platform == "win32":
        return "LLVM (clang-cl) and the Visual Studio Build Tools"
    if sys.platform == "darwin":
        return "the command line tools (xcode-select --install)"
    return "one (on Debian: apt-get install g++ python3-dev)"


def _repair(first: bool = True) -> str:
    """The command that builds Brickwork again and shows what fails."""
    run = "Run" if first else "run"
    return (
        f"{run}, where Brickwork's sources lie, with the variable BRICKWORK_NATIVE set to required: "
        f"{sys.executable} -m pip install -v --force-reinstall --no-deps ."
    )
