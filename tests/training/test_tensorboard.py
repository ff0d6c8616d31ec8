"""Event files: what they hold, that they are whole, and that a resumed training continues its curves."""

import importlib.util
import os
import shutil
import signal
import struct

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.graph_pb2 import GraphDef
from tensorboardX.record_writer import masked_crc32c

from brickwork import Input, Sequential
from brickwork.callbacks import Callback, CallbackList, ReduceLROnPlateau, TensorBoard
from brickwork.errors import ParameterError
from brickwork.files import FileError
from brickwork.layers import Dense, Dropout
from brickwork.optimizers import SGD
from brickwork.seeds import set_random_seed
from brickwork.training import run_folder
from brickwork.training.run_folder import RunFolder


@pytest.fixture(autouse=True)
def no_picture(monkeypatch):
    monkeypatch.setattr(run_folder, "draw_curves", lambda *args, **kwargs: None)


def events(folder):
    """All events of a folder in the order of writing; each record has its length and two checksums."""
    found = []
    for path in sorted(folder.iterdir()):
        data, place = path.read_bytes(), 0
        while place < len(data):
            head = data[place : place + 8]
            (length,) = struct.unpack("<Q", head)
            body = data[place + 12 : place + 12 + length]
            (end,) = struct.unpack("<I", data[place + 12 + length : place + 16 + length])
            assert struct.unpack("<I", data[place + 8 : place + 12]) == (masked_crc32c(head),)
            assert (len(body), end) == (length, masked_crc32c(body))
            found.append(Event.FromString(body))
            place += 16 + length
    return found


def points(folder):
    """Tag -> (step, value) of each point, in the order of writing; a histogram's value is its extremes."""
    found = {}
    for event in events(folder):
        for value in event.summary.value:
            kind = value.WhichOneof("value")
            if kind == "simple_value":
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
            elif kind == "histo":
                told = (event.step, value.histo.min, value.histo.max, value.histo.num)
                found.setdefault(value.tag, []).append(told)
    return found


class StopAt(Callback):
    """Ctrl-C after so many steps, by a signal, as the terminal sends it."""

    def __init__(self, step):
        self.step = step

    def on_gradients(self, step, gradients):
        if step == self.step:
            os.kill(os.getpid(), signal.SIGINT)


class CopyAt(Callback):
    """Keeps a copy of what a killed process would have left after an epoch."""

    def __init__(self, epoch, folder, to):
        self.epoch, self.folder, self.to = epoch, folder, to

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            shutil.copy(self.folder / "last.safetensors", self.to)


def network(rate=0.1):
    set_random_seed(1)
    layers = [
        Input((3,), name="x"),
        Dense(6, activation="relu", name="hidden"),
        Dropout(0.3, name="dropped"),
        Dense(2, activation="softmax", name="output"),
    ]
    model = Sequential(layers, name="network")
    model.compile(SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"], seed=1)
    return model


def data():
    x = np.random.default_rng(0).normal(size=(100, 3)).astype("float32")
    return x, (x.sum(axis=1) > 0).astype("int64")


def train(folder, *more, resume=None, epochs=3, **options):
    """Five steps in each epoch."""
    board = TensorBoard(folder / "logs", **options)
    model = network()
    model.fit(
        *data(),
        batch_size=16,
        epochs=epochs,
        validation_split=0.2,
        verbose=0,
        callbacks=[ReduceLROnPlateau("loss", min_delta=1.0, patience=1), board, RunFolder(folder), *more],
        resume_from=resume,
    )
    return model


def test_points_of_the_curves(tmp_path):
    model = train(tmp_path)
    history = model.history.history
    trained, validated = points(tmp_path / "logs" / "train"), points(tmp_path / "logs" / "validation")

    def curve(values):
        return list(enumerate(np.float32(values).tolist()))

    assert set(trained) == {"epoch_loss", "epoch_accuracy", "epoch_learning_rate"}
    assert trained["epoch_loss"] == curve(history["loss"])
    assert trained["epoch_accuracy"] == curve(history["accuracy"])
    assert trained["epoch_learning_rate"] == curve([0.1, 0.1, 0.01])
    assert validated["epoch_loss"] == curve(history["val_loss"])
    assert validated["evaluation_accuracy_vs_iterations"] == [
        (5 * (step + 1), value) for step, value in curve(history["val_accuracy"])
    ]
    assert set(validated) == {
        f"{kind.format(name)}"
        for kind in ("epoch_{}", "evaluation_{}_vs_iterations")
        for name in ("loss", "accuracy")
    }


def test_the_network_is_told_once(tmp_path):
    model = train(tmp_path)
    texts, graphs = [], []
    for event in events(tmp_path / "logs" / "train"):
        texts += [value for value in event.summary.value if value.tag == "model/text_summary"]
        graphs += [event.graph_def] if event.graph_def else []
    (text,), (told,) = texts, graphs
    assert model.summary_text(100) in text.tensor.string_val[0].decode()
    graph = GraphDef.FromString(told)
    assert [(node.name, node.op) for node in graph.node][:2] == [
        ("x", "Input"),
        ("hidden/linear", "Linear"),
    ]
    assert {name for node in graph.node for name in node.input} < {node.name for node in graph.node}
    (shape,) = graph.node[1].attr["_output_shapes"].list.shape
    assert [axis.size for axis in shape.dim] == [-1, 6]
    train(tmp_path / "without", write_graph=False)
    assert not any(event.graph_def for event in events(tmp_path / "without" / "logs" / "train"))


def test_histograms_of_all_weights_every_so_many_epochs(tmp_path):
    model = train(tmp_path, histogram_freq=2)
    found = points(tmp_path / "logs" / "train")
    for weight in model.weights:
        first, last = found[f"{weight.path}/histogram"]
        assert (first[0], last[0]) == (0, 2)
        assert last[1:] == (weight.value.min(), weight.value.max(), weight.value.size)


@pytest.mark.parametrize(
    ("freq", "steps"), [("batch", range(1, 16)), (1, range(1, 16)), (4, (4, 8, 12)), (100, ())]
)
def test_points_within_epochs(tmp_path, freq, steps):
    train(tmp_path, update_freq=freq)
    found = points(tmp_path / "logs" / "train")
    assert [step for step, _ in found.get("batch_loss", [])] == list(steps)
    assert ("batch_accuracy" in found) == bool(steps)
    if freq == 1:  # the mean so far is, after the epoch's last batch, that of the epoch
        assert [found["batch_loss"][place][1] for place in (4, 9, 14)] == [
            one for _, one in found["epoch_loss"]
        ]


def test_goes_step_by_step_only_where_it_must():
    assert not CallbackList([TensorBoard()]).needs_steps
    assert CallbackList([TensorBoard(update_freq=10)]).needs_steps

    class Own(TensorBoard):
        def on_train_batch_begin(self, batch, logs=None):
            pass

    assert CallbackList([Own()]).needs_steps


def test_speed(tmp_path):
    train(tmp_path, write_steps_per_second=True)
    speeds = points(tmp_path / "logs" / "train")["epoch_steps_per_second"]
    assert [step for step, _ in speeds] == [0, 1, 2]
    assert all(value > 5 for _, value in speeds)


@pytest.mark.parametrize("step", [0, 3, 5, 8, 14])
@pytest.mark.parametrize("freq", ["epoch", 1])
def test_stopped_by_ctrl_c_and_resumed(tmp_path, step, freq):
    options = {"update_freq": freq, "histogram_freq": 1}
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(whole, StopAt(-1), **options)
    with pytest.raises(KeyboardInterrupt):
        train(cut, StopAt(step), **options)
    train(cut, StopAt(-1), resume=cut / "last.safetensors", **options)
    require_same_curves(whole, cut)


def require_same_curves(whole, cut):
    for place in ("train", "validation"):
        assert points(cut / "logs" / place) == points(whole / "logs" / place)


def test_what_a_killed_process_wrote_after_its_last_moment_is_cut_off(tmp_path):
    options = {"update_freq": 2}
    whole, cut, old = tmp_path / "whole", tmp_path / "cut", tmp_path / "old.safetensors"
    train(whole, epochs=4, **options)
    train(cut, CopyAt(1, cut, old), epochs=3, **options)  # two epochs more than `old` knows of
    before = {path.name for path in (cut / "logs").glob("*/*")}
    train(cut, CopyAt(-1, cut, old), epochs=2, resume=old, **options)
    assert {path.name for path in (cut / "logs").glob("*/*")} > before
    # once more: files begun by the second process vanish
    train(cut, CopyAt(-1, cut, old), epochs=4, resume=old, **options)
    require_same_curves(whole, cut)


def test_half_a_record_is_cut_off(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(whole)
    train(cut, epochs=2)
    for path in (cut / "logs").glob("*/*"):
        with open(path, "ab") as file:
            file.write(b"\x1c\x00\x00")
    train(cut, resume=cut / "last.safetensors")
    require_same_curves(whole, cut)


def test_curves_that_were_deleted_stay_away(tmp_path):
    train(tmp_path, epochs=2)
    shutil.rmtree(tmp_path / "logs")
    train(tmp_path, resume=tmp_path / "last.safetensors")
    assert [step for step, _ in points(tmp_path / "logs" / "train")["epoch_loss"]] == [2]


def test_files_of_other_trainings_are_left_alone(tmp_path):
    first = TensorBoard(tmp_path / "logs")
    network().fit(*data(), verbose=0, callbacks=[first])
    (other,) = (tmp_path / "logs" / "train").iterdir()
    train(tmp_path, epochs=1)
    train(tmp_path, epochs=2, resume=tmp_path / "last.safetensors")
    assert other.exists()
    assert len(list((tmp_path / "logs" / "train").iterdir())) == 3


def test_a_second_fit_counts_updates_on(tmp_path):
    model, board = network(), TensorBoard(tmp_path, update_freq=1)
    for first in (0, 1):
        model.fit(*data(), batch_size=50, epochs=first + 1, initial_epoch=first, verbose=0, callbacks=[board])
    found = points(tmp_path / "train")
    assert [step for step, _ in found["epoch_loss"]] == [0, 1]
    assert [step for step, _ in found["batch_loss"]] == [1, 2, 3, 4]


def test_evaluate(tmp_path):
    model = train(tmp_path)
    found = model.evaluate(*data(), verbose=0, callbacks=[TensorBoard(tmp_path / "own")], return_dict=True)
    assert points(tmp_path / "own" / "validation") == {
        f"evaluation_{name}_vs_iterations": [(15, np.float32(value))] for name, value in found.items()
    }


def test_as_tensorboard_reads_them(tmp_path):
    """Beside the checks of records above, which need no TensorBoard."""
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, StopAt(8), update_freq=1, histogram_freq=1)
    train(tmp_path, StopAt(-1), update_freq=1, histogram_freq=1, resume=tmp_path / "last.safetensors")
    read = reading.EventAccumulator(str(tmp_path / "logs" / "train"), {"histograms": 0, "scalars": 0})
    read.Reload()
    assert [one.step for one in read.Scalars("epoch_loss")] == [0, 1, 2]
    assert [one.step for one in read.Scalars("batch_loss")] == list(range(1, 16))
    assert [one.step for one in read.Histograms("hidden/kernel/histogram")] == [0, 1, 2]
    assert len(read.Graph().node) == 8  # of x, Linear, Bias, ReLU, Dropout, Linear, Bias, Softmax
    assert "model/text_summary" in read.Tags()["tensors"]


def test_without_the_library(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tensorboardX" else found(name)
    )
    with pytest.raises(ParameterError, match=r'Run: pip install "brickwork\[tensorboard\]"'):
        TensorBoard()


def test_where_nothing_can_be_written(tmp_path):
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(FileError, match="A part of the path is a file"):
        network().fit(*data(), verbose=0, callbacks=[TensorBoard(tmp_path / "logs")])
