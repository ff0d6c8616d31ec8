"""`brickwork train --tensorboard`: what is written, that a resumed run goes on with it, what is refused."""

import importlib.util
import json

import cli_home
import pytest
from tensorboardX.proto.event_pb2 import Event

from brickwork import utils
from brickwork.cli import training
from brickwork.training.callback import Callback


@pytest.fixture(autouse=True)
def in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def call(*arguments):
    """As a process of its own, in which automatic names begin anew."""
    utils.clear_session()
    return cli_home.call(*arguments)


def train(*more):
    return call("train", "iris", "--out", "run", "--epochs", 3, "--tensorboard", "logs/iris", *more)


def points(folder):
    """Tag -> (step, number), in the order of writing."""
    found = {}
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        while data:
            length = int.from_bytes(data[:8], "little")
            event = Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            for value in event.summary.value:
                if value.WhichOneof("value") != "tensor":
                    number = value.simple_value or value.histo.sum
                    found.setdefault(value.tag, []).append((event.step, number))
    return found


def test_the_curves_of_a_run(tmp_path):
    found = train()
    assert found.exit_code == 0, found.output
    assert "TensorBoard    tensorboard --logdir logs/iris" in found.stdout
    trained = points(tmp_path / "logs" / "iris" / "train")
    names = {"epoch_loss", "epoch_accuracy", "epoch_learning_rate"}
    assert names < set(trained) and any(tag.endswith("kernel/histogram") for tag in trained)
    assert all([step for step, _ in curve] == [0, 1, 2] for curve in trained.values())
    assert {"epoch_loss", "epoch_accuracy"} < set(points(tmp_path / "logs" / "iris" / "validation"))


class StopInEpoch(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_a_run_that_goes_on_goes_on_with_its_curves(tmp_path, monkeypatch):
    assert train().exit_code == 0
    (tmp_path / "logs").rename(tmp_path / "whole")
    (tmp_path / "run").rename(tmp_path / "before")
    with monkeypatch.context() as patch:
        patch.setattr(training, "Guessing", lambda chance: StopInEpoch())
        assert train().exit_code == 130
    assert [step for step, _ in points(tmp_path / "logs" / "iris" / "train")["epoch_loss"]] == [0]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = call("train", "--resume", "--out", "../run")
    assert found.exit_code == 0, found.output
    for place in ("train", "validation"):
        assert points(tmp_path / "logs" / "iris" / place) == points(tmp_path / "whole" / "iris" / place)


def test_a_repeated_run_writes_where_it_is_told(tmp_path):
    assert train().exit_code == 0
    first = points(tmp_path / "logs" / "iris" / "train")
    found = call("train", "--from", "run", "--out", "plain")
    assert found.exit_code == 0, found.output
    assert json.loads((tmp_path / "plain" / "config.json").read_text())["tensorboard"] is None
    found = call("train", "--from", "run", "--out", "again", "--tensorboard", "logs/again")
    assert found.exit_code == 0, found.output
    assert points(tmp_path / "logs" / "again" / "train") == first
    assert points(tmp_path / "logs" / "iris" / "train") == first


def test_the_curves_of_another_run_are_not_drawn_across(tmp_path):
    assert train().exit_code == 0
    for arguments in (["iris"], ["--from", "run"]):
        found = call("train", *arguments, "--out", "other", "--tensorboard", "logs/iris")
        assert found.exit_code == 2
        assert "holds the curves of another run" in " ".join(found.stderr.split())
        assert not (tmp_path / "other").exists()
    assert call("train", "--resume", "--out", "run", "--epochs", 4).exit_code == 0


def test_wrong_places(tmp_path, monkeypatch):
    (tmp_path / "logs").write_text("a file")
    found = call("train", "iris", "--out", "run", "--tensorboard", "logs")
    assert found.exit_code == 2 and "logs is a file. Choose another name." in found.stderr
    found = train()  # below a file
    assert found.exit_code == 2 and "A part of the path is a file" in found.stderr
    assert call("train", "iris", "--tensorboard", "").exit_code == 2
    assert not (tmp_path / "run").exists()


def test_without_the_library(tmp_path, monkeypatch):
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tensorboardX" else known(name)
    )
    found = train()
    assert found.exit_code == 2
    assert 'pip install "brickwork[tensorboard]"' in " ".join(found.stderr.split())
    assert not (tmp_path / "run").exists()
