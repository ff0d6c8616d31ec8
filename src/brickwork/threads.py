"""How many threads may compute: what was set, what the environment says, else the cores of this process.

Engines with threads of their own ask `get_threads`. The reference engine computes through NumPy's BLAS, whose
threads are set here by threadpoolctl.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from .arguments import Maybe, Whole

VARIABLE = "BRICKWORK_NUM_THREADS"
_OTHERS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

_AT_LEAST_ONE = Whole(1)
_COUNT = Maybe(_AT_LEAST_ONE)

_set: int | None = None
_inside: ContextVar[int | None] = ContextVar("brickwork_threads", default=None)
_limits: Any = None
"""What puts the BLAS back to the threads it had before `set_threads`."""


def get_threads() -> int:
    """The number of threads that may compute.

    It is that of `limited_threads` inside its block, else that of `set_threads`, else BRICKWORK_NUM_THREADS,
    else 1 in a worker process of joblib or of a multiprocessing pool, else OMP_NUM_THREADS or the variable of
    a BLAS, else `available_cores()`.

    Raises ParameterError where BRICKWORK_NUM_THREADS is no whole number of at least 1.
    """
    asked = _inside.get() or _set or _own_variable() or (1 if _in_worker() else _told_by_others())
    return asked or available_cores()


def set_threads(count: int | None) -> None:
    """Compute with `count` threads from now on, in this process; None: as the environment says.

    The results of the reference engine depend on it in the last bits, since a BLAS adds up in another order.
    The JAX engine has threads of its own, on which it has no influence.

    Raises ParameterError, ParameterTypeError where `count` is no whole number of at least 1.

    >>> set_threads(1)
    >>> get_threads()
    1
    >>> set_threads(None)
    """
    global _set
    _set = _COUNT("set_threads", "count", count)
    _limit_blas(_set)


@contextmanager
def limited_threads(count: int | None) -> Iterator[None]:
    """Compute with `count` threads inside the block; None changes nothing.

    What is computed beside it in other Python threads meets the same BLAS, which the process has once.
    """
    if count is None:
        yield
        return
    import numpy  # noqa: F401  its BLAS must be loaded to be limited
    from threadpoolctl import threadpool_limits

    token = _inside.set(_AT_LEAST_ONE("limited_threads", "count", count))
    try:
        with threadpool_limits(limits=count):
            yield
    finally:
        _inside.reset(token)


def is_told() -> bool:
    """Whether somebody has said how many: a call, or a variable."""
    return bool(_inside.get() or _set or _own_variable() or _told_by_others())


def follow_environment() -> None:
    """Tell the BLAS of BRICKWORK_NUM_THREADS, which it does not know; what was set by a call stays."""
    if _limits is None and _set is None and _inside.get() is None and VARIABLE in os.environ:
        _limit_blas(_own_variable())


def _limit_blas(count: int | None) -> None:
    global _limits
    if _limits is not None:
        _limits.restore_original_limits()
        _limits = None
    if count is not None:
        import numpy  # noqa: F401  its BLAS must be loaded to be limited
        from threadpoolctl import threadpool_limits

        _limits = threadpool_limits(limits=count)


def _told_by_others() -> int | None:
    """What the variables of OpenMP and of the usual BLAS say; None where none is set to a number."""
    for name in _OTHERS:
        word = os.environ.get(name, "").partition(",")[0].strip()  # OpenMP takes a number for each level
        if word.isdecimal() and int(word) > 0:
            return int(word)
    return None


def _own_variable() -> int | None:
    word = os.environ.get(VARIABLE, "").strip()
    if not word:
        return None
    return int(_AT_LEAST_ONE("the environment", VARIABLE, int(word) if word.isdecimal() else word))


def _in_worker() -> bool:
    """Whether this is a process that shares the machine with others of its kind."""
    module = sys.modules.get("multiprocessing.process")
    if module is None:
        return False
    process = module.current_process()
    return bool(process.daemon) or process.name.startswith("LokyProcess")


# -- what the machine has ---------------------------------------------------------------------------


def available_cores() -> int:
    """The cores that this process may use: those of its affinity, at most what its control group allows.

    A share of cores is rounded down, and is at least 1: with a quota of 1.5 cores, 2 threads would wait for
    each other a quarter of the time.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = cgroup_quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


def cgroup_quota(root: str = "/sys/fs/cgroup", own: str = "/proc/self/cgroup") -> float | None:
    """The cores that Linux's control groups allow this process, None where they set no limit.

    Version 2 tells "quota period" in cpu.max, version 1 in cpu.cfs_quota_us and cpu.cfs_period_us; the
    narrowest limit on the way to the root holds. In a container the path may lie outside of what is mounted,
    and the root stands for the group.
    """
    try:
        lines = Path(own).read_text().splitlines()
    except OSError:
        return None  # not Linux
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = Path(root, controllers)
        if controllers and not base.is_dir():
            base = Path(root, "cpu")
        inner = path.strip("/").split("/")
        for depth in range(len(inner) + 1):
            place = base.joinpath(*inner[:depth])
            share = _share_of_version_1(place) if controllers else _share_of_version_2(place)
            if share is not None:
                found.append(share)
    return min(found, default=None)


def _share_of_version_2(place: Path) -> float | None:
    try:
        quota, period = (place / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _share_of_version_1(place: Path) -> float | None:
    try:
        quota = int((place / "cpu.cfs_quota_us").read_text())
        return quota / int((place / "cpu.cfs_period_us").read_text()) if quota > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
