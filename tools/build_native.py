"""Builds the native module beside the Python sources, where an editable install finds it.

    python tools/build_native.py                        # again after a change in native/: what changed only
    python tools/build_native.py --test                 # and runs native/tests on every instruction set
    python tools/build_native.py --sanitize --test      # these and the engines' tests, under AddressSanitizer
                                                        # and UBSan, with a module in the build folder

Needs a C++17 compiler, and from PyPI nanobind, cmake and ninja, which `pip install -e '.[dev]'` installs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def tool(name: str) -> str:
    """The program beside this Python, else on the path."""
    beside = shutil.which(name, path=str(Path(sys.executable).parent))
    found = beside or shutil.which(name)
    if found is None:
        sys.exit(f"{name} is needed and not found. Run: {sys.executable} -m pip install {name}")
    return found


def build(folder: Path, options: list[str]) -> None:
    """Configures where that was not done yet, and compiles what changed."""
    if not (folder / "build.ninja").is_file():
        cmake = [tool("cmake"), "-S", str(ROOT / "native"), "-B", str(folder), "-G", "Ninja"]
        subprocess.run([*cmake, f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}", *options], check=True)
    subprocess.run([tool("cmake"), "--build", str(folder)], check=True)


def test(folder: Path) -> None:
    """Runs the executable with each instruction set that this machine has."""
    program = str(folder / ("native_tests.exe" if os.name == "nt" else "native_tests"))
    names = subprocess.run([program, "--isas"], check=True, capture_output=True, text=True).stdout.split()
    for name in names:
        print(f"native/tests on {name}", flush=True)
        subprocess.run([program], check=True, env=os.environ | {"BRICKWORK_ISA": name})


def test_engine(folder: Path) -> None:
    """Runs the tests of the native engine on the module in `folder`, which is compiled with sanitizers."""
    compiler = os.environ.get("CXX", "c++")
    # Python itself is compiled without: the sanitizer must be there before the module, exceptions with it.
    libraries = [
        subprocess.run([compiler, f"-print-file-name={name}"], check=True, capture_output=True, text=True)
        for name in ("libasan.so", "libstdc++.so")
    ]
    environment = os.environ | {
        "LD_PRELOAD": " ".join(library.stdout.strip() for library in libraries),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python leaves much behind on purpose
    }
    # --capture=sys: what a sanitizer says when it ends the process is seen.
    options = ["--capture=sys", "--native-folder", str(folder), "-k", "native"]
    command = [sys.executable, "-m", "pytest", *options, "tests/engines"]
    subprocess.run(command, check=True, cwd=ROOT, env=environment)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--test", action="store_true", help="build and run the tests of native/tests")
    parser.add_argument("--sanitize", action="store_true", help="with sanitizers, in a folder of its own")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier configuration")
    arguments = parser.parse_args()

    name = f"native-{sys.implementation.cache_tag}{'-sanitize' if arguments.sanitize else ''}"
    folder = ROOT / "build" / name
    if arguments.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    options = ["-DBRICKWORK_NATIVE_TESTS=ON"]
    options += ["-DBRICKWORK_IN_PLACE=ON", f"-DPython_EXECUTABLE={sys.executable}"]
    if arguments.sanitize:
        options += ["-DBRICKWORK_SANITIZE=address,undefined", f"-DBRICKWORK_MODULE_FOLDER={folder}"]
    try:
        build(folder, options)
        if arguments.test:
            test(folder)
            if arguments.sanitize:
                test_engine(folder)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


if __name__ == "__main__":
    main()
