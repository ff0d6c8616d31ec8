"""Trainings that are killed, or stopped by Ctrl-C, at random moments end bit for bit as one that never was.

What is compared are all arrays of the last file (weights, statistics, optimizer, running sums, what callbacks
remember), what it tells of the callbacks, the weights in the end, and the files that callbacks wrote.
"""

import os
import signal
import sys

import numpy as np
import pytest
from own_trainings import EPOCHS, PAUSE, STEPS, Trainings

from brickwork.inspect.curves import read_history
from brickwork.models import load_model
from brickwork.training import model_file
from brickwork.training.resuming import read_training

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are made by fork")

KINDS = ("epochs", "steps", "rates")
SEED = 20


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Uninterrupted trainings: gives (server, their folder, the reports they made) by kind and engine."""
    folder = tmp_path_factory.mktemp("whole")
    servers, made = {}, {}

    def find(kind, engine):
        if engine not in servers:
            libraries = ["jax"] if engine == "jax" else []
            servers[engine] = Trainings(*libraries, cache=folder / "compiled").__enter__()
        if (kind, engine) not in made:
            place = folder / f"{kind}-{engine}"
            end = servers[engine].run(place, kind, engine)
            assert end.code == 0
            made[kind, engine] = servers[engine], place, end.reported
        return made[kind, engine]

    yield find
    for server in servers.values():
        server.__exit__(None, None, None)


def without_times(told):
    if isinstance(told, dict):
        return {key: without_times(one) for key, one in told.items() if key not in ("seconds", "_spent")}
    return [without_times(one) for one in told] if isinstance(told, list) else told


def require_same(one, other):
    for name in ("final", "last", "best", "checked", "often"):
        file = f"{name}.safetensors"
        assert (one / file).exists() == (other / file).exists()
        if not (one / file).exists():
            continue
        (header, arrays), (other_header, other_arrays) = (
            model_file.read(place / file) for place in (one, other)
        )
        assert without_times(header.get("training")) == without_times(other_header.get("training"))
        assert arrays.keys() == other_arrays.keys()
        for key, array in arrays.items():
            assert array.dtype == other_arrays[key].dtype and array.shape == other_arrays[key].shape
            assert array.tobytes() == other_arrays[key].tobytes(), f"{key} of {file}"
    assert (one / "log.csv").read_text() == (other / "log.csv").read_text()
    tables = [read_history(place / "history.csv") for place in (one, other)]
    assert len(tables[0]["epoch"]) > 2
    for table in tables:
        del table["seconds"]
    assert tables[0] == tables[1]


def reached(folder):
    """(position in the last file, its steps from the beginning on)."""
    place = read_training(folder / "last.safetensors").position
    return place, place.epoch * STEPS + place.step


def interrupt(whole, kind, engine, sign, moments, folder):
    """Interrupt trainings `moments` times in all, each one or several times, and compare how they end."""
    server, place, reports = whole(kind, engine)
    last = read_training(place / "last.safetensors").position
    end = last.epoch * STEPS
    rng = np.random.default_rng([SEED, KINDS.index(kind), sign, engine == "jax"])
    often = sign == signal.SIGKILL
    print(f"{moments} times {signal.Signals(sign).name}, seed {SEED}, of {end} steps:")
    landed, tries, number, before = [], 0, 0, 0
    while len(landed) < moments:
        tries += 1
        assert tries < 3 * moments + 10, "most signals came too late"
        cut = folder / f"cut{number}"
        left = int(reports * (1 - before / end))
        after = int(rng.integers(max(left, 1))), rng.uniform(0, 2 * PAUSE)
        found = server.run(cut, kind, engine, sign=sign, after=after, often=often)
        if found.code == 0 or reached(cut)[1] >= end:  # it was faster; this one does not count
            assert server.run(cut, kind, engine).code == 0
            require_same(place, cut)
            number, before = number + 1, 0
            continue
        assert found.code == (130 if sign == signal.SIGINT else -signal.SIGKILL)
        assert not (cut / "final.safetensors").exists()
        for path in cut.glob("[!.]*.safetensors"):
            load_model(path)  # whole, whatever was being written
        position, step = reached(cut)
        if kind != "epochs" or engine != "jax":  # there several steps are one program
            lost = found.begun - (step - before)
            assert lost in (0, 1), f"{lost} steps were lost at {position}"
        landed.append((position.epoch, position.step))
        before = step
        if rng.uniform() < 0.6 or len(landed) == moments:
            assert server.run(cut, kind, engine).code == 0
            require_same(place, cut)
            assert not list(cut.glob(".*")), "what was half-written is removed"
            number, before = number + 1, 0
    print(*(f"{epoch}:{step}" for epoch, step in landed))
    assert all(epoch < EPOCHS for epoch, _ in landed)
    inside = sum(0 < step < STEPS for _, step in landed)
    assert moments < 10 or inside > 0.5 * moments, "most signals must come in the midst of an epoch"


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("kind", KINDS)
def test_interrupted_at_random_moments_and_resumed(kind, sign, whole, tmp_path, pytestconfig):
    interrupt(whole, kind, "reference", sign, 20 if pytestconfig.getoption("--full") else 2, tmp_path)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.full
def test_on_jax(kind, sign, whole, tmp_path):
    pytest.importorskip("jax")
    interrupt(whole, kind, "jax", sign, 20, tmp_path)


# Death in the midst of a write.

PLACES = ("writing", "before fsync", "before rename", "after rename")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of open files from /proc")
@pytest.mark.parametrize("place", PLACES)
def test_killed_while_the_last_file_is_written(place, whole, tmp_path):
    server, undisturbed, _ = whole("steps", "reference")
    cut = tmp_path / "cut"
    written = 5  # the first file is of step 0, then there is one after each step
    found = server.run(cut, "steps", often=True, fault={"place": place, "number": written})
    assert found.code == -signal.SIGKILL
    halves = [path.stat().st_size for path in cut.glob(".last.*")]
    size = (cut / "last.safetensors").stat().st_size
    if place == "after rename":
        assert halves == []
    else:
        assert len(halves) == 1 and (halves[0] < 0.6 * size if place == "writing" else halves[0] > 0.9 * size)
    load_model(cut / "last.safetensors")
    _, step = reached(cut)
    assert step == (written - 1 if place == "after rename" else written - 2)
    assert server.run(cut, "steps").code == 0
    require_same(undisturbed, cut)
    assert not list(cut.glob(".*"))
