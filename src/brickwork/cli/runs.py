"""The folder of a run, or a file of a model, as the other commands take it up."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..data.tasks import CLASSIFICATION, REGRESSION
from ..errors import BrickworkError, DataError, FormatError, ParameterError, UnknownClassError, did_you_mean
from ..files import explained
from ..models import load_model
from ..threads import get_threads, limited_threads
from ..training.model_file import ENDING
from ..training.run_folder import BEST, CONFIG, LAST
from .job import RUN_VERSION, require_settable
from .keeping import epoch_name, kept_epochs
from .own_model import code_hash, imported, own_file


class ChangedError(BrickworkError):
    """A run cannot be taken up: its data or its code have changed since it began."""


@dataclass(frozen=True)
class Run:
    """A trained network, and what is known of its data; `config` is empty for a file that stands alone."""

    path: Path
    file: Path
    model: Any
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> Mapping[str, Any]:
        """What config.json says of the data."""
        found: Mapping[str, Any] = self.config.get("data", {})
        return found

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of the outputs; () for regression."""
        if self.model.class_names or self.task == REGRESSION:
            return tuple(self.model.class_names)
        told = self.data.get("classes", ())
        count = self.model.output_shape[-1]
        return tuple(map(str, told)) if len(told) == count else tuple(map(str, range(count)))

    @property
    def task(self) -> str:
        """Classification, unless the run or the form of the network says regression."""
        if self.model.class_names:
            return CLASSIFICATION
        last = type(self.model.graph.nodes[-1].brick).__name__
        return str(self.data.get("task", CLASSIFICATION if last == "Softmax" else REGRESSION))

    @property
    def scale(self) -> float | None:
        """The value of a white pixel in the data that it was trained on; None where those were no images."""
        scale = self.data.get("scale")
        return float(scale) if isinstance(scale, (int, float)) else None

    @contextmanager
    def computing(self, threads: int | None = None) -> Iterator[None]:
        """With so many threads, or as many as the training had, so that sums come out the same."""
        told = self.config.get("threads")
        require_settable(threads, str(self.config.get("engine", "")))
        usual = min(told, get_threads()) if isinstance(told, int) and told > 0 else None
        with limited_threads(threads or usual):
            yield


def open_run(path: str, epoch: int | None = None, report: Callable[[str], None] = lambda _: None) -> Run:
    """The run in a folder, or the model in a .safetensors file.

    Parameters
    ----------
    path : the folder or the file.
    epoch : whose network is taken, one of those that `brickwork train --keep` kept; default: the best one.
    report : is told when a file of the user's is run, which defines layers or bricks of the network.

    Raises ParameterError where there is none, FormatError where it is damaged or of a newer version,
    ChangedError where it needs that file, which has changed or is gone.
    """
    place = Path(path).expanduser()
    if place.is_file() and place.suffix.lower() == ENDING:
        if epoch is not None:
            raise ParameterError(f"--epoch is for run folders; {path} is one network. Leave it out.")
        try:
            return Run(place, place, load_model(place))
        except UnknownClassError as error:
            error.add_note("Name the run folder instead: its config.json tells which file defines it.")
            raise
    config = read_config(place)
    file = _file(place, epoch)
    return Run(place, file, _network(file, config, report), config)


def _network(file: Path, config: Mapping[str, Any], report: Callable[[str], None]) -> Any:
    """The network of a run; the file that defined its own layers and bricks is run where they are needed."""
    try:
        return load_model(file)
    except UnknownClassError:
        found = config.get("model")
        told = found if isinstance(found, Mapping) else {}
        model = told.get("path") or told.get("name")
        if not isinstance(model, str) or own_file(model).suffix.lower() != ".py":
            raise
        code = near(str(own_file(model)))
        if told.get("code_hash") is None or code_hash(model) != told["code_hash"]:
            raise ChangedError(
                f"The network of {file.parent} has layers or bricks that {code} defines; the file "
                f"{'has changed since the training' if own_file(model).is_file() else 'is gone'}. Restore it "
                f"as it was, or train anew: {config.get('command')}"
            ) from None
        report(f"The network's own layers come from {code}, which is run for them.")
        imported(own_file(model))
        return load_model(file)


def near(path: str) -> str:
    """A path as a person would write it here."""
    found = os.path.relpath(path)
    return path if found.startswith("..") else found


def read_config(place: Path) -> dict[str, Any]:
    """config.json of a run folder."""
    if not place.is_dir():
        beside = sorted(str(one) for one in place.parent.iterdir()) if place.parent.is_dir() else []
        raise ParameterError(
            f"A run is a folder that brickwork train has written; there is no folder {str(place)!r}."
            f"{did_you_mean(str(place), beside)}"
        )
    if not (place / CONFIG).is_file():
        raise ParameterError(
            f"A run is a folder that brickwork train has written; {str(place)!r} holds no {CONFIG}. "
            f"Give the folder that was named at the end of the training."
        )
    return read_config_file(place / CONFIG)


def read_config_file(file: Path) -> dict[str, Any]:
    """What config.json tells.

    Raises FileError where it cannot be read, FormatError where it is damaged or of a newer version.
    """
    with explained(file, "read"):
        data = file.read_bytes()
    try:
        config = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f"{file} must hold JSON; it does not: {error}. Train again, or restore it."
        ) from None
    version = config.get("version", 1) if isinstance(config, dict) else None
    if isinstance(version, int) and version > RUN_VERSION:
        raise FormatError(
            f"This Brickwork reads run folders up to version {RUN_VERSION}; {file.parent} is of version "
            f"{version}. Update Brickwork: pip install --upgrade brickwork."
        )
    whole = isinstance(config, dict) and isinstance(version, int) and isinstance(config.get("data"), dict)
    if not whole:
        raise FormatError(f"{file} must tell of a run and its data; it is damaged. Restore it.")
    found: dict[str, Any] = config
    return found


def _file(place: Path, epoch: int | None) -> Path:
    if epoch is not None:
        file = place / epoch_name(epoch)
        if file.is_file():
            return file
        kept = ", ".join(map(str, kept_epochs(place)))
        raise ParameterError(
            f"--epoch names an epoch whose network was kept; {place} keeps "
            f"{f'epochs {kept}' if kept else 'none'}; got --epoch={epoch}. "
            f"Train with --keep to keep those of the last epochs, or leave --epoch out for the best one."
        )
    for name in (BEST, LAST):
        if (place / name).is_file():
            return place / name
    raise DataError(
        f"{place} must hold {BEST} or {LAST}; it holds neither, since the training was stopped at once. "
        f"Begin again: brickwork train --resume --out {shlex.quote(str(place))}"
    )
