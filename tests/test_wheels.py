"""For which machines wheels are made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytest.importorskip("cibuildwheel", reason="cibuildwheel is missing: pip install -e '.[dev]'")


@pytest.mark.parametrize(
    "platform, machines",
    [
        ("linux", ["manylinux_x86_64", "manylinux_aarch64"]),
        ("macos", ["macosx_x86_64", "macosx_arm64"]),
        ("windows", ["win_amd64"]),
    ],
)
def test_wheels_are_made_for(platform, machines):
    """One for Python 3.11 and one for 3.12 and later; the settings in pyproject.toml can be read."""
    command = [sys.executable, "-m", "cibuildwheel", "--platform", platform, "--print-build-identifiers"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    expected = {f"{python}-{machine}" for python in ("cp311", "cp312") for machine in machines}
    assert set(result.stdout.split()) == expected
