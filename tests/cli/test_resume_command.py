"""`brickwork train --resume` and `--from`: runs that go on, and runs that are repeated."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner

from brickwork.cli import main
from brickwork.inspect.curves import read_history
from brickwork.models import load_model


@pytest.fixture
def train(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments):
        return CliRunner().invoke(main, ["train", *map(str, arguments)], prog_name="brickwork")

    return invoke


def begin(folder, *more):
    return ("iris", "--epochs", 4, "--out", folder, *more)


def numbers(folder):
    found = {
        name: values for name, values in read_history(folder / "history.csv").items() if name != "seconds"
    }
    return found, load_model(folder / "best.safetensors").get_weights()


def require_same(one, other):
    (history, weights), (other_history, other_weights) = numbers(one), numbers(other)
    assert history == other_history
    for a, b in zip(weights, other_weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_finished_run_says_so_and_takes_more_epochs(train, tmp_path):
    assert train(*begin("a")).exit_code == 0
    again = train("--resume", "--out", "a")
    assert again.exit_code == 0, again.output
    assert "This run is finished: epoch 4 was its last." in again.output
    more = train("--resume", "--out", "a", "--epochs", 6)
    assert more.exit_code == 0, more.output
    train("iris", "--epochs", 6, "--out", "b")
    require_same(tmp_path / "a", tmp_path / "b")


def test_a_run_is_repeated_from_its_config(train, tmp_path):
    train(*begin("a", "--seed", 5))
    again = train("--from", "a/config.json", "--out", "b")
    assert again.exit_code == 0, again.output
    require_same(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_was_stopped_goes_on(tmp_path, sign):
    """All three as commands of their own: a process of the command computes with one BLAS thread, this one
    with several, and the last bit of a sum depends on that."""

    def command(*arguments):
        return [sys.executable, "-m", "brickwork", "train", *arguments]

    def run(*arguments):
        done = subprocess.run(command(*arguments), cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    digits = ("digits", "--model", "mlp", "--epochs", "3")
    run(*digits, "--out", "whole")
    with subprocess.Popen(
        command(*digits, "--out", "cut"), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        for _ in range(1000):
            if (tmp_path / "cut" / "last.safetensors").exists():
                break
            time.sleep(0.01)
        time.sleep(0.05)
        os.kill(process.pid, sign)
        assert process.wait(timeout=60) in (130, -signal.SIGKILL)
    run("--resume", "--out", "cut", "--json")
    require_same(tmp_path / "whole", tmp_path / "cut")


def test_what_has_changed_is_refused(train, tmp_path):
    train(*begin("a"))
    path = tmp_path / "a" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "data": {**config["data"], "content_hash": "0"}}))
    found = train("--resume", "--out", "a")
    assert found.exit_code == 2
    assert "iris has changed since then. Restore it, or begin a new run: brickwork train iris" in found.output
    path.write_text(json.dumps({**config, "model": {**config["model"], "code_hash": "0"}}))
    assert "with the code it began with; mlp has changed" in train("--resume", "--out", "a").output
    path.write_text(json.dumps({**config, "version": 99}))
    assert "is of version 99. Update Brickwork" in train("--resume", "--out", "a").output
    path.write_text(json.dumps({**config, "optimizer": 3}))
    assert "config.json must hold all that is needed" in train("--resume", "--out", "a").output


def test_wrong_ways_to_resume(train):
    assert "--resume needs the folder of the run" in train("--resume").output
    found = train("--resume", "--out", "a", "--batch-size", 3)
    assert found.exit_code == 2
    assert "it received --batch-size. Leave it out" in found.output
    train(*begin("a"))
    assert "A run goes on with the data it began with, iris; it received digits." in train(
        "digits", "--resume", "--out", "a"
    ).output.replace("\n", " ")
