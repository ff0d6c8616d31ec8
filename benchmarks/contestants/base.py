"""What is asked of a contestant: variants of itself, and for each a function that does so many steps."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..workloads import Workload

_PATIENCE = 2.0
"""Seconds."""

Weights = Sequence[dict[str, np.ndarray]]
"""Arrays for each node of a network, by name; see networks.py."""


class Unsupported(Exception):
    """The contestant has no such thing; the text says what is missing."""


@dataclass
class Made:
    """Something that can be timed.

    `run(n)` does about n steps (training) or batches (inference), waits until they are done, and gives how
    many it did. `weights` and `outputs` are there to compare contestants with one another.
    """

    run: Callable[[int], int]
    weights: Callable[[], list[dict[str, np.ndarray]]] | None = None
    outputs: Callable[[], np.ndarray] | None = None
    parameter_count: int | None = None
    kept: list[Any] = field(default_factory=list)


class Contestant(ABC):
    """A library, ready to train and to predict. Variants are ways of asking it; the fastest one counts."""

    def __init__(self, threads: int, engine: str) -> None:
        self.threads = threads
        self.engine = engine

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Of all libraries that take part."""

    @abstractmethod
    def training_variants(self, workload: Workload) -> tuple[str, ...]:
        """Ways to train. Raises Unsupported where there is none."""

    @abstractmethod
    def trainer(
        self,
        workload: Workload,
        variant: str,
        x: np.ndarray,
        y: np.ndarray,
        weights: Weights | None = None,
    ) -> Made:
        """A network that trains on x and y, from these weights or from the library's own first ones."""

    def inference_variants(self, workload: Workload, batch: int) -> tuple[str, ...]:
        """Ways to predict. Raises Unsupported where there is none."""
        raise Unsupported(f"inference with {type(self).__name__} is not measured")

    def predictor(
        self, workload: Workload, variant: str, x: np.ndarray, batch: int, weights: Weights
    ) -> Made:
        """A network that predicts classes' probabilities for x, `batch` rows at a time."""
        raise NotImplementedError


def measured(kind: str, made: Contestant, workload: Workload, batch: int) -> tuple[str, ...]:
    """The variants for a kind of measurement, "training" or "inference"."""
    if kind == "training":
        return made.training_variants(workload)
    return made.inference_variants(workload, batch)


def slices(rows: int, batch: int, most: int = 512) -> list[slice]:
    """Consecutive whole batches, at most so many."""
    return [slice(start, start + batch) for start in range(0, rows - batch + 1, batch)][:most]


def in_turn(batches: Sequence[Any], step: Callable[[Any], object]) -> Callable[[int], int]:
    """`run` of a library that takes one batch at a time: the next one each time, around and around.

    It gives up early after some seconds: threads that spin while they wait for one another can take a
    thousand times as long when another process has one of their cores.
    """
    place = 0

    def run(steps: int) -> int:
        nonlocal place
        end = float("inf")
        for done in range(steps):
            step(batches[place])
            place = place + 1 if place + 1 < len(batches) else 0
            now = time.perf_counter()
            if now > end:
                return done + 1
            if not done:
                end = now + _PATIENCE  # the first step may compile
        return steps

    return run
