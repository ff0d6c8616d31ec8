"""The contestants' processes, as the measuring side sees them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from .machine import ROOT, environment


@dataclass(frozen=True)
class Setup:
    """What all contestants get alike."""

    threads: int
    engine: str = "native"
    verbose: bool = False


class Process:
    """A contestant's process. An order that fails gives {"error": …} or {"unsupported": …}."""

    def __init__(self, name: str, setup: Setup) -> None:
        self.name = name
        settings = {"name": name, "threads": setup.threads, "engine": setup.engine}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if setup.verbose else subprocess.DEVNULL,
            cwd=ROOT,
            env=environment(setup.threads),
            text=True,
        )

    def ask(self, do: str, **order: Any) -> dict[str, Any]:
        """Give an order and wait for the answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the process was started without pipes")
        try:
            print(json.dumps({"do": do, **order}), file=stdin, flush=True)
            answer = stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            return {"error": f"the process ended with status {self._process.wait()}"}
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        """End it; it is waited for."""
        if self._process.stdin is not None and self._process.poll() is None:
            self._process.stdin.close()
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
