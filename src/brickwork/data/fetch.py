"""Published data sets: finding their files, downloading them, checking their content; the four idx files.

A file is looked for in BRICKWORK_DATA, then in the cache, and else is downloaded. Its content is checked
after gunzip, because mirrors compress the same content differently.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ..errors import DataError, FormatError
from .idx import parse_idx, read_content

Pair = tuple[npt.NDArray[Any], npt.NDArray[Any]]


@dataclasses.dataclass(frozen=True)
class Release:
    """A data set as its authors publish it: the folder's name, where it is served, SHA-256 of its content."""

    name: str
    homes: tuple[str, ...]
    sha256: Mapping[str, str]


MNIST = Release(
    name="mnist",
    homes=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    sha256={
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
)

FASHION_MNIST = Release(
    name="fashion-mnist",
    homes=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    sha256={
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
)


def data_folder() -> Path | None:
    """The folder that BRICKWORK_DATA names, made absolute; None where the variable is not set."""
    value = os.environ.get("BRICKWORK_DATA")
    if not value:
        return None
    folder = Path(value).expanduser().absolute()
    if not folder.is_dir():
        raise DataError(
            f"BRICKWORK_DATA must name a folder that exists; received {value!r}, which is {folder}. "
            f"Correct the variable, or unset it to use the cache."
        )
    return folder


def cache_folder() -> Path:
    """Where downloads are kept: BRICKWORK_CACHE, else the user's cache folder of the platform."""
    value = os.environ.get("BRICKWORK_CACHE")
    if value:
        return Path(value).expanduser().absolute()
    import pooch

    return Path(pooch.os_cache("brickwork"))


def read_release(release: Release) -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test) of a release: images (N, H, W) and labels (N,), both uint8."""
    # All four are located before the first is read, so that a missing one is told at once.
    paths = {file: locate(release, file) for file in release.sha256}

    def read(file: str, axes: int) -> npt.NDArray[Any]:
        content = read_content(paths[file])
        check_content(release, file, content, paths[file])
        return parse_idx(content, paths[file], axes=axes)

    train = read("train-images-idx3-ubyte", 3), read("train-labels-idx1-ubyte", 1)
    test = read("t10k-images-idx3-ubyte", 3), read("t10k-labels-idx1-ubyte", 1)
    return train, test


def locate(release: Release, file: str) -> Path:
    """The path of one file of a release, downloaded when it is nowhere on this machine."""
    folders = [cache_folder() / release.name]
    data = data_folder()
    if data is not None:
        folders.insert(0, data / release.name)
    for folder in folders:
        for path in (folder / file, folder / f"{file}.gz"):
            if path.is_file():
                return path
    return fetch(release, file, folders[-1])


def check_content(release: Release, file: str, content: bytes, path: str | Path) -> None:
    """Refuse content that differs from the published one."""
    received = hashlib.sha256(content).hexdigest()
    if received != release.sha256[file]:
        raise FormatError(
            f"{path}: expected the content of {release.name}'s {file}, SHA-256 {release.sha256[file][:16]}…; "
            f"received {received[:16]}…. Delete the file and fetch it again."
        )


def fetch(release: Release, file: str, folder: Path) -> Path:
    """Download one file of a release into `folder`."""
    return fetch_file(
        release.name,
        tuple(f"{home}{file}.gz" for home in release.homes),
        folder / f"{file}.gz",
        lambda part, url: check_content(release, file, read_content(part), url),
        wanted=", ".join(f"{name}.gz" for name in release.sha256),
    )


def fetch_file(
    name: str, urls: tuple[str, ...], target: Path, check: Callable[[Path, str], None], *, wanted: str
) -> Path:
    """Download a file from the first URL that serves it, check its content, and give it its name only then.

    `check` gets the file and the URL, and raises FormatError; `wanted` tells the user which files to put
    where.
    """
    folder = target.parent
    part = folder / f"{target.name}.{os.getpid()}.part"
    failures = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.touch()
    except OSError as error:
        raise DataError(
            f"{name}: the cache folder must be writable; received {folder} ({error.strerror}). "
            f"Set BRICKWORK_CACHE to a folder of your own."
        ) from None
    try:
        for url in urls:
            print(f"downloading {url}", file=sys.stderr, flush=True)
            try:
                download(url, part)
                check(part, url)
            except (OSError, FormatError) as error:
                failures.append(f"{url}: {_first_words(error)}")
                continue
            part.replace(target)
            return target
    finally:
        part.unlink(missing_ok=True)
    raise DataError(
        f"{name}: expected {target.name} on this machine or a download; received neither "
        f"({'; '.join(failures)}). "
        f"Put {wanted} into the folder DIR/{name} and set BRICKWORK_DATA=DIR."
    )


def download(url: str, path: Path) -> None:
    """Write what `url` serves to `path`; an OSError where it is not served."""
    import pooch

    pooch.HTTPDownloader(timeout=30)(url, str(path), None)


def _first_words(error: Exception) -> str:
    # requests nests the whole chain of causes into its message: the class says enough.
    return type(error).__name__ if isinstance(error, OSError) else "not the published content"
