"""CIFAR-10 in the forms in which it lies on disks: two official ones, and folders of JPEGs.

The official binary version is what is downloaded. The official Python version consists of pickles, of which
the data is read and nothing is run. What comes in an archive is decoded once and kept in the cache.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FormatError
from ..files import FileError, explained
from . import cache
from .decoding import decode_all
from .fetch import cache_folder, data_folder, fetch_file
from .pickles import read_pickled

Array = npt.NDArray[Any]

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
_PIXELS = 3 * 32 * 32
_LARGEST_MEMBER = 1 << 26
_ARRAYS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True)
class CifarRelease:
    """CIFAR-10 as published: where it is served, MD5 of the archive and of the pickles, rows in each file."""

    url: str
    md5: str
    python_md5: Mapping[str, str]
    rows: int


CIFAR_10 = CifarRelease(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    md5="c32a1d4ab5d03f1284b67883e8d87530",
    python_md5={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    },
    rows=10_000,
)


@dataclass(frozen=True)
class Cifar:
    """The arrays x_train, y_train, x_test, y_test, and in which form they were found."""

    arrays: dict[str, Array]
    form: str


def read_cifar10(release: CifarRelease = CIFAR_10) -> Cifar:
    """CIFAR-10: images uint8 (50000, 32, 32, 3) and (10000, 32, 32, 3), labels uint8.

    Looked for in the folder `cifar-10` in BRICKWORK_DATA, then in the cache, in this order: the binary
    version, the Python version (each unpacked or as its archive), `cifar-10-jpeg.tar.gz` or its folders
    train/CLASS/*.jpg and test/CLASS/*.jpg; else the binary version is downloaded into the cache.

    Raises DataError where it is nowhere and cannot be downloaded, FormatError for other content.
    """
    data = data_folder()
    places = [cache_folder() / "cifar-10"]
    if data is not None:
        places.insert(0, data / "cifar-10")
    for place in places:
        for form, names, read in _FORMS:
            for path in (place / name for name in names):
                if _holds(path, form):
                    return Cifar(read(path, release), form)
    archive = fetch_file(
        "cifar-10",
        (release.url,),
        places[-1] / "cifar-10-binary.tar.gz",
        lambda part, url: _check_md5(release.md5, part.read_bytes(), url),
        wanted="cifar-10-binary.tar.gz (or cifar-10-python.tar.gz)",
    )
    return Cifar(_archive(archive, release, _from_binary), "binary")


def _holds(path: Path, form: str) -> bool:
    if path.name.endswith(".gz"):
        return path.is_file()
    if form == "jpeg":
        return (path / "train").is_dir() and (path / "test").is_dir()
    return (path / ("data_batch_1.bin" if form == "binary" else "data_batch_1")).is_file()


# -- the official versions --------------------------------------------------------------------------


def _from_binary(files: Mapping[str, bytes], release: CifarRelease, where: str) -> dict[str, Array]:
    """Records of one byte for the label and 3,072 for the pixels: red, green, blue, row by row."""
    batches = {}
    for name in _BATCHES:
        content = _found(files, f"{name}.bin", where)
        if len(content) != release.rows * (1 + _PIXELS):
            raise FormatError(
                f"{where}, {name}.bin: expected {release.rows * (1 + _PIXELS):,} bytes, {release.rows:,} "
                f"images with their labels; received {len(content):,}. Fetch the file again."
            )
        records = np.frombuffer(content, np.uint8).reshape(-1, 1 + _PIXELS)
        batches[name] = records[:, 1:], records[:, 0]
    return _joined(batches, release, where)


def _from_python(files: Mapping[str, bytes], release: CifarRelease, where: str) -> dict[str, Array]:
    """Pickled dicts with `data`, uint8 (rows, 3072), and `labels`, a list."""
    batches = {}
    for name in _BATCHES:
        content = _found(files, name, where)
        _check_md5(release.python_md5[name], content, f"{where}, {name}")
        batch = read_pickled(content, f"{where}, {name}")
        pixels, labels = (_entry(batch, key, f"{where}, {name}") for key in ("data", "labels"))
        right = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8
        right = right and pixels.shape == (release.rows, _PIXELS) and isinstance(labels, list)
        if not right or len(labels) != release.rows or not all(label in range(10) for label in labels):
            raise FormatError(
                f"{where}, {name}: expected uint8 data of shape ({release.rows}, {_PIXELS}) and as many "
                "labels in 0 … 9; received something else. Fetch the file again."
            )
        batches[name] = pixels, np.array(labels, np.uint8)
    return _joined(batches, release, where)


def _entry(batch: Any, key: str, where: str) -> Any:
    """A value of the dict, whose keys are bytes where Python 2 wrote them."""
    if isinstance(batch, dict):
        for name in (key.encode(), key):
            if name in batch:
                return batch[name]
    raise FormatError(f"{where}: expected a dict with {key!r}; received none. Fetch the file again.")


def _joined(
    batches: Mapping[str, tuple[Array, Array]], release: CifarRelease, where: str
) -> dict[str, Array]:
    arrays = {}
    for part, names in (("train", _BATCHES[:5]), ("test", _BATCHES[5:])):
        planes = [batches[name][0].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) for name in names]
        arrays[f"x_{part}"] = np.ascontiguousarray(np.concatenate(planes))
        arrays[f"y_{part}"] = np.concatenate([batches[name][1] for name in names])
        _check_counts(arrays[f"y_{part}"], part, release, where)
    return arrays


def _check_counts(labels: Array, part: str, release: CifarRelease, where: str) -> None:
    """Equally many images of each class, as published."""
    each = release.rows * (5 if part == "train" else 1) // 10
    counts = np.bincount(labels, minlength=10)
    if len(counts) != 10 or np.any(counts != each):
        raise FormatError(
            f"{where}: expected {each:,} {part} images of each class of CIFAR-10; received "
            f"{counts.tolist()}. Fetch it again."
        )


def _check_md5(expected: str, content: bytes, where: str) -> None:
    received = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if received != expected:
        raise FormatError(
            f"{where}: expected the published content, MD5 {expected}; received {received}. Delete the file "
            "and fetch it again."
        )


def _found(files: Mapping[str, bytes], name: str, where: str) -> bytes:
    if name not in files:
        raise FormatError(f"{where}: expected {name} in it; it is missing. Fetch the data again.")
    return files[name]


# -- JPEGs ------------------------------------------------------------------------------------------


def _from_jpegs(files: Mapping[str, bytes], release: CifarRelease, where: str) -> dict[str, Array]:
    made = _jpeg_blocks(files, release, where)
    return {name: np.concatenate(list(array.blocks)) for name, array in made.items()}


def _jpeg_blocks(files: Mapping[str, bytes], release: CifarRelease, where: str) -> dict[str, cache.Made]:
    """The arrays, decoded block by block. Classes alternate, so that any run of rows holds all of them."""
    made = {}
    for part in ("train", "test"):
        classes: dict[str, list[str]] = {name: [] for name in CLASSES}
        for path in sorted(files):
            folder, _, rest = path.partition("/")
            label = rest.partition("/")[0]
            if folder == part and label in classes and path.lower().endswith((".jpg", ".jpeg")):
                classes[label].append(path)
        labels = np.repeat(np.arange(10), [len(paths) for paths in classes.values()])
        _check_counts(labels, part, release, where)
        order = [path for row in zip(*classes.values(), strict=True) for path in row]
        names = [f"{where}, {path}" for path in order]
        contents = [files[path] for path in order]
        blocks = decode_all(contents, names, 32, 32, 3, stretch=False)
        made[f"x_{part}"] = cache.Made((len(order), 32, 32, 3), "u1", blocks)
        made[f"y_{part}"] = cache.Made((len(order),), "u1", [np.arange(len(order), dtype=np.uint8) % 10])
    return made


# -- archives and folders ---------------------------------------------------------------------------

Reader = Callable[[Mapping[str, bytes], CifarRelease, str], dict[str, Array]]


def _archive(path: Path, release: CifarRelease, read: Reader) -> dict[str, Array]:
    """The arrays in an archive: from the cache, where a decoded one lies under the archive's hash."""
    with explained(path, "read"):
        content = path.read_bytes()
    key = hashlib.sha256(content).hexdigest()[:32]
    place = cache_folder() / "cifar-10" / "decoded"
    found = cache.find(place, key, _ARRAYS)
    if found is not None:
        return found
    del content
    files = dict(_members(path, jpegs=read is _from_jpegs))
    arrays = read(files, release, str(path))
    made = {name: cache.Made(array.shape, "u1", [array]) for name, array in arrays.items()}
    try:
        return cache.keep(place, key, made)
    except FileError:  # no place for it: it serves from memory
        return arrays


def _members(path: Path, *, jpegs: bool) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files in an archive; batches lose their folder."""
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                name = member.name.removeprefix("./") if jpegs else member.name.rpartition("/")[2]
                file = (
                    archive.extractfile(member) if member.isreg() and member.size <= _LARGEST_MEMBER else None
                )
                if file is not None:
                    yield name, file.read()
    except Exception as error:  # tarfile and gzip raise what they meet
        raise FormatError(
            f"{path}: expected a whole .tar.gz archive; received one that is foreign, truncated or damaged "
            f"({type(error).__name__}). Fetch it again."
        ) from None


def _folder(path: Path, release: CifarRelease, read: Reader) -> dict[str, Array]:
    """The arrays in the files of a folder."""
    ending = ".bin" if read is _from_binary else ""
    files = {}
    with explained(path, "read"):
        for name in (f"{batch}{ending}" for batch in _BATCHES):
            if (path / name).is_file():
                files[name] = (path / name).read_bytes()
    return read(files, release, str(path))


def _jpeg_folder(path: Path, release: CifarRelease) -> dict[str, Array]:
    files = {}
    with explained(path, "read"):
        for part in ("train", "test"):
            for file in (path / part).rglob("*"):
                if file.suffix.lower() in (".jpg", ".jpeg") and file.is_file():
                    files[file.relative_to(path).as_posix()] = file.read_bytes()
    return _from_jpegs(files, release, str(path))


_FORMS: tuple[tuple[str, tuple[str, ...], Callable[[Path, CifarRelease], dict[str, Array]]], ...] = (
    ("binary", ("cifar-10-batches-bin", "."), lambda path, release: _folder(path, release, _from_binary)),
    ("binary", ("cifar-10-binary.tar.gz",), lambda path, release: _archive(path, release, _from_binary)),
    ("python", ("cifar-10-batches-py", "."), lambda path, release: _folder(path, release, _from_python)),
    ("python", ("cifar-10-python.tar.gz",), lambda path, release: _archive(path, release, _from_python)),
    ("jpeg", ("cifar-10-jpeg.tar.gz",), lambda path, release: _archive(path, release, _from_jpegs)),
    ("jpeg", ("cifar-10-jpeg", "."), lambda path, release: _jpeg_folder(path, release)),
)
