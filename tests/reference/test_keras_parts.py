"""Optimizers, schedules, metrics, initializers, regularizers, constraints and utils against Keras itself."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

import brickwork as bw
from brickwork import constraints, initializers, metrics, optimizers, regularizers, utils


@pytest.fixture(scope="module")
def keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras")


# Optimizers.

OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"learning_rate": 0.1, "weight_decay": 0.05}),
    ("SGD", {"learning_rate": 0.1, "clipnorm": 0.5}),
    ("SGD", {"learning_rate": 0.1, "clipvalue": 0.2}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.5, "global_clipnorm": 1.0}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    ("Adam", {"learning_rate": 0.01, "amsgrad": True}),
    ("Adam", {"learning_rate": 0.01, "weight_decay": 0.1, "clipnorm": 1.0}),
    ("AdamW", {}),
    ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.2, "amsgrad": True}),
    ("Adamax", {}),
    ("Adamax", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.7, "epsilon": 1e-2, "clipvalue": 0.5}),
    ("Nadam", {}),
    ("Nadam", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-2}),
    ("Adagrad", {}),
    ("Adagrad", {"learning_rate": 0.3, "initial_accumulator_value": 0.5, "epsilon": 1e-2}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.9}),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.7, "centered": True, "epsilon": 1e-3}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5, "centered": True, "epsilon": 1e-2}),
    ("Lamb", {}),
    ("Lamb", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3, "weight_decay": 0.1}),
    ("Lion", {}),
    ("Lion", {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.6, "weight_decay": 0.1}),
    ("Ftrl", {}),
    ("Ftrl", {"learning_rate": 0.5, "l1_regularization_strength": 0.3, "l2_regularization_strength": 0.1}),
    ("Ftrl", {"learning_rate": 0.5, "learning_rate_power": -0.7, "beta": 0.2}),
    ("Ftrl", {"learning_rate": 0.5, "l2_shrinkage_regularization_strength": 0.1}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8}),
    ("Adam", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 7}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "gradient_accumulation_steps": 4}),
    ("Adam", {"learning_rate": 0.1, "weight_decay": 0.1, "clipnorm": 0.5, "gradient_accumulation_steps": 3}),
    (
        "RMSprop",
        {
            "learning_rate": 0.1,
            "use_ema": True,
            "ema_momentum": 0.7,
            "ema_overwrite_frequency": 4,
            "gradient_accumulation_steps": 3,
        },
    ),
]


@pytest.mark.parametrize("name, config", OPTIMIZERS, ids=lambda value: str(value))
def test_fifty_steps(keras, name, config, rng):
    """Keras takes beta**t in float32, which costs it 1e-5 of the first Adam steps."""
    shapes = {"W": (4, 3), "b": (3,)}
    params = {key: rng.normal(size=shape).astype(np.float32) for key, shape in shapes.items()}
    start = dict(params)
    variables = [keras.Variable(w) for w in params.values()]
    theirs = getattr(keras.optimizers, name)(**config)
    theirs.build(variables)
    ours = getattr(optimizers, name)(**config)
    slots = ours.slots(params)
    rates = ours.rates(0, 50)
    for step in range(50):
        grads = {key: rng.normal(size=shape).astype(np.float32) for key, shape in shapes.items()}
        theirs.apply([keras.ops.convert_to_tensor(g) for g in grads.values()], variables)
        params, slots = ours.update(params, grads, slots, step + 1, rates[step])
    if config.get("use_ema"):
        for key, average in zip(params, theirs._model_variables_moving_average, strict=True):
            np.testing.assert_allclose(slots["average"][key], np.asarray(average), rtol=1e-4, atol=1e-5)
    for variable, (key, w) in zip(variables, params.items(), strict=True):
        way = abs(w - start[key]).max()
        np.testing.assert_allclose(w, np.asarray(variable), rtol=0, atol=2e-5 * way + 1e-6)


@pytest.mark.parametrize(
    "name",
    ["SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "Nadam", "Ftrl", "Lion", "Lamb"],
)
def test_optimizers_take_keras_arguments(keras, name):
    """Their own in Keras's order; those that all optimizers share by name."""

    def table(cls):
        parameters = inspect.signature(cls).parameters.values()
        return {p.name: p.default for p in parameters if p.name not in left_out}, parameters

    left_out = {"name", "kwargs", "loss_scale_factor"}
    theirs, _ = table(getattr(keras.optimizers, name))
    ours, parameters = table(getattr(optimizers, name))
    assert ours == theirs
    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == list(theirs)[: len(positional)]


SCHEDULES = [
    ("ExponentialDecay", (0.5, 7, 0.9, False)),
    ("ExponentialDecay", (0.5, 7, 0.9, True)),
    ("InverseTimeDecay", (0.5, 7, 0.9, False)),
    ("InverseTimeDecay", (0.5, 7.5, 0.9, True)),
    ("PolynomialDecay", (0.5, 7)),
    ("PolynomialDecay", (0.5, 7, 0.1, 0.5)),
    ("PolynomialDecay", (0.1, 7, 0.5, 2.0, True)),
    ("PiecewiseConstantDecay", ([3, 9, 20], [0.5, 0.2, 0.3, 0.1])),
    ("CosineDecay", (0.5, 20, 0.1)),
    ("CosineDecay", (0.1, 20, 0.1, "CosineDecay", 0.5, 6)),
    ("CosineDecayRestarts", (0.5, 7)),
    ("CosineDecayRestarts", (0.5, 5, 1.0, 0.8, 0.1)),
    ("CosineDecayRestarts", (0.5, 3, 1.5, 0.9)),
]


@pytest.mark.parametrize("name, arguments", SCHEDULES, ids=str)
def test_schedules(keras, name, arguments):
    theirs = getattr(keras.optimizers.schedules, name)(*arguments)
    ours = getattr(optimizers.schedules, name)(*arguments)
    assert (
        inspect.signature(type(ours)).parameters.keys() == inspect.signature(type(theirs)).parameters.keys()
    )
    for step in range(50):
        assert ours(step) == pytest.approx(float(theirs(step)), rel=2e-5, abs=1e-6), step


# Metrics.

PAIRS = {
    "Accuracy": ((20,), (20,)),
    "BinaryAccuracy": ((20, 1), (20, 1)),
    "CategoricalAccuracy": ((20, 4), (20, 4)),
    "SparseCategoricalAccuracy": ((20,), (20, 4)),
    "MeanSquaredError": ((20, 3), (20, 3)),
    "MeanAbsoluteError": ((20, 2, 3), (20, 2, 3)),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("weighted", [False, True])
def test_metrics(keras, name, weighted, rng):
    true_shape, pred_shape = PAIRS[name]
    theirs, ours = getattr(keras.metrics, name)(), getattr(metrics, name)()
    assert ours.name == theirs.name
    for _ in range(3):
        whole = "Accuracy" in name
        y_true = rng.integers(0, 2, true_shape) if whole else rng.normal(size=true_shape)
        y_pred = y_true ^ rng.integers(0, 2, true_shape) if name == "Accuracy" else rng.random(pred_shape)
        y_pred = np.asarray(y_pred, np.float32)
        weight = rng.random(20).astype(np.float32) if weighted else None
        theirs.update_state(y_true.astype(np.float32), y_pred, weight)
        ours.update_state(y_true, y_pred, weight)
    assert ours.result() == pytest.approx(float(theirs.result()), rel=1e-5)


@pytest.mark.parametrize("target", [(8,), (8, 1), (8, 5)])
@pytest.mark.parametrize("output", [(8, 1), (8, 5), (8, 6, 5)])
def test_kind_of_accuracy(keras, target, output):
    from keras.src.trainers.compile_utils import get_metric

    theirs = get_metric("accuracy", np.zeros(target), np.zeros(output))
    ours = metrics.resolve("accuracy", (None, *target[1:]), (None, *output[1:]))
    assert (type(ours).__name__, ours.name) == (type(theirs).__name__, theirs.name)


# Initializers.

INITIALIZERS = [
    ("RandomNormal", {}),
    ("TruncatedNormal", {}),
    ("RandomUniform", {}),
    ("GlorotUniform", {}),
    ("GlorotNormal", {}),
    ("HeUniform", {}),
    ("HeNormal", {}),
    ("LecunUniform", {}),
    ("LecunNormal", {}),
    ("VarianceScaling", {"scale": 0.5, "mode": "fan_out", "distribution": "untruncated_normal"}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_avg", "distribution": "normal"}),
]


@pytest.mark.parametrize("name, config", INITIALIZERS, ids=lambda value: str(value))
@pytest.mark.parametrize("shape", [(300, 200), (3, 3, 60, 120)])
def test_initializers_have_the_same_spread(keras, name, config, shape):
    theirs = np.asarray(getattr(keras.initializers, name)(seed=1, **config)(shape))
    ours = getattr(initializers, name)(seed=1, **config)(shape)
    assert ours.dtype == theirs.dtype
    assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
    if "untruncated_normal" not in str(config) and name != "RandomNormal":
        assert abs(ours).max() == pytest.approx(abs(theirs).max(), rel=0.01)


def test_initializers_have_keras_names(keras):
    for name in bw.initializers.__all__:
        if name not in ("fans", "generator_of"):
            assert hasattr(keras.initializers, name), name


# Regularizers, constraints, utils.


@pytest.mark.parametrize(
    "name, args",
    [
        ("L1", ()),
        ("L2", (0.3,)),
        ("L1L2", (0.1, 0.2)),
        ("L1L2", ()),
        ("OrthogonalRegularizer", ()),
        ("OrthogonalRegularizer", (0.5, "columns")),
    ],
)
def test_regularizers(keras, name, args, rng):
    import jax

    w = rng.normal(size=(4, 3)).astype(np.float32)
    theirs, ours = getattr(keras.regularizers, name)(*args), getattr(regularizers, name)(*args)
    assert float(ours(w)) == pytest.approx(float(theirs(jax.numpy.asarray(w))), rel=1e-6)
    np.testing.assert_allclose(ours.gradient(w), jax.grad(lambda w: theirs(w))(w), rtol=2e-5, atol=1e-7)
    for key, value in theirs.get_config().items():
        assert ours.get_config()[key] == (value if isinstance(value, str) else pytest.approx(value))


@pytest.mark.parametrize(
    "name, args, shape",
    [
        ("MaxNorm", (0.5,), (4, 3)),
        ("MaxNorm", (1.0, (0, 1, 2)), (3, 3, 2, 4)),
        ("MinMaxNorm", (), (4, 3)),
        ("MinMaxNorm", (0.9, 1.1, 0.3, [0, 1, 2]), (3, 3, 2, 4)),
        ("NonNeg", (), (4, 3)),
        ("UnitNorm", (), (4, 3)),
        ("UnitNorm", (1,), (4, 3)),
    ],
)
def test_constraints(keras, name, args, shape, rng):
    w = rng.normal(size=shape).astype(np.float32)
    theirs, ours = getattr(keras.constraints, name)(*args), getattr(constraints, name)(*args)
    np.testing.assert_allclose(ours(w), theirs(w), rtol=1e-6)


@pytest.mark.parametrize("labels", [[0, 2, 1], [[0], [3]], [[0, 1], [2, 2]]])
@pytest.mark.parametrize("classes", [None, 5])
def test_to_categorical(keras, labels, classes):
    np.testing.assert_array_equal(
        utils.to_categorical(labels, classes), keras.utils.to_categorical(labels, classes)
    )


@pytest.mark.parametrize("axis, order", [(-1, 2), (-1, 1), (1, 2)])
def test_normalize(keras, axis, order, rng):
    x = rng.normal(size=(4, 3))
    np.testing.assert_allclose(utils.normalize(x, axis, order), keras.utils.normalize(x, axis, order))


@pytest.mark.parametrize("name", ["floatx", "epsilon"])
def test_config(keras, name):
    assert getattr(bw.config, name)() == getattr(keras.config, name)()
