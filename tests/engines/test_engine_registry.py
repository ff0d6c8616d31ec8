"""Engines by name, and interrupts while a step is written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from brickwork.engines import ReferenceEngine, get_engine
from brickwork.engines.interrupts import many_blocks, uninterrupted
from brickwork.errors import ParameterError


def test_by_name():
    assert isinstance(get_engine("reference"), ReferenceEngine)
    assert get_engine("jax").name == "jax"


def test_an_engine_stays_as_it_is():
    engine = ReferenceEngine()
    assert get_engine(engine) is engine


def test_unknown_names():
    message = (
        r"^`engine` must be one of 'native', 'reference', 'jax'; got engine='referense'. "
        r"Did you mean 'reference'\?$"
    )
    with pytest.raises(ParameterError, match=message):
        get_engine("referense")
    with pytest.raises(ParameterError, match=r"or an object with a method plan; got 3\."):
        get_engine(3)


def test_jax_that_is_not_installed(monkeypatch):
    monkeypatch.delitem(sys.modules, "brickwork.engines.jax_engine", raising=False)
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(
        ParameterError, match=r"engine='jax' needs JAX, .*Run: pip install 'brickwork\[jax\]'"
    ):
        get_engine("jax")


def test_ctrl_c_waits_for_the_end_of_the_block():
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("all of it")
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_block_within_a_block_is_one_block():
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("inner")
        done.append("outer")
    assert done == ["inner", "outer"]
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_systems_own_answer_to_ctrl_c_is_kept():
    """A process that dies by Ctrl-C still does, after the block."""
    code = """
import os, signal
from brickwork.engines.interrupts import uninterrupted
signal.signal(signal.SIGINT, signal.SIG_DFL)
with uninterrupted():
    os.kill(os.getpid(), signal.SIGINT)
    print("whole", flush=True)
print("never")
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.returncode == -signal.SIGINT and told.stdout == "whole\n"


def test_without_ctrl_c_nothing_happens():
    before = signal.getsignal(signal.SIGINT)
    with uninterrupted():
        pass
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_inside_the_block_is_not_hidden():
    with pytest.raises(ZeroDivisionError), uninterrupted():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_many_blocks_exchange_the_handler_once():
    done = []
    with many_blocks():
        mine = signal.getsignal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), uninterrupted():
            assert signal.getsignal(signal.SIGINT) is mine
            os.kill(os.getpid(), signal.SIGINT)
            done.append("in a block it waits")
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            done.append("never: between blocks it comes at once")
        with uninterrupted():
            done.append("what has come does not come again")
    assert done == ["in a block it waits", "what has come does not come again"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_that_was_set_among_many_blocks_stays():
    def own(*_):
        pass

    try:
        with many_blocks():
            signal.signal(signal.SIGINT, own)
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_in_another_thread_signals_are_left_alone():
    done = []

    def work():
        with uninterrupted():
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]
