"""Runs that go on, and runs that are repeated: the job that config.json of a run folder tells."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..data import Dataset
from ..data.named import find_name
from ..errors import BrickworkError, FormatError, ParameterError
from .job import Job
from .own_model import is_own
from .recipes import Recipe
from .runs import read_config


class ChangedError(BrickworkError):
    """A run cannot go on: its data or its code have changed since it began."""


def job_to_resume(
    out: str | None, given: set[str], epochs: int | None, data: str | None = None
) -> tuple[Job, dict[str, Any]]:
    """The job of the run in a folder, with more epochs where those are asked for; and its config.json."""
    if out is None:
        raise ParameterError("--resume needs the folder of the run. Try: brickwork train --resume --out DIR")
    more = sorted(given - {"resume", "out", "epochs", "as_json", "data"})
    if more:
        raise ParameterError(
            f"A run goes on as it began: --resume takes --out, --epochs and --json; it received "
            f"--{more[0].replace('_', '-')}. Leave it out, or begin another run."
        )
    config = read_config(Path(out).expanduser())
    job = replace(job_of(config), out=out)
    if data is not None and _place(data) != _place(job.data):
        raise ParameterError(
            f"A run goes on with the data it began with, {job.data}; it received {data}. Leave DATA out."
        )
    return (job if epochs is None else replace(job, epochs=epochs)), config


def _place(data: str) -> str:
    return find_name(data) or str(Path(data).expanduser().resolve())


def job_to_repeat(path: str, out: str | None) -> Job:
    """The job of a config.json, or of the folder that it is in."""
    place = Path(path).expanduser()
    config = read_config(place if place.is_dir() else place.parent)
    job = replace(job_of(config), out=out)
    require_code(job, config, "repeated")
    return job


def job_of(config: Mapping[str, Any]) -> Job:
    """What `Job.config` told."""
    try:
        data, model, decay = config["data"], config["model"], config["reduce_learning_rate_on_plateau"]
        return Job(
            data=data["path"] or data["name"],
            model=model["name"],
            optimizer=config["optimizer"],
            batch_size=config["batch_size"],
            epochs=config["epochs"],
            patience=config["patience"],
            validation_split=config["validation_split"],
            engine=config["engine"],
            seed=config["seed"],
            recipe=Recipe(
                learning_rate=float(config["optimizer"]["config"]["learning_rate"]),
                monitor=config["monitor"],
                decay=None if decay is None else (decay["factor"], decay["patience"]),
                options=model["options"],
            ),
            source=data["source"],
            task=data["task"],
            keep=config.get("keep", 0),
            smooth=config.get("smooth", 0.0),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"config.json must hold all that is needed to repeat the run; it breaks at {error!r}. "
            f"It is damaged or was edited. Restore it, or train anew."
        ) from None


def code_hash(model: str) -> str | None:
    """64 hexadecimal digits of the file of a user's own model; None for one of the zoo."""
    if not is_own(model):
        return None
    path = Path(model if model.endswith((".py", ".json")) else model.rpartition(":")[0]).expanduser()
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def require_code(job: Job, config: Mapping[str, Any], done: str = "resumed") -> None:
    """ChangedError where the user's own model is not what it was."""
    if config["model"].get("code_hash") != code_hash(job.model):
        raise ChangedError(
            f"A run is {done} with the code it began with; {job.model} has changed since then or is gone. "
            f"Restore the file, or begin a new run: {config.get('command')}"
        )


def require_same(job: Job, dataset: Dataset, config: Mapping[str, Any]) -> None:
    """ChangedError where data or code are not what they were."""
    require_code(job, config)
    if config["data"].get("content_hash") != dataset.content_hash():
        raise ChangedError(
            f"A run goes on with the data it began with; {job.data} has changed since then. "
            f"Restore it, or begin a new run: {config.get('command')}"
        )
