"""Estimators as bytes and files: safetensors with JSON in the header. No pickle, no code.

A file is one of `Model.save` (so `models.load_model` reads its network) with one key more in the JSON,
"estimator": the class, its parameters and what it learned. Arrays it learned are tensors "estimator/…".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import losses, optimizers
from ..arrays import Array
from ..bricks.base import Brick
from ..bricks.registry import brick_from_config, brick_to_config
from ..errors import FormatError, ParameterError
from ..training import model_file
from ..training.telling import load_state, make_network, reading, tell_network, tell_state
from .learner import Learner

_LEARNED = re.compile("[a-z][a-z_]*_|_flat|_several")

# -- the network ------------------------------------------------------------------------------------


def tell_learner(learner: Learner) -> tuple[dict[str, Any], dict[str, Array]]:
    """Network, weights and the optimizer's state, as JSON and arrays."""
    header, tensors = tell_network(learner.model)
    state = tell_state(learner.model, learner.plan)
    return {**header, "seed": learner.seed, "optimizer": list(state)}, {**tensors, **state}


def make_learner(
    header: Mapping[str, Any], tensors: Mapping[str, Array], optimizer: Any, loss: Any, engine: Any
) -> Learner:
    """The learner that `tell_learner` told, with its optimizer's state."""
    model = make_network(header, tensors)
    learner = Learner(model, optimizer, lambda units: loss, engine, int(np.uint64(header["seed"])))
    load_state(model, learner.plan, tensors)
    return learner


def network_bytes(learner: Learner) -> bytes:
    """A network as safetensors, for pickles."""
    from safetensors.numpy import save

    header, tensors = tell_learner(learner)
    arrays = {key: np.asarray(value, order="C") for key, value in tensors.items()}
    return save(arrays, {"brickwork": json.dumps(header, allow_nan=False)})


def learner_from_bytes(data: bytes, optimizer: Any, loss: Any, engine: Any) -> Learner:
    """The learner from the bytes of `network_bytes`."""
    from safetensors.numpy import load

    length = int.from_bytes(data[:8], "little")
    header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["brickwork"])
    return make_learner(header, load(data), optimizer, loss, engine)


# -- the estimator ----------------------------------------------------------------------------------


class NamedFunction:
    """Stands for a function that a file can only name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<function {self.name}, not loaded>"

    def __call__(self, *args: Any) -> Any:
        """Nothing but the error that tells what is missing."""
        raise ParameterError(
            f"The estimator was saved with network={self.name}, and a file holds no functions. Import it and "
            f"call set_params(network=…) before fitting anew; predicting and partial_fit need it not."
        )


def write_estimator(
    path: Any,
    learner: Learner,
    name: str,
    params: Mapping[str, Any],
    learned: Mapping[str, Any],
    overwrite: bool,
) -> None:
    """An estimator to a file."""
    header, tensors = tell_learner(learner)
    header["estimator"] = {
        "class_name": name,
        "params": {key: _told_param(name, key, value) for key, value in params.items()},
        "learned": {key: _told_learned(name, key, value, tensors) for key, value in learned.items()},
        "optimizer": _told_param(name, "optimizer", learner.optimizer),
        "loss": _told_param(name, "loss", learner.loss),
    }
    model_file.write(path, header, tensors, overwrite=overwrite)


def read_estimator(
    path: Any, name: str, known: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any], Callable[[Any], Learner]]:
    """(parameters, learned attributes, a function that makes the learner for an engine) of a file.

    Everything is checked before it is believed; `known` are the names of the parameters.
    """
    header, tensors = model_file.read(path)
    told = header.get("estimator")
    if not isinstance(told, dict):
        raise FormatError(
            f"{name}.load needs a file written by {name}.save; {Path(path)} holds a model alone. Read it "
            f"with brickwork.models.load_model."
        )
    if told.get("class_name") != name:
        raise FormatError(
            f"{name}.load needs a file written by {name}.save; {Path(path)} holds a "
            f"{told.get('class_name')!r}. Load it by that class."
        )
    with reading(Path(path), name):
        params = {key: _param(value) for key, value in told["params"].items()}
        learned = {key: _learned(value, tensors) for key, value in told["learned"].items()}
        optimizer, loss = _param(told["optimizer"]), _param(told["loss"])
        strange = [key for key in params if key not in known]
        strange += [key for key in learned if not _LEARNED.fullmatch(key)]
        if strange or not isinstance(optimizer, optimizers.Optimizer) or not isinstance(loss, losses.Loss):
            raise ValueError(strange or (optimizer, loss))

    def learner(engine: Any) -> Learner:
        with reading(Path(path), name):
            return make_learner(header, tensors, optimizer, loss, engine)

    return params, learned, learner


def _told_param(owner: str, name: str, value: Any) -> Any:
    """A parameter as JSON; what JSON has no form for is a dict with one key that says what it is."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return _told_param(owner, name, value.item())
    if isinstance(value, tuple):
        return {"tuple": [_told_param(owner, name, one) for one in value]}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        return [_told_param(owner, name, one) for one in value]
    if isinstance(value, Mapping):
        return {"dict": [[_told_param(owner, name, one) for one in pair] for pair in value.items()]}
    if isinstance(value, optimizers.Optimizer):
        return {"optimizer": optimizers.serialize(value)}
    if isinstance(value, optimizers.schedules.LearningRateSchedule):
        return {"schedule": optimizers.schedules.serialize(value)}
    if isinstance(value, losses.Loss) and not isinstance(value, losses.FunctionLoss):
        return {"loss": {"class_name": type(value).__name__, "config": value.get_config()}}
    if isinstance(value, Brick):
        return {"brick": brick_to_config(value)}
    if isinstance(value, NamedFunction):
        return {"function": value.name}
    if name == "network":
        return {"function": f"{value.__module__}.{getattr(value, '__qualname__', type(value).__qualname__)}"}
    raise ParameterError(
        f"{owner}.save writes parameters that JSON can hold; {name}={value!r} is none. Put another value "
        f"there by set_params before saving, such as a number for random_state or a name for an object."
    )


def _param(told: Any) -> Any:
    if isinstance(told, list):
        return [_param(one) for one in told]
    if not isinstance(told, dict):
        return told
    ((kind, value),) = told.items()
    if kind == "tuple":
        return tuple(_param(one) for one in value)
    if kind == "dict":
        return {_param(key): _param(one) for key, one in value}
    readers: dict[str, Any] = {
        "optimizer": optimizers.deserialize,
        "schedule": optimizers.schedules.deserialize,
        "loss": losses.get,
        "brick": brick_from_config,
        "function": NamedFunction,
    }
    return readers[kind](value)


def _told_learned(owner: str, name: str, value: Any, tensors: dict[str, Array]) -> Any:
    """Numbers, lists of numbers and words as JSON; arrays of numbers as tensors."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "OUS":
            words = [_told_param(owner, name, one) for one in value.tolist()]
            return {"words": words, "objects": value.dtype.kind == "O"}
        tensors[f"estimator/{name}"] = value
        return {"tensor": f"estimator/{name}"}
    return {"value": _told_param(owner, name, value)}


def _learned(told: Mapping[str, Any], tensors: Mapping[str, Array]) -> Any:
    if "tensor" in told:
        return tensors[told["tensor"]]
    if "words" in told:
        return np.array([_param(one) for one in told["words"]], dtype=object if told["objects"] else str)
    return _param(told["value"])
