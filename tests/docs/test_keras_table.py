"""The page of Keras's names is what the two packages say, and every name that is not here has a reason."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import warnings
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")

SCRIPT = Path(__file__).parents[2] / "docs" / "make_keras_table.py"


def loaded():
    spec = importlib.util.spec_from_file_location("make_keras_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


table = loaded()
EVERY = [(kind, row) for kind in table.KINDS for row in table.rows(kind)]
HERE = [(kind, row) for kind, row in EVERY if row.ours is not None]


def of_another_keras() -> bool:
    return f"What Keras {keras.__version__} makes public" not in table.PAGE.read_text(encoding="utf-8")


@pytest.mark.skipif(of_another_keras(), reason="the page is of another version of Keras")
def test_the_page_is_what_the_packages_say():
    assert table.PAGE.read_text(encoding="utf-8") == table.page(), "run python docs/make_keras_table.py"


@pytest.mark.skipif(of_another_keras(), reason="the page is of another version of Keras")
def test_every_thing_is_here_or_has_a_reason():
    missing = {(kind, row.names[0]) for kind, row in EVERY if row.ours is None}
    reasons = {(kind, name) for kind, named in table.WHY_NOT.items() for name in named}
    assert not missing - reasons, "neither here, nor is there a reason why not"
    assert not reasons - missing, "a reason for what is here, or for what Keras has not (under that name)"
    assert all(why for named in table.WHY_NOT.values() for why in named.values())


@pytest.mark.parametrize(("kind", "row"), HERE, ids=lambda value: getattr(value, "names", [value])[0])
def test_all_spellings_are_here(kind, row):
    """And mean what the first one means, or are functions where Keras has functions."""
    ours, theirs = table.room("brickwork", kind), table.room("keras", kind)
    for name in row.names:
        assert hasattr(ours, name), f"brickwork.{kind} has {row.names[0]}, but not {name}"
        assert inspect.isclass(getattr(ours, name)) == inspect.isclass(getattr(theirs, name)), name
        if getattr(theirs, name) is row.theirs:
            assert getattr(ours, name) is row.ours, name


def test_many_things_are_compared():
    assert len(EVERY) > 250
    assert all(row.names for _, row in EVERY)
    assert {kind for kind, _ in HERE} == set(table.KINDS)


def test_a_row_tells_what_is_not_taken():
    dense = next(row for kind, row in EVERY if row.names[0] == "Dense")
    assert dense.not_taken == ["lora_rank", "lora_alpha", "quantization_config"]
    assert "`lora_rank`" in table.told("layers", dense)
