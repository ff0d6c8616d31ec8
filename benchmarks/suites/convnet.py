"""The lectures' large convolutional networks: forward, backward, images per day.

Forward is a prediction, the step a whole update with SGD; backward is what a step takes beyond a prediction.
"""

from __future__ import annotations

from typing import Any

from ..measuring import Measured, Rule, measure, say
from ..workloads import CONVNETS, Workload
from .session import Session

_ROUNDS = 5
"""A round takes several seconds."""


def convnet(session: Session) -> dict[str, Any]:
    """What was measured, by network."""
    rule = Rule(min(session.rule.rounds, _ROUNDS), session.rule.seconds, session.rule.quick)
    raw: dict[str, tuple[Workload, dict[str, Measured]]] = {}

    def result() -> dict[str, Any]:
        return {
            "workloads": {
                name: _joined(task, found, session.peak.best) for name, (task, found) in raw.items()
            },
        }

    with session.processes() as processes:
        for task in session.among(CONVNETS):
            found = {}
            for kind in ("inference", "training"):
                say(f"{task.title}, batch {task.batch}, {kind}")
                network = task.build()
                each = network.training_operations() if kind == "training" else network.forward_operations()
                found[kind] = measure(
                    processes, session.peak, rule, kind, task.name, task.batch, each * task.batch
                )
            raw[task.name] = (task, found)
            session.keep(result())
    return result()


def _joined(task: Workload, found: dict[str, Measured], best: float) -> dict[str, Any]:
    """Both measurements of a network as one line."""
    forward = found["inference"].evaluated(best)
    step = found["training"].evaluated(best)
    contestants = {}
    for name, answer in step["contestants"].items():
        before = forward["contestants"][name]
        if "ms" not in answer or "ms" not in before:
            contestants[name] = answer if "ms" not in answer else before
            continue
        contestants[name] = {
            **answer,
            "forward_ms": before["ms"],
            "backward_ms": answer["ms"] - before["ms"],
            "forward_variant": before["variant"],
            "images_per_day": task.batch / answer["ms"] * 86_400_000,
        }
    return {
        "title": task.title,
        "batch": task.batch,
        "optimizer": task.optimizer_title,
        "parameters": task.build().parameter_count,
        "operations": step["operations"],
        "rounds": step["rounds"],
        "contestants": contestants,
    }
