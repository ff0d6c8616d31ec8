"""The compiled module, and what is said where it is missing."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys

import pytest

from brickwork.engines import native_module
from brickwork.engines.native_module import load_native, why_missing
from brickwork.errors import ParameterError


@pytest.fixture
def afresh():
    """Tried again in the test, and again after it."""
    native_module._attempt.cache_clear()
    yield
    native_module._attempt.cache_clear()


@pytest.fixture
def native():
    module = load_native()
    if module is None:
        pytest.skip(why_missing())
    return module


def isa_of(name: str | None) -> str:
    """What a new process computes with where BRICKWORK_ISA is `name`."""
    environment = {key: value for key, value in os.environ.items() if key != "BRICKWORK_ISA"}
    if name is not None:
        environment["BRICKWORK_ISA"] = name
    code = "from brickwork.engines.native_module import load_native; print(load_native().isa())"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_there_is_a_module_or_a_reason():
    assert (load_native() is None) == bool(why_missing())


def test_the_module_is_built_where_it_must_be():
    """The gate sets BRICKWORK_NATIVE=required: there a module that cannot be loaded is a failure."""
    if os.environ.get("BRICKWORK_NATIVE") != "required":
        pytest.skip("BRICKWORK_NATIVE=required is not set")
    assert why_missing() == ""


def test_the_best_instruction_set_is_taken(native):
    assert isa_of(None) == native.available_isas()[0]


def test_every_instruction_set_can_be_asked_for(native):
    for name in native.available_isas():
        assert isa_of(name) == name


def import_fails_with(monkeypatch, error: ImportError) -> None:
    def fail(name):
        raise error

    monkeypatch.setattr(importlib, "import_module", fail)


def test_an_instruction_set_that_cannot_be_had(native):
    code = "from brickwork.engines.native_module import load_native; load_native()"
    environment = os.environ | {"BRICKWORK_ISA": "sse9"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    last = result.stderr.splitlines()[-1]
    known = ", ".join(f"'{name}'" for name in native.available_isas())
    assert last.startswith("brickwork.errors.ParameterError: BRICKWORK_ISA must name an instruction set")
    assert f"one of {known}; got 'sse9'. Unset it" in last


def test_a_wrong_instruction_set_does_not_pass_for_a_missing_module(afresh, monkeypatch):
    import_fails_with(monkeypatch, ImportError("BRICKWORK_ISA must name …; got 'x'."))
    with pytest.raises(ParameterError, match="^BRICKWORK_ISA must name"):
        load_native()


def test_never_built_without_a_compiler(afresh, monkeypatch):
    import_fails_with(monkeypatch, ModuleNotFoundError("none", name="brickwork._native"))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert load_native() is None
    assert "there was no C++ compiler when Brickwork was installed, nor is there one now" in why_missing()
    assert f"{sys.executable} -m pip install -v --force-reinstall --no-deps ." in why_missing()
    assert "\n" not in why_missing()


def test_never_built_where_there_is_a_compiler(afresh, monkeypatch):
    import_fails_with(monkeypatch, ModuleNotFoundError("none", name="brickwork._native"))
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    assert load_native() is None
    assert "no C++ compiler then, or the build failed. Run, where Brickwork's sources lie" in why_missing()


def test_built_and_broken(afresh, monkeypatch):
    import_fails_with(monkeypatch, ImportError("libstdc++.so.6: version `X' not found"))
    assert load_native() is None
    assert why_missing().startswith(
        "The native engine cannot be loaded: libstdc++.so.6: version `X' not found."
    )


def test_a_module_that_the_native_one_lacks_is_told(afresh, monkeypatch):
    import_fails_with(monkeypatch, ModuleNotFoundError("No module named 'other'", name="other"))
    with pytest.raises(ModuleNotFoundError, match="other"):
        load_native()


def test_importing_brickwork_does_not_load_it():
    code = "import sys, brickwork, brickwork.engines; print('brickwork._native' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
