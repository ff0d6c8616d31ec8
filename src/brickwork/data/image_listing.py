"""Which images a folder holds: its parts, its classes, the files of each, in a fixed order."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, did_you_mean, known_names
from ..files import explained

Array = npt.NDArray[Any]

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")

_JUNK = ("thumbs.db", "desktop.ini", "__macosx")


@dataclass(frozen=True)
class Listing:
    """The images of a folder, in a fixed order: by part, class and name.

    paths, names : where they lie, and their names below the folder.
    labels : class numbers.
    test : which of them are of the test part; None where the folder has no parts.
    class_names : the sub-folders, in the order of their numbers.
    ignored : names of files that are no images by their ending.
    """

    paths: list[Path]
    names: list[str]
    labels: Array
    test: Array | None
    class_names: tuple[str, ...]
    ignored: list[str]

    def fingerprint(self) -> str:
        """A hash of names, sizes and times of change."""
        digest = hashlib.sha256()
        for path, name in zip(self.paths, self.names, strict=True):
            with explained(path, "read"):
                status = path.stat()
            digest.update(
                f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape")
            )
        return digest.hexdigest()


def list_images(root: Path) -> Listing:
    """The images of a folder and their classes. Raises DataError where there are none."""
    folders, files = _entries(root)
    if not folders:
        images = [name for name in files if name.lower().endswith(SUFFIXES)]
        held = f"{len(images)} images and no folders" if images else _described(files)
        raise DataError(
            f"{root}: expected a folder for each class, with images in it; received {held}. Put the images "
            f"of each class into a folder of the class's name: {root.name or 'DATA'}/cat/1.jpg, "
            f"{root.name or 'DATA'}/dog/1.jpg."
        )
    parts = _parts(root, folders)
    class_names = _class_names(root / parts[0]) if parts else _class_names(root)
    paths: list[Path] = []
    names: list[str] = []
    labels: list[int] = []
    tests: list[bool] = []
    ignored = [*files]
    for part in parts or [""]:
        beneath = root / part if part else root
        present, beside = (class_names, []) if not parts else _entries(beneath)
        ignored += [f"{part}/{name}" for name in beside]
        for name in present:
            if name not in class_names:
                raise DataError(
                    f"{beneath}: expected the classes of {root / parts[0]}, {known_names(class_names)}; "
                    f"received {name!r} too.{did_you_mean(name, class_names)}"
                )
        for label, name in enumerate(class_names):
            if name not in present:
                continue
            found = [file for file in _walk(beneath / name) if file.suffix.lower() in SUFFIXES]
            others = [file for file in _walk(beneath / name) if file.suffix.lower() not in SUFFIXES]
            ignored += [file.relative_to(root).as_posix() for file in others]
            if not found:
                raise DataError(
                    f"{beneath / name}: expected images of the class {name!r} ({', '.join(SUFFIXES)}); "
                    f"received {_described([file.name for file in others])}. Add images, or delete the "
                    "folder."
                )
            paths += found
            names += [file.relative_to(root).as_posix() for file in found]
            labels += [label] * len(found)
            tests += [part == "test"] * len(found)
    test = np.array(tests) if "test" in parts else None
    return Listing(paths, names, np.array(labels, np.int64), test, class_names, ignored)


def _parts(root: Path, folders: Sequence[str]) -> list[str]:
    """["train", "test"] or ["train"] where the folder has these parts: where `train` holds folders."""
    if "train" not in folders or not _entries(root / "train")[0]:
        return []
    others = [name for name in folders if name not in ("train", "test")]
    if others:
        raise DataError(
            f"{root}: expected the folders 'train' and 'test' alone, since 'train' holds a folder for each "
            f"class; received {known_names(others)} too. Move them elsewhere, or rename the part for testing "
            "to 'test'."
        )
    return [name for name in ("train", "test") if name in folders]


def _class_names(folder: Path) -> tuple[str, ...]:
    found = _entries(folder)[0]
    if all(re.fullmatch("[0-9]{1,18}", name) for name in found):
        found = sorted(found, key=lambda name: (int(name), name))
    if len(found) < 2:
        raise DataError(
            f"{folder}: expected folders for at least 2 classes; received {known_names(found) or 'none'}. "
            "Add a folder for every class that is to be told apart."
        )
    return tuple(found)


def _entries(folder: Path) -> tuple[list[str], list[str]]:
    """Names of the folders and of the files in a folder, sorted, without hidden ones."""
    folders: list[str] = []
    files: list[str] = []
    with explained(folder, "read"), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in _JUNK:
                continue
            (folders if entry.is_dir() else files).append(entry.name)
    return sorted(folders), sorted(files)


def _walk(folder: Path) -> Iterator[Path]:
    """All files below a folder, in the order of their names."""
    with explained(folder, "read"):
        for place, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if not name.startswith(".") and name.lower() not in _JUNK:
                    yield Path(place, name)


def _described(files: Sequence[str]) -> str:
    if not files:
        return "an empty folder"
    return f"{len(files)} other file{'s' if len(files) > 1 else ''} such as {files[0]!r}"
