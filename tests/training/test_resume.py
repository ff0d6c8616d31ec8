"""Trainings that are interrupted, killed and taken up again end where uninterrupted ones do, bit for bit."""

import json
import os
import shutil
import signal
import subprocess

import numpy as np
import pytest

from brickwork import Input, Sequential, files
from brickwork.callbacks import Callback, EarlyStopping, LearningRateScheduler, ReduceLROnPlateau
from brickwork.errors import FormatError, ParameterError
from brickwork.inspect.curves import read_history
from brickwork.layers import BatchNormalization, Dense, Dropout
from brickwork.models import load_model
from brickwork.optimizers import Adam
from brickwork.optimizers.schedules import ExponentialDecay
from brickwork.seeds import set_random_seed
from brickwork.training import run_folder
from brickwork.training.resuming import read_training
from brickwork.training.run_folder import RunFolder


def data():
    x = np.random.default_rng(0).normal(size=(130, 3)).astype("float32")
    return x, (x.sum(axis=1) > 0).astype("int64")


def network(rate=0.01, *, seed=1, engine="reference"):
    set_random_seed(seed)
    model = Sequential(
        [
            Input((3,)),
            Dense(6, activation="relu"),
            BatchNormalization(),
            Dropout(0.3),
            Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"], seed=seed, engine=engine
    )
    return model


class StopAt(Callback):
    """Ctrl-C after so many steps, by a signal, as the terminal sends it."""

    def __init__(self, step):
        self.step = step

    def on_gradients(self, step, gradients):
        if step == self.step:
            os.kill(os.getpid(), signal.SIGINT)


def callbacks(folder, rate):
    some = [EarlyStopping("val_loss", patience=3, restore_best_weights=True)]
    if not callable(rate):
        some.append(ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.05))
    return [*some, RunFolder(str(folder))]


def train(folder, *more, stop=None, rate=0.01, resume=False, epochs=5, seed=1, engine="reference", **options):
    model = network(rate, seed=seed, engine=engine)
    path = folder / "last.safetensors" if resume else None
    model.fit(
        *data(),
        batch_size=16,
        epochs=epochs,
        validation_split=0.2,
        verbose=0,
        callbacks=[*callbacks(folder, rate), *more, *([] if stop is None else [StopAt(stop)])],
        resume_from=path,
        **options,
    )
    return model


def numbers(folder):
    """history.csv without its column of seconds."""
    return {
        name: values for name, values in read_history(folder / "history.csv").items() if name != "seconds"
    }


def require_same(one, other, first, second):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert numbers(first) == numbers(second)
    best, other_best = (load_model(place / "best.safetensors").get_weights() for place in (first, second))
    last, other_last = (load_model(place / "last.safetensors").get_weights() for place in (first, second))
    for a, b in zip([*best, *last], [*other_best, *other_last], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(autouse=True)
def no_picture(monkeypatch):
    monkeypatch.setattr(run_folder, "draw_curves", lambda *args, **kwargs: None)


@pytest.mark.parametrize("step", [0, 3, 7, 17])
@pytest.mark.parametrize("rate", [0.01, ExponentialDecay(0.02, 5, 0.8)], ids=["plateau", "schedule"])
def test_stopped_by_ctrl_c_and_resumed(tmp_path, step, rate):
    whole = train(tmp_path / "whole", rate=rate, stop=-1)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", stop=step, rate=rate)
    assert load_model(tmp_path / "cut" / "last.safetensors")._plan.step_number == step
    again = train(tmp_path / "cut", rate=rate, resume=True, seed=77, stop=-1)
    require_same(whole, again, tmp_path / "whole", tmp_path / "cut")


def test_resumed_twice_and_after_an_epochs_end(tmp_path):
    whole = train(tmp_path / "whole", steps_per_epoch=5)
    for step in (2, 9, 10):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "cut", stop=step, resume=step > 2, steps_per_epoch=5)
    again = train(tmp_path / "cut", resume=True, steps_per_epoch=5, stop=-1)
    require_same(whole, again, tmp_path / "whole", tmp_path / "cut")


def test_more_epochs(tmp_path):
    whole = train(tmp_path / "whole", epochs=5)
    train(tmp_path / "cut", epochs=2)
    require_same(
        whole,
        train(tmp_path / "cut", epochs=5, resume=True),
        tmp_path / "whole",
        tmp_path / "cut",
    )


@pytest.mark.full
def test_the_jax_engine(tmp_path):
    pytest.importorskip("jax")
    whole = train(tmp_path / "whole", epochs=2, engine="jax")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", StopAtEpoch(1), epochs=2, engine="jax")
    again = train(tmp_path / "cut", StopAtEpoch(9), epochs=2, resume=True, engine="jax")
    require_same(whole, again, tmp_path / "whole", tmp_path / "cut")


class StopAtEpoch(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def test_a_finished_training_stays_as_it_is(tmp_path):
    first = train(tmp_path, epochs=2)
    again = train(tmp_path, epochs=2, resume=True)
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert numbers(tmp_path)["epoch"] == [1, 2]


def test_a_rate_that_each_epoch_changes_is_changed_once(tmp_path):
    def halved():
        return LearningRateScheduler(lambda epoch, rate: rate / 2)

    whole = train(tmp_path / "whole", halved())
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", halved(), stop=8)
    again = train(tmp_path / "cut", halved(), resume=True, stop=-1)
    require_same(whole, again, tmp_path / "whole", tmp_path / "cut")


def test_batches_of_an_iterable(tmp_path):
    x, y = data()
    batches = [(x[i : i + 16], y[i : i + 16]) for i in range(0, 112, 16)]

    def run(folder, *more, steps, **options):
        model = network()
        model.fit(
            batches,
            epochs=3,
            steps_per_epoch=steps,
            verbose=0,
            callbacks=[RunFolder(str(folder), monitor="loss"), *more],
            **options,
        )
        return model

    for steps in (None, 5):
        whole, cut = tmp_path / f"whole{steps}", tmp_path / f"cut{steps}"
        model = run(whole, steps=steps)
        with pytest.raises(KeyboardInterrupt):
            run(cut, StopAt(9), steps=steps)
        again = run(cut, StopAt(-1), steps=steps, resume_from=cut / "last.safetensors")
        require_same(model, again, whole, cut)


def test_a_failing_disk_leaves_the_moment_before(tmp_path, monkeypatch):
    whole = train(tmp_path / "whole")
    calls = []
    rename = os.replace

    def failing(source, target):
        calls.append(target)
        if len(calls) > 12:
            raise OSError(28, "No space left on device")
        rename(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "replace", failing)
        with pytest.raises(files.FileError, match="The disk is full"):
            train(tmp_path / "cut")
    assert not [name for name in os.listdir(tmp_path / "cut") if name.startswith(".")]
    load_all(tmp_path / "cut")
    require_same(whole, train(tmp_path / "cut", resume=True), tmp_path / "whole", tmp_path / "cut")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a disk can be made only where mount may be called")
    yield place
    subprocess.run(["umount", str(place)], check=True)


class Fill(Callback):
    """Fills the disk to its last byte when the second epoch ends."""

    def __init__(self, path):
        self.path = path

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            with open(self.path, "wb", buffering=0) as file:
                with pytest.raises(OSError, match="No space left"):
                    while True:
                        file.write(bytes(512))


def test_a_full_disk_leaves_the_moment_before(tmp_path, small_disk):
    whole = train(tmp_path / "whole")
    cut = small_disk / "cut"
    with pytest.raises(files.FileError, match="The disk is full. Free some space"):
        train(cut, Fill(small_disk / "other"))
    assert not [name for name in os.listdir(cut) if name.startswith(".")]
    load_all(cut)
    position = read_training(cut / "last.safetensors").position
    assert (position.epoch, position.step) == (1, 0)
    assert numbers(cut)["epoch"] == [1]
    (small_disk / "other").unlink()
    require_same(whole, train(cut, Callback(), resume=True), tmp_path / "whole", cut)


def load_all(folder):
    """Every file of a run is whole, but for hidden ones that were being written."""
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.suffix == ".safetensors":
            load_model(path)
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".csv":
            read_history(path)
        else:
            assert path.read_bytes()


def test_other_batches_are_refused(tmp_path):
    train(tmp_path, epochs=1)
    last = tmp_path / "last.safetensors"
    with pytest.raises(ParameterError, match=r"batch_size=16, here it is 8\. Pass the same data"):
        network().fit(*data(), batch_size=8, validation_split=0.2, resume_from=last, verbose=0)
    with pytest.raises(ParameterError, match="Resume with the callbacks of the first run"):
        network().fit(*data(), batch_size=16, validation_split=0.2, resume_from=last, verbose=0)


def test_files_that_tell_of_no_training_are_refused(tmp_path):
    network().save(tmp_path / "model.safetensors")
    with pytest.raises(FormatError, match="holds a network alone. Load it with load_model"):
        network().fit(*data(), resume_from=tmp_path / "model.safetensors", verbose=0)


def test_states_that_no_file_can_hold_are_refused(tmp_path):
    class Odd(Callback):
        def get_state(self):
            return {"thing": object()}

    with pytest.raises(ParameterError, match="get_state of the callback .* must give what JSON can hold"):
        train(tmp_path, Odd(), epochs=1)
