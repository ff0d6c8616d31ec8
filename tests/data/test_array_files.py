"""NumPy's files: read as NumPy reads them, mapped where large, hostile ones refused by name."""

from __future__ import annotations

import io
import pickle
import re
import struct
import zipfile

import numpy as np
import pytest

from brickwork.data import array_files, read_npy, read_npz
from brickwork.data import rows as rows_module
from brickwork.errors import DataError, FormatError
from brickwork.files import FileError

X = np.arange(12, dtype=np.float32).reshape(3, 4)


def npy(array, version=None) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version)
    return stream.getvalue()


def write(path, content: bytes):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize(
    "array",
    [
        X,
        np.asfortranarray(X),
        np.arange(5, dtype=">i2"),
        np.array(["Köln", "a"]),
        np.array(True),
        np.ones((2, 1, 3), "u1"),
    ],
    ids=["floats", "fortran", "big-endian", "texts", "no axes", "bytes"],
)
def test_npy_as_numpy_writes_it(tmp_path, array, version):
    found = read_npy(write(tmp_path / "x.npy", npy(array, version)))
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype


def test_a_large_npy_stays_in_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(array_files, "COPIED_BELOW", 10)
    for array in (X, np.asfortranarray(X)):
        found = read_npy(write(tmp_path / "x.npy", npy(array)))
        assert isinstance(found, np.memmap) and not found.flags.writeable
        np.testing.assert_array_equal(found, X)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path, save, monkeypatch):
    monkeypatch.setattr(array_files, "COPIED_BELOW", 10)
    save(tmp_path / "a.npz", x=X, y=np.array([1, 0, 1], "u1"), f=np.asfortranarray(X))
    found = read_npz(tmp_path / "a.npz")
    np.testing.assert_array_equal(found["x"], X)
    np.testing.assert_array_equal(found["f"], X)
    assert found["y"].tolist() == [1, 0, 1]
    assert isinstance(found["x"], np.memmap) == (save is np.savez)  # a stored array stays in the file


class Bomb:
    """Unpickling it would leave a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_no_pickle_is_ever_read(tmp_path):
    bomb = np.array([Bomb(tmp_path / "boom"), 1], object)
    np.save(tmp_path / "x.npy", bomb, allow_pickle=True)
    np.savez(tmp_path / "x.npz", x=bomb)
    message = "received one of pickled Python objects, which are never read, since they can run any program"
    for read, name in ((read_npy, "x.npy"), (read_npz, "x.npz")):
        with pytest.raises(FormatError, match=message):
            read(tmp_path / name)
    with pytest.raises(FormatError, match="expected a .npy file"):
        read_npy(write(tmp_path / "p.npy", pickle.dumps(Bomb(tmp_path / "boom"))))
    assert not (tmp_path / "boom").exists()


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text.encode("latin-1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a .npy file, which begins with 93 'NUMPY' and its version; received an empty file"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 30, "received 89 50 4e 47"),
        (
            npy(X)[:-4],
            "expected 48 bytes of numbers for shape (3, 4) of float32; received 44. The file is truncated",
        ),
        (npy(X) + b"\0", "received 49. The file is too long: write it again"),
        (npy(X)[:40], "expected a header as numpy.save writes it"),
        (b"\x93NUMPY\x09\0" + b"\0" * 100, "expected a .npy file"),
        (header("__import__('os').system('true')"), "expected a header as numpy.save writes it"),
        (
            header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"),
            "expected a header as numpy.save",
        ),
        (
            header("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999, 999999999), }"),
            "The file is truncated",
        ),
        (
            header("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1, " * 40 + "), }"),
            "at most 32 axes",
        ),
        (
            header("{'descr': '<M8[s]', 'fortran_order': False, 'shape': (1,), }"),
            "received one of type '<M8[s]'",
        ),
        (
            header("{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }"),
            "expected a type of NumPy; received '<f3'",
        ),
        (
            header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"),
            "received one of records",
        ),
        (b"\x93NUMPY\x02\0" + struct.pack("<I", 2**31), "expected a header as numpy.save writes it"),
    ],
)
def test_foreign_and_damaged_npy(tmp_path, content, message):
    with pytest.raises(FormatError, match=re.escape(message)):
        read_npy(write(tmp_path / "x.npy", content))


def test_an_array_of_nothing(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((0, 10**6)))
    with pytest.raises(DataError, match=re.escape("must hold numbers; it holds none, shape (0, 1000000)")):
        read_npy(tmp_path / "x.npy")


def test_a_file_that_is_not_there(tmp_path):
    for read in (read_npy, read_npz):
        with pytest.raises(FileError, match="Cannot read .*There is no such file"):
            read(tmp_path / "none")


def archive(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def test_foreign_and_damaged_npz(tmp_path):
    np.savez(tmp_path / "whole.npz", x=X)
    content = (tmp_path / "whole.npz").read_bytes()
    for damaged in (b"", b"no archive", content[:-30], content[:100]):
        with pytest.raises(FormatError, match="expected a whole .npz file, as numpy.savez writes it"):
            read_npz(write(tmp_path / "a.npz", damaged))
    np.savez_compressed(tmp_path / "packed.npz", x=np.random.default_rng(0).normal(size=400))
    broken = bytearray((tmp_path / "packed.npz").read_bytes())
    broken[200:220] = bytes(20)
    with pytest.raises(FormatError):
        read_npz(write(tmp_path / "b.npz", bytes(broken)))
    with pytest.raises(FormatError, match="x.txt: expected a .npy file"):
        read_npz(archive(tmp_path / "c.npz", {"x.txt": "hello, this is no array"}))


@pytest.mark.parametrize("size", [3, 300_000])
def test_a_packed_array_whose_sum_is_wrong(tmp_path, size):
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(size))
    content = (tmp_path / "a.npz").read_bytes()
    crc = content[14:18]
    assert content.count(crc) == 2  # before the content, and in the directory
    with pytest.raises(FormatError, match="Bad CRC-32"):
        read_npz(write(tmp_path / "b.npz", content.replace(crc, bytes(4))))


def test_a_packed_array_that_promises_more_than_it_holds(tmp_path, monkeypatch):
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (4000000,), }"
    packed = {"compression": zipfile.ZIP_DEFLATED}
    with pytest.raises(FormatError, match="expected 16,000,000 bytes of numbers"):
        read_npz(archive(tmp_path / "a.npz", {"x.npy": header(text) + b"\0" * 16}, **packed))
    monkeypatch.setattr(array_files, "_memory", lambda: 1_000_000)
    bomb = {"x.npy": header(text) + b"\0" * 16_000_000}
    with pytest.raises(DataError, match="is compressed and takes 0.0 GiB in memory; .*Save it uncompressed"):
        read_npz(archive(tmp_path / "b.npz", bomb, **packed))


def test_small_arrays_are_brought_into_memory(tmp_path):
    assert rows_module.COPIED_BELOW > X.nbytes
    np.save(tmp_path / "x.npy", X)
    assert type(read_npy(tmp_path / "x.npy")) is np.ndarray
