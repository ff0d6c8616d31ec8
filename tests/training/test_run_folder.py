"""The folder of a run: what is in it, in which order it is written, what is refused."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from brickwork.errors import ParameterError, ParameterTypeError
from brickwork.files import FileError
from brickwork.inspect.curves import read_history
from brickwork.layers import Dense, Input
from brickwork.models import Sequential, load_model
from brickwork.training import run_folder
from brickwork.training.callback import Callback
from brickwork.training.rates import LearningRateScheduler
from brickwork.training.run_folder import RunFolder, new_folder, numbered_folder
from brickwork.training.stopping import EarlyStopping

FILES = ["best.safetensors", "config.json", "curves.png", "history.csv", "last.safetensors", "summary.txt"]


@pytest.fixture
def data(rng):
    x = rng.normal(size=(60, 3)).astype("float32")
    return x, (x.sum(axis=1) > 0).astype("int64")


@pytest.fixture
def model():
    network = Sequential([Input((3,)), Dense(4, activation="relu"), Dense(2, activation="softmax")])
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], seed=1)
    return network


def fit(model, data, *callbacks, epochs=3, **options):
    options = {"validation_split": 0.2, "verbose": 0, **options}
    return model.fit(*data, epochs=epochs, callbacks=list(callbacks), **options)


def no_picture(monkeypatch):
    monkeypatch.setattr(run_folder, "draw_curves", lambda *args, **kwargs: None)


def test_the_files_of_a_run(model, data, tmp_path):
    folder = RunFolder(tmp_path / "run", {"seed": 1}, title="a test")
    history = fit(model, data, folder)
    assert sorted(os.listdir(tmp_path / "run")) == FILES
    assert json.loads((tmp_path / "run" / "config.json").read_text()) == {"seed": 1}
    assert "Total params" in (tmp_path / "run" / "summary.txt").read_text()
    lines = (tmp_path / "run" / "history.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"
    table = read_history(tmp_path / "run" / "history.csv")
    assert table["epoch"] == [1, 2, 3]
    assert table["learning_rate"] == [0.001] * 3
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(table[name], history.history[name], rtol=1e-6)


def test_best_and_last_are_what_they_say(tmp_path, monkeypatch):
    """One weight w, from 1 towards the target 0: the loss is w², and a step makes w (1 - 2 rate) of w."""
    no_picture(monkeypatch)
    model = Sequential([Input((1,)), Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    x, y = np.ones((2, 1), "float32"), np.zeros((2, 1), "float32")
    rate = LearningRateScheduler(lambda epoch: 0.25 if epoch < 3 else 1.5)  # halves w, then takes it times -2
    stopping = EarlyStopping(patience=9, restore_best_weights=True)
    folder = RunFolder(tmp_path, monitor="val_loss")
    fit(model, (x, y), rate, stopping, folder, epochs=6, validation_split=0.0, validation_data=(x, y))
    history = read_history(tmp_path / "history.csv")
    assert history["val_loss"] == [2.0**power for power in (-2, -4, -6, -4, -2, 0)]
    assert history["learning_rate"] == [0.25] * 3 + [1.5] * 3
    assert folder.best_epoch == stopping.best_epoch + 1 == 3
    best, last = (load_model(tmp_path / name) for name in ("best.safetensors", "last.safetensors"))
    assert model.get_weights() == best.get_weights() == [0.125]
    assert last.get_weights() == [-1.0]
    assert last._plan.step_number == 6


def test_the_network_is_kept_before_the_first_step_and_after_each_epoch(model, data, tmp_path, monkeypatch):
    no_picture(monkeypatch)
    steps = []

    class Look(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            steps.append(int(load_model(tmp_path / "last.safetensors")._plan.step_number))

    fit(model, data, RunFolder(tmp_path), Look())
    assert steps == [0, 2, 4]


def test_without_validation_its_columns_are_empty(model, data, tmp_path):
    fit(model, data, RunFolder(tmp_path, monitor="loss"), validation_split=0.0)
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"
    assert lines[1].split(",")[3:5] == ["", ""]
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_what_is_interrupted_is_kept(model, data, tmp_path):
    class Interrupt(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    folder = RunFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit(model, data, folder, Interrupt())
    assert sorted(os.listdir(tmp_path)) == FILES
    assert read_history(tmp_path / "history.csv")["epoch"] == [1, 2]
    assert load_model(tmp_path / "last.safetensors")._plan.step_number == 4


def test_nothing_is_drawn_where_no_epoch_was_finished(model, data, tmp_path):
    class Interrupt(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model, data, RunFolder(tmp_path), Interrupt())
    assert sorted(os.listdir(tmp_path)) == ["config.json", "last.safetensors", "summary.txt"]


def test_long_trainings_are_drawn_meanwhile(model, data, tmp_path, monkeypatch):
    drawn = []
    clock = iter(range(0, 10**6, 30))
    monkeypatch.setattr(run_folder, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(
        run_folder, "draw_curves", lambda history, *_, **__: drawn.append(len(history["loss"]))
    )
    monkeypatch.setattr(run_folder, "_DRAWING_SHARE", 1.0)
    fit(model, data, RunFolder(tmp_path), epochs=2)
    assert drawn == [1, 2]


def test_the_best_epoch_by_accuracy_is_marked(model, data, tmp_path, monkeypatch):
    marks = []
    monkeypatch.setattr(run_folder, "draw_curves", lambda *_, best, **__: marks.append(best))
    folder = RunFolder(tmp_path, monitor="val_accuracy")
    history = fit(model, data, folder, epochs=4)
    assert marks == [int(np.argmax(history.history["val_accuracy"]))]


def test_results_stand_at_the_end_of_the_summary(model, data, tmp_path, monkeypatch):
    no_picture(monkeypatch)
    folder = RunFolder(tmp_path)
    fit(model, data, folder, epochs=1)
    folder.conclude({"test_accuracy": 0.5, "run": "here"})
    lines = (tmp_path / "summary.txt").read_text().splitlines()
    assert "Total params" in "".join(lines[:-3])
    assert lines[-3:] == ["", "test_accuracy  0.5", "run            here"]


def test_its_state_can_be_taken_up(model, data, tmp_path, monkeypatch):
    no_picture(monkeypatch)
    folder = RunFolder(tmp_path)
    fit(model, data, folder, epochs=2)
    resumed = RunFolder(tmp_path)
    resumed.set_state(json.loads(json.dumps(folder.get_state())))
    model.fit(*data, initial_epoch=2, epochs=3, validation_split=0.2, verbose=0, callbacks=[resumed])
    assert read_history(tmp_path / "history.csv")["epoch"] == [1, 2, 3]


def test_wrong_arguments():
    with pytest.raises(ParameterError, match="`config` must be a dict of what JSON can hold; got config=3"):
        RunFolder("x", 3)
    with pytest.raises((ParameterError, ParameterTypeError), match="`folder` must be a path"):
        RunFolder(3)


# Folders.


def test_a_new_folder_is_made_and_an_empty_one_taken(tmp_path):
    assert new_folder(tmp_path / "a" / "b").is_dir()
    assert new_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    for name in ("e", "d", "c", "b", "a"):
        (tmp_path / name).touch()
    with pytest.raises(
        ParameterError, match=r"new or empty; .* holds a, b, c and 2 more\. Choose another name"
    ):
        new_folder(tmp_path)


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(FileError, match=r"Cannot write .*file.*\. A part of the path is a file"):
            new_folder(path)


def test_a_folder_without_the_right_to_write_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(FileError, match=r"Cannot write in .*\. Choose another folder, or ask for the right"):
        new_folder(tmp_path / "run")


def test_numbered_folders(tmp_path):
    found = [numbered_folder(tmp_path / "runs" / "digits").name for _ in range(3)]
    assert found == ["digits", "digits-2", "digits-3"]
