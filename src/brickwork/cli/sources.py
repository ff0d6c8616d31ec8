"""Where the data of a command come from: a name, a user's own files, or those that a run was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..data import Dataset, open_data, read_npy, read_npz
from ..data.array_sets import check_finite
from ..data.decoding import decode_all, look_at_all
from ..data.image_listing import SUFFIXES, list_images
from ..data.named import find_name
from ..data.opening import ENDINGS, TABLES
from ..data.tasks import CLASSIFICATION
from ..errors import DataError, ParameterError, did_you_mean, known_names
from ..files import explained
from .runs import Run, near

if TYPE_CHECKING:
    from .job import Job

Array = npt.NDArray[Any]
Report = Callable[[str], None]

_WHITE = 255.0


@dataclass(frozen=True)
class Inputs:
    """What a network is asked about: rows, the file of each, its number in the file (None for images)."""

    x: Any
    files: list[str]
    rows: list[int | None]


def load(job: Job, report: Report) -> Dataset:
    """The data of a job."""
    return open_data(job.data, seed=job.seed, report=report, **job.source)


# -- rows with answers ------------------------------------------------------------------------------


def rows_for_testing(run: Run, data: str | None, target: str | None, report: Report) -> tuple[str, Any, Any]:
    """A title, inputs and answers: the test part of the run's own data, or all rows of other data.

    Raises DataError where the data do not go with the network, or have changed since the training.
    """
    own = run.data.get("path")
    if data is None or (find_name(data) or str(Path(data).expanduser().resolve())) in (
        own,
        run.data.get("name"),
    ):
        return _own_rows(run, report)
    name = find_name(data)
    if name is not None:
        dataset = open_data(name, report=report)
        title, x, y = f"{dataset.title}, test rows", dataset.x_test, dataset.y_test
        y = _numbered(run, np.array(dataset.class_names)[y], title) if dataset.class_names else y
    else:
        title = data
        x, y = _other_rows(run, Path(data).expanduser(), target)
    _require_shape(run, x, title)
    return title, x, y


def _own_rows(run: Run, report: Report) -> tuple[str, Any, Any]:
    told = run.data
    if "content_hash" not in told:
        raise DataError(
            f"{run.path} does not tell on which data it was trained. Give the data: "
            f"brickwork evaluate {run.path} DATA."
        )
    names = ("target", "task", "image_size", "test_split", "columns")
    source = {key: told.get("source", {}).get(key) for key in names}
    task = source.pop("task") or "auto"
    dataset = open_data(
        near(told["path"]) if told.get("path") else told["name"],
        seed=int(run.config.get("seed", 0)),
        report=lambda _: None,
        task=task,
        **source,
    )
    if dataset.content_hash() != told["content_hash"]:
        raise DataError(
            f"{dataset.title} must be as it was in the training, so that its test rows were not trained on; "
            f"it has changed. Restore it, or give other data: brickwork evaluate {run.path} DATA."
        )
    if not len(dataset.x_test):
        raise DataError(f"{dataset.title} has no test rows, since --test-split was 0. Give data to test on.")
    return f"{dataset.title}, test rows", dataset.x_test, dataset.y_test


def _other_rows(run: Run, path: Path, target: str | None) -> tuple[Any, Any]:
    ending = path.suffix.lower()
    if path.is_dir() and not any(path.glob("[xX]*.npy")):
        listing = list_images(path)
        names = np.array(listing.class_names)[listing.labels]
        return pixels(run, listing.paths, listing.names, lambda _: None), _numbered(run, names, str(path))
    if ending in TABLES:
        encoder = _encoder(run, path)
        return encoder.encode(path), encoder.encode_target(path)
    if ending == ".npz":
        arrays = {name.lower(): array for name, array in read_npz(path).items()}
    elif ending == ".npy" or path.is_dir():
        files = {file.stem.lower(): file for file in path.glob("*.npy")} if path.is_dir() else {"x": path}
        if target is not None:
            files["y"] = Path(target) if Path(target).is_file() else path.parent / target
        arrays = {name: read_npy(file) for name, file in files.items()}
    else:
        dataset = open_data(str(path))  # which says what data are
        return dataset.x_test, dataset.y_test
    end = "_test" if "x_test" in arrays else ""
    for name in (f"x{end}", f"y{end}"):
        if name not in arrays:
            raise DataError(
                f"{path}: expected the arrays x and y, or x_test and y_test; it holds {known_names(arrays)}, "
                f"without {name!r}. Give the answers too, or use brickwork predict."
            )
    x, y = arrays[f"x{end}"], arrays[f"y{end}"]
    if x.ndim < 2 or y.ndim == 0 or len(x) != len(y):
        raise DataError(f"{path}: expected as many answers as rows; received x {x.shape} and y {y.shape}.")
    x = x[..., None] if x.ndim == 3 and len(run.model.input_shape) == 4 else x
    check_finite(x, str(path))
    return x, _numbered(run, y, str(path)) if run.task == CLASSIFICATION else y.astype(np.float32)


def _numbered(run: Run, y: Array, where: str) -> Array:
    """Class numbers of the run, from names or from numbers."""
    names = run.class_names
    if y.dtype.kind == "U":
        places = {name: place for place, name in enumerate(names)}
        unknown = sorted(set(y.tolist()) - set(places))
        if unknown:
            raise DataError(
                f"{where}: {unknown[0]!r} is not one of the {len(names)} classes seen in training, "
                f"{known_names(names)}.{did_you_mean(unknown[0], names)}"
            )
        return np.array([places[name] for name in y.tolist()], np.int64)
    if y.ndim == 2 and y.shape[1] > 1:
        y = y.argmax(axis=1)
    y = y.reshape(len(y), -1)[:, 0]
    if y.dtype.kind not in "iubf" or (y != np.floor(y)).any() or y.min() < 0 or y.max() >= len(names):
        raise DataError(
            f"{where}: labels must be class numbers in 0 … {len(names) - 1}, as in training; they are "
            f"{y.dtype} from {y.min()} to {y.max()}."
        )
    return y.astype(np.int64)


# -- rows without answers ---------------------------------------------------------------------------


def rows_to_predict(run: Run, files: Sequence[str], unknown: str, report: Report) -> Inputs:
    """What stands in files: images, rows of tables, rows of arrays."""
    parts: list[Any] = []
    names: list[str] = []
    rows: list[int | None] = []
    for file in _with_folders(files):
        path = Path(file).expanduser()
        ending = path.suffix.lower()
        if ending in SUFFIXES:
            with explained(path, "read"):
                path.open("rb").close()
            x = pixels(run, [path], [str(path)], report)
        elif ending in TABLES:
            with explained(path, "read"):
                path.open("rb").close()
            x = _encoder(run, path).encode(path, unknown=unknown)
        elif ending in (".npy", ".npz"):
            x = _array(run, path)
        else:
            raise DataError(
                f"brickwork predict takes images ({', '.join(SUFFIXES[:3])}, …) and {', '.join(ENDINGS)}; "
                f"got {file!r}. Save it as one of these."
            )
        _require_shape(run, x, file)
        parts.append(x)
        names += [file] * len(x)
        rows += [None] if ending in SUFFIXES else list(range(1, len(x) + 1))
    return Inputs(np.concatenate(parts) if len(parts) > 1 else parts[0], names, rows)


def _with_folders(files: Sequence[str]) -> list[str]:
    """The files; for a folder the images in it."""
    found = []
    for file in files:
        path = Path(file).expanduser()
        if not path.is_dir():
            found.append(file)
            continue
        inside = sorted(str(one) for one in path.iterdir() if one.suffix.lower() in SUFFIXES)
        if not inside:
            folders = sorted(str(one) for one in path.iterdir() if one.is_dir() and one.name[0] != ".")
            hint = f"It holds folders: name {folders[0]!r}, say." if folders else "Name the files."
            raise DataError(f"A folder to predict holds images; {file!r} holds none. {hint}")
        found += inside
    return found


def _array(run: Run, path: Path) -> Any:
    if path.suffix.lower() == ".npy":
        x: Any = read_npy(path)
    else:
        arrays = {name.lower(): array for name, array in read_npz(path).items()}
        found = [name for name in arrays if name in ("x_test", "x")][-1:] or [*arrays]
        if not found or (len(arrays) > 1 and found[0] not in ("x", "x_test")):
            raise DataError(f"{path}: expected an array x; it holds {known_names(arrays) or 'nothing'}.")
        x = arrays[found[0]]
    shape = run.model.input_shape[1:]
    if x.dtype.kind not in "fiub":
        raise DataError(f"{path} must hold numbers; it holds {x.dtype}.")
    if tuple(x.shape) == tuple(shape):
        x = x[None]
    elif x.ndim == len(shape) and shape[-1] == 1:
        x = x[..., None]
    check_finite(x, str(path))
    return x


def pixels(run: Run, paths: Sequence[Path], names: Sequence[str], report: Report) -> Any:
    """Images in the size and colours of those that the network was trained on."""
    shape = run.model.input_shape[1:]
    if len(shape) != 3 or shape[-1] not in (1, 3) or run.scale is None:
        raise DataError(
            f"{names[0]} is an image; the network was trained on rows of shape {tuple(shape)}"
            f"{'' if len(shape) != 3 else ' that were no image files'}. Give {', '.join(ENDINGS)}."
        )
    height, width, channels = shape
    for look, name in zip(look_at_all(paths, names), names, strict=True):
        if (look.height, look.width) != (height, width):
            report(
                f"{name} has {look.height} x {look.width} pixels; it is stretched to {height} x {width}, as "
                f"the network needs."
            )
        if not look.grey and channels == 1:
            report(f"{name} is in colour; it becomes grey, as the images of the training.")
    x = np.concatenate(list(decode_all(paths, names, height, width, channels)))
    return x if run.scale == _WHITE else x.astype(np.float32) * np.float32(run.scale / _WHITE)


def _encoder(run: Run, path: Path) -> Any:
    if run.model.preprocessing is None:
        raise ParameterError(
            f"{path} is a table; the network of {run.path} was not trained on one and does not tell how its "
            f"columns become numbers. Give .npy with rows of shape {tuple(run.model.input_shape[1:])}."
        )
    return run.model.preprocessing


def _require_shape(run: Run, x: Any, what: str) -> None:
    wanted = tuple(run.model.input_shape[1:])
    found = tuple(x.shape[1:])
    fits = len(wanted) == len(found) and all(
        one in (None, two) for one, two in zip(wanted, found, strict=True)
    )
    if not fits or not len(x):
        raise DataError(
            f"The network of {run.path} takes rows of shape {wanted}; {what} has {len(x):,} rows of shape "
            f"{found}. Give data like those it was trained on."
        )
