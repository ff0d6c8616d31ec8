"""The process of one contestant: it reads an order per line, and answers each with a line of JSON.

A process of its own for each contestant keeps their thread pools apart, and makes peak memory theirs alone.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from .contestants import Contestant, Made, Unsupported, contestant, measured
from .machine import peak_memory
from .workloads import BY_NAME, Workload

_TRIES = 3
"""Timings of a variant before one is chosen; the shortest counts."""


class Worker:
    """A loaded contestant, and what it is ready to run."""

    def __init__(self, name: str, threads: int, engine: str) -> None:
        self._contestant: Contestant = contestant(name, threads, engine)
        self._made: Made | None = None
        self._steps = 1

    def versions(self) -> dict[str, Any]:
        return {"versions": self._contestant.versions()}

    def prepare(
        self, kind: str, workload: str, batch: int, seconds: float, batches: int | None
    ) -> dict[str, Any]:
        """Build each variant, keep the fastest; later rounds run it for about so many seconds."""
        self._made = None
        gc.collect()
        task = BY_NAME[workload]
        best, kept, trial = float("inf"), None, {}
        for variant in measured(kind, self._contestant, task, batch):
            made = self._make(kind, task, variant, batch, batches)
            trial[variant], steps = _seconds_each(made.run, seconds)
            if trial[variant] < best:
                best, kept, self._made, self._steps = trial[variant], variant, made, steps
                count = made.parameter_count
            del made
            gc.collect()
        return {"variant": kept, "trial_ms": _ms(trial), "steps": self._steps, "parameters": count}

    def round(self) -> dict[str, Any]:
        """Run for a while. Gives milliseconds per step."""
        if self._made is None:
            raise RuntimeError("prepare comes before round")
        start = time.perf_counter()
        done = self._made.run(self._steps)
        return {"ms": (time.perf_counter() - start) / done * 1e3}

    def sound(self) -> dict[str, Any]:
        """Whether what was trained still has finite weights: other numbers may take other times."""
        if self._made is None or self._made.weights is None:
            return {}
        for own in self._made.weights():
            for name, array in own.items():
                if not np.isfinite(array).all():
                    return {"error": f"the training diverged: {name} is not finite any more"}
        return {}

    def fresh(self, workload: str, variant: str | None, batches: int) -> dict[str, Any]:
        """From the network's description to its first update, and the peak memory of a few more."""
        task = BY_NAME[workload]
        variant = variant or self._contestant.training_variants(task)[0]
        x, y = task.data(batches)
        start = time.perf_counter()
        made = self._contestant.trainer(task, variant, x, y)
        made.run(1)
        first = time.perf_counter() - start
        made.run(3)
        return {"first_step_ms": first * 1e3, "peak_mb": (peak_memory() - x.nbytes - y.nbytes) / 1e6}

    def _make(self, kind: str, task: Workload, variant: str, batch: int, batches: int | None) -> Made:
        weights = _weights(task.name)
        x, y = _data(task.name, batches, None if kind == "training" else batch)
        if kind == "training":
            return self._contestant.trainer(task, variant, x, y, weights)
        return self._contestant.predictor(task, variant, x, batch, weights)


@functools.lru_cache(1)
def _data(task_name: str, batches: int | None, batch: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The same arrays for every variant."""
    return BY_NAME[task_name].data(batches, batch)


@functools.lru_cache(1)
def _weights(task_name: str) -> list[dict[str, np.ndarray]]:
    return BY_NAME[task_name].build().weights()


def _seconds_each(run: Callable[[int], int], seconds: float) -> tuple[float, int]:
    """Seconds of a step at best, and the number of steps that take about the time given."""
    run(1)
    steps = 1
    while True:
        spent, done = _fastest(run, steps, seconds)
        if spent >= seconds / 2:
            return spent / done, max(1, round(seconds * done / spent))
        steps = max(steps + 1, int(steps * min(0.8 * seconds / spent, 50)))


def _fastest(run: Callable[[int], int], steps: int, seconds: float) -> tuple[float, int]:
    """(Seconds, steps done) of the fastest try, unless the first one already says enough."""
    best, done = float("inf"), 1
    for _ in range(_TRIES):
        start = time.perf_counter()
        made = run(steps)
        spent = time.perf_counter() - start
        if spent / made < best / done:
            best, done = spent, made
        if not seconds / 2 <= best <= 4 * seconds:
            break
    return best, done


def _ms(seconds: dict[str, float]) -> dict[str, float]:
    return {name: value * 1e3 for name, value in seconds.items()}


def main() -> None:
    """Answer orders until there are no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not come between the answers
    settings = json.loads(sys.argv[1])
    worker: Worker | None = None
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if worker is None:
                worker = Worker(**settings)
            answer = getattr(worker, order.pop("do"))(**order)
        except Unsupported as error:
            answer = {"unsupported": str(error)}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"}
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
