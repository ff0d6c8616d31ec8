"""Options and files drawn at random: every command ends with 0 or 2, and leaves whole run folders or none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cli_home import call
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brickwork.models import load_model

SETTINGS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

NUMBERS = st.sampled_from(["0", "1", "2", "-1", "0.5", "1e-3", "1e9", "nan", "inf", "many", "", "1_0", "１"])
WORDS = st.one_of(
    NUMBERS, st.text(max_size=6), st.sampled_from(["auto", "sgd", "adam", "y", "mlp", "lenet5"])
)
OPTIONS = (
    "--model --batch-size --optimizer --learning-rate --patience --validation-split --test-split --seed "
    "--target --task --image-size --keep --smooth --engine"
).split()
CELLS = st.one_of(
    st.sampled_from(
        ["1", "2.5", "", "NA", "nan", "inf", "-1e300", "red", "blue", '"', "a,b", "1;2", "é", "\x00"]
    ),
    st.text(max_size=3),
)


def finished(result):
    """Exit code 0 or 2, and no traceback."""
    assert result.exit_code in (0, 2), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    assert "Traceback" not in result.output
    assert result.exit_code == 0 or result.stderr.strip()


def whole(run):
    """A run folder is whole, or it is not there."""
    if not run.exists():
        return
    assert json.loads((run / "config.json").read_text())["version"] == 1
    load_model(run / "last.safetensors")
    assert (run / "summary.txt").read_text()


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRICKWORK_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@SETTINGS
@given(options=st.dictionaries(st.sampled_from(OPTIONS), WORDS, max_size=3), data=st.booleans())
def test_options_of_train(options, data, place, home):
    shutil.rmtree(place / "run", ignore_errors=True)
    words = [word for pair in options.items() for word in pair]
    if data and "--target" not in options:
        words += ["--target", "dear"]
    given_data = home / "flats.csv" if data else "iris"
    finished(call("train", given_data, "--epochs", 1, *words, "--out", "run"))
    whole(place / "run")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@SETTINGS
@given(rows=st.lists(st.lists(CELLS, max_size=4), max_size=12), good=st.integers(0, 12))
def test_tables(rows, good, place):
    shutil.rmtree(place / "run", ignore_errors=True)
    lines = ["a,b,y", *(f"{k},x{k % 3},{k % 2}" for k in range(good)), *(",".join(row) for row in rows)]
    (place / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    finished(call("train", "t.csv", "--target", "y", "--epochs", 1, "--out", "run"))
    whole(place / "run")


def damaged(data, cuts):
    """Bytes with some changed, and perhaps cut off."""
    spoiled = bytearray(data)
    for where, byte in cuts:
        spoiled[int(where * (len(spoiled) - 1))] = byte
    return bytes(spoiled)


CUTS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6)
FILES = ("flats.csv", "rows.npz", "pictures/day/00.png")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@SETTINGS
@given(
    name=st.sampled_from(FILES),
    cuts=CUTS,
    length=st.floats(0, 1),
    run=st.sampled_from(["table", "seen", "rows"]),
)
def test_damaged_files_to_predict(name, cuts, length, run, place, home):
    data = damaged((home / name).read_bytes(), cuts)
    file = place / f"file{Path(name).suffix}"
    file.write_bytes(data[: int(length * len(data)) + 1])
    finished(call("predict", home / run, file, "--out", "out.csv"))
    finished(call("evaluate", home / run, file))


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@SETTINGS
@given(
    name=st.sampled_from(["best.safetensors", "config.json", "history.csv"]), cuts=CUTS, header=st.booleans()
)
def test_damaged_runs(name, cuts, header, place, home):
    shutil.rmtree(place / "run", ignore_errors=True)
    shutil.copytree(home / "rows", place / "run")
    data = (place / "run" / name).read_bytes()
    end = min(len(data), 4000) if header else len(data)
    (place / "run" / name).write_bytes(damaged(data[:end], cuts) + data[end:])
    finished(call("predict", "run", home / "rows.npz"))
    finished(call("evaluate", "run"))
    finished(call("show", "run", "curves"))
    finished(call("summary", "run"))
