"""What a suite works with: contestants, rule, peak, the chosen workloads, and a place for partial results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..contestants import OWN
from ..measuring import Rule, say
from ..peak import Peak
from ..workers import Process, Setup
from ..workloads import Workload


class NotStarted(RuntimeError):
    """A contestant's process does not come up."""


@dataclass(frozen=True)
class Session:
    """One run of one suite. `keep` is called with everything measured so far."""

    peers: tuple[str, ...]
    chosen: tuple[str, ...]
    rule: Rule
    setup: Setup
    peak: Peak
    keep: Callable[[dict[str, Any]], None]
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def contestants(self) -> tuple[str, ...]:
        """Brickwork first."""
        return (OWN, *self.peers)

    def among(self, workloads: Sequence[Workload]) -> list[Workload]:
        """Those that were asked for, or all."""
        return [one for one in workloads if not self.chosen or one.name in self.chosen]

    @contextmanager
    def processes(self) -> Iterator[list[Process]]:
        """A process for each contestant, its library loaded."""
        with ExitStack() as stack:
            started = []
            for name in self.contestants:
                process = stack.enter_context(Process(name, self.setup))
                answer = process.ask("versions")
                if "versions" not in answer:
                    raise NotStarted(f"{name} does not start: {answer.get('error')} (--verbose shows more)")
                self.versions.update(answer["versions"])
                started.append(process)
            say(f"started: {', '.join(f'{name} {number}' for name, number in self.versions.items())}")
            yield started

    def fresh(self, name: str, workload: str, variant: str | None) -> dict[str, Any]:
        """First step and peak memory of a contestant in a process of its own."""
        with Process(name, self.setup) as process:
            answer = process.ask("fresh", workload=workload, variant=variant, batches=4)
        say(f"    {name}: " + ", ".join(f"{key} {_short(value)}" for key, value in answer.items()))
        return answer


def _short(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)
