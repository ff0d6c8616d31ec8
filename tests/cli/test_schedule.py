"""`brickwork train --schedule`: how the learning rate goes on."""

from __future__ import annotations

import csv
import json
import math

import pytest
from cli_home import call

from brickwork.cli.recipes import along_cosine, recipe_of


def rates(folder):
    with (folder / "history.csv").open() as file:
        return [float(row["learning_rate"]) for row in csv.DictReader(file)]


def train(folder, *more):
    return call("train", "iris", "--epochs", 4, "--engine", "reference", "--out", folder, *more)


def test_a_cosine_ends_at_nothing(tmp_path):
    result = train(tmp_path / "run", "--schedule", "cosine", "--learning-rate", 0.01, "--patience", 1)
    assert result.exit_code == 0, result.output
    assert "down to 0 along a cosine" in result.output
    found = rates(tmp_path / "run")
    # history.csv tells the rate at the beginning of each epoch, of 6 steps; the first of all 24 warms up
    down = [0.005 * (1 + math.cos(math.pi * (6 * epoch - 1) / 23)) for epoch in (1, 2, 3)]
    assert found == pytest.approx([0.0, *down], rel=1e-5)


def test_a_constant_stays(tmp_path):
    assert train(tmp_path / "run", "--schedule", "constant", "--learning-rate", 0.01).exit_code == 0
    assert rates(tmp_path / "run") == pytest.approx([0.01] * 4)


def test_a_plateau_can_be_asked_for(tmp_path):
    assert train(tmp_path / "run", "--schedule", "plateau").exit_code == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["reduce_learning_rate_on_plateau"] == {"monitor": "val_loss", "factor": 0.3, "patience": 2}


def test_a_cosine_takes_a_third_of_the_epochs(tmp_path):
    result = call("train", "iris", "--engine", "reference", "--schedule", "cosine", "--out", tmp_path / "run")
    assert result.exit_code == 0
    assert len(rates(tmp_path / "run")) == 34  # of the recipe's 100


def test_it_is_repeated(tmp_path):
    train(tmp_path / "run", "--schedule", "cosine")
    assert (
        call("train", "--from", tmp_path / "run" / "config.json", "--out", tmp_path / "again").exit_code == 0
    )
    first, second = (folder / "last.safetensors" for folder in (tmp_path / "run", tmp_path / "again"))
    assert rates(tmp_path / "run") == rates(tmp_path / "again")
    assert first.stat().st_size == pytest.approx(second.stat().st_size, rel=0.01)


def test_more_epochs_are_refused_where_the_cosine_has_ended(tmp_path):
    train(tmp_path / "run", "--schedule", "cosine")
    result = call("train", "--resume", "--out", tmp_path / "run", "--epochs", 8)
    assert result.exit_code == 2
    assert "ends after the epochs it was told, 4" in " ".join(result.output.split())


def test_an_unknown_name_is_refused(tmp_path):
    result = train(tmp_path / "run", "--schedule", "cosin")
    assert result.exit_code == 2
    assert "Did you mean 'cosine'?" in result.output
    assert not (tmp_path / "run").exists()


def test_a_recipe_of_its_own_for_a_cosine():
    usual = recipe_of("mnist", "lenet5")
    own = along_cosine("mnist", "lenet5", usual)
    assert (own.learning_rate, own.epochs, own.options) == (3e-3, 7, {"dropout": 0.1})
    assert along_cosine("mnist", "mlp", usual).epochs == 9  # a third, rounded up
