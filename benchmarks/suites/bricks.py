"""One kind of brick at a time: steps of small networks in which it does nearly all the work."""

from __future__ import annotations

from typing import Any

from ..contestants import OWN
from ..measuring import Measured, measure, say
from ..networks import Augment
from ..workers import Process
from ..workloads import BRICKS, BY_NAME, Workload
from .session import Session
from .training import described

STEP = "fashion_convnet"
"""The network of whose step augmentation is told as a share."""

SHARE = 0.2
"""The share that is aimed at."""


def bricks(session: Session) -> dict[str, Any]:
    """What was measured, by workload."""
    measured: dict[str, tuple[Workload, Measured]] = {}
    steps: dict[str, float] = {}

    def result() -> dict[str, Any]:
        done = {name: described(session, task, found) for name, (task, found) in measured.items()}
        for name, step in steps.items():
            own = done[name]["contestants"][OWN]
            if "ms" in own:
                own["share_of_step"] = own["ms"] / step
        return {"workloads": done, "step": BY_NAME[STEP].title, "aim_share_of_step": SHARE}

    with session.processes() as processes:
        for task in session.among(BRICKS):
            found = _measured(session, processes, task)
            measured[task.name] = (task, found)
            if isinstance(task.build().nodes[0].layer, Augment):
                compared = _measured(session, processes[:1], BY_NAME[STEP]).evaluated(session.peak.best)
                if "ms" in compared["contestants"][OWN]:
                    steps[task.name] = compared["contestants"][OWN]["ms"]
            session.keep(result())
    return result()


def _measured(session: Session, processes: list[Process], task: Workload) -> Measured:
    say(task.title)
    operations = task.build().training_operations() * task.batch
    return measure(processes, session.peak, session.rule, "training", task.name, task.batch, operations)
