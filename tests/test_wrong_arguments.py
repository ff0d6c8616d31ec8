"""Every public class of the rooms below refuses wrong values of every argument, in one form.

The values are drawn from the checks of its table; layers and bricks have tables of their own
(tests/layers/test_layer_arguments.py, tests/bricks/test_all_bricks.py).
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from typing import Any

import numpy as np
import pytest

import brickwork as bw
from brickwork.arguments import Anything
from brickwork.callbacks import CallbackList, LambdaCallback
from brickwork.datasets import blobs, circles, moons, spiral, xor
from brickwork.errors import BrickworkError, DataError, ParameterError, ParameterTypeError
from wrong_arguments import assert_refuses, wrong_arguments

ROOMS = {
    "losses": "Loss",
    "metrics": "Metric",
    "optimizers": "Optimizer",
    "optimizers.schedules": "LearningRateSchedule",
    "initializers": "Initializer",
    "regularizers": "Regularizer",
    "constraints": "Constraint",
    "callbacks": "Callback",
}

# Arguments without which a class cannot be made.
NEEDED: dict[str, dict[str, Any]] = {
    "CSVLogger": {"filename": "log.csv"},
    "CosineDecay": {"initial_learning_rate": 1, "decay_steps": 2},
    "CosineDecayRestarts": {"initial_learning_rate": 1, "first_decay_steps": 2},
    "ExponentialDecay": {"initial_learning_rate": 1, "decay_steps": 2, "decay_rate": 0.5},
    "FunctionLoss": {"function": abs},
    "IoU": {"num_classes": 3, "target_class_ids": [0]},
    "InverseTimeDecay": {"initial_learning_rate": 1, "decay_steps": 2, "decay_rate": 0.5},
    "LearningRateScheduler": {"schedule": abs},
    "LinearDecay": {"initial_learning_rate": 1, "decay_steps": 2},
    "MeanIoU": {"num_classes": 3},
    "MeanMetricWrapper": {"fn": abs},
    "ModelCheckpoint": {"filepath": "model.safetensors"},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0]},
    "OneHotMeanIoU": {"num_classes": 3},
    "OneCycle": {"max_learning_rate": 1, "total_steps": 5},
    "OneCycleMomentum": {"total_steps": 5},
    "PiecewiseConstantDecay": {"boundaries": [1], "values": [1, 2]},
    "PolynomialDecay": {"initial_learning_rate": 1, "decay_steps": 2},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
}

# Made of functions or other callbacks under any name: tested by themselves, below.
OF_THEIR_OWN = {LambdaCallback, CallbackList}


def public_classes() -> list[type]:
    found = {}
    for name, base in ROOMS.items():
        room = importlib.import_module(f"brickwork.{name}")
        for public in getattr(room, "__all__", None) or dir(room):
            cls = getattr(room, public)
            if inspect.isclass(cls) and issubclass(cls, getattr(room, base)):
                found[f"{name}.{cls.__name__}"] = cls
    return list(found.values())


CLASSES = public_classes()


def test_there_are_many():
    assert len(CLASSES) > 100


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_every_argument_has_a_check(cls):
    """The table of constraints names all of them."""
    if cls in OF_THEIR_OWN or not inspect.signature(cls).parameters:
        return
    checks = {f.name: f.metadata.get("check") for f in dataclasses.fields(cls) if f.init}
    named = set(inspect.signature(cls).parameters)
    assert named <= set(checks)
    assert all(checks[name] is not None for name in named)
    left = {name for name in named if isinstance(checks[name], Anything)}
    assert left <= ({"fn", "name"} if cls.__name__ == "MeanMetricWrapper" else set())


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    wrong_arguments(
        *(c for c in CLASSES if dataclasses.is_dataclass(c) and c.__name__ != "MeanMetricWrapper")
    ),
)
def test_wrong_values_are_refused(cls, name, value):
    assert_refuses(cls, name, value, **NEEDED.get(cls.__name__, {}))


@pytest.mark.parametrize("cls", [c for c in CLASSES if c not in OF_THEIR_OWN], ids=lambda cls: cls.__name__)
def test_unknown_arguments_are_named(cls):
    if not dataclasses.is_dataclass(cls):
        with pytest.raises(TypeError):
            cls(no_such_argument=1)
        return
    with pytest.raises(ParameterTypeError, match="it received `no_such_argument`"):
        cls(**NEEDED.get(cls.__name__, {}), no_such_argument=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LambdaCallback(on_epoch_end=3), "LambdaCallback: `on_epoch_end` must be None or a function"),
        (lambda: LambdaCallback(on_epoch_ends=abs), "received `on_epoch_ends`. Did you mean 'on_epoch_end'"),
        (lambda: CallbackList([3]), "`callbacks` holds callbacks, such as EarlyStopping(); it received 3"),
        (lambda: CallbackList(add_history="yes"), "CallbackList: `add_history` must be True or False; got"),
        (lambda: CallbackList(add_progbar=2), "CallbackList: `add_progbar` must be True or False; got"),
        (
            lambda: bw.losses.SparseCategoricalCrossentropy(ignore_class=3),
            "SparseCategoricalCrossentropy: `ignore_class` must be None; got ignore_class=3. Give such rows "
            "sample_weight 0 instead.",
        ),
        (lambda: bw.metrics.MeanMetricWrapper(3), "MeanMetricWrapper: `fn` must be a function of y_true"),
        (lambda: bw.metrics.MeanMetricWrapper(abs, name=3), "MeanMetricWrapper: `name` must be"),
        (lambda: bw.Sequential(3), "Sequential: `layers` must be None or a list of layers; got layers=3"),
        (lambda: bw.Sequential(bw.layers.Dense(3)), "Sequential: `layers` must be None or a list of layers"),
        (lambda: bw.Sequential(["relu"]), "Sequential takes layers; it received 'relu' of type str"),
        (lambda: bw.Sequential(name=3), "Sequential: `name` must be None or a string"),
        (lambda: bw.Model(3, 4), "A network's inputs are symbols"),
        (lambda: bw.Input("wide"), "Input: `shape` must be a tuple"),
        (lambda: bw.Input((3,), name=3), "`name` must be None or a string"),
        (lambda: bw.utils.to_categorical([1], "two"), "to_categorical: `num_classes` must be a whole number"),
        (lambda: bw.utils.to_categorical([[0.5]]), "Labels must be whole numbers; it received 0.5"),
        (lambda: bw.utils.normalize([1.0], axis=7), "normalize: `axis` must be a whole number in [-1, 0]"),
        (lambda: bw.utils.normalize([1.0], order="two"), "normalize: `order` must be a finite number"),
        (lambda: bw.utils.normalize([1.0], order=0), "normalize: `order` must be a number other than 0"),
        (lambda: bw.utils.normalize("text"), "normalize takes numbers of at least one axis"),
        (lambda: bw.utils.set_threads("two"), "set_threads: `count` must be None or a whole number"),
        (lambda: bw.utils.set_random_seed(-1), "set_random_seed: `seed` must be a whole number in"),
        (lambda: bw.graph.Loop(3), "Loop: `cell` must be a Graph"),
    ],
)
def test_what_has_no_table(make, message):
    with pytest.raises((BrickworkError, ParameterError, ParameterTypeError, DataError)) as caught:
        make()
    assert message in str(caught.value)


WRONG = {
    "n_train": [0, 1.5, "many", None],
    "n_test": [-1, 2.5, "many"],
    "noise": [-0.1, "loud", float("nan")],
    "seed": [-1, 0.5, "first"],
    "classes": [0, 2.5, "two"],
    "factor": [-0.5, "half"],
}


@pytest.mark.parametrize("made", [moons, blobs, circles, spiral, xor], ids=lambda room: room.__name__)
def test_generated_sets(made):
    for name in inspect.signature(made.load_data).parameters:
        for value in WRONG[name]:
            with pytest.raises((ParameterError, ParameterTypeError)) as caught:
                made.load_data(**{name: value})
            assert f"`{name}` must be" in str(caught.value), (name, value)
            assert f"got {name}={value!r}" in str(caught.value)


def test_normalize_by_infinity():
    np.testing.assert_array_equal(bw.utils.normalize([[2.0, -4.0]], order=np.inf), [[0.5, -1.0]])
