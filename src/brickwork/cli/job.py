"""A training with every value settled: what was asked for, else what the recipe says."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from typing import Any

from .. import __version__, optimizers
from ..data import Dataset, names
from ..data.named import canonical_name
from ..engines.registry import get_engine
from ..errors import DataError
from ..zoo.lookup import canonical_name as model_name
from .recipes import Recipe, default_model, recipe_of

LOSS = "sparse_categorical_crossentropy"


@dataclass(frozen=True)
class Job:
    """What is to be trained on what, and how. `out` is the run folder, None for one under runs/."""

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

    @property
    def monitor(self) -> str:
        """What says which epoch is the best."""
        return self.recipe.monitor if self.validation_split else "loss"

    @property
    def decay(self) -> dict[str, Any] | None:
        """The arguments of ReduceLROnPlateau; None for a constant learning rate."""
        if self.recipe.decay is None:
            return None
        factor, patience = self.recipe.decay
        monitor = "val_loss" if self.validation_split else "loss"
        return {"monitor": monitor, "factor": factor, "patience": patience}

    @property
    def learning_rate(self) -> float:
        """The optimizer's, at the beginning."""
        return float(self.optimizer["config"]["learning_rate"])

    def command(self) -> str:
        """The command that repeats this run."""
        return (
            f"brickwork train {self.data} --model {self.model} --epochs {self.epochs} "
            f"--batch-size {self.batch_size} --optimizer {self.optimizer['class_name'].lower()} "
            f"--learning-rate {self.learning_rate!r} --patience {self.patience} "
            f"--validation-split {self.validation_split!r} --engine {self.engine} --seed {self.seed}"
        )

    def config(self, dataset: Dataset, parameters: int) -> dict[str, Any]:
        """What config.json holds: everything needed to repeat the run."""
        return {
            "command": self.command(),
            "data": {
                "name": dataset.name,
                "training_rows": len(dataset.x_train),
                "test_rows": len(dataset.x_test),
                "shape": list(dataset.x_train.shape[1:]),
                "classes": list(dataset.class_names),
                "content_hash": dataset.content_hash(),
            },
            "model": {"name": self.model, "options": dict(self.recipe.options), "parameters": parameters},
            "optimizer": self.optimizer,
            "reduce_learning_rate_on_plateau": self.decay,
            "loss": LOSS,
            "metrics": ["accuracy"],
            "batch_size": self.batch_size,
            "epochs": self.epochs,
            "monitor": self.monitor,
            "patience": self.patience,
            "validation_split": self.validation_split,
            "engine": self.engine,
            "seed": self.seed,
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
    patience: int | None,
    validation_split: float | None,
    engine: str,
    seed: int,
    out: str | None,
) -> Job:
    """The job that was asked for, None standing for the recipe's value. All names are looked up here."""
    if data is None:
        raise DataError(
            f"brickwork train takes a data set, one of {', '.join(names())}; it received none. "
            f"Try: brickwork train digits"
        )
    data = canonical_name(data)
    model = default_model(data) if model is None else model_name(model)
    recipe = recipe_of(data, model)
    get_engine(engine)
    return Job(
        data=data,
        model=model,
        optimizer=_optimizer(recipe, optimizer, learning_rate),
        batch_size=recipe.batch_size if batch_size is None else batch_size,
        epochs=recipe.epochs if epochs is None else epochs,
        patience=recipe.patience if patience is None else patience,
        validation_split=recipe.validation_split if validation_split is None else validation_split,
        engine=engine,
        seed=seed,
        recipe=recipe,
        out=out,
    )


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
