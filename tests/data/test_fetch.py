"""Published data sets: where files are looked for, what a download does, what is said when there is none."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import struct

import numpy as np
import pytest

from brickwork import datasets
from brickwork.data import fetch, load, named
from brickwork.data.fetch import FASHION_MNIST, MNIST, Release, read_release
from brickwork.errors import DataError, FormatError


def small_files() -> dict[str, bytes]:
    """Four idx files of a few images."""
    rng = np.random.default_rng(0)
    files = {}
    for part, count in (("train", 5), ("t10k", 2)):
        pixels = rng.integers(0, 256, (count, 4, 3), dtype=np.uint8)
        labels = rng.integers(0, 10, count, dtype=np.uint8)
        files[f"{part}-images-idx3-ubyte"] = (
            b"\0\0\x08\x03" + struct.pack(">3I", count, 4, 3) + pixels.tobytes()
        )
        files[f"{part}-labels-idx1-ubyte"] = b"\0\0\x08\x01" + struct.pack(">I", count) + labels.tobytes()
    return files


FILES = small_files()
HOMES = ("https://first.invalid/", "https://second.invalid/")
SMALL = Release("mnist", HOMES, {name: hashlib.sha256(body).hexdigest() for name, body in FILES.items()})


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """No test reads the user's folders, and none reaches the network."""
    monkeypatch.delenv("BRICKWORK_DATA", raising=False)
    monkeypatch.setenv("BRICKWORK_CACHE", str(tmp_path / "cache"))

    def refuse(url, path):
        raise ConnectionError(url)

    monkeypatch.setattr(fetch, "download", refuse)


def serve(monkeypatch, pages: dict[str, bytes]) -> list[str]:
    """Let `download` find these pages; gives back the list of what is asked for."""
    asked = []

    def download(url, path):
        asked.append(url)
        if url not in pages:
            raise ConnectionError(url)
        path.write_bytes(pages[url])

    monkeypatch.setattr(fetch, "download", download)
    return asked


def put(folder, *, packed: bool) -> None:
    folder.mkdir(parents=True)
    for name, body in FILES.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(body))
        else:
            (folder / name).write_bytes(body)


def read_images(release=SMALL):
    (x_train, y_train), (x_test, y_test) = read_release(release)
    assert x_train.shape == (5, 4, 3) and y_train.shape == (5,)
    assert x_test.shape == (2, 4, 3) and y_test.shape == (2,)
    assert x_train.tobytes() == FILES["train-images-idx3-ubyte"][16:]
    return x_train


@pytest.mark.parametrize("packed", [True, False])
def test_files_in_the_data_folder(tmp_path, monkeypatch, packed):
    put(tmp_path / "data" / "mnist", packed=packed)
    monkeypatch.setenv("BRICKWORK_DATA", str(tmp_path / "data"))
    assert read_images().dtype == np.uint8
    assert not (tmp_path / "cache").exists()


def test_a_relative_data_folder_is_made_absolute_when_it_is_read(tmp_path, monkeypatch):
    put(tmp_path / "data" / "mnist", packed=True)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("BRICKWORK_DATA", os.path.join("..", "data"))
    path = fetch.locate(SMALL, "train-labels-idx1-ubyte")
    monkeypatch.chdir(tmp_path)
    assert path.is_absolute() and path.is_file()


def test_a_data_folder_that_is_not_there(monkeypatch):
    monkeypatch.setenv("BRICKWORK_DATA", "no/such/folder")
    message = "BRICKWORK_DATA must name a folder that exists; received 'no/such/folder', which is "
    with pytest.raises(DataError, match=re.escape(message) + ".*Correct the variable, or unset it"):
        read_release(SMALL)


def test_an_empty_data_variable_is_one_that_is_not_set(monkeypatch):
    monkeypatch.setenv("BRICKWORK_DATA", "")
    assert fetch.data_folder() is None


def test_files_in_the_cache_when_the_data_folder_lacks_them(tmp_path, monkeypatch):
    put(tmp_path / "cache" / "mnist", packed=True)
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("BRICKWORK_DATA", str(tmp_path / "data"))
    read_images()


def test_the_cache_is_the_platforms_unless_it_is_named(tmp_path, monkeypatch):
    assert fetch.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("BRICKWORK_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert fetch.cache_folder().is_absolute()
    assert fetch.cache_folder().name.lower() in ("brickwork", "cache")


def test_a_download_is_kept_in_the_cache(tmp_path, monkeypatch, capsys):
    asked = serve(monkeypatch, {f"{HOMES[0]}{name}.gz": gzip.compress(body) for name, body in FILES.items()})
    read_images()
    assert len(asked) == 4
    assert sorted(path.name for path in (tmp_path / "cache" / "mnist").iterdir()) == sorted(
        f"{name}.gz" for name in FILES
    )
    out, err = capsys.readouterr()
    assert out == "" and "downloading https://first.invalid/train-images-idx3-ubyte.gz" in err
    read_images()
    assert len(asked) == 4


def test_the_next_home_is_asked_when_the_first_fails(monkeypatch):
    serve(monkeypatch, {f"{HOMES[1]}{name}.gz": gzip.compress(body) for name, body in FILES.items()})
    read_images()


def test_a_page_that_is_not_the_file_is_not_kept(tmp_path, monkeypatch):
    serve(
        monkeypatch, {f"{home}{name}.gz": b"<html>Please log in</html>" for home in HOMES for name in FILES}
    )
    with pytest.raises(DataError, match="received neither .*: not the published content; https://second"):
        read_release(SMALL)
    assert list((tmp_path / "cache" / "mnist").iterdir()) == []


def test_offline_one_line_says_which_files_to_put_where(tmp_path):
    with pytest.raises(DataError) as caught:
        load("mnist")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("mnist: expected train-images-idx3-ubyte.gz on this machine or a download; ")
    assert (
        "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz: ConnectionError" in message
    )
    assert message.endswith(
        "Put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, "
        "t10k-labels-idx1-ubyte.gz into the folder DIR/mnist and set BRICKWORK_DATA=DIR."
    )
    assert list((tmp_path / "cache" / "mnist").iterdir()) == []


def test_a_missing_file_is_told_before_the_others_are_read(tmp_path, monkeypatch):
    put(tmp_path / "data" / "mnist", packed=True)
    (tmp_path / "data" / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    monkeypatch.setenv("BRICKWORK_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(fetch, "read_content", lambda path: pytest.fail(f"{path} was read"))
    with pytest.raises(DataError, match="mnist: expected t10k-labels-idx1-ubyte.gz on this machine"):
        read_release(SMALL)


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("BRICKWORK_CACHE", str(tmp_path / "file"))
    with pytest.raises(
        DataError, match="mnist: the cache folder must be writable; received .*Set BRICKWORK_CACHE"
    ):
        read_release(SMALL)


def test_other_content_than_the_published_is_named(tmp_path, monkeypatch):
    put(tmp_path / "data" / "mnist", packed=False)
    file = tmp_path / "data" / "mnist" / "t10k-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    monkeypatch.setenv("BRICKWORK_DATA", str(tmp_path / "data"))
    start = f"{file}: expected the content of mnist's t10k-images-idx3-ubyte, SHA-256 "
    with pytest.raises(FormatError, match=re.escape(start) + ".*Delete the file and fetch it again"):
        read_release(SMALL)


def test_the_channel_axis_and_the_types(tmp_path, monkeypatch):
    put(tmp_path / "cache" / "mnist", packed=True)
    monkeypatch.setattr(named, "MNIST", SMALL)
    dataset = load("mnist")
    assert dataset.x_train.shape == (5, 4, 3, 1) and dataset.x_train.dtype == np.uint8
    assert dataset.y_test.dtype == np.int64 and dataset.scale == 255.0
    (x_train, y_train), _ = datasets.mnist.load_data()
    assert x_train.shape == (5, 4, 3) and y_train.dtype == np.uint8


# What follows reads the real files, where the environment names a folder that has them.

REAL = os.environ.get("BRICKWORK_DATA", "")
needs_real_data = pytest.mark.skipif(not REAL, reason="BRICKWORK_DATA is not set")
REAL = os.path.abspath(REAL)


@needs_real_data
@pytest.mark.parametrize("release", [MNIST, FASHION_MNIST], ids=lambda release: release.name)
def test_the_published_files(monkeypatch, release):
    monkeypatch.setenv("BRICKWORK_DATA", REAL)
    module = {"mnist": datasets.mnist, "fashion-mnist": datasets.fashion_mnist}[release.name]
    (x_train, y_train), (x_test, y_test) = module.load_data()
    assert x_train.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert x_train.dtype == y_train.dtype == np.uint8
    first = {"mnist": [5, 0, 4, 1, 9], "fashion-mnist": [9, 0, 0, 3, 0]}[release.name]
    assert y_train[:5].tolist() == first
    if release is FASHION_MNIST:
        assert np.bincount(y_train).tolist() == [6000] * 10
