"""A script for Keras runs under Brickwork once the word keras is replaced in its import lines."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "keras_script.py"


def in_brickwork(text: str) -> str:
    """The script with the word keras replaced in its import lines, and nowhere else."""
    return re.sub(
        r"^(?:import|from) .*$",
        lambda line: re.sub(r"\bkeras\b", "brickwork", line[0]),
        text,
        flags=re.MULTILINE,
    )


def run(text: str, folder: Path, *options: str) -> list[str]:
    script = folder / "script.py"
    script.write_text(text, encoding="utf-8")
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, *options, str(script)],
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def results(lines: list[str]) -> list[str]:
    """What the script prints itself, without the picture that summary draws."""
    return [line for line in lines if re.match(r"(small|net|pair|weights|trainable):", line)]


def accuracies(lines: list[str]) -> dict[str, float]:
    found = (re.match(r"(\w+):.* accuracy ([0-9.]+)$", line) for line in lines)
    return {match[1]: float(match[2]) for match in found if match}


def require_good(lines: list[str]) -> None:
    marks = {"small": 0.9, "net": 0.95, "pair": 0.8}
    reached = accuracies(lines)
    assert reached.keys() == marks.keys()
    assert all(reached[name] >= mark for name, mark in marks.items()), reached


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> list[str]:
    return run(in_brickwork(SCRIPT.read_text(encoding="utf-8")), tmp_path_factory.mktemp("ours"), "-Werror")


def test_only_import_lines_change():
    text = SCRIPT.read_text(encoding="utf-8")
    for line, other in zip(text.splitlines(), in_brickwork(text).splitlines(), strict=True):
        assert line == other or line.startswith(("import ", "from "))
    assert "keras." not in re.sub(r"(?m)^(?:import|from) .*$", "", text).replace('"bars.keras"', "")


def test_it_runs_under_brickwork(ours):
    require_good(results(ours))


def test_summary_counts_the_parameters(ours):
    assert any("1,331" in line for line in ours)


def test_it_prints_under_keras_what_it_prints_here(ours, tmp_path):
    if importlib.util.find_spec("keras") is None:
        pytest.skip("Keras is not installed")
    theirs = run(SCRIPT.read_text(encoding="utf-8"), tmp_path)
    require_good(results(theirs))
    number = re.compile(r"\d\.\d+")
    assert [number.sub("#", line) for line in results(ours)] == [
        number.sub("#", line) for line in results(theirs)
    ]


IMPORTS = """
import keras
import keras as k
import keras.layers
import keras.layers as layers
import keras.models, keras.optimizers, keras.losses
import keras.datasets.mnist as mnist
import keras.optimizers.schedules as schedules
from keras import Input, Layer, Model, Sequential
from keras import activations, callbacks, config, constraints, datasets, initializers, layers, losses, metrics
from keras import models, optimizers, regularizers, utils
from keras import __version__
from keras.activations import elu, exponential, leaky_relu, linear, log_softmax, relu, sigmoid, softmax, tanh
from keras.callbacks import Callback, CallbackList, CSVLogger, EarlyStopping, History, LambdaCallback
from keras.callbacks import LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau
from keras.config import epsilon, floatx, set_epsilon, set_floatx
from keras.constraints import Constraint, MaxNorm, NonNeg, UnitNorm, max_norm, non_neg, unit_norm
from keras.datasets import fashion_mnist, mnist
from keras.datasets.mnist import load_data
from keras.initializers import Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Initializer, Ones
from keras.initializers import LecunNormal, LecunUniform, VarianceScaling
from keras.initializers import RandomNormal, RandomUniform, TruncatedNormal, Zeros
from keras.initializers import glorot_uniform, he_normal, ones, random_normal, zeros
from keras.layers import Activation, Add, AveragePooling2D, BatchNormalization, Concatenate, Conv2D, Dense
from keras.layers import Dropout, ELU, Flatten, GlobalAveragePooling2D, Input, InputLayer, Layer, LeakyReLU
from keras.layers import MaxPooling2D, Maximum, Multiply, Normalization, ReLU, Rescaling, Reshape, Softmax
from keras.layers import add, concatenate, maximum, multiply
from keras.losses import BinaryCrossentropy, CategoricalCrossentropy, Loss, MeanSquaredError
from keras.losses import SparseCategoricalCrossentropy
from keras.metrics import Accuracy, BinaryAccuracy, CategoricalAccuracy, MeanAbsoluteError, MeanSquaredError
from keras.metrics import Metric, SparseCategoricalAccuracy
from keras.models import Model, Sequential, load_model
from keras.optimizers import SGD, Adam, Optimizer, schedules
from keras.optimizers.schedules import ExponentialDecay, LearningRateSchedule
from keras.regularizers import L1, L1L2, L2, Regularizer, l1, l1_l2, l2
from keras.utils import clear_session, normalize, set_random_seed, to_categorical
""".strip().splitlines()


@pytest.mark.parametrize("line", IMPORTS)
def test_import_lines(line):
    exec(in_brickwork(line), {})
    if importlib.util.find_spec("keras") is not None:
        exec(line, {})  # otherwise the line would prove nothing


def test_names_and_modules_are_the_same_things():
    """However a name is imported, it is one object."""
    space: dict[str, object] = {}
    exec(in_brickwork("import keras\nimport keras.layers as L\nfrom keras.layers import Dense"), space)
    assert space["L"].Dense is space["Dense"] is space["brickwork"].layers.Dense
    assert space["brickwork"].Input is space["L"].Input
