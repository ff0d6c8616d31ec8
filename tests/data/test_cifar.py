"""CIFAR-10 in its five forms gives one and the same data; what is not it is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import re

import numpy as np
import pytest
from cifar_files import (
    BATCHES,
    ROWS,
    archive,
    batches,
    binary_files,
    jpeg_files,
    python_files,
    release,
    write,
)

from brickwork import datasets
from brickwork.data import cifar, fetch, load, named
from brickwork.data.cifar import CLASSES, read_cifar10
from brickwork.errors import DataError, FormatError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where BRICKWORK_DATA has CIFAR-10."""
    monkeypatch.setenv("BRICKWORK_DATA", str(tmp_path / "data"))
    (tmp_path / "data" / "cifar-10").mkdir(parents=True)
    return tmp_path / "data" / "cifar-10"


FORMS = {
    "binary": lambda folder: write(folder / "cifar-10-batches-bin", binary_files()),
    "binary, flat": lambda folder: write(folder, binary_files()),
    "binary archive": lambda folder: write(
        folder, {"cifar-10-binary.tar.gz": archive(binary_files(), "cifar-10-batches-bin/")}
    ),
    "python": lambda folder: write(folder / "cifar-10-batches-py", python_files()),
    "python archive": lambda folder: write(
        folder, {"cifar-10-python.tar.gz": archive(python_files(), "cifar-10-batches-py/")}
    ),
}


def expected():
    made = batches()
    train = [made[name] for name in BATCHES[:5]]
    return {
        "x_train": np.concatenate([images for images, _ in train]),
        "y_train": np.concatenate([labels for _, labels in train]),
        "x_test": made["test_batch"][0],
        "y_test": made["test_batch"][1],
    }


@pytest.mark.parametrize("form", FORMS)
def test_official_forms(folder, form):
    FORMS[form](folder)
    for _ in range(2):  # the second time an archive comes from the cache
        found = read_cifar10(release())
        assert found.form == form.partition(" ")[0].strip(",")
        for name, array in expected().items():
            np.testing.assert_array_equal(found.arrays[name], array)
            assert found.arrays[name].dtype == np.uint8


@pytest.mark.parametrize("packed", [True, False])
def test_jpegs(folder, packed):
    files = jpeg_files() | {"train/README.txt": b"no image"}
    write(folder, {"cifar-10-jpeg.tar.gz": archive(files)} if packed else files)
    found = read_cifar10(release())
    assert found.form == "jpeg"
    arrays = found.arrays
    assert arrays["x_train"].shape == (5 * ROWS, 32, 32, 3) and arrays["x_test"].shape == (ROWS, 32, 32, 3)
    assert arrays["y_train"].tolist() == list(range(10)) * 10  # any run of rows holds every class
    # a class's images come in the order of their names
    for label in (0, 9):
        wanted = expected()["x_train"][expected()["y_train"] == label].astype(int)
        got = arrays["x_train"][arrays["y_train"] == label].astype(int)
        assert np.abs(wanted - got).max() <= 8


def test_an_archive_is_decoded_once(folder, monkeypatch):
    write(folder, {"cifar-10-jpeg.tar.gz": archive(jpeg_files())})
    first = read_cifar10(release())
    monkeypatch.setattr(cifar, "decode_all", None)  # would fail if it were called
    second = read_cifar10(release())
    assert isinstance(second.arrays["x_train"], np.memmap)
    assert all(np.array_equal(first.arrays[name], second.arrays[name]) for name in first.arrays)


def test_a_damaged_cache_is_made_anew(folder, tmp_path, monkeypatch):
    write(folder, {"cifar-10-binary.tar.gz": archive(binary_files())})
    read_cifar10(release())
    (entry,) = (tmp_path / "cache" / "cifar-10" / "decoded").iterdir()
    content = (entry / "x_train.npy").read_bytes()
    (entry / "x_train.npy").write_bytes(content[:-1])
    again = read_cifar10(release())
    assert np.array_equal(again.arrays["x_train"], expected()["x_train"])
    assert [path.name for path in entry.parent.iterdir()] == [entry.name]


def test_a_cache_that_cannot_be_written(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BRICKWORK_CACHE", str(tmp_path / "file" / "cache"))
    write(folder, {"cifar-10-binary.tar.gz": archive(binary_files())})
    assert np.array_equal(read_cifar10(release()).arrays["x_train"], expected()["x_train"])


def test_the_originals_come_before_jpegs(folder):
    write(folder, {"cifar-10-jpeg.tar.gz": archive(jpeg_files())})
    write(folder, {"cifar-10-python.tar.gz": archive(python_files())})
    assert read_cifar10(release()).form == "python"


def test_it_is_downloaded_where_it_is_nowhere(tmp_path, monkeypatch, capsys):
    content = archive(binary_files(), "cifar-10-batches-bin/")
    monkeypatch.setattr(fetch, "download", lambda url, path: path.write_bytes(content))
    found = read_cifar10(release(content))
    assert found.form == "binary"
    assert (tmp_path / "cache" / "cifar-10" / "cifar-10-binary.tar.gz").read_bytes() == content
    assert capsys.readouterr().err == "downloading https://nowhere.invalid/cifar-10-binary.tar.gz\n"


def test_offline_and_absent_is_one_line_that_says_what_to_do(tmp_path):
    message = (
        "cifar-10: expected cifar-10-binary.tar.gz on this machine or a download; received neither "
        "(https://nowhere.invalid/cifar-10-binary.tar.gz: ConnectionError). Put cifar-10-binary.tar.gz (or "
        "cifar-10-python.tar.gz) into the folder DIR/cifar-10 and set BRICKWORK_DATA=DIR."
    )
    with pytest.raises(DataError, match=re.escape(message)):
        read_cifar10(release())
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_a_download_of_something_else_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "download", lambda url, path: path.write_bytes(b"<html>"))
    with pytest.raises(DataError, match="cifar-10-binary.tar.gz: not the published content"):
        read_cifar10(release())
    assert not (tmp_path / "cache" / "cifar-10" / "cifar-10-binary.tar.gz").exists()


def change(files, name, content):
    return {**files, name: content}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            change(binary_files(), "data_batch_3.bin", b"short"),
            "data_batch_3.bin: expected 61,460 bytes, 20 images with their labels; received 5. Fetch",
        ),
        ({"data_batch_1.bin": b""}, "data_batch_1.bin: expected 61,460 bytes"),
        (
            {k: v for k, v in binary_files().items() if "4" not in k},
            "expected data_batch_4.bin in it; it is missing",
        ),
        (
            change(
                binary_files(), "test_batch.bin", binary_files()["data_batch_1.bin"].replace(b"\x01", b"\x02")
            ),
            "expected 2 test images of each class of CIFAR-10; received",
        ),
        (
            change(binary_files(), "test_batch.bin", bytes([77]) * 61460),
            "test images of each class of CIFAR-10",
        ),
        (
            change(python_files(), "data_batch_2", python_files()["data_batch_1"]),
            "data_batch_2: expected the published content, MD5",
        ),
        (
            {"cifar-10-binary.tar.gz": b"no archive"},
            "expected a whole .tar.gz archive; received one that is foreign",
        ),
        ({"cifar-10-binary.tar.gz": archive(binary_files())[:2000]}, "foreign, truncated or damaged"),
        ({"cifar-10-binary.tar.gz": archive({"a": b"b"})}, "expected data_batch_1.bin in it; it is missing"),
        (
            {"cifar-10-jpeg.tar.gz": archive({"train/cat/1.jpg": b""})},
            "expected 10 train images of each class",
        ),
        (
            {"cifar-10-jpeg.tar.gz": archive(change(jpeg_files(), "train/cat/0003.jpg", b"no image"))},
            "train/cat/0003.jpg (its content is no image). Replace or delete this file.",
        ),
        (
            {
                "cifar-10-jpeg.tar.gz": archive(
                    change(jpeg_files(), "train/dog/0001.jpg", jpeg_files()["train/dog/0001.jpg"][:500])
                )
            },
            "train/dog/0001.jpg (truncated). Replace or delete this file.",
        ),
    ],
)
def test_what_is_not_cifar_10(folder, tmp_path, files, message):
    write(folder, files)
    with pytest.raises(FormatError, match=re.escape(message)):
        read_cifar10(release())
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]  # nothing half-written


def test_a_pickle_that_is_not_the_published_one_is_not_even_read(folder, monkeypatch):
    write(folder / "cifar-10-batches-py", python_files() | {"data_batch_1": b"\x80\x02cos\nsystem\n."})
    monkeypatch.setattr(cifar, "read_pickled", None)
    with pytest.raises(FormatError, match="expected the published content"):
        read_cifar10(release())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x02].", "expected a dict with 'data'; received none"),
        (
            b"\x80\x02}U\x04dataK\x01sU\x06labels]s.",
            "expected uint8 data of shape (20, 3072) and as many labels",
        ),
        (b"\x80\x02cos\nsystem\n.", "with the name os.system, which could run any program and is refused"),
    ],
)
def test_a_published_pickle_of_something_else(folder, content, message):
    files = dict.fromkeys(BATCHES, content)
    write(folder / "cifar-10-batches-py", files)
    odd = dataclasses.replace(
        release(), python_md5={name: hashlib.md5(content).hexdigest() for name in BATCHES}
    )
    with pytest.raises(FormatError, match=re.escape(message)):
        read_cifar10(odd)


def test_as_a_data_set_and_as_keras_has_it(folder, monkeypatch):
    write(folder, binary_files())
    monkeypatch.setattr(named, "read_cifar10", lambda: read_cifar10(release()))
    found = load("CIFAR10")
    assert found.name == "cifar-10" and found.class_names == CLASSES and found.scale == 255.0
    assert found.y_train.dtype == np.int64 and found.notes == ()
    (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data()
    assert x_train.shape == (100, 32, 32, 3) and y_train.shape == (100, 1) and y_test.shape == (20, 1)
    assert x_train.dtype == y_train.dtype == np.uint8 and len(x_test) == 20


def test_jpegs_are_told_of(folder, monkeypatch):
    write(folder, jpeg_files())
    monkeypatch.setattr(named, "read_cifar10", lambda: read_cifar10(release()))
    assert "went through JPEG" in load("cifar-10").notes[0]
