"""What the numbers were measured on, and how much memory a process took."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def describe(threads: int) -> dict[str, object]:
    """Processor, cores, memory, system, Python."""
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": cores(),
        "threads": threads,
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
    }


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_cores(threads: int) -> None:
    """Keep this process, and those that it starts, to as many cores; JAX takes its threads from that."""
    if hasattr(os, "sched_setaffinity") and threads < cores():
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def environment(threads: int) -> dict[str, str]:
    """Variables of a contestant's process: so many threads, no accelerator."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BRICKWORK_NUM_THREADS")
    flags = os.environ.get("XLA_FLAGS", "")
    if threads == 1:
        flags += " --xla_cpu_multi_thread_eigen=false"
    # An installed package brings its bytecode along; without it, a first step would compile sources.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **own,
        **dict.fromkeys(names, str(threads)),
        "XLA_FLAGS": flags.strip(),
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
        "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1",  # a first step compiles what no earlier run has compiled
        "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "jax"),
    }


def peak_memory() -> int:
    """The most bytes that this process has held in memory so far."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would count what the parent held before exec
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line.partition(":") for line in info.read_text().partition("\n\n")[0].splitlines()]
        facts = {name.strip(): value.strip() for name, _, value in lines}
        if "model name" in facts:
            return f"{facts['model name']} (family {facts.get('cpu family')}, model {facts.get('model')})"
    return platform.processor() or platform.machine()


def _memory_gb() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)
    except (AttributeError, OSError, ValueError):
        return None
