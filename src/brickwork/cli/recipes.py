"""How each network is trained on each data set, where the command line says nothing else.

The accuracies that these recipes reach stand in docs/results.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..data import Dataset


@dataclass(frozen=True)
class Recipe:
    """What a training is made of.

    `monitor` says which epoch is the best and when to stop: the loss where validation rows are few and many
    epochs get all of them right, else what is wanted in the end. `decay` is (factor, patience) of
    ReduceLROnPlateau on the validation loss, None for a constant learning rate. `options` are arguments of
    the network in `brickwork.zoo`.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
    batch_size: int = 64
    epochs: int = 30
    patience: int = 5
    monitor: str = "val_loss"
    decay: tuple[float, int] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    validation_split: float = 0.1


SCHEDULES = CONSTANT, PLATEAU, COSINE = "constant", "plateau", "cosine"
"""How the learning rate goes on. A cosine warms up, then ends where it was told to."""

WARM_UP = 20
"""One step in so many is spent on raising the learning rate, before it goes down a cosine."""

LOSS, ACCURACY = "val_loss", "val_accuracy"
SLOWER = (0.3, 2)

# The first network of a data set is its default.
# fmt: off
RECIPES: dict[tuple[str, str], Recipe] = {
    #                            optimizer  rate  batch  epochs patience monitor   decay   network
    ("digits", "convnet"):        Recipe("adam", 2e-3,  32,  40,  8, LOSS),
    ("digits", "mlp"):            Recipe("adam", 1e-3,  32, 100, 15, LOSS, None, {"dropout": 0.3}),
    ("digits", "lenet5"):         Recipe("adam", 2e-3,  32,  60, 10, LOSS, None, {"dropout": 0.25}),
    ("iris", "mlp"):              Recipe("adam", 3e-3,  16, 100, 20, LOSS, None, {"hidden": (16, 16)}, 0.2),
    ("mnist", "lenet5"):          Recipe("adam", 1e-3, 128,  25,  6, ACCURACY, SLOWER, {"dropout": 0.25}),
    ("mnist", "mlp"):             Recipe("adam", 1e-3, 128,  40,  5, ACCURACY, SLOWER, {"dropout": 0.2}),
    ("mnist", "convnet"):         Recipe("adam", 1e-3, 128,  12,  4, ACCURACY, SLOWER, {"dropout": 0.4}),
    ("fashion-mnist", "convnet"): Recipe("adam", 1e-3, 128,  15,  4, ACCURACY, SLOWER, {"dropout": 0.4}),
    ("fashion-mnist", "lenet5"):  Recipe("adam", 1e-3, 128,  30,  5, ACCURACY, SLOWER, {"dropout": 0.25}),
    ("fashion-mnist", "mlp"):     Recipe("adam", 1e-3, 128,  40,  5, ACCURACY, SLOWER, {"dropout": 0.2}),
}
# fmt: on

COSINES: dict[tuple[str, str], Recipe] = {
    ("mnist", "lenet5"): Recipe("adam", 3e-3, 128, 7, 7, ACCURACY, None, {"dropout": 0.1}, 0.05),
}
"""Recipes along a cosine, which stands a higher rate; other networks get a third of their usual epochs."""


def default_model(data: str) -> str:
    """The network that suits a data set best."""
    return next((model for known, model in RECIPES if known == data), "mlp")


def recipe_of(data: str, model: str) -> Recipe:
    """The recipe of a network on a data set; a general one where there is none of its own."""
    return RECIPES.get((data, model), Recipe())


def along_cosine(data: str, model: str, usual: Recipe) -> Recipe:
    """The recipe where the learning rate goes down a cosine."""
    return COSINES.get((data, model)) or replace(usual, epochs=max(1, math.ceil(usual.epochs / 3)))


def own_model_name(dataset: Dataset) -> str:
    """The network for data without a recipe: images are convolved, all else meets dense layers."""
    shape = dataset.x_train.shape[1:]
    return "convnet" if dataset.scale is not None and len(shape) == 3 and min(shape[:2]) >= 4 else "mlp"


def own_recipe(rows: int, *, images: bool) -> Recipe:
    """A recipe for so many rows of one's own: small batches for few, and patience, since they are noisy."""
    batch = 16 if rows < 500 else 32 if rows < 5000 else 128
    return Recipe("adam", 1e-3, batch, 30 if images else 100, 6 if images else 12)


def table() -> Iterator[str]:
    """The recipes in lines, for `brickwork train --help`."""
    yield "  data           model     optimizer   rate  batch size  epochs  patience"
    for (data, model), one in RECIPES.items():
        mark = "*" if model == default_model(data) else " "
        yield (
            f"  {data:<13} {mark}{model:<9} {one.optimizer:<9} {one.learning_rate:>6g} {one.batch_size:>11} "
            f"{one.epochs:>7} {one.patience:>9}"
        )
