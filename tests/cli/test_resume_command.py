"""`brickwork train --resume` and `--from`: runs that go on, and runs that are repeated."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cli_home import NETS, call, write_table
from click.testing import CliRunner

from brickwork.cli import main, training
from brickwork.data import decoding
from brickwork.inspect.curves import read_history
from brickwork.models import Model, load_model
from brickwork.threads import get_threads


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
    assert "there is no folder 'a'" in train("--resume", "--out", "a").output
    train(*begin("a"))
    found = train("--resume", "--out", "a", "--batch-size", 3)
    assert found.exit_code == 2
    assert "it received --batch-size. Leave it out" in found.output
    assert "A run is resumed with the data it began with, iris; it received digits." in train(
        "digits", "--resume", "--out", "a"
    ).output.replace("\n", " ")


# What may be said anew of a run, and what may not.


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """A folder with a finished run, `a`."""
    place = tmp_path_factory.mktemp("earlier")
    done = call("train", "iris", "--epochs", 2, "--seed", 5, "--out", place / "a")
    assert done.exit_code == 0, done.output
    return place


def one_line(text):
    return " ".join(text.split())


@pytest.mark.parametrize(
    "option",
    [
        ("--epochs", "9"),
        ("--batch-size", "3"),
        ("--learning-rate", "0.1"),
        ("--seed", "0"),  # the default, but said
        ("--model", "mlp"),
        ("--target", "y"),
        ("--engine", "jax"),
    ],
)
def test_a_repeated_run_is_no_other_training(option, earlier, tmp_path):
    found = call("train", "--from", earlier / "a" / "config.json", "--out", tmp_path / "b", *option)
    assert found.exit_code == 2
    told = one_line(found.stderr)
    assert (
        "--from takes --out, --tensorboard, --threads, --keep, --smooth, --json beside it; it received "
        in told
    )
    assert f"{option[0]}. Leave it out, or begin another run: brickwork train iris --model mlp" in told
    assert not (tmp_path / "b").exists()


def test_what_does_not_change_a_repeated_run_may_be_said(earlier, tmp_path):
    found = call(
        *("train", "iris", "--from", earlier / "a", "--out", tmp_path / "b"),
        *("--threads", 1, "--keep", 1, "--smooth", 0.5, "--json"),
    )
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["run"] == str(tmp_path / "b")
    require_same(earlier / "a", tmp_path / "b")
    assert (tmp_path / "b" / "epoch-0002.safetensors").is_file()
    config = json.loads((tmp_path / "b" / "config.json").read_text())
    assert (config["smooth"], config["threads"]) == (0.5, 1)


def test_other_ways_to_repeat_a_run_wrongly(earlier, tmp_path):
    config = earlier / "a" / "config.json"
    found = call("train", "--from", config, "--resume", "--out", earlier / "a")
    assert found.exit_code == 2 and "received both" in found.stderr
    found = call("train", "digits", "--from", config)
    assert "A run is repeated with the data it began with, iris; it received digits." in found.stderr
    found = call("train", "--from", earlier / "a" / "history.csv")
    assert found.exit_code == 2 and "history.csv must hold JSON" in found.stderr
    found = call("train", "--from", tmp_path / "gone.json")
    assert found.exit_code == 2 and "gone.json'. There is no such file" in one_line(found.stderr)


def test_a_folder_in_which_nothing_was_begun(tmp_path):
    (tmp_path / "run").mkdir()
    found = call("train", "--resume", "--out", tmp_path / "run")
    assert found.exit_code == 2
    assert "is empty, so that nothing was begun there. Begin it: brickwork train DATA" in found.stderr


def test_killed_before_the_first_file_of_the_network_was_whole(tmp_path):
    """The first commit is where it dies, in a process of its own, with config.json there already."""
    code = (
        "import os; from brickwork.training.resuming import Moment\n"
        "Moment.save = lambda *_: os._exit(9)\n"
        "from brickwork.cli import main; main()"
    )
    words = ("train", "iris", "--epochs", "3", "--out", "cut")
    died = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True)
    assert died.returncode == 9
    assert sorted(os.listdir(tmp_path / "cut")) == ["config.json", "summary.txt"]
    asked = call("evaluate", tmp_path / "cut")
    assert asked.exit_code == 2 and "Begin again: brickwork train --resume" in one_line(asked.stderr)
    again = call("train", "--resume", "--out", tmp_path / "cut")
    assert again.exit_code == 0, again.output
    assert call("train", "iris", "--epochs", 3, "--out", tmp_path / "whole").exit_code == 0
    require_same(tmp_path / "whole", tmp_path / "cut")


# From another folder, with files of one's own.


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A run of a user's own network on a user's own table, all named from the folder where they lie."""
    place = tmp_path / "there"
    place.mkdir()
    monkeypatch.chdir(place)
    write_table(place / "flats.csv")
    (place / "nets.py").write_text(OWN_LAYER)
    words = ("flats.csv", "--target", "dear", "--model", "nets.py:scaled", "--epochs", 2)
    done = call("train", *words, "--out", "run")
    assert done.exit_code == 0, done.output
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return place


OWN_LAYER = """
import brickwork
from brickwork import layers


@layers.register_layer
class Twice(layers.Layer):
    def lay(self, x):
        return x + x


def scaled(input_shape, outputs):
    return brickwork.Sequential([
        brickwork.Input(input_shape), Twice(), layers.Dense(outputs, activation="softmax"),
    ])
"""


def command(folder, *words):
    """In a process of its own, which has never seen the user's layers."""
    return subprocess.run(
        [sys.executable, "-m", "brickwork", *map(str, words)], cwd=folder, capture_output=True, text=True
    )


def test_files_are_found_from_another_folder(own):
    assert call("train", "--resume", "--out", own / "run", "--epochs", 3).exit_code == 0
    repeated = call("train", "--from", own / "run", "--out", "again")
    assert repeated.exit_code == 0, repeated.output
    require_same(own / "run", Path("again"))
    told = json.loads((own / "run" / "config.json").read_text())
    assert told["model"]["path"] == f"{own / 'nets.py'}:scaled"
    words = shlex.split(told["command"])
    assert call(*words[1:], "--out", "third").exit_code == 0
    require_same(own / "run", Path("third"))


def test_moved_data_may_be_named(own):
    (own / "flats.csv").rename("moved.csv")
    gone = one_line(call("train", "--from", own / "run", "--out", "again").stderr)
    assert "flats.csv is gone. Restore it, or say where it is now: brickwork train DATA --from" in gone
    assert call("train", "moved.csv", "--from", own / "run", "--out", "again").exit_code == 0
    require_same(own / "run", Path("again"))
    text = Path("moved.csv").read_text()
    Path("moved.csv").write_text(text.replace("Bonn", "Rome"))
    other = call("train", "moved.csv", "--resume", "--out", own / "run", "--epochs", 3)
    assert other.exit_code == 2
    assert "A run is resumed with the data it began with; moved.csv holds others." in one_line(other.stderr)


def test_changed_data_are_not_repeated(own):
    (own / "flats.csv").write_text((own / "flats.csv").read_text().replace("Bonn", "Rome"))
    found = call("train", "--from", own / "run", "--out", "again")
    assert found.exit_code == 2
    assert "flats.csv has changed since then" in one_line(found.stderr)
    assert not Path("again").exists()


def test_a_network_with_layers_of_the_users_own(own):
    for words in (
        ("evaluate", own / "run"),
        ("predict", own / "run", own / "flats.csv"),
        ("show", own / "run", "confusion"),
        ("summary", own / "run"),
        ("show", own / "run", "curves"),
    ):
        done = command(own.parent, *words)
        assert done.returncode == 0, done.stderr
        ran = "The network's own layers come from there/nets.py, which is run for them." in done.stderr
        assert ran == ("curves" not in words)
    alone = command(own, "summary", "run/best.safetensors")
    assert alone.returncode == 2 and "Name the run folder instead" in alone.stderr


def test_the_file_of_a_network_that_has_changed_or_is_gone(own):
    text = (own / "nets.py").read_text()
    (own / "nets.py").write_text(text + "\nopen('trace', 'w')\n")
    for words in (("evaluate", "run"), ("predict", "run", "flats.csv"), ("summary", "run")):
        done = command(own, *words)
        assert done.returncode == 2
        assert "nets.py defines; the file has changed since the training. Restore it" in done.stderr
    assert not (own / "trace").exists()
    (own / "nets.py").unlink()
    done = command(own, "evaluate", "run")
    assert done.returncode == 2 and "the file is gone. Restore it as it was, or train anew" in done.stderr


def test_a_layer_that_could_not_be_saved_is_refused_before_anything_is_written(own):
    (own / "nets.py").write_text(OWN_LAYER.replace("@layers.register_layer", "").replace("Twice", "Thrice"))
    done = command(own, "train", "iris", "--model", "nets.py:scaled", "--out", "other")
    assert done.returncode == 2
    assert "it received Thrice. Put @brickwork.layers.register_layer above the class." in done.stderr
    assert not (own / "other").exists()


def test_a_network_of_known_layers_needs_no_file(own, tmp_path):
    (own / "plain.py").write_text(NETS)
    run = tmp_path / "plain"
    words = ("--target", "dear", "--model", own / "plain.py:small", "--epochs", 1, "--out", run)
    assert call("train", own / "flats.csv", *words).exit_code == 0
    (own / "plain.py").unlink()
    assert command(own, "evaluate", run).returncode == 0


# Threads.


def test_threads_are_told_and_kept(tmp_path, monkeypatch):
    counts = []
    fit = training.fit
    monkeypatch.setattr(training, "fit", lambda *a, **k: (counts.append(get_threads()), fit(*a, **k))[1])
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = get_threads()
    words = ("train", "iris", "--epochs", 1, "--engine", "reference")
    for more in ((), ("--threads", 2), ("--resume",), ("--resume", "--threads", 3)):
        begin = ("train",) if "--resume" in more else words
        out = tmp_path / ("run" if more else "one")
        assert call(*begin, *more, "--out", out).exit_code == 0
    assert counts == [1, 2, 2, 3]
    assert get_threads() == before
    assert json.loads((tmp_path / "run" / "config.json").read_text())["threads"] == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert call(*words, "--out", tmp_path / "told").exit_code == 0
    assert counts[-1] == 4


def test_images_are_decoded_by_all_cores_unless_told(home, tmp_path, monkeypatch):
    counts = []
    workers = decoding.workers
    monkeypatch.setattr(decoding, "workers", lambda: (counts.append(get_threads()), workers())[1])
    monkeypatch.setenv("BRICKWORK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("brickwork.threads.available_cores", lambda: 7)
    words = ("train", home / "pictures", "--epochs", 1, "--engine", "reference")
    assert call(*words, "--out", tmp_path / "a").exit_code == 0
    assert set(counts) == {7}
    counts.clear()
    monkeypatch.setenv("BRICKWORK_CACHE", str(tmp_path / "other"))
    assert call(*words, "--threads", 2, "--out", tmp_path / "b").exit_code == 0
    assert set(counts) == {2}
    told = [json.loads((tmp_path / run / "config.json").read_text())["threads"] for run in "ab"]
    assert told == [1, 2]


def test_threads_of_evaluate_and_predict(home, monkeypatch):
    counts = []
    predict = Model.predict
    monkeypatch.setattr(Model, "predict", lambda *a, **k: (counts.append(get_threads()), predict(*a, **k))[1])
    assert call("predict", home / "table", home / "flats.csv", "--threads", 3).exit_code == 0
    assert call("evaluate", home / "prices", "--threads", 2).exit_code == 0
    config = json.loads((home / "prices" / "config.json").read_text())
    assert call("evaluate", home / "prices").exit_code == 0
    assert counts == [3, 2, min(config["threads"] or get_threads(), get_threads())]


@pytest.mark.parametrize("word", ["train", "evaluate", "predict"])
def test_wrong_threads(word, home):
    words = {"train": ("iris",), "evaluate": (home / "table",), "predict": (home / "table", "x.csv")}[word]
    found = call(word, *words, "--threads", "0")
    assert found.exit_code == 2
    assert "`--threads` must be a whole number of at least 1; got --threads=0" in found.stderr


def test_jax_has_threads_of_its_own(tmp_path):
    pytest.importorskip("jax")
    found = call("train", "iris", "--engine", "jax", "--threads", 2, "--out", tmp_path / "run")
    assert found.exit_code == 2
    assert "JAX takes the cores that it finds when it starts" in one_line(found.stderr)
    words = ("train", "iris", "--engine", "jax", "--epochs", 1, "--out", tmp_path / "run")
    assert call(*words).exit_code == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["threads"] is None
    assert call("evaluate", tmp_path / "run", "--threads", 2).exit_code == 2
