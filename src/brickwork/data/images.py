"""A folder with one sub-folder of images for each class, or two such folders named train and test.

Every image is looked at before anything is trained, so that a broken one is named at once. Decoded images are
kept in the cache folder as bytes and mapped from there; a change of any file makes a new entry.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arguments import Many, Whole
from ..errors import ParameterError
from ..files import FileError
from . import cache
from .dataset import Dataset
from .decoding import ImageFiles, common_look, decode_all, look_at_all
from .fetch import cache_folder
from .image_listing import Listing, list_images
from .rows import COPIED_BELOW, take_rows
from .splits import TEST_SPLIT, Split, shuffled, split_rows
from .tasks import CLASSIFICATION

Array = npt.NDArray[Any]
Report = Callable[[str], None]

_SIZE = Many(Whole(1, 10_000), 2, repeat=True)
_VERSION = 1
"""Changes when images are decoded in another way, so that entries of the cache are made anew."""


def read_images(
    folder: str | Path,
    *,
    image_size: Any = None,
    test_split: float | None = None,
    seed: int = 0,
    report: Report | None = None,
) -> Dataset:
    """Images in a folder of one sub-folder for each class.

    Parameters
    ----------
    folder : holds the sub-folders; or `train` and `test`, which hold them, or `train` alone. Hidden files are
        passed over, and files that do not end as images do (told in the notes). Classes are numbered in the
        order of their names; where all names are whole numbers, in the order of these.
    image_size : a number of pixels, (H, W), or text such as "32x48", to which images are stretched; None
        (default) where they are of one size.
    test_split : the share of each class in [0, 1) for testing where there is no folder `test`; default 0.2.
    seed : of that split and of the order of the training rows; default 0.
    report : is called with a line of text when images are decoded for the first time.

    One image in colour makes all of them red, green and blue; else they are grey.

    Raises
    ------
    DataError for a folder without classes, a class without images, images of different sizes without
    `image_size`; FormatError naming the files that are no whole images.
    """
    root = Path(folder)
    size = read_image_size(image_size)
    listing = list_images(root)
    if listing.test is not None and test_split is not None:
        raise ParameterError(
            f"{root} has a folder 'test', so that no part can be split off; got test_split={test_split}. "
            "Leave test_split out, or name the folder 'train'."
        )
    if listing.test is None:
        split = _split(listing, test_split, seed)
        train, test = split.train, split.test
    else:
        train = shuffled(np.flatnonzero(~listing.test), seed)
        test = np.flatnonzero(listing.test)
    x, notes = _pixels(root, listing, size, report)
    if listing.ignored:
        notes.append(f"{root}: {_counted(listing.ignored)} no images by their endings and left out.")
    x_train, x_test = take_rows(x, train), take_rows(x, test)
    return Dataset(
        name=root.resolve().name,
        title=str(root),
        x_train=x_train,
        y_train=listing.labels[train],
        x_test=x_test,
        y_test=listing.labels[test],
        class_names=listing.class_names,
        scale=255.0,
        task=CLASSIFICATION,
        notes=tuple(notes),
        origin=listing.fingerprint(),
    )


def read_image_size(image_size: Any) -> tuple[int, int] | None:
    """(H, W) from a number, a pair, or text such as "32" and "32x48"."""
    if isinstance(image_size, str):
        match = re.fullmatch(r"\s*(\d{1,5})\s*(?:[xX×,]\s*(\d{1,5}))?\s*", image_size)
        if match is None:
            raise ParameterError(
                f"`image_size` is a number of pixels, or height x width; got {image_size!r}. Write it as "
                "32x48."
            )
        image_size = (int(match[1]), int(match[2] or match[1]))
    if image_size is None:
        return None
    height, width = _SIZE("open_data", "image_size", image_size)
    return height, width


# -- their pixels -----------------------------------------------------------------------------------


def _pixels(
    root: Path, listing: Listing, size: tuple[int, int] | None, report: Report | None
) -> tuple[Any, list[str]]:
    """All images (N, H, W, C), from the cache, or decoded each time they are asked for; what to tell."""
    shelf = cache_folder() / "images"
    place = shelf / hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    key = hashlib.sha256(f"{_VERSION} {size} {listing.fingerprint()}".encode("utf-8", "surrogateescape"))
    found = cache.find(place, key.hexdigest()[:32], ["x"])
    if found is not None and found["x"].dtype == np.uint8 and len(found["x"]) == len(listing.paths):
        return _nearby(found["x"]), []
    told = [str(root / name) for name in listing.names]
    if report is not None:
        report(f"decoding {len(told):,} images of {root}, once")
    height, width, channels = common_look(look_at_all(listing.paths, told), told, size)
    shape = (len(told), height, width, channels)
    nbytes = len(told) * height * width * channels
    try:
        if nbytes > _free(place) * 0.9:
            raise FileError(f"Cannot write {nbytes / 2**30:.1f} GiB to {place}: the disk is too full.")
        blocks = decode_all(listing.paths, told, height, width, channels)
        made = {"x": cache.Made(shape, "u1", blocks)}
        kept = cache.keep(place, key.hexdigest()[:32], made, shelf=shelf)
        return _nearby(kept["x"]), []
    except FileError as error:
        files = ImageFiles(listing.paths, told, height, width, channels)
        if nbytes <= COPIED_BELOW:
            return files[:], []
        return files, [f"Images are decoded anew in every epoch, since there is no cache: {error}"]


def _nearby(x: Array) -> Array:
    return np.array(x) if x.nbytes <= COPIED_BELOW else x


def _free(place: Path) -> int:
    """Free bytes on the disk of a folder that may not exist yet."""
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def _counted(names: Sequence[str]) -> str:
    told = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f"{len(names)} file is ({told})" if len(names) == 1 else f"{len(names)} files are ({told})"


def _split(listing: Listing, test_split: float | None, seed: int) -> Split:
    return split_rows(
        len(listing.paths),
        test=TEST_SPLIT if test_split is None else test_split,
        seed=seed,
        labels=listing.labels,
        class_names=listing.class_names,
    )
