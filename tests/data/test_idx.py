"""The idx reader: what it reads, and what it says to damaged files."""

from __future__ import annotations

import gzip
import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickwork.data import read_idx
from brickwork.data.idx import TYPES, parse_idx
from brickwork.errors import DataError, FormatError


def idx_bytes(array: np.ndarray, code: int = 0x08) -> bytes:
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(TYPES[code]).tobytes()


IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_reads_images(tmp_path, pack):
    file = tmp_path / "images"
    file.write_bytes(pack(idx_bytes(IMAGES)))
    array = read_idx(file, axes=3)
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array, IMAGES)
    array[0, 0, 0] = 9  # the caller owns it


@pytest.mark.parametrize("code", TYPES)
def test_every_type_of_number_comes_in_native_byte_order(code):
    values = np.array([[1, 2, 100]])
    array = parse_idx(idx_bytes(values, code), "numbers")
    assert array.dtype.isnative
    assert array.dtype == np.dtype(TYPES[code]).newbyteorder("=")
    np.testing.assert_array_equal(array, values)


@given(st.lists(st.integers(0, 3), min_size=0, max_size=5))
def test_every_shape_comes_back(shape):
    array = np.arange(np.prod(shape, dtype=int), dtype=np.uint8).reshape(shape)
    np.testing.assert_array_equal(parse_idx(idx_bytes(array), "any"), array)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(content):
    try:
        parse_idx(content, "file")
    except FormatError as error:
        assert str(error).startswith("file: expected ")


def test_a_file_that_is_no_idx_file_is_named(tmp_path):
    file = tmp_path / "page"
    file.write_bytes(b"<html>")
    message = f"{file}: expected an idx file, which begins with 00 00, a type"
    with pytest.raises(FormatError, match=re.escape(message) + ".*received 3c 68 74 6d. Give the file"):
        read_idx(file)


def test_an_empty_file(tmp_path):
    file = tmp_path / "nothing"
    file.touch()
    with pytest.raises(FormatError, match="nothing: expected an idx file.*received an empty file"):
        read_idx(file)


def test_an_unknown_type_of_number():
    with pytest.raises(FormatError, match="a type .08, 09 or 0b to 0e.*received 00 00 0a 01"):
        parse_idx(bytes([0, 0, 0x0A, 1, 0, 0, 0, 0]), "labels")


def test_labels_given_for_images():
    message = "labels: expected an idx file of 3 axes; received one of 1. Images have 3 axes, labels have 1"
    with pytest.raises(FormatError, match=re.escape(message)):
        parse_idx(idx_bytes(np.arange(3)), "labels", axes=3)


def test_a_header_cut_off():
    with pytest.raises(FormatError, match="images: expected 16 bytes of idx header for 3 axes; received 9"):
        parse_idx(idx_bytes(IMAGES)[:9], "images")


def test_numbers_cut_off():
    message = "images: expected 24 bytes of numbers for shape (2, 3, 4); received 20. The file is truncated"
    with pytest.raises(FormatError, match=re.escape(message)):
        parse_idx(idx_bytes(IMAGES)[:-4], "images")


def test_numbers_left_over():
    with pytest.raises(FormatError, match="expected 24 bytes .* received 25. The file is too long"):
        parse_idx(idx_bytes(IMAGES) + b"\0", "images")


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[:-12],
        lambda packed: packed[:10] + b"\xff\xff\xff" + packed[13:],
        lambda packed: packed[:-5] + bytes([packed[-5] ^ 1]) + packed[-4:],
        lambda packed: packed[:5],
    ],
    ids=["truncated", "broken block", "wrong checksum", "header only"],
)
def test_a_damaged_gzip_file_is_named(tmp_path, damage):
    file = tmp_path / "images.gz"
    file.write_bytes(damage(gzip.compress(idx_bytes(IMAGES))))
    with pytest.raises(FormatError, match="images.gz: expected a whole gzip file; received one that is"):
        read_idx(file)


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="absent.gz: expected a file; there is none. Check the path"):
        read_idx(tmp_path / "absent.gz")


def test_a_folder(tmp_path):
    with pytest.raises(DataError, match="expected a file; there is none"):
        read_idx(tmp_path)
