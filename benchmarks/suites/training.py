"""Training: time of a step, first step, peak memory, on the eight workloads."""

from __future__ import annotations

from typing import Any

from ..measuring import Measured, measure, say
from ..workloads import TRAINING, Workload
from .session import Session


def training(session: Session) -> dict[str, Any]:
    """What was measured, by workload."""
    measured: dict[str, tuple[Workload, Measured]] = {}

    def result() -> dict[str, Any]:
        done = {name: described(session, task, found) for name, (task, found) in measured.items()}
        return {"workloads": done}

    with session.processes() as processes:
        for task in session.among(TRAINING):
            say(task.title)
            operations = task.build().training_operations() * task.batch
            found = measure(
                processes, session.peak, session.rule, "training", task.name, task.batch, operations
            )
            for name, answer in found.told.items():
                if "variant" in answer:
                    answer.update(session.fresh(name, task.name, answer["variant"]))
            measured[task.name] = (task, found)
            session.keep(result())
    return result()


def described(session: Session, task: Workload, found: Measured) -> dict[str, Any]:
    """A workload's facts and what was measured. The aims are those of the native engine."""
    aimed = session.setup.engine == "native"
    return {
        "title": task.title,
        "batch": task.batch,
        "optimizer": task.optimizer_title,
        "parameters": task.build().parameter_count,
        "aim_ms": task.aim_ms if aimed else None,
        "aims": task.aims if aimed else {},
        "aim_share": task.share if aimed else None,
        **found.evaluated(session.peak.best),
    }
