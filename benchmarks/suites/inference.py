"""Predictions: throughput in batches of 256, latency of single samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..measuring import Measured, measure, say
from ..workloads import BY_NAME, INFERENCE, Workload
from .session import Session
from .training import described

BATCHES = {256: 1.2, 1: 1.0}
"""Rows of a prediction, and the ratio to the fastest peer that is aimed at."""


def inference(session: Session) -> dict[str, Any]:
    """What was measured, by workload and batch."""
    measured: dict[str, tuple[Workload, Measured]] = {}

    def result() -> dict[str, Any]:
        done = {name: described(session, task, found) for name, (task, found) in measured.items()}
        return {"workloads": done}

    with session.processes() as processes:
        for task in session.among([BY_NAME[name] for name in INFERENCE]):
            for batch, aim in BATCHES.items():
                say(f"{task.title}, batch {batch}")
                operations = task.build().forward_operations() * batch
                found = measure(
                    processes, session.peak, session.rule, "inference", task.name, batch, operations
                )
                aims = replace(task, batch=batch, aim_ms=None, share=None, aims={"fastest peer": aim})
                measured[f"{task.name}, {batch}"] = (aims, found)
                session.keep(result())
    return result()
