"""Files are written whole or not at all; what the system refuses is explained."""

from __future__ import annotations

import builtins
import errno
import os

import pytest

from brickwork import files
from brickwork.errors import BrickworkError
from brickwork.files import FileError, explained, replacing, write_atomically


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_writes_bytes_and_text(tmp_path):
    write_atomically(tmp_path / "a.bin", b"\x00\xff")
    write_atomically(str(tmp_path / "b.txt"), "π\n")
    assert (tmp_path / "a.bin").read_bytes() == b"\x00\xff"
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == "π\n"
    assert names(tmp_path) == ["a.bin", "b.txt"]


def test_takes_the_place_of_an_earlier_file(tmp_path):
    path = tmp_path / "a.txt"
    for text in ("first, and longer", "second"):
        write_atomically(path, text)
        assert path.read_text() == text


def test_makes_folders(tmp_path):
    write_atomically(tmp_path / "runs" / "1" / "a.txt", "x")
    assert (tmp_path / "runs" / "1" / "a.txt").read_text() == "x"


def test_rights_are_those_of_any_new_file_or_of_the_file_before(tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("")
    write_atomically(tmp_path / "new", "x")
    assert (tmp_path / "new").stat().st_mode == plain.stat().st_mode
    plain.chmod(0o640)
    write_atomically(plain, "x")
    assert plain.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_while_writing_leaves_the_previous_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("previous")
    with pytest.raises(error), replacing(path) as temporary:
        temporary.write_text("half of")
        raise error
    assert path.read_text() == "previous"
    assert names(tmp_path) == ["a.txt"]


def test_readers_see_the_previous_file_until_the_end(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("previous")
    with replacing(path) as temporary:
        assert temporary.parent == tmp_path and temporary.suffix == ".png"
        temporary.write_text("new")
        assert path.read_text() == "previous"
    assert path.read_text() == "new"


def refuse(monkeypatch, number):
    """The disk refuses when the file is forced to it."""

    def fsync(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "fsync", fsync)


@pytest.mark.parametrize(
    "number, told",
    [
        (errno.ENOSPC, "The disk is full. Free some space, or choose a folder on another disk."),
        (errno.EROFS, "The disk is read-only. Choose a folder on another one."),
        (errno.EACCES, "You may not write there. Choose another folder, or ask for the right to write."),
        (errno.EDQUOT, "Your share of the disk is used up."),
        (errno.EIO, "The system says: Input/output error."),
    ],
)
def test_what_the_system_refuses_is_explained(tmp_path, monkeypatch, number, told):
    path = tmp_path / "a.txt"
    path.write_text("previous")
    refuse(monkeypatch, number)
    with pytest.raises(FileError, match=f"Cannot write '{path}'. {told}") as caught:
        write_atomically(path, "new")
    assert caught.value.errno == number
    assert isinstance(caught.value, BrickworkError) and isinstance(caught.value, OSError)
    assert path.read_text() == "previous"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_without_the_right_to_write(tmp_path, monkeypatch):
    def refused(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(builtins, "open", refused)
    with pytest.raises(FileError, match="You may not write there. Choose another folder"):
        write_atomically(tmp_path / "a.txt", "x")


def test_a_folder_in_the_place_of_the_file(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(FileError, match="There is a folder of that name. Choose another name."):
        write_atomically(tmp_path / "a.txt", "x")


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(FileError, match="A part of the path is a file, not a folder. Choose another folder."):
        write_atomically(tmp_path / "runs" / "a.txt", "x")
    with pytest.raises(FileError, match="A part of the path is a file, not a folder. Choose another folder."):
        write_atomically(tmp_path / "runs" / "more" / "a.txt", "x")


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(FileError, match="The name is too long. Choose a shorter one."):
        write_atomically(tmp_path / ("a" * 400), "x")
    write_atomically(tmp_path / ("a" * 200), "x")


def test_reading_is_explained_too(tmp_path):
    path = tmp_path / "none.csv"
    with pytest.raises(FileError, match=f"Cannot read '{path}'. There is no such file. Check its name"):
        with explained(path, "read"):
            path.read_text()
