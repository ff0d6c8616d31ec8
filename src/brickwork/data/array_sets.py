"""Data sets from the files of NumPy: .npz with x and y, a folder with x.npy and y.npy, or x.npy and its
target.

Arrays larger than memory stay in their files; the rows of a split are views of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, ParameterError, did_you_mean, known_names
from .array_files import read_npy, read_npz
from .dataset import Dataset
from .rows import LazyRows, blocks, take_rows
from .splits import TEST_SPLIT, shuffled, split_rows
from .tasks import CLASSIFICATION, Target, array_target

Array = npt.NDArray[Any]

NAMES = ("x", "y", "x_train", "y_train", "x_test", "y_test", "class_names")

_BLOCK = 1 << 22
"""Numbers that are looked at at a time."""

_LARGEST = float(np.finfo(np.float32).max)


def read_npz_set(
    path: str | Path, *, task: str = "auto", test_split: float | None = None, seed: int = 0
) -> Dataset:
    """A data set in a .npz: arrays x and y; or x_train and y_train, and perhaps x_test and y_test.

    Parameters
    ----------
    path : the file; names count in any case. `class_names`, an array of texts, names the classes.
    task : "classification", "regression", or "auto" (default): integers, texts and one-hot rows are classes.
    test_split : the share in [0, 1) for testing where there are no x_test and y_test; default 0.2.
    seed : of that split and of the order of the training rows; default 0.

    x is (N, F), or images (N, H, W, C), or what else a network takes; bytes of shape (N, H, W) are grey
    images.

    Raises DataError for missing arrays, other lengths, NaN (naming row and column), and labels that are not
    0 … K − 1; FormatError for what is no whole .npz.
    """
    path = Path(path)
    return _data_set(read_npz(path), path, str(path), task, test_split, seed, _stamp(path))


def read_npy_set(
    path: str | Path,
    *,
    target: Any = None,
    task: str = "auto",
    test_split: float | None = None,
    seed: int = 0,
) -> Dataset:
    """A data set in .npy files: a folder with x.npy and y.npy (or x_train.npy, …), or one file and its
    target's.

    Parameters
    ----------
    path : the folder, or the file of x.
    target : the file of y where `path` is a file: a path, or a name beside it.
    task, test_split, seed : as for `read_npz_set`.
    """
    path = Path(path)
    if path.is_dir():
        if target is not None:
            raise ParameterError(
                f"`target` goes with one .npy file; {path} is a folder, whose y.npy is the target; got "
                f"target={target!r}. Leave it out."
            )
        files = {file.stem.lower(): file for file in sorted(path.glob("*.npy")) if file.stem.lower() in NAMES}
    else:
        files = {"x": path, "y": _target_file(path, target)}
    arrays = {name: read_npy(file) for name, file in files.items()}
    stamp = "\n".join(_stamp(file) for file in files.values())
    return _data_set(arrays, path, str(path), task, test_split, seed, stamp)


def _target_file(path: Path, target: Any) -> Path:
    if target is None:
        beside = path.with_name("y.npy")
        hint = f" {beside.name!r} lies beside it: give target={beside.name!r}." if beside.is_file() else ""
        raise DataError(
            f"{path}: expected the file of the targets too; received x alone. Give target (--target y.npy), "
            f"or a folder with x.npy and y.npy.{hint}"
        )
    file = Path(str(target))
    return file if file.is_file() or file.is_absolute() else path.parent / file


def _data_set(
    given: Mapping[str, Array],
    path: Path,
    where: str,
    task: str,
    test_split: float | None,
    seed: int,
    stamp: str,
) -> Dataset:
    arrays = _named(given, where)
    has_test = "x_test" in arrays
    if has_test and test_split is not None:
        raise ParameterError(
            f"{where} has x_test and y_test, so that no part can be split off; got test_split={test_split}. "
            "Leave test_split out."
        )
    first = "x_train" if "x_train" in arrays else "x"
    xs = {name: _checked(arrays[name], f"{where}, {name}") for name in (first, "x_test") if name in arrays}
    ys = [np.asarray(arrays[name.replace("x", "y", 1)]) for name in xs]
    for (name, x), y in zip(xs.items(), ys, strict=True):
        if y.ndim == 0 or len(y) != len(x):
            raise DataError(
                f"{where}: expected as many targets as rows; {name} has {len(x):,} rows, "
                f"{name.replace('x', 'y', 1)} has shape {y.shape}. Were they cut apart, or swapped?"
            )
    if has_test and xs[first].shape[1:] != xs["x_test"].shape[1:]:
        raise DataError(
            f"{where}: expected rows of one shape; {first} has {xs[first].shape[1:]}, x_test has "
            f"{xs['x_test'].shape[1:]}. Write both in the same way."
        )
    learned = _target(ys, task, f"{where}, {first.replace('x', 'y', 1)}")
    class_names = _class_names(arrays.get("class_names"), learned, where)
    x = xs[first]
    if has_test:
        train = shuffled(np.arange(len(x)), seed)
        x_test, y_test = xs["x_test"], learned.y[len(x) :]
    else:
        by_class = learned.task == CLASSIFICATION
        split = split_rows(
            len(x),
            test=TEST_SPLIT if test_split is None else test_split,
            seed=seed,
            labels=learned.y if by_class else None,
            class_names=class_names if by_class else None,
        )
        train = split.train
        x_test, y_test = take_rows(x, split.test), learned.y[split.test]
    is_image = x.ndim == 4 and x.dtype == np.uint8
    return Dataset(
        name=path.resolve().stem,
        title=where,
        x_train=take_rows(x, train),
        y_train=learned.y[: len(x)][train],
        x_test=x_test,
        y_test=y_test,
        class_names=class_names,
        scale=255.0 if is_image else None,
        task=learned.task,
        notes=(f"The task is {learned.task}, since {learned.reason}.",) if learned.reason else (),
        warnings=_warnings(x, where),
        origin=stamp,
    )


def _named(given: Mapping[str, Array], where: str) -> dict[str, Array]:
    """The arrays under their names in small letters, all that are needed."""
    arrays = {name.lower(): array for name, array in given.items()}
    found = known_names(given) or "nothing"
    pairs = [("x_train", "y_train")] if "x_train" in arrays or "y_train" in arrays else [("x", "y")]
    if "x_test" in arrays or "y_test" in arrays:
        pairs.append(("x_test", "y_test"))
        if pairs[0] == ("x", "y"):
            pairs[0] = ("x_train", "y_train")
    for name in (name for pair in pairs for name in pair):
        if name not in arrays:
            raise DataError(
                f"{where}: expected the arrays x and y, or x_train, y_train, x_test and y_test; received "
                f"{found}, without {name!r}.{did_you_mean(name, arrays)} Save it by numpy.savez(file, x=x, "
                "y=y)."
            )
    return arrays


def _checked(x: Array, what: str) -> Array | LazyRows:
    """x as rows of finite numbers; read block by block where it is large."""
    if x.dtype.kind not in "fiub":
        raise DataError(
            f"{what} must hold numbers; it holds {x.dtype}. Encode texts, or give the table as .csv."
        )
    if x.ndim < 2:
        raise DataError(
            f"{what} needs rows of numbers, shape (N, F) or (N, H, W, C); its shape is {x.shape}. For one "
            "number in each row reshape it: x.reshape(-1, 1)."
        )
    if x.dtype == np.uint8 and x.ndim == 3:
        x = x[..., None]
    check_finite(x, what)
    return x


def check_finite(x: Any, what: str) -> None:
    """DataError naming row and column of the first number that is NaN, infinite or beyond float32."""
    if x.dtype.kind != "f":
        return
    for start, block in blocks(x, _BLOCK):
        good = np.abs(block) <= _LARGEST
        if not good.all():
            place = np.argwhere(~good)[0].tolist()
            inside = f", column {place[1]}" if len(place) == 2 else f", at {tuple(place[1:])}"
            raise DataError(
                f"{what} must hold finite numbers, at most 3.4e38; it holds {block[tuple(place)]!s} in row "
                f"{start + place[0]}{inside}. Drop such rows, or fill them: numpy.nan_to_num(x)."
            )


def _target(ys: list[Array], task: str, what: str) -> Target:
    if len({y.shape[1:] for y in ys}) > 1 or len({y.dtype.kind in "US" for y in ys}) > 1:
        raise DataError(
            f"{what} and the targets for testing must be of one kind and shape; received "
            f"{' and '.join(f'{y.dtype} {y.shape}' for y in ys)}. Write both in the same way."
        )
    return array_target(ys[0] if len(ys) == 1 else np.concatenate(ys), task, what)


def _class_names(given: Array | None, learned: Target, where: str) -> tuple[str, ...]:
    if given is None or learned.task != CLASSIFICATION:
        return learned.class_names
    names = tuple(str(name) for name in given.reshape(-1).tolist())
    if given.dtype.kind != "U" or len(names) != len(learned.class_names) or len(set(names)) != len(names):
        raise DataError(
            f"{where}, class_names must be {len(learned.class_names)} different texts, one for each class in "
            f"y; it holds {known_names(names)}. Correct it, or leave it out."
        )
    return names


def _warnings(x: Any, where: str) -> tuple[str, ...]:
    if x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[3] not in (1, 2, 3, 4):
        return (
            f"{where}: rows of shape {x.shape[1:]} look like images with the channels first; Brickwork has "
            "them "
            f"last, (H, W, C): save numpy.moveaxis(x, 1, -1).",
        )
    return ()


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{path.name} {status.st_size} {status.st_mtime_ns}"
