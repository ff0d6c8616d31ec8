"""What all tests share: the environment, the `--full` option, random numbers, hypothesis profiles."""

from __future__ import annotations

import importlib
import os

# Before anything imports them: these are read once, at import.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Tests compile many small programs and run each of them a few times: a third of their time was LLVM's.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("MPLBACKEND", "Agg")

import hypothesis
import numpy as np
import pytest

hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, max_examples=20, database=None)
hypothesis.settings.register_profile("full", deadline=None, max_examples=200, print_blob=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the long tests too, and draw more examples")
    parser.addoption("--native-folder", metavar="FOLDER", help="take the native module from there")


def pytest_configure(config: pytest.Config) -> None:
    if folder := config.getoption("--native-folder"):
        import brickwork

        brickwork.__path__.insert(0, os.path.abspath(folder))
        assert brickwork.__path__[0] in importlib.import_module("brickwork._native").__file__
    # A profile asked for by hypothesis's own option wins.
    if config.getoption("--hypothesis-profile", None) is None:
        hypothesis.settings.load_profile("full" if config.getoption("--full") else "ci")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full"):
        return
    skip = pytest.mark.skip(reason="a long run: --full")
    for item in items:
        if "full" in item.keywords:
            item.add_marker(skip)


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def first_weights() -> None:
    """The weights that a test draws are the same in every run, whichever tests ran before."""
    from brickwork.seeds import set_random_seed

    set_random_seed(0)
