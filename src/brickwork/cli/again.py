"""Runs that go on, and runs that are repeated: the job that config.json of a run folder tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..data import Dataset
from ..data.named import find_name
from ..errors import FormatError, ParameterError
from .job import Job, events_folder, require_settable, usual_threads
from .own_model import code_hash
from .recipes import CONSTANT, COSINE, PLATEAU, Recipe
from .runs import ChangedError, near, read_config, read_config_file

OPTIONS = {
    "resumed": ("out", "epochs", "threads", "as_json", "data"),
    "repeated": ("out", "tensorboard", "threads", "keep", "smooth", "as_json", "data"),
}
"""What may be said anew of a run: nothing that would make it another training."""

_WORDS = {"as_json": "json", "columns": "column"}
"""What options are called that bear another name here."""


@dataclass(frozen=True)
class Earlier:
    """The run that is taken up: its config.json, and whether it is "resumed" or "repeated"."""

    config: Mapping[str, Any]
    done: str

    @property
    def option(self) -> str:
        """The option that takes it up."""
        return "--resume" if self.done == "resumed" else "--from"

    @property
    def command(self) -> str:
        """The command that began it."""
        return str(self.config.get("command", "brickwork train DATA"))


def job_to_resume(out: str | None, given: Mapping[str, Any]) -> tuple[Job, Earlier]:
    """The job of the run in a folder, with what `given` says anew.

    Raises ParameterError where that is not one of OPTIONS.
    """
    if out is None:
        raise ParameterError("--resume needs the folder of the run. Try: brickwork train --resume --out DIR")
    place = Path(out).expanduser()
    if place.is_dir() and not any(place.iterdir()):
        raise ParameterError(
            f"--resume goes on with a run; {out} is empty, so that nothing was begun there. "
            f"Begin it: brickwork train DATA --out {out}"
        )
    return _job(Earlier(read_config(place), "resumed"), out, given)


def job_to_repeat(path: str, out: str | None, given: Mapping[str, Any]) -> tuple[Job, Earlier]:
    """The job of a config.json, or of the folder that it is in, with what `given` says anew.

    Raises ParameterError where that is not one of OPTIONS, ChangedError where its code has changed.
    """
    place = Path(path).expanduser()
    config = read_config(place) if place.is_dir() else read_config_file(place)
    return _job(Earlier(config, "repeated"), out, given)


def _job(earlier: Earlier, out: str | None, given: Mapping[str, Any]) -> tuple[Job, Earlier]:
    allowed = OPTIONS[earlier.done]
    told = [f"--{_WORDS.get(name, name)}" for name in allowed if name != "data"]
    for name in given:
        if name not in allowed:
            word = _WORDS.get(name, name).replace("_", "-")
            raise ParameterError(
                f"A run is {earlier.done} as it was: {earlier.option} takes {', '.join(told)} beside it; it "
                f"received --{word}. Leave it out, or begin another run: {earlier.command}"
            )
    job = replace(job_of(earlier.config), out=out)
    require_settable(given.get("threads"), job.engine)
    news = {name: given[name] for name in ("epochs", "threads", "keep", "smooth") if name in given}
    if earlier.done == "repeated":  # where it writes to is not repeated
        news["tensorboard"] = events_folder(given.get("tensorboard"))
    if job.schedule == COSINE and earlier.done == "resumed" and given.get("epochs") not in (None, job.epochs):
        raise ParameterError(
            f"A learning rate that goes down a cosine ends after the epochs it was told, {job.epochs}; it "
            f"received --epochs {given['epochs']}. Leave it out, or begin another run: {earlier.command}"
        )
    job = replace(_with_data(job, given.get("data"), earlier), **news)
    require_code(job, earlier)
    return job, earlier


def _with_data(job: Job, data: str | None, earlier: Earlier) -> Job:
    """Files that were moved may be named where they are now; what is in them is compared when it is read."""
    if data is None or _place(data) == _place(job.data):
        if find_name(job.data) is None and not Path(job.data).expanduser().exists():
            raise ChangedError(
                f"A run is {earlier.done} with the data it began with; {job.data} is gone. Restore it, or "
                f"say where it is now: brickwork train DATA {earlier.option} …"
            )
        return job
    if find_name(data) or find_name(job.data):
        raise ParameterError(
            f"A run is {earlier.done} with the data it began with, {job.data}; it received {data}. "
            f"Leave DATA out."
        )
    return replace(job, data=data)


def _place(data: str) -> str:
    return find_name(data) or str(Path(data).expanduser().resolve())


def job_of(config: Mapping[str, Any]) -> Job:
    """What `Job.config` told."""
    try:
        data, model, decay = config["data"], config["model"], config["reduce_learning_rate_on_plateau"]
        threads = config.get("threads") or usual_threads(config["engine"])
        return Job(
            data=near(data["path"]) if data["path"] else data["name"],
            model=near(model["path"]) if model.get("path") else model["name"],
            optimizer=config["optimizer"],
            batch_size=config["batch_size"],
            epochs=config["epochs"],
            patience=config["patience"],
            validation_split=config["validation_split"],
            schedule=config.get("schedule") or (CONSTANT if decay is None else PLATEAU),
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
            threads=None if threads is None else int(threads),
            tensorboard=config.get("tensorboard"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"config.json must hold all that is needed to repeat the run; it breaks at {error!r}. "
            f"It is damaged or was edited. Restore it, or train anew."
        ) from None


def require_code(job: Job, earlier: Earlier) -> None:
    """ChangedError where the user's own model is not what it was."""
    if earlier.config["model"].get("code_hash") != code_hash(job.model):
        raise ChangedError(
            f"A run is {earlier.done} with the code it began with; {job.model} has changed since then or is "
            f"gone. Restore the file, or begin a new run: {earlier.command}"
        )


def require_same(job: Job, dataset: Dataset, earlier: Earlier) -> None:
    """ChangedError where data or code are not what they were."""
    require_code(job, earlier)
    told = earlier.config["data"]
    if told.get("content_hash") != dataset.content_hash():
        moved = told.get("path") and _place(job.data) != told["path"]
        raise ChangedError(
            f"A run is {earlier.done} with the data it began with; {job.data} "
            f"{'holds others' if moved else 'has changed since then'}. "
            f"Restore {'those' if moved else 'it'}, or begin a new run: {earlier.command}"
        )
