"""Checkpoints: which epochs are saved, under which names."""

from __future__ import annotations

import json

import pytest
from fake_model import FakeModel, losses, train

from brickwork.errors import DataError, ParameterError, ParameterTypeError
from brickwork.training.callbacks import CallbackList
from brickwork.training.checkpoints import ModelCheckpoint


def saved(tmp_path, values, name="{epoch}.safetensors", **arguments):
    callback = ModelCheckpoint(tmp_path / name, **arguments)
    train(callback, losses(values))
    return [file.removesuffix(".safetensors") for _, file in callback.model.saved]


@pytest.mark.parametrize(
    "arguments, values, expected",
    [
        ({}, [3, 4, 2], ["1", "2", "3"]),
        ({"save_best_only": True}, [3, 4, 2, 2], ["1", "3"]),
        ({"save_best_only": True, "mode": "max"}, [3, 4, 2, 5], ["1", "2", "4"]),
        ({"save_best_only": True, "initial_value_threshold": 2.5}, [3, 4, 2, 1], ["3", "4"]),
    ],
)
def test_which_epochs_are_saved(tmp_path, arguments, values, expected):
    assert saved(tmp_path, values, **arguments) == expected


def test_names_hold_epoch_and_logs(tmp_path):
    name = "{epoch:02d}-{val_loss:.2f}.safetensors"
    assert saved(tmp_path, [0.123, 0.2], name) == ["01-0.12", "02-0.20"]


def test_folders_are_made(tmp_path):
    assert saved(tmp_path, [1.0], "runs/{epoch}/best.safetensors") == ["best"]
    assert (tmp_path / "runs" / "1" / "best.safetensors").is_file()


def test_weights_alone(tmp_path):
    callback = ModelCheckpoint(tmp_path / "w.safetensors", save_weights_only=True)
    train(callback, losses([1.0]))
    assert callback.model.saved == [("weights", "w.safetensors")]


@pytest.mark.parametrize("save_freq, expected", [(1, 6), (2, 3), (3, 2), (4, 1), (7, 0)])
def test_counts_batches_over_epochs(tmp_path, save_freq, expected):
    callback = ModelCheckpoint(tmp_path / "{epoch}-{batch}.safetensors", save_freq=save_freq)
    callback.set_model(FakeModel())
    assert callback.needs_steps
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        for batch in range(3):
            callback.on_train_batch_end(batch, {"loss": 1.0})
        callback.on_epoch_end(epoch, {"loss": 1.0})
    assert len(callback.model.saved) == expected


def test_names_hold_the_batch(tmp_path):
    callback = ModelCheckpoint(tmp_path / "{epoch}-{batch}.safetensors", save_freq=2)
    callback.set_model(FakeModel())
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        for batch in range(3):
            callback.on_train_batch_end(batch, {"loss": 1.0})
    assert [name for _, name in callback.model.saved] == [
        "1-2.safetensors",
        "2-1.safetensors",
        "2-3.safetensors",
    ]


def test_the_best_batch(tmp_path):
    callback = ModelCheckpoint(tmp_path / "b.safetensors", "loss", save_best_only=True, save_freq=1)
    callback.set_model(FakeModel())
    for batch, loss in enumerate([3.0, 4.0, 2.0]):
        callback.on_train_batch_end(batch, {"loss": loss})
    assert len(callback.model.saved) == 2


def test_needs_no_steps_unless_it_counts_batches():
    class Mine(ModelCheckpoint):
        def on_batch_end(self, batch, logs=None):
            self.seen = batch

    assert not CallbackList([ModelCheckpoint("a.safetensors")]).needs_steps
    mine = Mine("a.safetensors")
    assert mine.needs_steps
    mine.on_train_batch_end(4)
    assert mine.seen == 4


@pytest.mark.parametrize("cut", range(1, 5))
def test_goes_on_after_an_interruption(tmp_path, cut):
    values = [3, 4, 2, 2.5, 1]
    whole = saved(tmp_path, values, save_best_only=True)
    first, second = (ModelCheckpoint(tmp_path / "{epoch}.safetensors", save_best_only=True) for _ in range(2))
    model = FakeModel()
    train(first, losses(values[:cut]), model=model)
    second.set_state(json.loads(json.dumps(first.get_state())))
    train(second, losses(values[cut:]), model=model, first=cut)
    assert [name.removesuffix(".safetensors") for _, name in model.saved] == whole


def test_says_what_it_does(tmp_path, capsys):
    saved(tmp_path, [3, 4, 2], save_best_only=True, verbose=1)
    assert capsys.readouterr().out.replace(str(tmp_path), "") == (
        "Epoch 1: val_loss improved to 3.00000; saved to /1.safetensors\n"
        "Epoch 2: val_loss did not improve from 3.00000\n"
        "Epoch 3: val_loss improved from 3.00000 to 2.00000; saved to /3.safetensors\n"
    )
    saved(tmp_path, [3], verbose=1)
    assert capsys.readouterr().out.replace(str(tmp_path), "") == "Epoch 1: saved to /1.safetensors\n"


@pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5", ".pt"])
def test_other_formats(ending):
    expected = (
        "ModelCheckpoint: `filepath` must end in '.safetensors', the format that Brickwork writes; "
        f"got filepath='best{ending}'. Write 'best.safetensors'."
    )
    with pytest.raises(ParameterError, match=expected):
        ModelCheckpoint(f"best{ending}")
    with pytest.raises(ParameterError, match="Write 'best.safetensors'."):
        ModelCheckpoint("best")


def test_a_name_that_the_logs_do_not_have(tmp_path):
    expected = r"may name 'epoch', 'loss', 'val_loss' in braces; got 'val_los' in .*Did you mean 'val_loss'\?"
    with pytest.raises(ParameterError, match=expected):
        saved(tmp_path, [1.0], "{val_los}.safetensors")
    expected = "`monitor` must be one of the names in the logs, 'loss', 'val_loss'; got monitor='val_acc'"
    with pytest.raises(ParameterError, match=expected):
        saved(tmp_path, [1.0], monitor="val_acc", save_best_only=True)
    assert saved(tmp_path, [1.0], monitor="val_acc") == ["1"]


@pytest.mark.parametrize("name", ["{epoch", "{epoch:q}", "{}"])
def test_a_name_that_is_no_format(tmp_path, name):
    expected = r"the braces in `filepath` must follow Python's format, as in '\{epoch:02d\}-\{loss:.2f\}.safe"
    with pytest.raises(ParameterError, match=expected):
        saved(tmp_path, [1.0], name + ".safetensors")


def test_a_folder_in_the_place_of_the_file(tmp_path):
    (tmp_path / "1.safetensors").mkdir()
    with pytest.raises(DataError, match="`filepath` must name a file; .* is a folder. Choose another name."):
        saved(tmp_path, [1.0])


@pytest.mark.parametrize("value", ["batch", 0, 1.5, None])
def test_wrong_frequency(value):
    with pytest.raises(
        (ParameterError, ParameterTypeError), match="ModelCheckpoint: `save_freq` must be a whole number"
    ):
        ModelCheckpoint("a.safetensors", save_freq=value)


@pytest.mark.parametrize("value", ["", 3, b"a.safetensors"])
def test_wrong_path(value):
    with pytest.raises(
        (ParameterError, ParameterTypeError), match="`filepath` must be a path: a string that is not empty"
    ):
        ModelCheckpoint(value)
