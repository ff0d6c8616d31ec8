"""How many threads compute: what is set, what the environment says, what the machine has."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import threadpoolctl

from brickwork import threads, utils
from brickwork.errors import ParameterError, ParameterTypeError

VARIABLES = ("BRICKWORK_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def blas_threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return {one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """No variable is set, and BLAS is given back what it had."""
    for name in (*VARIABLES, "VECLIB_MAXIMUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    with threadpoolctl.threadpool_limits(limits=None):
        yield
        utils.set_threads(None)


def test_who_is_heard_first(monkeypatch):
    monkeypatch.setattr(threads, "available_cores", lambda: 7)
    assert utils.get_threads() == 7
    monkeypatch.setenv("MKL_NUM_THREADS", "6")
    assert utils.get_threads() == 6
    monkeypatch.setenv("OMP_NUM_THREADS", "5,2")
    assert utils.get_threads() == 5
    monkeypatch.setenv("BRICKWORK_NUM_THREADS", "4")
    assert utils.get_threads() == 4
    utils.set_threads(3)
    assert utils.get_threads() == 3
    with threads.limited_threads(2):
        assert utils.get_threads() == 2
        with threads.limited_threads(None):
            assert utils.get_threads() == 2
    assert utils.get_threads() == 3
    utils.set_threads(None)
    assert utils.get_threads() == 4


def test_words_of_others_that_are_no_numbers_are_passed_over(monkeypatch):
    monkeypatch.setattr(threads, "available_cores", lambda: 7)
    for word in ("", "many", "0", "-1"):
        monkeypatch.setenv("OMP_NUM_THREADS", word)
        assert utils.get_threads() == 7


@pytest.mark.parametrize("word", ["many", "0", "-1", "1.5"])
def test_our_own_variable_must_be_a_number(word, monkeypatch):
    monkeypatch.setenv("BRICKWORK_NUM_THREADS", word)
    with pytest.raises((ParameterError, ParameterTypeError), match="BRICKWORK_NUM_THREADS.*at least 1"):
        utils.get_threads()


@pytest.mark.parametrize("count", [0, -1, 1.5, "two", True])
def test_wrong_counts(count):
    with pytest.raises((ParameterError, ParameterTypeError), match="`count` must be"):
        utils.set_threads(count)


def test_the_blas_computes_with_what_was_set():
    before = blas_threads()
    utils.set_threads(1)
    assert blas_threads() == {1}
    with threads.limited_threads(2):
        assert blas_threads() == {2}
    assert blas_threads() == {1}
    utils.set_threads(None)
    assert blas_threads() == before


def test_the_reference_engine_follows_our_variable():
    """In a process of its own, which has begun with it."""
    code = """
import brickwork, numpy, threadpoolctl
model = brickwork.Sequential([brickwork.Input((3,)), brickwork.layers.Dense(2)])
model.compile("sgd", "mean_squared_error", engine="reference")
model.fit(numpy.ones((4, 3)), numpy.ones((4, 2)), verbose=0)
print(*(one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"))
"""
    environment = {**os.environ, "BRICKWORK_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.split() == ["2"], done.stderr


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_one_thread_in_workers(backend):
    """In a process of its own, since JAX, if loaded, forbids forks."""
    pytest.importorskip("joblib")
    code = f"""
import joblib
from brickwork.threads import get_threads
print(joblib.Parallel(n_jobs=2, backend={backend!r})(joblib.delayed(get_threads)() for _ in range(2)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["[1,", "1]"], done.stderr


# What the machine has.


def test_cores_are_those_of_the_affinity(monkeypatch):
    monkeypatch.setattr(threads, "cgroup_quota", lambda: None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert threads.available_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert threads.available_cores() == 1


@pytest.mark.parametrize("quota, cores", [(0.5, 1), (1.5, 1), (2.0, 2), (64.0, 4), (None, 4)])
def test_cores_are_at_most_the_quota(quota, cores, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(4), raising=False)
    monkeypatch.setattr(threads, "cgroup_quota", lambda: quota)
    assert threads.available_cores() == cores


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_quota_of_version_2(tmp_path):
    written(tmp_path / "own", "0::/user/job\n")
    quota = (str(tmp_path / "fs"), str(tmp_path / "own"))
    assert threads.cgroup_quota(*quota) is None
    written(tmp_path / "fs/user/job/cpu.max", "max 100000\n")
    assert threads.cgroup_quota(*quota) is None
    written(tmp_path / "fs/user/cpu.max", "350000 100000\n")
    assert threads.cgroup_quota(*quota) == 3.5
    written(tmp_path / "fs/user/job/cpu.max", "150000 100000\n")
    assert threads.cgroup_quota(*quota) == 1.5
    written(tmp_path / "fs/cpu.max", "50000 100000\n")  # of the container, seen from within
    assert threads.cgroup_quota(*quota) == 0.5


@pytest.mark.parametrize("folder", ["cpu,cpuacct", "cpu"])
def test_quota_of_version_1(folder, tmp_path):
    written(tmp_path / "own", "12:cpuset:/\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n0::/\n")
    quota = (str(tmp_path / "fs"), str(tmp_path / "own"))
    assert threads.cgroup_quota(*quota) is None
    place = tmp_path / "fs" / folder
    written(place / "cpu.cfs_quota_us", "-1\n")
    written(place / "cpu.cfs_period_us", "100000\n")
    assert threads.cgroup_quota(*quota) is None
    written(place / "cpu.cfs_quota_us", "200000\n")
    assert threads.cgroup_quota(*quota) == 2.0


def test_no_control_groups(tmp_path):
    assert threads.cgroup_quota(str(tmp_path), str(tmp_path / "none")) is None
    written(tmp_path / "own", "0::/\n")
    written(tmp_path / "cpu.max", "nonsense\n")
    assert threads.cgroup_quota(str(tmp_path), str(tmp_path / "own")) is None
