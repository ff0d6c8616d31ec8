"""Files of any bytes: data, or an error of Brickwork's own; never another exception, never a hang."""

from __future__ import annotations

import io
import itertools
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from brickwork.data import TableEncoder, open_data, read_npy, read_npz
from brickwork.data.idx import parse_idx
from brickwork.errors import BrickworkError

COUNTER = itertools.count()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def survives(read, *arguments, **options):
    """The result, or None after an error of Brickwork's own."""
    try:
        return read(*arguments, **options)
    except BrickworkError as error:
        assert str(error).strip()
        return None


@st.composite
def damaged(draw, contents):
    """One of these contents with bytes changed, cut out or put in."""
    content = bytearray(draw(st.sampled_from(contents)))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        match draw(st.integers(0, 2)):
            case 0 if content:
                content[at] = draw(st.integers(0, 255))
            case 1:
                del content[at : at + draw(st.integers(1, 8))]
            case _:
                content[at:at] = draw(st.binary(max_size=6))
    return bytes(content)


# -- CSV --------------------------------------------------------------------------------------------

CELLS = st.sampled_from(
    [
        *("", "1", "-2.5", "1e5", "1e400", "-inf", "nan", "NA", "?", "1_0", "0", "3", "7.0", "1,5"),
        *("a", "b", "é", "x y", '"q', '"a,b"', "\0", "id"),
    ]
)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=14)
TARGETS = st.sampled_from(["y", "a", 1, 2, -1, "1", None])
TASKS = st.sampled_from(["auto", "classification", "regression"])


@st.composite
def csv_bytes(draw):
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    width = draw(st.integers(1, 4))
    row = st.lists(CELLS, min_size=width, max_size=width)
    rows = draw(st.one_of(ROWS, st.lists(row, max_size=30)))
    rows = [["y", "a", "b", "c"][:width], *rows] if draw(st.booleans()) else rows
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = newline.join(delimiter.join(cells) for cells in rows)
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"])))


POOLS = [
    ["0", "1"],
    ["1", "2.5", "-3", "4e2", ""],
    ["red", "blue", "", "NA"],
    ["x", "1"],
    ["1e-300", "1e38", "-1e38", "0"],
    ["7"],
    ["NA"],
]


@st.composite
def plausible_csv(draw):
    """A table that could be somebody's: each column of a kind, seldom an odd cell."""
    pools = [
        draw(st.sampled_from(POOLS[:4])),
        *draw(st.lists(st.sampled_from(POOLS), min_size=1, max_size=3)),
    ]
    random = draw(st.randoms(use_true_random=False))
    rows = [[random.choice(pool) for pool in pools] for _ in range(draw(st.integers(6, 40)))]
    for row in rows:
        row[0] = row[0] or "3"
    if draw(st.integers(0, 3)) == 0:
        row = random.choice(rows)
        row[random.randrange(len(row))] = draw(CELLS)
    lines = [["y", "a", "b", "c"][: len(pools)], *rows]
    delimiter = draw(st.sampled_from([",", ";"]))
    return "\n".join(delimiter.join(cells) for cells in lines).encode()


@given(
    st.one_of(plausible_csv(), csv_bytes(), st.binary(max_size=200)),
    TARGETS,
    TASKS,
    st.sampled_from([None, 0.0, 0.3]),
)
@example(b"y,a\n1,2\n", "y", "auto", 0.0)
@example(b"\xff\xfe", "y", "auto", None)
@example(b"y,a\n" + b"1,1e308\n2,-1e308\n" * 5, "y", "auto", None)
@example(b"y,a\n" + b"1,1e-320\n2,0\n" * 5, "y", "auto", None)
@example(b'"' * 200, "y", "auto", None)
def test_csv(place, content, target, task, test_split):
    path = place / f"{next(COUNTER)}.csv"
    path.write_bytes(content)
    found = survives(open_data, path, target=target, task=task, test_split=test_split, report=len)
    event(f"read: {found is not None}")
    if found is not None:
        assert np.isfinite(found.x_train).all() and np.isfinite(found.y_train).all()
        assert found.x_train.shape[1] == len(found.feature_names) > 0
        # what was read can be read again, by what is saved with the model
        again = TableEncoder.from_config(found.preprocessing.get_config())
        assert len(again.encode(path)) == len(found.x_train) + len(found.x_test)
        assert len(again.encode_target(path)) == len(found.y_train) + len(found.y_test)
    path.unlink()


# -- NumPy's files ----------------------------------------------------------------------------------


def npy(array) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array)
    return stream.getvalue()


def npz(save, **arrays) -> bytes:
    stream = io.BytesIO()
    save(stream, **arrays)
    return stream.getvalue()


X, Y = np.arange(24, dtype=np.float32).reshape(12, 2), np.arange(12) % 2
NPY = [npy(X), npy(np.asfortranarray(X)), npy(np.array(["a", "bc"])), npy(np.array(3)), npy(X > 3)]
NPZ = [npz(np.savez, x=X, y=Y), npz(np.savez_compressed, x=X, y=Y), npz(np.savez, x_train=X, y_train=Y)]


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text.encode("latin-1")


DESCRS = [
    "'<f4'",
    "'|O'",
    "'<U4'",
    "'|S99999999'",
    "'|u1'",
    "'<f2'",
    "'<c8'",
    "'<m8'",
    "'|V4'",
    "[('a', '|O')]",
    "3",
]
SHAPES = [
    "",
    "2,",
    "4, 4",
    "16",
    "0,",
    "-1,",
    "9" * 30,
    "1, " * 40,
    "99999999999, 0",
    "2, x",
    "4L, 4L",
    "1" * 5000,
]
HEADERS = st.builds(
    lambda descr, order, shape: (
        header(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': ({shape}), }}") + bytes(64)
    ),
    st.sampled_from(DESCRS),
    st.sampled_from(["True", "False", "None"]),
    st.sampled_from(SHAPES),
)


@given(st.one_of(st.binary(max_size=120), damaged(NPY), HEADERS))
@example(NPY[0][:8] + b"\0\0" + NPY[0][10:])
def test_npy(place, content):
    path = place / f"{next(COUNTER)}.npy"
    path.write_bytes(content)
    survives(read_npy, path)
    survives(open_data, path, target=path.name, report=len)
    path.unlink()


@st.composite
def archives(draw):
    """Whole archives of odd members, some packed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(
        stream, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    ) as made:
        for name in draw(
            st.lists(st.sampled_from(["x.npy", "y.npy", "x_test.npy", "y", "../x.npy", "a/"]), unique=True)
        ):
            made.writestr(name, draw(st.one_of(st.sampled_from(NPY), HEADERS, st.binary(max_size=20))))
    return stream.getvalue()


@given(st.one_of(st.binary(max_size=80), damaged(NPZ), archives()), TASKS)
def test_npz(place, content, task):
    path = place / f"{next(COUNTER)}.npz"
    path.write_bytes(content)
    survives(read_npz, path)
    found = survives(open_data, path, task=task, report=len)
    if found is not None:
        assert np.isfinite(found.x_train[:]).all() and len(found.x_train) == len(found.y_train)
    path.unlink()


# -- idx --------------------------------------------------------------------------------------------

IDX = [
    b"\0\0\x08\x03" + struct.pack(">3I", 2, 2, 3) + bytes(12),
    b"\0\0\x0d\x01" + struct.pack(">I", 2) + bytes(8),
]


@given(st.one_of(st.binary(max_size=60), damaged(IDX)), st.sampled_from([None, 1, 3]))
@example(b"\0\0\x08\xff" + b"\xff" * 1020, None)
@example(b"\0\0\x08\x40" + struct.pack(">64I", *[1] * 64) + b"a", None)
@example(b"\0\0\x08\x41" + struct.pack(">65I", *[1] * 65) + b"a", None)
@example(b"\0\0\x08\x02" + struct.pack(">2I", 0, 2**32 - 1), None)
def test_idx(content, axes):
    survives(parse_idx, content, "file", axes=axes)
