"""Networks to be looked at: of a run, of a file, by name, of a user's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import zoo
from ..data import open_data
from ..data.tasks import CLASSIFICATION
from ..errors import ParameterError, did_you_mean
from ..training.model_file import ENDING
from ..zoo.lookup import canonical_name
from .own_model import is_own, own_model
from .runs import open_run

SHAPE, CLASSES = (28, 28, 1), 10


def network(
    model: str, data: str | None, target: str | None, epoch: int | None, report: Callable[[str], None]
) -> Any:
    """The network that is named, fitted to data where it is not trained yet."""
    path = Path(model).expanduser()
    if path.is_dir() or path.suffix.lower() == ENDING:
        if data is not None:
            raise ParameterError(f"--data is for networks that are not trained; {model} is. Leave it out.")
        return open_run(model, epoch, report).model
    if epoch is not None:
        raise ParameterError(f"--epoch is for run folders; {model} is none. Leave it out.")
    own = is_own(model)
    if not own and any(mark in model for mark in "/.:"):
        beside = sorted(str(one) for one in path.parent.iterdir()) if path.parent.is_dir() else []
        raise ParameterError(
            f"A model is a run folder, a {ENDING} file, FILE.py:FUNCTION, FILE.json or one of "
            f"{', '.join(zoo.names())}; there is no {model!r}.{did_you_mean(model, [*zoo.names(), *beside])}"
        )
    name = model if own else canonical_name(model)
    if data is None:
        return own_model(model, SHAPE, CLASSES, classes=False) if own else getattr(zoo, name)()
    dataset = open_data(data, target=target, report=report)
    if not own:
        return zoo.build(name, dataset)
    outputs = len(dataset.class_names) or math.prod(dataset.y_train.shape[1:])
    classes = dataset.task == CLASSIFICATION
    return own_model(model, dataset.x_train.shape[1:], outputs, classes=classes)
