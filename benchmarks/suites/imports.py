"""Importing: the time of `import X` in fresh processes, and the peak memory of a small fit."""

from __future__ import annotations

import importlib.metadata
import statistics
import subprocess
import sys
from typing import Any

from ..contestants import PACKAGES
from ..machine import ROOT, environment
from ..measuring import say
from .session import Session

_TEMPLATE = """
import time
start = time.perf_counter()
{code}
print(time.perf_counter() - start)
"""

_OWN = {
    "brickwork": "import brickwork",
    "brickwork, with what a training script uses": (
        "from brickwork import Input, Sequential, layers, optimizers\n"
        "layers.Dense, layers.Conv2D, layers.MaxPooling2D, layers.Flatten, optimizers.SGD, optimizers.Adam"
    ),
}

FITTED = "mlp"
"""The workload whose fit takes the memory that is told."""


def imports(session: Session) -> dict[str, Any]:
    """Seconds and megabytes, by library."""
    codes = {"numpy": "import numpy", **_OWN}
    for peer in session.peers:
        package = PACKAGES[peer]
        codes.setdefault(package, f"import {'sklearn.neural_network' if package == 'sklearn' else package}")
    times: dict[str, list[float]] = {name: [] for name in codes}
    for number in range(session.rule.rounds + 1):  # the first round fills the disk's cache
        for name, code in codes.items():
            seconds = _seconds(code, session.setup.threads)
            if number:
                times[name].append(seconds)
    found: dict[str, Any] = {
        name: {"import_ms": statistics.median(each) * 1e3, "min_ms": min(each) * 1e3}
        for name, each in times.items()
    }
    for name, facts in found.items():
        say(f"    import {name}: {facts['import_ms']:.1f} ms")
    for package in ("numpy", *(PACKAGES[peer] for peer in session.peers)):
        distribution = {"sklearn": "scikit-learn"}.get(package, package)
        session.versions[distribution] = importlib.metadata.version(distribution)
    fits = {}
    for name in session.contestants:
        fits[name] = session.fresh(name, FITTED, None)
    return {"imports": found, "fits": fits, "fitted": FITTED}


def _seconds(code: str, threads: int) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _TEMPLATE.format(code=code)],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env=environment(threads),
        text=True,
    )
    return float(done.stdout.split()[-1])
