"""Write the golden loss curves of tests/golden with Keras (on JAX) and PyTorch.

Run: pip install -e '.[reference]' && python tools/make_golden.py

The networks, their first weights and their batches stand in tests/reference/curves.py; the files hold, for
each optimizer, the loss of fifty steps and a digest of the last weights, and the versions that made them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import jax
import keras
import torch

from reference import curves, torch_networks


def main() -> None:
    """All files."""
    curves.GOLDEN.mkdir(exist_ok=True)
    for curve in curves.CURVES:
        versions = {
            "keras": keras.__version__,
            "jax": jax.__version__,
            "keras_backend": keras.backend.backend(),
        }
        made = {name: curves.follow(curve, keras, name) for name in curves.PEERS["keras"]}
        write(curve, "keras", versions, made)
        made = {name: torch_networks.follow(curve, name) for name in curves.PEERS["torch"]}
        write(curve, "torch", {"torch": torch.__version__}, made)


def write(curve: curves.Curve, peer: str, versions: dict[str, str], runs: dict[str, object]) -> None:
    """One file: a line for each number would be long, so each run is one line."""
    head = {
        "network": curve.name,
        "peer": peer,
        "versions": {**versions, **curves.machine()},
        "steps": curves.STEPS,
        "rows": curves.ROWS,
        "data": curves.fingerprint(curve),
    }
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    told = ",\n".join(f"    {json.dumps(name)}: {json.dumps(run)}" for name, run in runs.items())
    text = "{\n" + ",\n".join(lines) + ',\n  "runs": {\n' + told + "\n  }\n}\n"
    path = curves.GOLDEN / f"{curve.name}_{peer}.json"
    path.write_text(text, encoding="utf-8")
    print(path.name, len(text), "bytes")


if __name__ == "__main__":
    main()
