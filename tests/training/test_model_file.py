"""Files that are no model files: each is told what it is; and files that are whole or not there at all."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save as save_tensors
from small_models import classifier, digits, same

import brickwork as bw
from brickwork.errors import FormatError, ParameterTypeError, ShapeError
from brickwork.files import FileError
from brickwork.models import load_model
from brickwork.training import model_file

HEADER = {"format": "brickwork-model", "version": 1, "weights": []}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def trained():
    model = classifier()
    model.fit(*digits(np.random.default_rng(0)), verbose=0)
    return model


def refused(path, message, kind=FormatError):
    """Both readers refuse the file, and leave the model as it is."""
    model, fresh = classifier(), classifier()
    with pytest.raises(kind, match=message):
        load_model(path)
    with pytest.raises(kind, match=message):
        model.load_weights(path)
    assert same(model, fresh)


def parts(path):
    """(header, rest) of a safetensors file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def rewritten(path, change):
    """The file again, with `change` made to what Brickwork wrote into its header."""
    header, rest = parts(path)
    told = json.loads(header["__metadata__"]["brickwork"])
    told = change(told) or told
    header["__metadata__"]["brickwork"] = told if isinstance(told, str) else json.dumps(told)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + rest)


# Foreign files.


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", "{}")
    return file.getvalue()


def npy():
    file = io.BytesIO()
    np.save(file, np.zeros(9))
    return file.getvalue()


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", r"must be a \.safetensors file written by Brickwork; it is empty\. Was it cut off"),
        (b"\x01", r"it is only 1 bytes long\. Was it cut off"),
        (b"1234567", r"it is only 7 bytes long"),
        (
            b"12345678",
            r"its header would be 4050765991979987505 bytes long, of 8 in all\. Was it cut off, or is "
            r"it another",
        ),
        (struct.pack("<Q", 2**64 - 1) + b"{}", r"its header would be 18446744073709551615 bytes long"),
        (struct.pack("<q", -5) + b"{}" * 9, r"its header would be 18446744073709551611 bytes long"),
        (zipped(), r"it is a zip file, such as \.keras or \.npz\. Save the model as \.safetensors"),
        (
            b"\x89HDF\r\n\x1a\n" + bytes(50),
            r"it is an HDF5 file, such as \.h5\. Save the model as \.safetensors",
        ),
        (npy(), r"it is a \.npy file"),
        (pickle.dumps({"a": np.zeros(3)}), r"it is a pickle"),
        (gzip.compress(b"weights" * 99), r"it is a gzip file"),
        (
            struct.pack("<Q", 4) + b"oops" + bytes(9),
            r"its header is no JSON \(.*\)\. Is it damaged, or another kind",
        ),
        (
            struct.pack("<Q", 2) + b"[]",
            r"its header is no JSON \(it holds a list where an object is expected\)",
        ),
        (struct.pack("<Q", 4) + b"null", r"it holds a NoneType where an object is expected"),
        (struct.pack("<Q", 5) + b'"\xff\xfe"' + b" ", r"its header is no JSON"),
        (struct.pack("<Q", 10) + b'{"a": NaN}', r"its header is no JSON \(it holds NaN\)"),
        (struct.pack("<Q", 100_000) + b"[" * 100_000, r"its header is no JSON \(it is nested too deeply\)"),
        (
            struct.pack("<Q", 2) + b"{}",
            r"is a \.safetensors file of another origin, whose header names no network\. Read its arrays",
        ),
        (struct.pack("<Q", 19) + b'{"__metadata__": 3}', r"of another origin"),
        (
            save_tensors({"a": np.zeros(3)}),
            r"of another origin, .*safetensors\.numpy\.load_file and give them to set_weights",
        ),
        (save_tensors({"a": np.zeros(3)}, {"format": "pt"}), r"of another origin"),
        (save_tensors({}, {"brickwork": "{"}), r"its description of the network is no JSON"),
        (
            save_tensors({}, {"brickwork": "3"}),
            r"its description of the network is no JSON \(it holds a int where",
        ),
        (save_tensors({}, {"brickwork": '{"version": Infinity}'}), r"it holds Infinity"),
    ],
    ids=range(24),
)
def test_foreign_files(path, data, message):
    path.write_bytes(data)
    refused(path, message)


def test_random_bytes(path):
    rng = np.random.default_rng(0)
    for length in (8, 9, 100, 5000):
        for _ in range(20):
            path.write_bytes(rng.integers(0, 256, length, np.uint8).tobytes())
            refused(path, r"must be a \.safetensors file written by Brickwork")


def test_a_file_cut_off_anywhere(path):
    trained().save(path)
    data = path.read_bytes()
    header = 8 + struct.unpack("<Q", data[:8])[0]
    for length in (
        0,
        1,
        7,
        8,
        9,
        100,
        header - 1,
        header,
        header + 1,
        (header + len(data)) // 2,
        len(data) - 1,
    ):
        path.write_bytes(data[:length])
        refused(
            path, r"Was it cut off|must be a whole \.safetensors file; reading it fails: .*take another copy"
        )
    path.write_bytes(data + b"\0")
    refused(path, r"must be a whole \.safetensors file")


def test_bytes_flipped_in_the_header_never_give_another_error(path):
    """A header damaged at 300 places: an error that names the file, or a model that reads as before."""
    model = trained()
    model.save(path)
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    rng = np.random.default_rng(1)
    for _ in range(300):
        place = int(rng.integers(8, 8 + length))
        changed = bytearray(data)
        changed[place] = int(rng.integers(32, 127))
        path.write_bytes(bytes(changed))
        try:
            load_model(path)
        except bw.errors.BrickworkError as error:
            assert str(path) in str(error) + "".join(getattr(error, "__notes__", []))


# Files of Brickwork that were changed.


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda told: {**told, "version": 2},
            r"reads model files up to version 1; .* is of version 2\. Update Brickwork: pip install",
        ),
        (lambda told: {**told, "version": 10**30}, r"is of version 1000000"),
        (
            lambda told: {**told, "version": 0},
            r"must hold the format 'brickwork-model', version 1 to 1; it holds 'brickwork-model', "
            r"version 0\. Is it dam",
        ),
        (lambda told: {**told, "version": "1"}, r"version '1'"),
        (lambda told: {**told, "version": True}, r"version True"),
        (lambda told: {**told, "version": 1.0}, r"version 1\.0"),
        (lambda told: {**told, "format": "brickwork-graph"}, r"it holds 'brickwork-graph', version 1"),
        (lambda told: {k: v for k, v in told.items() if k != "format"}, r"it holds None, version 1"),
        (
            lambda told: {k: v for k, v in told.items() if k != "weights"},
            r"must list its weights by their names; it holds None",
        ),
        (lambda told: {**told, "weights": 4}, r"must list its weights by their names; it holds 4"),
        (
            lambda told: {**told, "weights": [1, 2, 3, 4]},
            r"must list its weights by their names; it holds \[1, 2, 3, 4\]",
        ),
        (
            lambda told: {**told, "weights": [*told["weights"], "more"]},
            r"must hold the \d+ arrays that its header lists; it lacks 1, first 'weights/0004'",
        ),
        (
            lambda told: json.dumps(told).replace('"version": 1', '"version": NaN'),
            r"description of the network is no JSON \(it holds NaN\)",
        ),
    ],
)
def test_headers_that_were_changed(path, change, message):
    trained().save(path)
    rewritten(path, change)
    refused(path, message)


def test_a_description_of_a_huge_layer_is_refused_before_it_is_made(path):
    """A layer of 10**9 units would take minutes and 16 GB."""
    import tracemalloc

    trained().save(path)
    rewritten(path, lambda told: told["network"]["config"]["layers"][1]["config"].update(units=10**9) or told)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="no larger than its arrays"):
            load_model(path)
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda told: {**told, "optimizer": "all"}, r"must list its optimizer by their names"),
        (
            lambda told: {**told, "optimizer": [*told["optimizer"], "optimizer/more"]},
            r"it lacks 1, first 'optimizer/more'",
        ),
        (
            lambda told: {**told, "network": None},
            r"must tell a whole network; its description breaks at .*It is damaged; take",
        ),
        (
            lambda told: {**told, "network": {"class_name": "Model", "config": {}}},
            r"its description breaks at KeyError",
        ),
        (lambda told: {**told, "network": {"class_name": "Model"}}, r"its description breaks at"),
        (
            lambda told: {**told, "network": {"class_name": "Modell", "config": {}}},
            r"the file says 'Modell'\. Did you mean 'Model'",
        ),
        (
            lambda told: told["network"]["config"].update(calls=[{"layer": 9, "inputs": []}]),
            r"its description breaks at IndexError",
        ),
        (lambda told: told["network"]["config"].update(calls=3), r"its description breaks at TypeError"),
        (
            lambda told: told["network"]["config"]["layers"][1]["config"].update(units=-5),
            r"Dense: `units` must be a whole number of at least 1; got units=-5",
        ),
        (
            lambda told: told["network"]["config"]["layers"][1]["config"].update(units=10**15),
            r"its description asks for 4,000,000,000,000,000 in one Linear",
        ),
        (
            lambda told: told["network"]["config"]["layers"][1]["config"].update(units=10**9),
            r"with room for [\d,]+ numbers; its description asks for 4,000,000,000 in one Linear",
        ),
        (
            lambda told: told["network"]["config"]["layers"][1]["config"].update(units=6),
            r"'hidden/kernel' has shape \(4, 6\); it received \(4, 5\)",
        ),
        (lambda told: told["network"]["config"]["layers"][1]["config"].update(unit=6), r"unit"),
        (
            lambda told: told.update(floatx="float16"),
            r"scoped_floatx: `value` must be one of 'float32', 'float64'; got value='float16'",
        ),
        (lambda told: told["compile"].update(loss="mes"), r"A loss must be one of .*Did you mean 'mse'"),
        (lambda told: told["compile"].pop("metrics"), r"its description breaks at KeyError\('metrics'\)"),
        (lambda told: told["compile"].update(seed=-1), r"`seed` must be a whole number in"),
        (lambda told: told["compile"]["optimizer"].update(class_name="Eve"), r"An optimizer must be one of"),
        (
            lambda told: told["compile"]["optimizer"]["config"].update(learning_rate="fast"),
            r"`learning_rate` must be",
        ),
    ],
)
def test_descriptions_that_were_changed(path, change, message):
    trained().save(path)
    rewritten(
        path,
        lambda told: changed if isinstance(changed := change(told), dict) and "format" in changed else told,
    )
    with pytest.raises(bw.errors.BrickworkError, match=message) as caught:
        load_model(path)
    assert str(path) in str(caught.value) + "".join(getattr(caught.value, "__notes__", []))
    assert bw.config.floatx() == "float32"


@pytest.mark.parametrize("drop", ["weights/0001", "optimizer/velocity/0002", "optimizer/step"])
def test_an_array_that_is_missing(path, drop):
    model = trained()
    model.save(path)
    header, tensors = model_file.read(path)
    assert drop in tensors
    del tensors[drop]
    path.write_bytes(save_tensors(tensors, {"brickwork": json.dumps(header)}))
    refused(
        path,
        rf"must hold the \d+ arrays that its header lists; it lacks 1, first '{drop}'\. Take another copy",
    )


def test_arrays_of_other_shapes(path):
    model = trained()
    model.save(path)
    header, tensors = model_file.read(path)
    tensors["weights/0000"] = tensors["weights/0000"].T.copy()
    path.write_bytes(save_tensors(tensors, {"brickwork": json.dumps(header)}))
    refused(path, r"'hidden/kernel' has shape \(4, 5\); it received \(5, 4\)", ShapeError)
    tensors["weights/0000"] = tensors["weights/0000"].T.copy()
    tensors["optimizer/velocity/0000"] = np.zeros(3, np.float32)
    path.write_bytes(save_tensors(tensors, {"brickwork": json.dumps(header)}))
    with pytest.raises(
        FormatError,
        match=r"Training goes on from the state of the same network and optimizer; 'slots/velocity",
    ):
        load_model(path)
    assert same(load_model(path, compile=False), model)


def test_a_step_that_is_none(path):
    trained().save(path)
    header, tensors = model_file.read(path)
    tensors["optimizer/step"] = np.zeros(3, np.int64)
    path.write_bytes(save_tensors(tensors, {"brickwork": json.dumps(header)}))
    with pytest.raises(FormatError, match=r"'step' is shape \(\) here and shape \(3,\) there"):
        load_model(path)


# Paths.


def test_a_file_that_is_not_there(tmp_path):
    refused(
        tmp_path / "none.safetensors",
        r"Cannot read '.*none\.safetensors'\. There is no such file\. Check its name",
        FileError,
    )
    refused(tmp_path, r"Cannot read '.*'\. There is a folder of that name", FileError)


@pytest.mark.parametrize("name", [3, None, b"", "", ["a"]])
def test_what_is_no_path(name):
    for ask in (load_model, classifier().save, classifier().save_weights, classifier().load_weights):
        with pytest.raises(
            ParameterTypeError,
            match=r"A file is named by a string or a Path; got .*Write 'model\.safetensors'",
        ):
            ask(name)


@pytest.mark.parametrize(
    "name, better",
    [
        ("model.keras", "model"),
        ("model.h5", "model"),
        ("a.weights.h5", "a.weights"),
        ("model", "model"),
        ("model.v2", "model"),
    ],
)
def test_other_endings(tmp_path, name, better):
    for save in (classifier().save, classifier().save_weights):
        message = rf"saved in files that end in \.safetensors; got '{name}', which Brickwork does not "
        rf"write\. Write '{better}\.safetensors'"
        with pytest.raises(FormatError, match=message):
            save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_paths_as_strings_and_folders_that_are_made(tmp_path):
    model = classifier()
    model.save(str(tmp_path / "a" / "b" / "Model.SafeTensors"))
    assert same(load_model(str(tmp_path / "a" / "b" / "Model.SafeTensors")), model)


def test_overwriting(path):
    model = trained()
    model.save(path)
    before = path.read_bytes()
    for save in (classifier().save, classifier().save_weights):
        with pytest.raises(
            FileError, match=r"Cannot write '.*': it exists, and overwrite is False\. Choose another name"
        ) as caught:
            save(path, overwrite=False)
        assert caught.value.errno == errno.EEXIST
    assert path.read_bytes() == before
    classifier().save(path)
    assert path.read_bytes() != before


# Whole files or none.


@pytest.mark.parametrize(
    "number, message",
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EACCES, "You may not write there"),
        (errno.EROFS, "read-only"),
    ],
)
@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_the_file_before_survives_a_failing_disk(path, monkeypatch, number, message, function):
    model = trained()
    model.save(path)
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, function, fail)
    for save in (classifier().save, classifier().save_weights):
        with pytest.raises(FileError, match=message) as caught:
            save(path)
        assert caught.value.errno == number
    monkeypatch.undo()
    assert path.read_bytes() == before and same(load_model(path), model)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_disk_that_fills_up_while_writing(path, monkeypatch):
    model = trained()
    model.save(path)
    before = path.read_bytes()
    inner = open

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *what):
            self.file.close()

        def write(self, data):
            self.file.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(
        "builtins.open",
        lambda name, mode="r", *more: Full(inner(name, mode)) if "w" in mode else inner(name, mode, *more),
    )
    with pytest.raises(FileError, match=r"The disk is full\. Free some space"):
        classifier().save(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_nothing_is_written_where_something_cannot_be_told(path):
    model = trained()
    model.save(path)
    before = path.read_bytes()
    model.get_layer("hidden").__class__ = type("Unknown", (bw.layers.Dense,), {"__module__": "elsewhere"})
    with pytest.raises(FormatError, match=r"must be registered"):
        model.save(path)
    assert path.read_bytes() == before
