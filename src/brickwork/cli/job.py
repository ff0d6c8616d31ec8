"""A training with every value settled: what was asked for, else what the recipe says."""

from __future__ import annotations

import platform
import re
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import __version__, optimizers
from ..data import Dataset, names, open_data
from ..data.named import find_name
from ..data.tasks import CLASSIFICATION, REGRESSION
from ..engines.registry import get_engine
from ..errors import DataError, ParameterError, did_you_mean, known_names
from ..threads import get_threads, is_told
from ..training.event_files import EVENTS, require_library
from ..zoo.lookup import canonical_name as model_name
from .own_model import absolute, code_hash, is_own
from .recipes import (
    CONSTANT,
    COSINE,
    PLATEAU,
    RECIPES,
    SCHEDULES,
    SLOWER,
    Recipe,
    along_cosine,
    default_model,
    own_model_name,
    own_recipe,
    recipe_of,
)

LOSSES = {CLASSIFICATION: "sparse_categorical_crossentropy", REGRESSION: "mean_squared_error"}
RUN_VERSION = 1
"""Of the run folder; readers refuse newer ones."""

METRICS = {CLASSIFICATION: ["accuracy"], REGRESSION: ["mae"]}


@dataclass(frozen=True)
class Job:
    """What is to be trained on what, and how. `out` is the run folder, None for one under runs/.

    `source` are the options with which the data are read, `keep` the number of epochs whose networks are
    kept, `threads` that of the threads that compute, None where the engine decides, `tensorboard` the folder
    of event files. `asked` holds what was asked for while the data have not been seen, on which the rest
    depends.
    """

    data: str
    model: str
    optimizer: dict[str, Any]
    batch_size: int
    epochs: int
    patience: int
    validation_split: float
    engine: str
    seed: int
    recipe: Recipe
    out: str | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    task: str = CLASSIFICATION
    keep: int = 0
    smooth: float = 0.0
    threads: int | None = None
    tensorboard: str | None = None
    schedule: str = CONSTANT
    asked: Mapping[str, Any] | None = None

    def fitted(self, dataset: Dataset) -> Job:
        """The job for these data: what nobody asked for is chosen by them."""
        if self.asked is None:
            return replace(self, task=dataset.task)
        images = dataset.scale is not None
        model = self.model or own_model_name(dataset)
        job = replace(self, model=model, task=dataset.task, asked=None)
        return _filled(job, own_recipe(len(dataset.x_train), images=images), self.asked)

    @property
    def place(self) -> str:
        """The name of its run folder, but for the time."""
        file, _, function = self.model.rpartition(":") if ".py:" in self.model else (self.model, "", "")
        model = "-".join(part for part in (Path(file).stem, function) if part)
        data = find_name(self.data) or Path(self.data).expanduser().resolve().stem
        return re.sub(r"[^\w.-]+", "_", f"{data}-{model}")

    @property
    def loss(self) -> str:
        """What training lowers."""
        return LOSSES[self.task]

    @property
    def metrics(self) -> list[str]:
        """What is measured beside the loss."""
        return METRICS[self.task]

    @property
    def monitor(self) -> str:
        """What says which epoch is the best."""
        return self.recipe.monitor if self.validation_split else "loss"

    @property
    def decay(self) -> dict[str, Any] | None:
        """The arguments of ReduceLROnPlateau; None for a constant learning rate."""
        if self.recipe.decay is None or self.schedule != PLATEAU:
            return None
        factor, patience = self.recipe.decay
        monitor = "val_loss" if self.validation_split else "loss"
        return {"monitor": monitor, "factor": factor, "patience": patience}

    @property
    def learning_rate(self) -> float:
        """The optimizer's, at the beginning."""
        return float(self.optimizer["config"]["learning_rate"])

    def command(self) -> str:
        """The command that repeats this run, from any folder."""
        source = self._source()
        kinds = source.pop("columns", None) or {}
        told = [
            *source.items(),
            *(("column", f"{name}={kind}") for name, kind in kinds.items()),
            ("keep", self.keep or None),
            ("smooth", self.smooth or None),
            ("threads", self.threads),
        ]
        more = "".join(
            f" --{name.replace('_', '-')} {shlex.quote(str(value))}"
            for name, value in told
            if value is not None
        )
        return (
            f"brickwork train {shlex.quote(self._data_path() or self.data)} "
            f"--model {shlex.quote(self._model_path() or self.model)} "
            f"--epochs {self.epochs} --batch-size {self.batch_size} "
            f"--optimizer {self.optimizer['class_name'].lower()} "
            f"--learning-rate {self.learning_rate!r} --schedule {self.schedule} --patience {self.patience} "
            f"--validation-split {self.validation_split!r} --engine {self.engine} --seed {self.seed}{more}"
        )

    def _data_path(self) -> str | None:
        return None if find_name(self.data) else str(Path(self.data).expanduser().resolve())

    def _model_path(self) -> str | None:
        return absolute(self.model) if is_own(self.model) else None

    def _source(self) -> dict[str, Any]:
        """`source`, with the file of the targets of x.npy named so that it is found from every folder."""
        told = dict(self.source)
        target = Path(str(told.get("target"))).expanduser()
        if self.data.lower().endswith(".npy") and target.is_file():
            told["target"] = str(target.resolve())
        return told

    def config(self, dataset: Dataset, parameters: int) -> dict[str, Any]:
        """What config.json holds: everything needed to repeat the run."""
        return {
            "version": RUN_VERSION,
            "command": self.command(),
            "data": {
                "name": dataset.name,
                "path": self._data_path(),
                "source": self._source(),
                "task": dataset.task,
                "scale": dataset.scale,
                "features": list(dataset.feature_names),
                "training_rows": len(dataset.x_train),
                "test_rows": len(dataset.x_test),
                "shape": list(dataset.x_train.shape[1:]),
                "classes": list(dataset.class_names),
                "content_hash": dataset.content_hash(),
            },
            "model": {
                "name": self.model,
                "path": self._model_path(),
                "options": dict(self.recipe.options),
                "parameters": parameters,
                "code_hash": code_hash(self.model),
            },
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "reduce_learning_rate_on_plateau": self.decay,
            "loss": self.loss,
            "metrics": self.metrics,
            "batch_size": self.batch_size,
            "epochs": self.epochs,
            "monitor": self.monitor,
            "patience": self.patience,
            "validation_split": self.validation_split,
            "engine": self.engine,
            "seed": self.seed,
            "threads": self.threads,
            "keep": self.keep,
            "smooth": self.smooth,
            "tensorboard": self.tensorboard,
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "versions": versions(self.engine),
        }


def settle(
    data: str | None,
    *,
    model: str | None,
    epochs: int | None,
    batch_size: int | None,
    optimizer: str | None,
    learning_rate: float | None,
    schedule: str | None = None,
    patience: int | None,
    validation_split: float | None,
    engine: str | None,
    seed: int,
    out: str | None,
    keep: int = 0,
    smooth: float = 0.0,
    threads: int | None = None,
    tensorboard: str | None = None,
    **source: Any,
) -> Job:
    """The job that was asked for, None standing for the recipe's value. All names are looked up here.

    Where there is no recipe for the data, the rest is settled by `Job.fitted`. `source` are the options with
    which `open_data` reads the data.
    """
    if data is None:
        raise DataError(
            f"brickwork train takes a data set, one of {', '.join(names())}, or data of your own: a folder "
            f"of images, or a file .csv, .npz, .npy; it received none. Try: brickwork train digits"
        )
    name = find_name(data)
    if name is None and not Path(data).expanduser().exists():
        open_data(data)  # which says what there is
    engine = get_engine(engine).name
    require_settable(threads, engine)
    if optimizer is not None:
        optimizers.get(optimizer)
    if schedule is not None and schedule not in SCHEDULES:
        raise ParameterError(
            f"--schedule takes {known_names(SCHEDULES)}; got --schedule={schedule}."
            f"{did_you_mean(schedule, SCHEDULES)}"
        )
    if model is not None and not is_own(model):
        model = model_name(model)
    asked = {
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "patience": patience,
        "validation_split": validation_split,
    }
    known = any(one == name for one, _ in RECIPES)
    job = Job(
        data=name or data,
        model=model or (default_model(str(name)) if known else ""),
        optimizer={},
        batch_size=0,
        epochs=0,
        patience=0,
        validation_split=0.0,
        engine=engine,
        seed=seed,
        recipe=Recipe(),
        out=out,
        source={key: value for key, value in source.items() if value is not None},
        keep=keep,
        smooth=smooth,
        threads=threads or usual_threads(engine),
        tensorboard=events_folder(tensorboard),
        asked=asked,
    )
    if known and not is_own(job.model):
        return _filled(replace(job, asked=None), recipe_of(job.data, job.model), asked)
    return job


def _filled(job: Job, recipe: Recipe, asked: Mapping[str, Any]) -> Job:
    """The job with what was asked for, else what the recipe says."""

    def settled(name: str) -> Any:
        return getattr(recipe, name) if asked[name] is None else asked[name]

    schedule = asked["schedule"] or (CONSTANT if recipe.decay is None else PLATEAU)
    if schedule == PLATEAU and recipe.decay is None:
        recipe = replace(recipe, decay=SLOWER)
    if schedule == COSINE:
        recipe = along_cosine(job.data, job.model, recipe)
    return replace(
        job,
        recipe=recipe,
        schedule=schedule,
        optimizer=_optimizer(recipe, asked["optimizer"], asked["learning_rate"]),
        batch_size=settled("batch_size"),
        epochs=settled("epochs"),
        patience=settled("patience"),
        validation_split=settled("validation_split"),
    )


def require_settable(threads: int | None, engine: str) -> None:
    """ParameterError where a number of threads is asked of an engine that cannot be told."""
    if threads is not None and engine == "jax":
        raise ParameterError(
            f"--threads is for engines whose threads can be set; JAX takes the cores that it finds when it "
            f"starts; got --threads={threads}. Leave it out, or begin with: taskset -c 0-{threads - 1}"
        )


def events_folder(path: str | None) -> str | None:
    """The folder of a new run's event files, named so that it is found from every folder.

    Raises ParameterError where it holds the curves of another run, which these would be drawn across.
    """
    if path is None:
        return None
    require_library("--tensorboard")
    folder = Path(path).expanduser().resolve()
    if folder.exists() and not folder.is_dir():
        raise ParameterError(f"--tensorboard takes a folder; {path} is a file. Choose another name.")
    if any(folder.glob(f"*/{EVENTS}.*")):
        raise ParameterError(
            f"--tensorboard takes a folder of its own for each run; {path} holds the curves of another run. "
            f"Choose another name, such as {path}-2; TensorBoard shows all runs below the folder it is given."
        )
    return str(folder)


def usual_threads(engine: str) -> int | None:
    """The threads where nobody says how many; None where the engine decides.

    The native engine's results are the same on any number. The reference engine takes one: threads of a BLAS
    wait for each other, on a busy machine longer than they compute, and the last bits of its sums would
    depend on the machine.
    """
    if engine != "reference":
        return None
    return get_threads() if is_told() else 1


def _optimizer(recipe: Recipe, name: str | None, learning_rate: float | None) -> dict[str, Any]:
    """The optimizer's configuration. A recipe's rate is for its optimizer; another one has a default."""
    usual: Any = optimizers.get(recipe.optimizer)
    made: Any = usual if name is None else optimizers.get(name)
    if learning_rate is not None:
        made.learning_rate = learning_rate
    elif type(made) is type(usual):
        made.learning_rate = recipe.learning_rate
    return optimizers.serialize(made)


def versions(engine: str) -> dict[str, str]:
    """Versions of what took part."""
    import numpy as np

    found = {"brickwork": __version__, "python": platform.python_version(), "numpy": np.__version__}
    if engine == "jax":
        from importlib.metadata import version

        found["jax"] = version("jax")
    return {**found, "platform": platform.platform()}
