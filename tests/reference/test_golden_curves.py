"""Fifty steps of training follow the curves that Keras and PyTorch left in tests/golden.

All in float32. What the libraries differ by is rounding, which training amplifies: plain momentum keeps to
2e-6 of the loss, Adam to 1e-5 (Keras takes its powers of beta in float32). The tolerances leave a factor of
five for other machines' sums.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import brickwork
from brickwork.engines.native_module import load_native
from reference import curves

TOLERANCES = {"sgd": 1e-5, "nesterov": 1e-5, "adam": 5e-5}

RUNS = [
    (curve, peer, optimizer)
    for curve in curves.CURVES
    for peer, optimizers in curves.PEERS.items()
    for optimizer in optimizers
]
# Tracing takes seconds for each network
TRACED = [
    (curve, peer, optimizer)
    for curve, peer, optimizer in RUNS
    if optimizer == "sgd" or (curve.name, optimizer) == ("mlp", "adam")
]


def name(value: Any) -> str:
    return value.name if isinstance(value, curves.Curve) else value


def require_same(told: dict[str, Any], known: dict[str, Any], tolerance: float) -> None:
    """The same losses and the same last weights."""
    losses, wanted = np.array(told["loss"]), np.array(known["loss"])
    off = np.abs(losses - wanted) / wanted
    assert off.max() <= tolerance, (
        f"step {off.argmax() + 1}: {losses[off.argmax()]}, not {wanted[off.argmax()]}"
    )
    for one, other in zip(told["weights"], known["weights"], strict=True):
        if one is None or other is None:
            continue
        assert one["shape"] == other["shape"]
        for key in ("norm", "sum"):
            assert abs(one[key] - other[key]) <= tolerance * other["norm"], (one, other)


@functools.cache
def ours(curve: curves.Curve, optimizer: str, engine: str) -> dict[str, Any]:
    return curves.follow(curve, brickwork, optimizer, engine=engine)


@pytest.mark.parametrize("curve", curves.CURVES, ids=name)
@pytest.mark.parametrize("peer", curves.PEERS)
def test_golden_files_are_of_this_data(curve, peer):
    """Otherwise NumPy's generator changed, or curves.py did: run tools/make_golden.py."""
    told = curves.golden(curve, peer)
    assert told["data"] == curves.fingerprint(curve)
    assert told["steps"] == curves.STEPS
    assert all(len(run["loss"]) == curves.STEPS for run in told["runs"].values())
    assert set(told["runs"]) == set(curves.PEERS[peer])
    assert {peer, "numpy", "python"} <= set(told["versions"])


@pytest.mark.parametrize(("curve", "peer", "optimizer"), RUNS, ids=name)
def test_reference_engine_follows(curve, peer, optimizer):
    known = curves.golden(curve, peer)["runs"][optimizer]
    require_same(ours(curve, optimizer, "reference"), known, TOLERANCES[optimizer])


@pytest.mark.skipif(load_native() is None, reason="the native module is not built")
@pytest.mark.parametrize(("curve", "peer", "optimizer"), RUNS, ids=name)
def test_native_engine_follows(curve, peer, optimizer):
    known = curves.golden(curve, peer)["runs"][optimizer]
    require_same(ours(curve, optimizer, "native"), known, TOLERANCES[optimizer])


@pytest.mark.parametrize(("curve", "peer", "optimizer"), TRACED, ids=name)
def test_jax_engine_follows(curve, peer, optimizer):
    pytest.importorskip("jax")
    known = curves.golden(curve, peer)["runs"][optimizer]
    require_same(ours(curve, optimizer, "jax"), known, TOLERANCES[optimizer])


def test_training_learns_something():
    """A curve that stays where it is would prove little."""
    for curve in curves.CURVES:
        losses = curves.golden(curve, "keras")["runs"]["sgd"]["loss"]
        assert losses[-1] < 0.9 * losses[0]


def test_golden_files_are_small():
    assert sum(path.stat().st_size for path in curves.GOLDEN.glob("*.json")) < 200_000
