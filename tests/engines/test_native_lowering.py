"""Lowerings are imported as their bricks are met, so the table of who lowers what must tell the truth."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import brickwork.engines.native
from brickwork import bricks
from brickwork.engines.native import lowering
from brickwork.graph import Loop

ROOM = Path(brickwork.engines.native.__file__).parent


def test_the_table_names_what_each_file_lowers():
    """A brick that a file lowers and the table does not name would run through its own text."""
    for path in ROOM.glob("lower_*.py"):
        importlib.import_module(f"brickwork.engines.native.{path.stem}")
    own = {
        kind.__name__: how for kind, how in lowering.TABLE.items() if kind.__module__.startswith("brickwork.")
    }
    found = {
        name: f".{type(how).__module__.rpartition('.')[2]}"
        for name, how in {**own, **lowering._NAMED}.items()
    }
    assert found == lowering._ROOMS


@pytest.mark.parametrize("name", lowering._ROOMS)
def test_every_name_in_the_table_is_a_brick(name):
    kind = Loop if name == "Loop" else getattr(bricks, name)
    assert type(lowering.lowering_for(kind)).__module__.endswith(lowering._ROOMS[name])


def test_other_files_are_not_imported():
    program = """
import sys
from brickwork.bricks import Linear
from brickwork.engines.native.lowering import lowering_for
assert lowering_for(Linear) is not None
print(*[name.rpartition(".")[2] for name in sys.modules if ".lower_" in name])
"""
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["lower_dense"]


def test_a_brick_of_the_same_name_is_another_one():
    class Linear(bricks.Brick):
        pass

    assert lowering.lowering_for(Linear) is None
    assert lowering.lowering_for(bricks.Linear) is not None
