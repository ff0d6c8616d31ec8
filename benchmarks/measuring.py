"""Rounds in which every contestant runs once, and what is made of them.

The rule: the ratio of a peer is the median, over the rounds, of its time divided by ours in the same round.
A round is dropped where the probe of the multiply-add peak before or after it is under 90 % of the best one
of the run: something else was at work then.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .contestants import OWN
from .peak import Peak
from .workers import Process

_SHARE = 0.9
_FEWEST = 3
"""Where fewer rounds than that are left, all are taken, and the result is marked as noisy."""


@dataclass(frozen=True)
class Rule:
    """How much is measured."""

    rounds: int = 9
    seconds: float = 0.2
    quick: bool = False

    @property
    def batches(self) -> int | None:
        """Batches of data in place of the workload's own number."""
        return 8 if self.quick else None


def say(text: str) -> None:
    """Progress, to standard error."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def prepare(
    processes: Sequence[Process], rule: Rule, kind: str, workload: str, batch: int
) -> dict[str, dict[str, Any]]:
    """What each contestant says of itself, by name."""
    told = {}
    for process in processes:
        answer = process.ask(
            "prepare", kind=kind, workload=workload, batch=batch, seconds=rule.seconds, batches=rule.batches
        )
        told[process.name] = answer
        say(f"    {process.name}: {_brief(answer)}")
    return told


def run_rounds(
    processes: Sequence[Process], peak: Peak, rule: Rule
) -> tuple[list[dict[str, float]], list[float], dict[str, str]]:
    """Milliseconds per step by contestant, and the lower of the two probes, for each round; and who failed.

    Whoever fails in a round, or has no finite weights in the end, takes no further part.
    """
    rounds: list[dict[str, float]] = []
    probes: list[float] = []
    failed: dict[str, str] = {}
    processes = list(processes)
    before = peak.probe()
    while processes and len(kept(probes, peak.best)) < rule.rounds and len(rounds) < 2 * rule.rounds:
        turn = len(rounds) % len(processes)
        times = {}
        for process in (*processes[turn:], *processes[:turn]):
            time.sleep(0.005)  # threads of the one before that still spin go to sleep
            answer = process.ask("round")
            if "ms" in answer:
                times[process.name] = answer["ms"]
            else:
                failed[process.name] = str(answer.get("error"))
        processes = [process for process in processes if process.name not in failed]
        after = peak.probe()
        rounds.append(times)
        probes.append(min(before, after))
        before = after
    for process in processes:
        answer = process.ask("sound")
        if "error" in answer:
            failed[process.name] = answer["error"]
    return rounds, probes, failed


def kept(probes: Sequence[float], best: float) -> list[int]:
    """Rounds that were not disturbed."""
    return [index for index, probe in enumerate(probes) if probe >= _SHARE * best]


def evaluate(
    told: Mapping[str, dict[str, Any]],
    rounds: Sequence[Mapping[str, float]],
    probes: Sequence[float],
    best: float,
    operations: float,
) -> dict[str, Any]:
    """What a workload gave: per contestant the median time, its share of the peak, and its ratio to ours."""
    good = kept(probes, best)
    noisy = len(good) < min(_FEWEST, len(rounds))
    chosen = list(range(len(rounds))) if noisy else good
    contestants: dict[str, Any] = {}
    for name, answer in told.items():
        if "variant" not in answer:
            contestants[name] = answer
            continue
        times = [rounds[index][name] for index in chosen]
        each = statistics.median(times)
        contestants[name] = {
            **answer,
            "ms": each,
            "min_ms": min(times),
            "share_of_peak": operations / (each / 1e3) / best,
            "rounds_ms": [times[name] for times in rounds],
        }
        if "variant" in told.get(OWN, ()):
            ratios = [rounds[index][name] / rounds[index][OWN] for index in chosen]
            contestants[name]["ratio"] = statistics.median(ratios)
    return {
        "operations": operations,
        "rounds": {
            "made": len(rounds),
            "kept": len(good),
            "noisy": noisy,
            "probes_gflops": [round(probe / 1e9, 1) for probe in probes],
        },
        "contestants": contestants,
    }


@dataclass
class Measured:
    """One workload as it was measured. It is evaluated anew when a better probe raises the peak."""

    operations: float
    told: dict[str, dict[str, Any]]
    rounds: list[dict[str, float]]
    probes: list[float]

    def evaluated(self, best: float) -> dict[str, Any]:
        """See `evaluate`."""
        if self.rounds:
            return evaluate(self.told, self.rounds, self.probes, best, self.operations)
        nothing = {"made": 0, "kept": 0, "noisy": True, "probes_gflops": []}
        return {"operations": self.operations, "rounds": nothing, "contestants": self.told}


def measure(
    processes: Sequence[Process],
    peak: Peak,
    rule: Rule,
    kind: str,
    workload: str,
    batch: int,
    operations: float,
) -> Measured:
    """Prepare all contestants for a workload and run the rounds."""
    told = prepare(processes, rule, kind, workload, batch)
    ready = [process for process in processes if "variant" in told[process.name]]
    rounds, probes, failed = run_rounds(ready, peak, rule) if ready else ([], [], {})
    for name, error in failed.items():
        told[name] = {"error": error}
        say(f"    {name} is left out: {error}")
    found = Measured(operations, told, rounds, probes)
    say(f"    {_result(found.evaluated(peak.best))}")
    return found


def _brief(answer: Mapping[str, Any]) -> str:
    if "variant" not in answer:
        return str(answer.get("unsupported") or answer.get("error"))
    trial = ", ".join(f"{name} {ms:.4g} ms" for name, ms in answer["trial_ms"].items())
    return f"{trial}; {answer['steps']} steps a round"


def _result(found: Mapping[str, Any]) -> str:
    rounds = found["rounds"]
    parts = [f"{rounds['kept']} of {rounds['made']} rounds kept" + (" (noisy)" if rounds["noisy"] else "")]
    for name, answer in found["contestants"].items():
        if "ms" in answer:
            ratio = f", ratio {answer['ratio']:.2f}" if name != OWN and "ratio" in answer else ""
            parts.append(f"{name} {answer['ms']:.4g} ms{ratio}")
    return "; ".join(parts)
