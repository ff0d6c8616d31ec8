"""`brickwork train`: what it prints and writes, its bad inputs, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import brickwork
from brickwork.cli import main
from brickwork.data import load
from brickwork.engines.registry import default_name
from brickwork.models import load_model
from brickwork.training.resuming import read_training

ENGINE = default_name()

COLUMNS = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"
FILES = ["best.safetensors", "config.json", "curves.png", "history.csv", "last.safetensors", "summary.txt"]
FAST = ("--model", "mlp", "--epochs", "2")


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Runs `brickwork train …` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def invoke(*arguments):
        return CliRunner().invoke(main, ["train", *map(str, arguments)], prog_name="brickwork")

    return invoke


def only_run(folder):
    (run,) = (folder / "runs").iterdir()
    return run


def test_what_a_person_sees(train, tmp_path):
    result = train("digits", *FAST)
    assert result.exit_code == 0, result.output
    told = result.stdout
    order = [
        "Digits, 8 x 8 pixels",
        "1,438 images of 8 x 8 x 1",
        "10: 0, 1, 2",
        " (Rescaling)",
        "Total params:",
        "1,294 for training, 144 for validation",
        "Adam, learning rate 0.001; batches of 32",
        "at most 2; stops after 15 without a better validation loss",
        "Epoch 1/2  loss",
        "samples/s",
        "Epoch 2/2  loss",
        "All 2 epochs are done.",
        "Test accuracy",
        f"Run folder     {only_run(tmp_path).relative_to(tmp_path)}",
        ", ".join(FILES),
    ]
    places = [told.find(words) for words in order]
    assert places == sorted(places) and places[0] == 0, list(zip(order, places, strict=True))
    assert result.stderr == ""


def test_the_run_folder(train, tmp_path):
    train("digits", *FAST)
    run = only_run(tmp_path)
    assert run.name.startswith("digits-mlp-20")
    assert sorted(os.listdir(run)) == FILES
    lines = (run / "history.csv").read_text().splitlines()
    assert lines[0] == COLUMNS
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2"]
    config = json.loads((run / "config.json").read_text())
    assert config["command"] == (
        "brickwork train digits --model mlp --epochs 2 --batch-size 32 --optimizer adam "
        "--learning-rate 0.001 --schedule constant --patience 15 --validation-split 0.1 "
        f"--engine {ENGINE} --seed 0{'' if ENGINE == 'native' else ' --threads 1'}"
    )
    assert config["data"]["training_rows"] == 1438
    assert config["data"]["content_hash"] == load("digits").content_hash()
    assert config["optimizer"]["config"]["learning_rate"] == 0.001
    assert config["versions"]["brickwork"] == brickwork.__version__
    assert config["versions"]["numpy"] == np.__version__
    assert "test_accuracy" in (run / "summary.txt").read_text().splitlines()[-2]


def test_json_stands_alone_on_standard_output(train, tmp_path):
    result = train("digits", *FAST, "--out", "here", "--seed", 5, "--json")
    told = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert {name: told[name] for name in ("data", "model", "engine", "epochs", "seed", "run")} == {
        "data": "digits",
        "model": "mlp",
        "engine": ENGINE,
        "epochs": 2,
        "seed": 5,
        "run": "here",
    }
    assert told["seconds"] > 0 and told["test_loss"] > 0 and 0.8 < told["test_accuracy"] <= 1
    assert "Epoch 2/2" in result.stderr and "Test accuracy" in result.stderr


def test_the_model_on_disk_is_the_one_that_was_tested(train, tmp_path):
    told = json.loads(train("digits", *FAST, "--out", "run", "--json").stdout)
    digits = load("digits")
    for name in ("best", "last"):
        model = load_model(tmp_path / "run" / f"{name}.safetensors")
        accuracy = np.mean(model.predict(digits.x_test, verbose=0).argmax(1) == digits.y_test)
        assert accuracy > 0.8
    best = load_model(tmp_path / "run" / "best.safetensors")
    accuracy = np.mean(best.predict(digits.x_test, verbose=0).argmax(1) == digits.y_test)
    assert told["test_accuracy"] == pytest.approx(accuracy)


def test_the_command_in_its_config_repeats_a_run(train, tmp_path):
    first = json.loads(train("iris", "--seed", 3, "--epochs", 5, "--out", "first", "--json").stdout)
    command = json.loads((tmp_path / "first" / "config.json").read_text())["command"].split()
    second = json.loads(train(*command[2:], "--out", "second", "--json").stdout)
    assert first["test_loss"] == second["test_loss"]
    weights = [load_model(tmp_path / run / "last.safetensors").get_weights() for run in ("first", "second")]
    for mine, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(mine, other)
    other = json.loads(train("iris", "--seed", 4, "--epochs", 5, "--json").stdout)
    assert other["test_loss"] != first["test_loss"]


def test_it_stops_early_and_goes_back_to_the_best(train):
    result = train("iris", "--learning-rate", 0.3, "--epochs", 50, "--patience", 2)
    assert "no better validation loss for 2 epochs. Back to the network of epoch" in result.stdout


def test_without_validation_all_epochs_are_run(train, tmp_path):
    result = train("iris", "--validation-split", 0, "--epochs", 3, "--out", "run")
    assert result.exit_code == 0, result.output
    assert "120 for training\n" in result.stdout
    assert "All 3 epochs are done.\n" in result.stdout
    row = (tmp_path / "run" / "history.csv").read_text().splitlines()[1].split(",")
    assert row[3:5] == ["", ""]


def test_another_optimizer_has_its_own_learning_rate(train, tmp_path):
    train("iris", "--optimizer", "sgd", "--epochs", 1, "--out", "run")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["optimizer"]["class_name"] == "SGD"
    assert config["optimizer"]["config"]["learning_rate"] == 0.01


def test_runs_never_overwrite_each_other(train, tmp_path, monkeypatch):
    monkeypatch.setattr(time, "strftime", lambda *_: "20260101-000000")
    for _ in range(2):
        assert train("iris", "--epochs", 1).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "iris-mlp-20260101-000000",
        "iris-mlp-20260101-000000-2",
    ]


def test_an_empty_folder_is_taken(train, tmp_path):
    (tmp_path / "empty").mkdir()
    assert train("iris", "--epochs", 1, "--out", "empty").exit_code == 0


def test_an_empty_folder_of_the_users_stays_where_nothing_comes_of_it(train, tmp_path):
    (tmp_path / "empty").mkdir()
    assert train("iris", "--model", "lenet5", "--out", "empty").exit_code == 2
    assert (tmp_path / "empty").is_dir()


# What the user may have done wrong.


@pytest.mark.parametrize(
    "arguments, told",
    [
        ([], "takes a data set, one of digits, iris, mnist, fashion-mnist"),
        (["digts"], "there is no 'digts'. Did you mean 'digits'?"),
        (
            ["digits", "--model", "covnet"],
            "'mlp', 'lenet5', 'convnet'; got 'covnet'. Did you mean 'convnet'?",
        ),
        (["digits", "--optimizer", "adm"], "got 'adm'. Did you mean 'adam'?"),
        (["digits", "--engine", "jaxx"], "got engine='jaxx'. Did you mean 'jax'?"),
        (
            ["digits", "--batch-size", "0"],
            "`--batch-size` must be a whole number of at least 1; got --batch-size=0",
        ),
        (
            ["digits", "--batch-size", "many"],
            "`--batch-size` must be a whole number of at least 1; got --batch",
        ),
        (["digits", "--epochs", "-3"], "`--epochs` must be a whole number of at least 1; got --epochs=-3"),
        (["digits", "--learning-rate", "0"], "`--learning-rate` must be a finite number above 0"),
        (["digits", "--learning-rate", "-1"], "`--learning-rate` must be a finite number above 0"),
        (["digits", "--learning-rate", "nan"], "`--learning-rate` must be a finite number above 0"),
        (["digits", "--patience", "-1"], "`--patience` must be a whole number of at least 0"),
        (["digits", "--seed", "-1"], "`--seed` must be a whole number in [0, 4294967295]"),
        (
            ["digits", "--validation-split", "1"],
            "`--validation-split` must be in [0, 1); got --validation-split=1.0",
        ),
        (["digits", "--validation-split", "0.9999"], "leaves 0 for training"),
        (["iris", "--model", "lenet5"], "takes images of shape (N, H, W, C); it received (N, 4)."),
        (["iris", "--model", "lenet5"], "For iris, try --model mlp."),
        (["digits", "--out", "file"], "A part of the path is a file"),
        (["digits", "--out", "file/run"], "A part of the path is a file"),
        (["digits", "--out", "full"], "must be new or empty; 'full' holds something. Choose another name"),
    ],
)
def test_bad_inputs(arguments, told, train, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    result = train(*arguments)
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert "Traceback" not in result.output
    assert sorted(os.listdir(tmp_path)) == ["file", "full"]  # and no empty folder is left


@pytest.mark.parametrize("model", ["mlp", "convnet"])
def test_a_diverging_run(model, train, tmp_path):
    result = train("digits", "--model", model, "--learning-rate", "1e6")
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("Error: Training ")
    assert "Try --learning-rate 0.00" in result.stderr
    assert (
        f"No epoch was finished; {only_run(tmp_path).relative_to(tmp_path)} holds the network"
        in result.stderr
    )
    assert "--resume" not in result.stderr  # it would diverge again


def test_a_data_set_that_cannot_be_had(train, tmp_path, monkeypatch):
    monkeypatch.delenv("BRICKWORK_DATA", raising=False)
    monkeypatch.setenv("BRICKWORK_CACHE", str(tmp_path / "cache"))

    def refuse(url, path):
        raise ConnectionError("no network")

    fetch = sys.modules["brickwork.data.fetch"]
    monkeypatch.setattr(fetch, "download", refuse)
    result = train("mnist")
    assert result.exit_code == 2
    assert "set BRICKWORK_DATA=DIR" in result.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights as on Unix")
def test_no_right_to_write(train, tmp_path, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    result = train("digits", "--out", "there/run")
    assert result.exit_code == 2
    assert "Cannot write 'there/run'. You may not write there. Choose another folder" in result.stderr


# Other processes: their encodings, Ctrl-C.


def start(tmp_path, *arguments, **environment):
    code = "from brickwork.cli import main; main(prog_name='brickwork')"
    return subprocess.Popen(
        [sys.executable, "-c", code, "train", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(brickwork.__file__).parents[1]), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_log_in_an_old_encoding(tmp_path):
    process = start(tmp_path, "iris", "--epochs", "1", PYTHONIOENCODING="ascii")
    told, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "+---" in told and "| dense_1 (Dense)" in told and "?" not in told


def test_ctrl_c_before_the_end_of_the_first_epoch(train, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("brickwork.engines.reference.ReferencePlan.step", interrupt)
    result = train("iris", "--engine", "reference", "--out", "run")
    assert result.exit_code == 130
    assert (
        "Stopped by Ctrl-C. No epoch was finished; run holds the network of the step that was reached."
        in result.stderr
    )
    assert sorted(os.listdir(tmp_path / "run")) == ["config.json", "last.safetensors", "summary.txt"]


def test_ctrl_c_before_anything(train, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("brickwork.cli.training.load", interrupt)
    result = train("iris")
    assert (result.exit_code, result.stderr) == (130, "\nStopped by Ctrl-C.\n")
    assert os.listdir(tmp_path) == []


def test_ctrl_c_keeps_what_was_trained(tmp_path):
    process = start(tmp_path, "digits", "--epochs", "10000", "--patience", "10000", "--out", "run")
    history = tmp_path / "run" / "history.csv"
    try:
        deadline = time.monotonic() + 60
        while not history.exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, told
    assert "Stopped by Ctrl-C. Kept in run: the network after" in told
    assert "Traceback" not in told
    assert sorted(os.listdir(tmp_path / "run")) == FILES
    epochs = len(history.read_text().splitlines()) - 1
    assert epochs >= 1
    last = tmp_path / "run" / "last.safetensors"
    place = read_training(last).position
    assert place.epoch == epochs, "as many as history.csv has rows"
    assert 0 <= place.step <= 41  # of 32 rows: 1,294 in all
    assert load_model(last)._plan.step_number == 41 * place.epoch + place.step
