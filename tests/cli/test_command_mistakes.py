"""What users do wrong with their data and runs: exit code 2, one message, nothing half-written."""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct

import numpy as np
import pytest
from cli_home import call, write_images, write_table


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder, in which the command is run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRICKWORK_CACHE", str(tmp_path / "cache"))
    return tmp_path


def refused(words, *arguments):
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output and result.stdout.count("Epoch") == 0
    assert not os.path.exists("runs") and not os.path.exists("out")


TABLES = [
    ("", "is empty", []),
    ("a,y\n", "", ["--target", "y"]),
    ("a,b\n1,2\n", "expected the name of the column that is to be learned", []),
    ("a,price\n1,2\n", "Did you mean 'price'?", ["--target", "prise"]),
    ("a,y\n1,no\n2,\n3,yes\n", "line 3: expected the target 'y'; the cell is missing", ["--target", "y"]),
    ("a,y\n1,no\n2,yes,7\n", "line 3: expected 2 cells", ["--target", "y"]),
    ("a,y\n1,no\n2,no\n", "at least 2 classes", ["--target", "y"]),
    ("a,y\n1,0.5\n2,0.7\n3,1e99\n", "", ["--target", "y"]),
    ("a,y\n1,no\n2,yes\n", "", ["--target", "y", "--task", "regression"]),
    ("a,y\n1,no\n2,yes\n", "'regression'", ["--target", "y", "--task", "regresion"]),
    ("a,y\n1,no\n2,yes\n", "--test-split", ["--target", "y", "--test-split", "1.5"]),
    ("a,y\n1,no\n2,yes\n3,no\n4,yes\n", "", ["--target", "y", "--test-split", "0.999"]),
    (
        "a,y\n1,no\n2,yes\n",
        "got image_size='8x8'. Leave `image_size` out",
        ["--target", "y", "--image-size", "8x8"],
    ),
]


@pytest.mark.parametrize("text, words, options", TABLES)
def test_tables(text, words, options, place):
    (place / "t.csv").write_text(text)
    refused(words, "train", "t.csv", *options)


def test_a_column_of_one_value_is_told(place):
    write_table(place / "t.csv")
    rows = (place / "t.csv").read_text().splitlines()
    (place / "t.csv").write_text("\n".join(f"{row},{'same' if k else 'extra'}" for k, row in enumerate(rows)))
    result = call("train", "t.csv", "--target", "dear", "--epochs", 1, "--out", "run")
    assert result.exit_code == 0, result.output
    assert "'extra'" in result.stdout


def test_a_target_that_never_changes_is_told(place):
    (place / "t.csv").write_text("a,y\n" + "".join(f"{k},3.5\n" for k in range(40)))
    result = call("train", "t.csv", "--target", "y", "--epochs", 1, "--out", "run")
    assert result.exit_code == 0, result.output
    assert "t.csv: the target never changes, so that there is nothing to learn" in result.stdout
    np.savez("t.npz", x=np.arange(40.0).reshape(20, 2), y=np.tile([0.5, 3.0], (20, 1)))
    assert "the target never changes" in call("train", "t.npz", "--epochs", 1, "--out", "other").stdout


def test_images(place):
    (place / "none").mkdir()
    refused("", "train", "none")
    write_images(place / "pictures", each=4)
    (place / "pictures" / "dusk").mkdir()
    refused("the class 'dusk'", "train", "pictures")
    shutil.copy("pictures/day/00.png", "pictures/dusk/b.png")
    (place / "pictures" / "dusk" / "a.png").write_bytes((place / "pictures/day/00.png").read_bytes()[:60])
    refused("a.png (truncated", "train", "pictures")
    (place / "pictures" / "dusk" / "a.png").write_text("no image")
    refused("its content is no image", "train", "pictures")
    shutil.rmtree(place / "pictures" / "dusk")
    from PIL import Image

    Image.new("RGB", (30, 20)).save(place / "pictures" / "day" / "big.png")
    refused("such as --image-size", "train", "pictures")
    refused("Write it as 32x48", "train", "pictures", "--image-size", "big")
    assert call("train", "pictures", "--image-size", "8x8", "--epochs", 1, "--out", "run").exit_code == 0


def test_arrays(place):
    x, y = np.zeros((20, 3), np.float32), np.arange(20) % 2
    x[:, 0] = np.arange(20)
    np.savez("lengths.npz", x=x, y=y[:9])
    refused("expected as many targets as rows", "train", "lengths.npz")
    np.savez("labels.npz", x=x, y=y * 7)
    refused("must hold every class index in 0 … K − 1", "train", "labels.npz", "--task", "classification")
    x[3, 1] = np.nan
    np.savez("nan.npz", x=x, y=y)
    refused("it holds nan in row 3, column 1", "train", "nan.npz")
    np.save("x.npy", x)
    refused("Give target (--target y.npy)", "train", "x.npy")
    (place / "broken.npz").write_bytes(b"PK\x03\x04nonsense")
    refused("expected a whole .npz file", "train", "broken.npz")
    (place / "pickled.npy").write_bytes(b"\x80\x04N.")
    refused("", "train", "pickled.npy", "--target", "pickled.npy")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["train", "nowhere.csv", "--target", "y"], "there is no 'nowhere.csv'"),
        (["train", "note.docx"], "received a file ending in '.docx'"),
        (["train", "moons", "--target", "y"], "Leave `target` out"),
        (["train", "iris", "--task", "regression"], "is data for classification"),
        (["train", "iris", "--keep", "-1"], "`--keep` must be a whole number of at least 0"),
        (["train", "iris", "--smooth", "1"], "`--smooth` must be in [0, 1)"),
        (["evaluate", "HOME/tabel"], "table'?"),
        (["evaluate", "HOME"], "holds no config.json"),
        (["evaluate", "HOME/table", "--epoch", "0"], "`--epoch` must be a whole number of at least 1"),
        (["evaluate", "HOME/table", "nothing.csv"], "Cannot read 'nothing.csv'"),
        (["evaluate", "HOME/table", "HOME/pictures"], "00.png is an image; the network was trained on rows"),
        (["evaluate", "HOME/seen", "HOME/flats.csv"], "flats.csv is a table; the network of"),
        (["evaluate", "HOME/rows", "iris"], "class"),
        (["predict", "HOME/seen"], "Missing argument 'FILE"),
        (["predict", "HOME/seen", "gone.png"], "Cannot read 'gone.png'. There is no such file"),
        (["predict", "HOME/seen", "note.docx"], "takes images"),
        (["predict", "HOME/seen", "."], "A folder to predict holds images; '.' holds none. Name the files."),
        (["predict", "HOME/seen", "HOME/pictures"], "holds none. It holds folders: name "),
        (["predict", "HOME/table", "HOME/rows.npz"], "takes rows of shape"),
        (["predict", "HOME/table", "HOME/flats.csv", "--out", "out"], "--out names a table, FILE.csv"),
        (
            ["predict", "HOME/table", "HOME/flats.csv", "--out", "note.docx/a.csv"],
            "A part of the path is a file",
        ),
        (["summary", "lenet"], "Did you mean 'lenet5'?"),
        (["summary", "gone/run"], "there is no 'gone/run'"),
        (["summary", "HOME/table", "--data", "iris"], "--data is for networks that are not trained"),
        (["summary", "mlp", "--epoch", "3"], "--epoch is for run folders"),
        (["summary", "HOME/seen/last.safetensors", "--epoch", "3"], "--epoch is for run folders"),
        (["data", "fetch", "mnits"], "Did you mean 'mnist'?"),
        (["data", "lst"], "No such command 'lst'"),
        (["show", "HOME/table", "curve"], "Did you mean 'curves'?"),
        (["show", "HOME/prices", "confusion"], "A confusion matrix is for classes"),
        (["show", "HOME/table", "curves", "--out", "curves.doc"], "--out names a picture"),
        (["show", "HOME/table", "curves", "--epoch", "2"], "takes neither DATA nor --epoch"),
        (["show", "HOME/table", "curves", "--out", "note.docx/a.png"], "A part of the path is a file"),
    ],
)
def test_commands(arguments, words, home, place):
    (place / "note.docx").touch()
    refused(words, *(word.replace("HOME", str(home)) for word in arguments))


def test_run_folders_that_are_damaged_or_newer(home, place):
    shutil.copytree(home / "table", place / "run")
    told = json.loads((place / "run" / "config.json").read_text())
    for change, words in (
        ({"version": 99}, "reads run folders up to version 1; run is of version 99"),
        ({"version": "x"}, "it is damaged"),
        ({"data": 3}, "it is damaged"),
    ):
        (place / "run" / "config.json").write_text(json.dumps({**told, **change}))
        refused(words, "evaluate", "run")
    (place / "run" / "config.json").write_text("{")
    refused("must hold JSON", "evaluate", "run")
    (place / "run" / "config.json").write_text(json.dumps(told))
    (place / "run" / "history.csv").write_text("nothing\n1\n")
    refused("the header of a history", "show", "run", "curves")
    os.remove("run/best.safetensors")
    assert call("evaluate", "run").exit_code == 0  # the last network is there
    os.remove("run/last.safetensors")
    refused("it holds neither", "evaluate", "run")


def tensors(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


HOSTILE = {
    "empty": b"",
    "huge header": struct.pack("<Q", 2**63) + b"{}",
    "no JSON": tensors(b"{{{{"),
    "foreign": tensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    "overlapping": tensors(
        {
            "__metadata__": {
                "brickwork": json.dumps({"format": "brickwork-model", "version": 1, "weights": []})
            },
            "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]},
        },
        bytes(12),
    ),
    "NaN shape": tensors(b'{"a": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 4]}}', bytes(4)),
    "pickle": b"\x80\x04N.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_model_files(name, place):
    (place / "model.safetensors").write_bytes(HOSTILE[name])
    refused("model.safetensors must ", "summary", "model.safetensors")


def test_a_model_file_cut_off(home, place):
    shutil.copytree(home / "table", place / "run")
    data = (place / "run" / "best.safetensors").read_bytes()
    (place / "run" / "best.safetensors").write_bytes(data[: len(data) // 2])
    refused("best.safetensors must be", "predict", "run", home / "flats.csv")


@pytest.mark.parametrize(
    "change", [{"preprocessing": {"version": 99}}, {"preprocessing": 3}, {"class_names": 3}]
)
def test_a_model_file_whose_preprocessing_is_foreign(change, home, place):
    from brickwork.training import model_file

    header, arrays = model_file.read(home / "table" / "best.safetensors")
    model_file.write(place / "model.safetensors", {**header, **change}, arrays)
    refused("model.safetensors", "summary", "model.safetensors")


def test_a_full_disk_leaves_the_table_of_answers_as_it_was(home, place, monkeypatch):
    (place / "answers.csv").write_text("before")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused("The disk is full", "predict", home / "table", home / "flats.csv", "--out", "answers.csv")
    assert os.listdir(place) == ["answers.csv"]
    assert (place / "answers.csv").read_text() == "before"
