"""Folders of images: what is found, how it is decoded and kept, and every odd file by its name."""

from __future__ import annotations

import os
import re
import shutil
import time
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from brickwork.data import cache, decoding, images, open_data, read_images
from brickwork.data import rows as rows_module
from brickwork.data.decoding import ImageFiles, decode, look
from brickwork.errors import BrickworkError, DataError, FormatError, ParameterError, ParameterTypeError

GREEN, GREY = (0, 200, 0), (102, 102, 102)


def put(path, colour=GREEN, size=(8, 6), mode="RGB", **options):
    """One image; `size` is (H, W)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size[1], size[0]), colour).convert(mode).save(path, **options)
    return path


@pytest.fixture
def pets(tmp_path):
    """A folder with 6 cats and 4 dogs, whose red tells the file."""
    for name, count, first in (("cat", 6, 10), ("dog", 4, 100)):
        for number in range(count):
            put(tmp_path / "pets" / name / f"{number}.png", (first + number, 0, 50))
    return tmp_path / "pets"


def test_classes_and_splits(pets):
    found = open_data(pets, test_split=0.3, seed=1)
    assert repr(found) == "Dataset('pets': 7 training and 3 test samples of shape (8, 6, 3), 2 classes)"
    assert found.class_names == ("cat", "dog") and found.scale == 255.0 and found.task == "classification"
    reds = {label: {x[0, 0, 0] for x, y in rows(found) if y == label} for label in (0, 1)}
    assert reds == {0: set(range(10, 16)), 1: set(range(100, 104))}
    assert np.bincount(found.y_test).tolist() == [2, 1]
    again, other = open_data(pets, test_split=0.3, seed=1), open_data(pets, test_split=0.3, seed=2)
    assert np.array_equal(again.x_train, found.x_train)
    assert again.content_hash() == found.content_hash() != other.content_hash()


def rows(dataset):
    for x, y in ((dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test)):
        yield from zip(x, y, strict=True)


def test_folders_named_train_and_test(tmp_path):
    root = tmp_path / "pets"
    for part, count in (("train", 4), ("test", 2)):
        for name, red in (("b", 9), ("a", 5)):
            for number in range(count):
                put(root / part / name / f"{number}.png", (red, number, 0 if part == "train" else 1))
    found = read_images(root)
    assert found.class_names == ("a", "b") and len(found.x_train) == 8
    assert np.all(found.x_train[..., 2] == 0) and np.all(found.x_test[..., 2] == 1)
    assert found.y_test.tolist() == [0, 0, 1, 1]
    assert set(found.y_train[-4:]) == {0, 1}  # mixed
    with pytest.raises(
        ParameterError, match="has a folder 'test', so that no part can be split off; got test_split"
    ):
        read_images(root, test_split=0.1)


def test_a_folder_named_train_alone_is_split(tmp_path):
    for name in ("a", "b"):
        for number in range(5):
            put(tmp_path / "train" / name / f"{number}.png")
    assert len(read_images(tmp_path).x_test) == 2


def test_train_may_be_a_class(tmp_path):
    for name in ("train", "bus"):
        for number in range(5):
            put(tmp_path / name / f"{number}.png")
    assert read_images(tmp_path).class_names == ("bus", "train")


def test_order_of_classes(tmp_path):
    for name in ("10", "9", "1"):
        for number in range(2):
            put(tmp_path / "numbers" / name / f"{number}.png")
    assert read_images(tmp_path / "numbers", test_split=0.4).class_names == ("1", "9", "10")
    for name in ("b10", "b9", "A"):
        for number in range(2):
            put(tmp_path / "words" / name / f"{number}.png")
    assert read_images(tmp_path / "words", test_split=0.4).class_names == ("A", "b10", "b9")


def test_hidden_files_and_others(pets):
    for name in (
        ".DS_Store",
        ".hidden/1.png",
        "cat/.thumb.png",
        "cat/Thumbs.db",
        "notes.txt",
        "dog/readme.md",
    ):
        (pets / name).parent.mkdir(exist_ok=True)
        (pets / name).write_bytes(b"nothing")
    put(pets / "dog" / "more" / "9.png", (105, 0, 0))
    found = read_images(pets)
    assert len(found.x_train) + len(found.x_test) == 11
    assert found.notes == (
        f"{pets}: 2 files are (notes.txt, dog/readme.md) no images by their endings and left out.",
    )


# -- colours, sizes, formats ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colours", "modes", "channels"),
    [
        ((GREY, GREY), ("L", "L"), 1),
        ((GREY, GREY), ("L", "1"), 1),
        ((GREY, GREY), ("L", "RGB"), 3),
        ((GREY, GREEN), ("P", "RGB"), 3),
        ((GREY, GREY), ("LA", "I;16"), 1),
    ],
)
def test_one_image_in_colour_makes_all_of_them_so(tmp_path, colours, modes, channels):
    for name, colour, mode in zip("ab", colours, modes, strict=True):
        for number in range(2):
            path = tmp_path / name / f"{number}.png"
            if mode == "I;16":
                path.parent.mkdir(exist_ok=True)
                Image.fromarray(np.full((8, 6), 102 * 257, np.uint16)).save(path)
            else:
                put(path, colour, mode=mode)
    found = read_images(tmp_path, test_split=0.5)
    assert found.x_train.shape == (2, 8, 6, channels)
    if modes != ("L", "1"):
        for x, y in rows(found):
            wanted = colours[y] if channels == 3 else colours[y][:1]
            assert np.abs(x.astype(int) - wanted).max() <= 1, modes


def test_grey_palettes_are_grey(tmp_path):
    image = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).convert("P")
    image.save(tmp_path / "a.gif")
    assert look(tmp_path / "a.gif").grey
    np.testing.assert_array_equal(decode(tmp_path / "a.gif", 16, 16, 1)[..., 0].ravel(), np.arange(256))


def test_transparent_pixels_are_laid_over_white(tmp_path):
    Image.new("RGBA", (2, 2), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert np.all(decode(tmp_path / "a.png", 2, 2, 3) == 255)
    Image.new("RGBA", (2, 2), (0, 0, 0, 255)).save(tmp_path / "a.png")
    assert np.all(decode(tmp_path / "a.png", 2, 2, 3) == 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_their_exif_says(tmp_path, orientation):
    from PIL import ImageOps

    pixels = np.zeros((16, 24, 3), np.uint8)
    pixels[:8, :8], pixels[8:, 16:] = (250, 0, 0), (0, 0, 250)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.jpg", "a.png"):
        Image.fromarray(pixels).save(tmp_path / name, exif=exif)
        with Image.open(tmp_path / name) as image:
            upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        seen = look(tmp_path / name)
        assert (seen.height, seen.width) == upright.shape[:2]
        np.testing.assert_array_equal(decode(tmp_path / name, *upright.shape), upright)


@pytest.mark.parametrize("ending", ["jpg", "png", "gif", "bmp", "tif", "webp", "ppm"])
def test_formats(tmp_path, ending):
    path = put(tmp_path / f"a.{ending}", GREEN, size=(16, 16))
    assert np.abs(decode(path, 16, 16, 3).astype(int) - GREEN).max() <= 8


def test_other_sizes_need_a_size(pets):
    put(pets / "dog" / "tall.png", size=(9, 6))
    message = (
        f"Images must be of one size, or be brought to one; {pets}/cat/0.png has 8 x 6 pixels (H x W), "
        f"{pets}/dog/tall.png has 9 x 6. Give image_size, such as --image-size 8x6."
    )
    with pytest.raises(DataError, match=re.escape(message)):
        open_data(pets)
    for size in (4, (4, 4), "4", "4x4", "4, 4"):
        assert open_data(pets, image_size=size).x_train.shape[1:] == (4, 4, 3)
    assert open_data(pets, image_size="4x5").x_train.shape[1:] == (4, 5, 3)


@pytest.mark.parametrize("size", ["", "4x", "axb", "4x4x4", "-4"])
def test_a_size_that_is_none(pets, size):
    with pytest.raises(ParameterError, match="`image_size` is a number of pixels, or height x width; got "):
        open_data(pets, image_size=size)


def test_other_values_that_are_no_size(pets):
    with pytest.raises(
        ParameterError, match=r"`image_size` must be a whole number in \[1, 10000\], or a tuple of 2"
    ):
        open_data(pets, image_size=0)
    with pytest.raises(ParameterTypeError, match="`image_size` must be"):
        open_data(pets, image_size=4.5)


# -- broken folders and files -----------------------------------------------------------------------


def test_an_empty_folder(tmp_path):
    message = (
        f"{tmp_path}: expected a folder for each class, with images in it; received an empty folder. Put the"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        open_data(tmp_path)


def test_images_without_folders(tmp_path):
    put(tmp_path / "1.png")
    with pytest.raises(
        DataError, match="expected a folder for each class, .*received 1 images and no folders"
    ):
        open_data(tmp_path)


def test_one_class(tmp_path):
    put(tmp_path / "cat" / "1.png")
    with pytest.raises(
        DataError, match="expected folders for at least 2 classes; received 'cat'. Add a folder"
    ):
        open_data(tmp_path)


@pytest.mark.parametrize(
    ("names", "told"), [([], "an empty folder"), (["a.txt"], "1 other file such as 'a.txt'")]
)
def test_a_class_without_images(pets, names, told):
    (pets / "fish").mkdir()
    for name in names:
        (pets / "fish" / name).write_text("")
    message = f"{pets}/fish: expected images of the class 'fish' (.jpg, .jpeg, .png"
    with pytest.raises(DataError, match=re.escape(message) + ".*received " + re.escape(told)):
        open_data(pets)


def test_a_class_with_one_image(pets):
    put(pets / "fish" / "1.png")
    with pytest.raises(
        DataError, match="at least 2 rows of every class; class 'fish' has 1. Add rows of it, drop"
    ):
        open_data(pets)


def test_a_class_of_the_test_part_alone(tmp_path):
    for path in ("train/cat/1.png", "train/dog/1.png", "test/cat/1.png", "test/dgo/1.png"):
        put(tmp_path / path)
    message = "test: expected the classes of .*train, 'cat', 'dog'; received 'dgo' too. Did you mean 'dog'?"
    with pytest.raises(DataError, match=message):
        open_data(tmp_path)


def test_more_parts_than_two(tmp_path):
    for path in ("train/cat/1.png", "train/dog/1.png", "val/cat/1.png"):
        put(tmp_path / path)
    with pytest.raises(
        DataError, match="expected the folders 'train' and 'test' alone, .*received 'val' too"
    ):
        open_data(tmp_path)


def test_broken_files_are_named_all_together(pets, tmp_path):
    (pets / "cat" / "6.png").write_bytes(b"this is a text")
    (pets / "cat" / "7.jpg").write_bytes(b"")
    (pets / "dog" / "8.gif").write_bytes((pets / "dog" / "0.png").read_bytes()[:20])
    message = (
        f"expected whole images (JPEG, PNG, GIF, BMP, TIFF, WEBP, PPM); received {pets}/cat/6.png (its "
        f"content is no image); {pets}/cat/7.jpg (its content is no image); {pets}/dog/8.gif ("
    )
    with pytest.raises(FormatError, match=re.escape(message) + ".*Replace or delete these files."):
        open_data(pets)
    assert not list((tmp_path / "cache").rglob("*.npy"))


def test_a_truncated_image_is_named(pets, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (8, 6, 3), dtype=np.uint8)
    Image.fromarray(noise).save(pets / "cat" / "t.jpg")
    content = (pets / "cat" / "t.jpg").read_bytes()
    (pets / "cat" / "t.jpg").write_bytes(content[:-60])
    message = re.escape(f"received {pets}/cat/t.jpg (truncated). Replace or delete this file.")
    with pytest.raises(FormatError, match=message):
        open_data(pets)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]  # nothing half-written


def test_an_image_under_another_ending_is_read(pets):
    (pets / "cat" / "9.jpg").write_bytes((pets / "cat" / "0.png").read_bytes())
    assert len(open_data(pets).y_train) == 9


def test_formats_that_start_programs_are_refused(pets):
    (pets / "cat" / "e.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 6\n%%EndComments\n")
    with pytest.raises(FormatError, match=r"e.png \(its content is no image\)"):
        open_data(pets)


def test_an_image_of_too_many_pixels(pets, monkeypatch):
    monkeypatch.setattr(decoding, "MOST_PIXELS", 40)
    with pytest.raises(FormatError, match=r"cat/0.png \(ValueError: 6 x 8 pixels are more than 40\)"):
        open_data(pets)


def test_floating_point_pixels(pets):
    Image.fromarray(np.ones((8, 6), np.float32)).save(pets / "cat" / "f.tif")
    with pytest.raises(FormatError, match="f.tif .*its pixels are floating-point numbers"):
        open_data(pets)


def test_pillow_warns_of_nothing(pets, monkeypatch):
    """Warnings are errors here, in threads too."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    with pytest.warns(Image.DecompressionBombWarning):
        Image.open(pets / "cat" / "0.png").close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_data(pets)


# -- the cache --------------------------------------------------------------------------------------


def test_images_are_decoded_once_and_again_after_a_change(pets, tmp_path, monkeypatch):
    told = []
    first = open_data(pets, report=told.append)
    assert told == [f"decoding 10 images of {pets}, once"]
    assert open_data(pets, report=told.append).content_hash() == first.content_hash() and len(told) == 1
    put(pets / "cat" / "0.png", (200, 0, 0))
    os.utime(pets / "cat" / "0.png", ns=(1, 1))
    assert open_data(pets, report=told.append).content_hash() != first.content_hash() and len(told) == 2
    open_data(pets, image_size=4, report=told.append)
    assert len(told) == 3


def test_old_entries_are_removed(pets, tmp_path, monkeypatch):
    for size in range(1, 8):
        open_data(pets, image_size=size)
    (place,) = (tmp_path / "cache" / "images").iterdir()
    assert len(list(place.iterdir())) == 4
    (place / ".abandoned").mkdir()
    os.utime(place / ".abandoned", (time.time() - 90_000,) * 2)
    open_data(pets, image_size=9)
    assert not (place / ".abandoned").exists()


def test_all_folders_together_are_bounded(pets, tmp_path, monkeypatch):
    """Of three folders two fit; the one that was used longest ago goes."""
    folders = [pets, *(shutil.copytree(pets, tmp_path / name) for name in ("second", "third"))]
    shelf = tmp_path / "cache" / "images"
    for folder, age in zip(folders[:2], (300, 200), strict=True):
        before = set(shelf.glob("*/*"))
        open_data(folder)
        (made,) = set(shelf.glob("*/*")) - before
        os.utime(made, (time.time() - age,) * 2)
    size = sum(file.stat().st_size for file in made.iterdir())
    (shelf / "notes").mkdir()
    (shelf / "notes" / "of somebody else").mkdir()
    monkeypatch.setattr(cache, "_MOST_BYTES", 2 * size)
    told = []
    open_data(folders[0], report=told.append)  # used just now: the second is the oldest
    open_data(folders[2])
    assert len(list(shelf.glob("*/*/x.npy"))) == 2 and made not in shelf.glob("*/*")
    open_data(folders[0], report=told.append)
    assert told == [] and not made.parent.exists() and (shelf / "notes" / "of somebody else").exists()
    monkeypatch.setattr(cache, "_MOST_BYTES", 1)
    open_data(folders[1])  # the newest stays, however large it is
    (left,) = shelf.glob("*/*/x.npy")
    assert left.parent.parent == made.parent


def test_a_damaged_entry_is_made_anew(pets, tmp_path):
    first = open_data(pets)
    (file,) = (tmp_path / "cache").rglob("x.npy")
    file.write_bytes(file.read_bytes()[:-5])
    assert np.array_equal(open_data(pets).x_train, first.x_train)


@pytest.mark.parametrize("reason", ["not writable", "too full", "full while writing"])
def test_without_a_cache(pets, tmp_path, monkeypatch, reason):
    expected = open_data(pets)
    monkeypatch.setenv("BRICKWORK_CACHE", str(tmp_path / "other"))
    if reason == "not writable":
        (tmp_path / "other").write_text("a file")
    elif reason == "too full":
        monkeypatch.setattr(images, "_free", lambda place: 100)
    else:

        def full(path, made):
            path.write_bytes(b"half of it")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(cache, "_write", full)
    assert np.array_equal(open_data(pets).x_train, expected.x_train)
    # what does not fit into memory is decoded whenever it is asked for
    monkeypatch.setattr(images, "COPIED_BELOW", 10)
    monkeypatch.setattr(rows_module, "COPIED_BELOW", 10)
    found = open_data(pets)
    assert isinstance(found.x_train.base, ImageFiles)
    assert np.array_equal(found.x_train[:], expected.x_train)
    assert found.notes[0].startswith(
        "Images are decoded anew in every epoch, since there is no cache: Cannot "
    )
    assert not [path for path in (tmp_path / "other").rglob("*") if path.is_file()]


def test_interrupted_decoding_leaves_nothing(pets, tmp_path, monkeypatch):
    def stop(*arguments, **options):
        yield np.zeros((1, 8, 6, 3), np.uint8)
        raise KeyboardInterrupt

    monkeypatch.setattr(images, "decode_all", stop)
    with pytest.raises(KeyboardInterrupt):
        open_data(pets)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_large_folders_stay_in_the_cache(pets, monkeypatch):
    monkeypatch.setattr(images, "COPIED_BELOW", 10)
    monkeypatch.setattr(rows_module, "COPIED_BELOW", 10)
    found = open_data(pets)
    assert isinstance(found.x_train.base, np.memmap)
    assert {x[0, 0, 0] for x, _ in rows(found)} == {*range(10, 16), *range(100, 104)}


@pytest.mark.parametrize(
    ("variable", "word", "count"), [("BRICKWORK_NUM_THREADS", "3", 3), ("OMP_NUM_THREADS", "99", 8)]
)
def test_threads(monkeypatch, variable, word, count):
    monkeypatch.delenv("BRICKWORK_NUM_THREADS")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert 1 <= decoding.workers() <= 8
    monkeypatch.setenv(variable, word)
    assert decoding.workers() == count


# -- any bytes --------------------------------------------------------------------------------------


def whole_images():
    """A small file of each format."""
    import io

    pixels = np.random.default_rng(0).integers(0, 255, (7, 5, 3), dtype=np.uint8)
    for form in decoding.FORMATS:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, form)
        yield stream.getvalue()


WHOLE = list(whole_images())


@st.composite
def damaged(draw):
    content = bytearray(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(0, 6))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


@given(st.one_of(st.binary(max_size=100), damaged()))
def test_any_bytes_are_an_image_or_a_format_error(content):
    try:
        (found,) = decoding.decode_all([content], ["a.png"], 4, 4, 3)
        assert found.shape == (1, 4, 4, 3)
        decoding.look_at_all([content], ["a.png"])
    except BrickworkError as error:
        assert isinstance(error, FormatError) and "a.png" in str(error)
