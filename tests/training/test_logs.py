"""CSVLogger: a row for each epoch, numbers that come back as they were."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from fake_model import losses, train

from brickwork.errors import DataError, ParameterError, ParameterTypeError
from brickwork.files import FileError
from brickwork.training.logs import CSVLogger


def rows(path, separator=","):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=separator))


def test_a_row_for_each_epoch(tmp_path):
    path = tmp_path / "run.csv"
    train(
        CSVLogger(path), [{"loss": 0.5, "val_loss": 0.75, "accuracy": 1.0}, {"loss": 0.25, "accuracy": 0.5}]
    )
    assert path.read_bytes() == b"epoch,accuracy,loss,val_loss\r\n0,1.0,0.5,0.75\r\n1,0.5,0.25,NA\r\n"


def test_columns_for_a_validation_that_comes_later(tmp_path):
    train(CSVLogger(tmp_path / "run.csv"), [{"loss": 0.5}, {"loss": 0.25, "val_loss": 1.0}])
    assert rows(tmp_path / "run.csv") == [
        ["epoch", "loss", "val_loss"],
        ["0", "0.5", "NA"],
        ["1", "0.25", "1.0"],
    ]


@pytest.mark.parametrize(
    "value",
    [0.1 + 0.2, 1e-300, 3, np.float32(0.1), np.float64(1 / 3), np.array(0.7), math.inf, 123456789.123456789],
)
def test_numbers_come_back_as_they_were(tmp_path, value):
    train(CSVLogger(tmp_path / "run.csv"), [{"loss": value}])
    assert float(rows(tmp_path / "run.csv")[1][1]) == float(value)


def test_sequences_and_words(tmp_path):
    train(CSVLogger(tmp_path / "run.csv"), [{"a": np.array([1.0, 2.0]), "b": "word"}])
    assert rows(tmp_path / "run.csv")[1][1:3] == ['"[1.0, 2.0]"', "word"]


def test_each_row_is_on_disk_when_its_epoch_is_over(tmp_path):
    callback = CSVLogger(tmp_path / "run.csv")
    train(callback, losses([1.0, 2.0]), end=False)
    assert len(rows(tmp_path / "run.csv")) == 3
    callback.close()
    callback.close()


def test_separator(tmp_path):
    train(CSVLogger(tmp_path / "run.csv", separator=";"), losses([1.0]))
    assert rows(tmp_path / "run.csv", ";")[0] == ["epoch", "loss", "val_loss"]


@pytest.mark.parametrize("append, count", [(False, 2), (True, 3)])
def test_append(tmp_path, append, count):
    path = tmp_path / "run.csv"
    for _ in range(2):
        train(CSVLogger(path, append=append), losses([1.0]))
    assert len(rows(path)) == count
    assert rows(path)[0] == ["epoch", "loss", "val_loss"]


def test_append_to_an_empty_file_writes_the_header(tmp_path):
    (tmp_path / "run.csv").write_text("")
    train(CSVLogger(tmp_path / "run.csv", append=True), losses([1.0]))
    assert rows(tmp_path / "run.csv")[0][0] == "epoch"


def test_folders_are_made(tmp_path):
    train(CSVLogger(tmp_path / "runs" / "1" / "run.csv"), losses([1.0]))
    assert (tmp_path / "runs" / "1" / "run.csv").is_file()


@pytest.mark.parametrize("lost", [0, 2])
@pytest.mark.parametrize("append", [False, True])
def test_goes_on_after_an_interruption(tmp_path, append, lost):
    """Rows of epochs after the state are of a run that was lost."""
    values = losses([3.0, 0.1 + 0.2, 4.0, 5.0])
    whole, path = tmp_path / "whole.csv", tmp_path / "run.csv"
    train(CSVLogger(whole), values)
    first = CSVLogger(path)
    train(first, values[:2], end=False)
    state = json.loads(json.dumps(first.get_state()))
    train(first, values[2 : 2 + lost], first=2, begin=False)
    second = CSVLogger(path, append=append)
    second.set_state(state)
    train(second, values[2:], first=2)
    assert path.read_bytes() == whole.read_bytes()
    train(second, values)
    assert len(rows(path)) == (9 if append else 5)


def test_the_file_of_the_interrupted_run_is_gone(tmp_path):
    first = CSVLogger(tmp_path / "run.csv")
    train(first, losses([1.0]))
    (tmp_path / "run.csv").unlink()
    second = CSVLogger(tmp_path / "run.csv")
    second.set_state(first.get_state())
    with pytest.raises(
        DataError, match="must hold the 32 bytes of the run that is to be resumed; it holds 0."
    ):
        second.on_train_begin()


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(FileError, match="There is a folder of that name. Choose another name."):
        CSVLogger(tmp_path).on_train_begin()


def test_wrong_arguments():
    with pytest.raises(ParameterTypeError, match="CSVLogger: `filename` must be a path: a string"):
        CSVLogger(3)
    with pytest.raises(ParameterError, match="CSVLogger: `separator` must be one character, neither"):
        CSVLogger("run.csv", separator=", ")
    with pytest.raises(ParameterTypeError, match=r"it received `seperator`. Did you mean 'separator'\?"):
        CSVLogger("run.csv", seperator=";")
