"""Data and code that really change between a run and its going on: refused, with the way out."""

from __future__ import annotations

import time

import numpy as np
import pytest
from cli_home import call, write_images, write_table

from brickwork.cli.own_code import imported_files

NETS = """
import brickwork
from brickwork import layers
import widths
from parts import blocks

def small(input_shape, outputs):
    return brickwork.Sequential([
        brickwork.Input(input_shape),
        layers.Flatten(),
        layers.Dense(widths.HIDDEN, activation="relu"),
        blocks.middle(),
        layers.Dense(outputs, activation="softmax"),
    ])
"""
BLOCKS = """
from brickwork import layers
from .rates import RATE

def middle():
    return layers.Dropout(RATE)
"""


def write_nets(folder):
    (folder / "parts").mkdir()
    (folder / "nets.py").write_text(NETS)
    (folder / "widths.py").write_text("HIDDEN = 6\n")
    (folder / "parts" / "__init__.py").write_text("")
    (folder / "parts" / "blocks.py").write_text(BLOCKS)
    (folder / "parts" / "rates.py").write_text("RATE = 0.3\n")
    (folder / "unused.py").write_text("")


def change_cell(folder):
    path = folder / "flats.csv"
    lines = path.read_text().splitlines()
    cells = lines[40].split(",")
    lines[40] = ",".join([*cells[:1], f"{float(cells[1] or 50) + 0.1:.1f}", *cells[2:]])
    path.write_text("\n".join(lines) + "\n")


def change_pixel(folder):
    from PIL import Image

    path = folder / "pictures" / "day" / "03.png"
    pixels = np.array(Image.open(path))
    pixels[0, 0, 0] ^= 1
    Image.fromarray(pixels).save(path)


def change_number(folder):
    path = folder / "x.npy"
    x = np.load(path)
    x[17, 1] = np.nextafter(x[17, 1], np.float32(9))
    np.save(path, x)


def change_label(folder):
    path = folder / "y.npy"
    y = np.load(path)
    y[3] = 1 - y[3]
    np.save(path, y)


def swap_rows(folder):
    """Of one class: the split takes the classes one by one, so that others may leave all as it was."""
    x, y = np.load(folder / "x.npy"), np.load(folder / "y.npy")
    one, other = np.flatnonzero(y)[:2]
    x[[one, other]] = x[[other, one]]
    np.save(folder / "x.npy", x)


def in_file(name, old, new):
    def change(folder):
        path = folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def gone(folder):
    (folder / "nets.py").unlink()


TABLE = ("flats.csv", "--target", "dear")
ARRAYS = ("x.npy", "--target", "y.npy")
OWN = (*ARRAYS, "--model", "nets.py:small")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with data of all kinds, where commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRICKWORK_CACHE", str(tmp_path / "cache"))
    write_table(tmp_path / "flats.csv")
    write_images(tmp_path / "pictures", each=8)
    write_nets(tmp_path)
    x = np.random.default_rng(1).normal(size=(60, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", (x[:, 0] > 0).astype(np.int64))
    return tmp_path


@pytest.mark.parametrize(
    "arguments, change, what",
    [
        (TABLE, change_cell, "flats.csv"),
        (("pictures",), change_pixel, "pictures"),
        (ARRAYS, change_number, "x.npy"),
        (ARRAYS, change_label, "x.npy"),
        (ARRAYS, swap_rows, "x.npy"),
        (OWN, in_file("nets.py", '"relu"', '"tanh"'), "nets.py:small"),
        (OWN, in_file("widths.py", "6", "7"), "nets.py:small"),
        (OWN, in_file("parts/rates.py", "0.3", "0.4"), "nets.py:small"),
        (OWN, in_file("nets.py", "def small", "def small_("), "nets.py:small"),
        (OWN, gone, "nets.py:small"),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_what_really_changed_is_refused(arguments, change, what, place):
    begun = call("train", *arguments, "--epochs", 1, "--out", "run")
    assert begun.exit_code == 0, begun.output
    time.sleep(0.01)  # another time of change
    before = {path.name: path.read_bytes() for path in (place / "run").iterdir()}
    change(place)
    found = call("train", "--resume", "--out", "run", "--epochs", 2)
    told = " ".join(found.stderr.split())
    assert found.exit_code == 2, found.output
    assert f"{what} has changed since then" in told
    assert "or begin a new run: brickwork train " in told
    assert {path.name: path.read_bytes() for path in (place / "run").iterdir()} == before


def test_what_the_run_does_not_use_may_change(place):
    assert call("train", *OWN, "--epochs", 1, "--out", "run").exit_code == 0
    (place / "unused.py").write_text("1 / 0")
    (place / "notes.txt").write_text("new")
    found = call("train", "--resume", "--out", "run", "--epochs", 2)
    assert found.exit_code == 0, found.output


def test_files_that_code_imports(place):
    found = [path.relative_to(place).as_posix() for path in imported_files(place / "nets.py")]
    assert found == ["parts/__init__.py", "parts/blocks.py", "parts/rates.py", "widths.py"]
