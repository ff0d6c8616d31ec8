"""The machine's multiply-add peak, probed in the same run: a C kernel where there is a compiler, else a BLAS.

A probe takes about 30 ms. The best one of a run is the peak that shares are told of; a round around which a
probe falls far behind was disturbed by something else on the machine.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

_SECONDS = 0.01
_REPEATS = 3
_SIDE = 768
_SOURCE = Path(__file__).with_name("peak.c")


class Peak:
    """Probes of floating-point operations per second, on so many threads at once."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.best = 0.0
        compiled = _compiled()
        if compiled is None:
            self.kind = f"sgemm of {_SIDE} x {_SIDE} by NumPy's BLAS (no C compiler)"
            self._work, self._operations = _product()
            self._workers = 1  # the BLAS has threads of its own
        else:
            self.kind = f"multiply-adds from registers, peak.c by {compiled[1]}"
            self._work, self._operations = compiled[0]
            self._workers = threads
        self._work(1)
        self._times = 1
        while (seconds := self._timed()) < _SECONDS:
            self._times = int(self._times * min(max(1.2 * _SECONDS / max(seconds, 1e-9), 1.5), 100)) + 1

    def probe(self) -> float:
        """Operations per second now: the median of three tries."""
        rates = [self._workers * self._times * self._operations / self._timed() for _ in range(_REPEATS)]
        found = statistics.median(rates)
        self.best = max(self.best, found)
        return found

    def _timed(self) -> float:
        """Seconds from the moment all threads are there until the last one is done."""
        ends = []
        gate = threading.Barrier(self._workers)

        def work() -> None:
            gate.wait()
            start = time.perf_counter()
            self._work(self._times)
            ends.append((start, time.perf_counter()))

        others = [threading.Thread(target=work) for _ in range(self._workers - 1)]
        for thread in others:
            thread.start()
        work()
        for thread in others:
            thread.join()
        return max(end for _, end in ends) - min(start for start, _ in ends)


def _compiled() -> tuple[tuple[Callable[[int], object], int], str] | None:
    compilers = (os.environ.get("CC", ""), "cc", "gcc", "clang")
    compiler = next((name for name in compilers if name and shutil.which(name)), None)
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "peak.so")
        options = ["-O2", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC"]
        done = subprocess.run(
            [compiler, *options, str(_SOURCE), "-o", str(made)], capture_output=True, check=False
        )
        if done.returncode:
            return None
        library = ctypes.CDLL(str(made))
    library.multiply_adds.argtypes = [ctypes.c_long]
    library.multiply_adds.restype = ctypes.c_float
    library.operations_per_round.restype = ctypes.c_long
    return (library.multiply_adds, int(library.operations_per_round())), Path(compiler).name


def _product() -> tuple[Callable[[int], object], int]:
    a = np.ones((_SIDE, _SIDE), np.float32)
    b, c = a.copy(), a.copy()

    def work(times: int) -> None:
        for _ in range(times):
            np.matmul(a, b, out=c)

    return work, 2 * _SIDE**3
