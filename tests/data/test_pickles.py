"""Data in a pickle is read; nothing in a pickle is run."""

from __future__ import annotations

import os
import pickle
import pickletools
import struct

import numpy as np
import pytest
from cifar_files import python_2_pickle
from hypothesis import given
from hypothesis import strategies as st

from brickwork.data.pickles import read_pickled
from brickwork.errors import FormatError


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_plain_data(protocol):
    value = {
        b"labels": [6, 9, 300, 70_000, -1],
        "name": "Köln",
        "nested": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), None, True, False, 0.5, b"\xff"],
    }
    assert read_pickled(pickle.dumps(value, protocol), "file") == value


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["u1", "<i2", ">f4", "f8"])
def test_arrays(protocol, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    for written in (array, np.asfortranarray(array)):
        found = read_pickled(pickle.dumps({"data": written}, protocol), "file")["data"]
        np.testing.assert_array_equal(found, array)
        assert found.dtype.kind == array.dtype.kind and found.dtype.isnative
    np.testing.assert_array_equal(read_pickled(pickle.dumps(array, protocol), "file"), array)


def test_what_python_2_wrote():
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    found = read_pickled(python_2_pickle(pixels, np.array([1, 2])), "file")
    assert found[b"labels"] == [1, 2] and found[b"batch_label"] == b"training batch 1 of 5"
    np.testing.assert_array_equal(found[b"data"], pixels)
    reference = pickle.loads(python_2_pickle(pixels, np.array([1, 2])), encoding="bytes")
    np.testing.assert_array_equal(reference[b"data"], pixels)  # the file is one that pickle reads too


class Call:
    """Pickled as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


HOSTILE = {
    "os.system": lambda path: pickle.dumps(Call(os.system, f"touch {path}")),
    "open": lambda path: pickle.dumps({"data": Call(open, path, "w")}, 2),
    "eval": lambda path: pickle.dumps([Call(eval, f"open({path!r}, 'w')")], 3),
    "by instruction": lambda path: b"\x80\x02(cos\nsystem\n" + b"U\x05touch" + b"o.",
    "old instance": lambda path: b"(S'touch " + path.encode() + b"'\nios\nsystem\n.",
    "stack global": lambda path: b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
    "memo": lambda path: b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93.",
    "an object array": lambda path: pickle.dumps({"data": np.array([Call(open, path, "w")], object)}, 2),
    "numpy's own loader": lambda path: b"\x80\x02cnumpy.core.multiarray\nfromfile\nU\x01a\x85R.",
    "persistent": lambda path: b"\x80\x02U\x01aQ.",
    "an extension": lambda path: b"\x80\x02\x82\x01.",
    "a state": lambda path: b"\x80\x02]}b.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused_and_not_run(name, tmp_path):
    content = HOSTILE[name](str(tmp_path / "boom"))
    message = (
        "batch: expected a pickle of plain data: .*, which could run any program and is refused. Take the"
    )
    with pytest.raises(FormatError, match=message):
        read_pickled(content, "batch")
    assert not (tmp_path / "boom").exists()


def test_the_hostile_pickles_do_run_elsewhere(tmp_path):
    """Else the test above would prove nothing."""
    for name in ("os.system", "open", "eval", "an object array"):
        path = tmp_path / name.replace(" ", "_")
        result = pickle.loads(HOSTILE[name](str(path)))
        for one in (
            result.values() if isinstance(result, dict) else result if isinstance(result, list) else []
        ):
            for file in np.ravel(one):
                file.close()
        assert path.exists(), name


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\x80\x02}q\x01(",
        b"\x80\x02.",
        b"\x80\x02]]s.",
        b"\x80\x02}]K\x01s.",  # a key that is a list
        b"\x80\x02K\x01K\x02a.",  # appends to a number
        b"\x80\x02h\x09.",  # a memo that was never written
        b"\x80\x02e.",
        b"\x80\x02\x87.",
        b"\x80\x02cnumpy\ndtype\nU\x02u1\x85R(K\x03U\x01?NNNtb.",
        pickle.dumps(np.zeros(3), 2)[:-30],
        pickle.dumps(np.zeros(3), 2).replace(b"K\x03\x85", b"K\x04\x85"),  # a shape that does not fit
    ],
)
def test_damaged_pickles(content):
    with pytest.raises(FormatError, match="^batch: expected a .*pickle"):
        read_pickled(content, "batch")


def test_a_shape_that_promises_too_much_makes_no_array():
    content = pickle.dumps(np.zeros(3, np.uint8), 2)
    huge = content.replace(b"K\x03\x85", b"J" + struct.pack("<i", 2**31 - 1) + b"\x85")
    assert huge != content
    with pytest.raises(FormatError, match="truncated or damaged"):
        read_pickled(huge, "batch")


CODES = [code.code.encode("latin-1") for code in pickletools.opcodes]
PIECES = st.sampled_from(
    [
        *CODES,
        b"cnumpy\ndtype\n",
        b"cnumpy\nndarray\n",
        b"cnumpy.core.multiarray\n_reconstruct\n",
        b"U\x02u1",
        b"K\x01",
    ]
)


@given(st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=25).map(b"".join)))
def test_any_bytes_give_data_or_a_format_error(content):
    try:
        read_pickled(b"\x80\x02" + content + b".", "batch")
    except FormatError:
        pass
