"""`brickwork train` on users' own data and with their own networks."""

from __future__ import annotations

import json
import os
import shlex

import numpy as np
import pytest
from cli_home import call

from brickwork import zoo
from brickwork.cli.own_model import own_model
from brickwork.data import load, open_data
from brickwork.errors import FormatError
from brickwork.graph.serialization import graph_to_config
from brickwork.inspect import read_history
from brickwork.models import load_model


def config(run):
    return json.loads((run / "config.json").read_text())


def test_a_table_of_classes(home):
    model = load_model(home / "table" / "best.safetensors")
    assert model.class_names == ("no", "yes")
    encoder = open_data(str(home / "flats.csv"), target="dear").preprocessing
    assert model.preprocessing == encoder
    assert "heating: 2 categories, 'gas', 'wood'" in (home / "table" / "summary.txt").read_text()
    assert config(home / "table")["loss"] == "sparse_categorical_crossentropy"
    assert config(home / "table")["model"]["name"] == "mlp"


def test_the_last_epochs_are_kept(home):
    kept = sorted(name for name in os.listdir(home / "table") if name.startswith("epoch-"))
    assert kept == ["epoch-0002.safetensors", "epoch-0003.safetensors"]
    weights = [load_model(home / "table" / name).get_weights() for name in (kept[-1], "last.safetensors")]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_table_of_numbers(home):
    assert config(home / "prices")["loss"] == "mean_squared_error"
    history = read_history(home / "prices" / "history.csv")
    assert len(history["mae"]) == len(history["val_mae"]) == 3
    model = load_model(home / "prices" / "best.safetensors")
    assert model.output_shape == (None, 1) and model.class_names == ()
    dataset = open_data(str(home / "flats.csv"), target="price")
    guessed = model.predict(dataset.x_test, verbose=0)
    assert abs(guessed.mean() / dataset.y_test.mean() - 1) < 0.5  # in the unit of the target


def test_regression_tells_mae_and_r2(home, tmp_path):
    result = call(
        "train", home / "flats.csv", "--target", "price", "--epochs", 30, "--out", tmp_path / "run", "--json"
    )
    told = json.loads(result.stdout)
    assert told["task"] == "regression" and told["test_accuracy"] is None
    dataset = open_data(str(home / "flats.csv"), target="price")
    guessed = load_model(tmp_path / "run" / "best.safetensors").predict(dataset.x_test, verbose=0)[:, 0]
    apart = dataset.y_test - guessed
    assert told["test_mae"] == pytest.approx(np.abs(apart).mean(), rel=1e-5)
    assert told["test_loss"] == pytest.approx(np.square(apart).mean(), rel=1e-5)
    r2 = 1 - np.square(apart).sum() / np.square(dataset.y_test - dataset.y_test.mean()).sum()
    assert told["test_r2"] == pytest.approx(r2, rel=1e-4) and r2 > 0.8
    assert "Test R2" in result.stderr and "Target         a number, " in result.stderr


def test_images(home):
    told = config(home / "seen")
    assert told["model"]["name"] == "convnet"
    assert told["data"]["shape"] == [8, 10, 3] and told["data"]["classes"] == ["day", "night"]
    assert told["data"]["path"] == str((home / "pictures").resolve())


def test_arrays(home):
    assert config(home / "rows")["model"]["name"] == "mlp"
    layers = [type(layer).__name__ for layer in load_model(home / "rows" / "best.safetensors").layers]
    assert layers[0] == "Normalization"


def test_the_command_in_the_config_repeats_a_run(home, tmp_path):
    import shlex

    command = shlex.split(config(home / "table")["command"])
    result = call(*command[1:], "--out", tmp_path / "again")
    assert result.exit_code == 0, result.output
    for one, other in zip(
        load_model(home / "table" / "last.safetensors").get_weights(),
        load_model(tmp_path / "again" / "last.safetensors").get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_no_rows_for_testing(home, tmp_path):
    run = ("train", home / "rows.npz", "--test-split", 0, "--epochs", 1, "--out", tmp_path / "run")
    result = call(*run, "--json")
    told = json.loads(result.stdout)
    assert (told["test_loss"], told["test_accuracy"]) == (None, None)
    assert "none: no rows were kept for it" in result.stderr
    evaluated = call("evaluate", tmp_path / "run")
    assert evaluated.exit_code == 2 and "--test-split was 0" in evaluated.stderr


def test_what_columns_are_may_be_said(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("train", home / "flats.csv", "--target", "price", "--epochs", 1)
    kinds = ("--column", "dear=ignored", "--column", "area=categorical")
    result = call(*words, *kinds, "--out", "run")
    assert result.exit_code == 0, result.output
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["data"]["source"]["columns"] == {"dear": "ignored", "area": "categorical"}
    assert " --column dear=ignored --column area=categorical" in config["command"]
    described = load_model(tmp_path / "run" / "best.safetensors").preprocessing.describe()
    assert "area: " in str(described) and "dear: left out" in str(described)
    assert call("evaluate", "run").exit_code == 0
    assert call("train", "--from", "run", "--out", "again").exit_code == 0
    assert call(*shlex.split(config["command"])[1:], "--out", "third").exit_code == 0
    (tmp_path / "new.csv").write_text("town,area,heating\nBonn,,gas\n")
    assert call("predict", "run", "new.csv").exit_code == 0
    for kind, told in (
        ("dear", "--column takes NAME=KIND, such as id=ignored; got 'dear'"),
        ("=ignored", "got '=ignored'"),
        ("dear=ignore", "Did you mean 'ignored'?"),
        ("deer=ignored", "Did you mean 'dear'?"),
    ):
        wrong = call(*words, "--column", kind, "--out", "wrong")
        assert wrong.exit_code == 2 and told in wrong.stderr
    assert "takes no such option" in call("train", "iris", "--column", "a=ignored").stderr


def test_the_name_of_a_run_tells_data_and_model(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = f"{home / 'nets.py'}:small"
    assert call("train", home / "rows.npz", "--epochs", 1, "--model", own).exit_code == 0
    (run,) = (tmp_path / "runs").iterdir()
    assert run.name.startswith("rows-nets-small-20")


def test_smoothed_curves(home, tmp_path):
    result = call("train", "iris", "--epochs", 2, "--smooth", 0.5, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "--smooth 0.5" in config(tmp_path / "run")["command"]


def test_a_graph_as_json(tmp_path):
    model = zoo.build("lenet5", load("digits"))
    (tmp_path / "net.json").write_text(json.dumps(graph_to_config(model.graph)))
    made = own_model(str(tmp_path / "net.json"), (8, 8, 1), 10)
    assert made.count_params() == model.count_params()
    assert [w.shape for w in made.weights] == [w.shape for w in model.weights]
    made.set_weights(model.get_weights())
    x = load("digits").x_test[:5]
    np.testing.assert_array_equal(made.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_graph_whose_bricks_share_parameters(tmp_path):
    from brickwork import Input, Model, layers

    x = Input((3,))
    shared = layers.Dense(3, activation="tanh")
    model = Model(x, layers.Dense(2, activation="softmax")(shared(shared(x))))
    (tmp_path / "net.json").write_text(json.dumps(graph_to_config(model.graph)))
    made = own_model(str(tmp_path / "net.json"), (3,), 2)
    assert made.count_params() == model.count_params() == 12 + 8


@pytest.mark.parametrize(
    "text, told", [("{", "it is no JSON"), ("[]", "this one does not"), ("{}", "this one")]
)
def test_what_is_no_graph(text, told, tmp_path):
    (tmp_path / "net.json").write_text(text)
    with pytest.raises(FormatError, match=told):
        own_model(str(tmp_path / "net.json"), (3,), 2)


@pytest.mark.parametrize(
    "function, told",
    [
        (":smal", "there is no 'smal'"),
        (":smal", "Did you mean 'small'?"),
        ("", "none is named"),
        (":broken", "nets.py, line 13: broken((3,), 2) must give a network; it raises ZeroDivisionError"),
        (":wrong", "outputs of shape (None, 2) for these data; its are (None, 3)"),
        (":narrow", "inputs of shape (None, 3) for these data; its are (None, 2)"),
        (":nothing", "gives None of type NoneType"),
        (":one", "Write def one(input_shape, outputs)"),
        (":logits", 'End it with Dense(2, activation="softmax")'),
        (":two", "one input and one output; it has 2 and 1"),
    ],
)
def test_networks_of_ones_own_that_do_not_fit(function, told, home, tmp_path):
    out = tmp_path / "run"
    result = call("train", home / "rows.npz", "--model", f"{home / 'nets.py'}{function}", "--out", out)
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    "text, told",
    [
        ("def f(:", "bad.py, line 1: importing it must give a network; it raises SyntaxError"),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise SystemExit(3)", "it raises SystemExit: 3"),
        ("x = 1", "defines no function"),
    ],
)
def test_files_that_cannot_be_imported(text, told, home, tmp_path):
    (tmp_path / "bad.py").write_text(text)
    result = call("train", home / "rows.npz", "--model", f"{tmp_path / 'bad.py'}:f")
    assert result.exit_code == 2, result.output
    assert told in result.stderr


@pytest.mark.parametrize("name", ["no.py:f", "no.json"])
def test_files_that_are_not_there(name, home):
    result = call("train", home / "rows.npz", "--model", name)
    assert result.exit_code == 2
    assert "There is no such file" in result.stderr
