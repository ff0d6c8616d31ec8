"""Models and weights in files: what comes back, and training that goes on bit for bit."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from small_models import ROWS, classifier, compiled, digits, same, two_outputs

import brickwork as bw
from brickwork import bricks, layers
from brickwork.arguments import Real, Whole, argument, configured
from brickwork.engines.registry import default_name
from brickwork.errors import FormatError, NotFittedError, ParameterError, ParameterTypeError, ShapeError
from brickwork.layers.serialization import register_layer
from brickwork.models import load_model

CROSS = "sparse_categorical_crossentropy"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def again(model, path, **options):
    model.save(path)
    return load_model(path, **options)


def header_of(path):
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["brickwork"])


def same_predictions(left, right, x):
    mine, other = left.predict(x, verbose=0), right.predict(x, verbose=0)
    for one, two in zip(*(list(y) if isinstance(y, list) else [y] for y in (mine, other)), strict=True):
        np.testing.assert_array_equal(one, two)


# Networks.


@register_layer
@configured()
class Doubling(layers.Layer):
    """A layer of a user's own, with an argument and parameters."""

    units: int = argument(Whole(1))
    factor: float = argument(Real(), default=2.0)

    def lay(self, x):
        return self.put(bricks.Rescaling(self.factor), self.put(bricks.Linear(self.units), x))


@bricks.register_brick("tests/Cube")
@configured(frozen=True, eq=True)
class Cube(bricks.Brick):
    """y = x³, dx = 3 x² dy."""

    def output_shape(self, x):
        return x

    def forward(self, params, x, *, ctx):
        return x * x * x, (x,)

    def backward(self, params, saved, dy):
        (x,) = saved
        return (3 * x * x * dy,), {}


def images():
    x = bw.Input((8, 8, 2), name="image")
    y = layers.Rescaling(1 / 255)(x)
    y = layers.Conv2D(3, 3, padding="same", strides=(2, 1), kernel_regularizer=bw.regularizers.L2(1e-3))(y)
    y = layers.BatchNormalization(momentum=0.5)(y)
    y = layers.LeakyReLU(0.2)(y)
    y = layers.MaxPooling2D(2)(y)
    y = layers.AveragePooling2D((1, 2), padding="same")(y)
    z = layers.GlobalAveragePooling2D()(y)
    y = layers.Dropout(0.25)(layers.Flatten()(y))
    y = layers.Concatenate()([y, z])
    y = layers.Dense(
        4,
        "elu",
        kernel_constraint=bw.constraints.MaxNorm(2.0),
        bias_initializer=bw.initializers.Constant(0.1),
    )(y)
    return bw.Model(x, layers.Softmax()(layers.Reshape((4,))(y)))


def merging():
    a, b = bw.Input((4,), name="a"), bw.Input((4,), name="b")
    shared = layers.Dense(4, name="shared")
    p, q = shared(a), shared(b)
    both = layers.Multiply()([layers.Add()([p, q]), layers.Maximum()([p, q])])
    return bw.Model([a, b], [both, layers.Dense(2, activity_regularizer="l1")(q)])


def by_name():
    a, b = bw.Input((4,), name="a"), bw.Input((4,), name="b")
    return bw.Model({"left": a, "right": b}, {"sum": layers.Add()([a, b]), "first": layers.Dense(2)(a)})


def nested():
    inside = bw.Input((4,), name="inside")
    inner = bw.Model(inside, layers.Dense(4, "tanh", name="features")(inside), name="base")
    x = bw.Input((4,), name="x")
    y = layers.Add()([inner(x), inner(inner(x)), inner.get_layer("features")(x)])
    return bw.Model(x, bw.Sequential([layers.Dense(3), layers.ReLU(max_value=6.0)], name="head")(y))


def bare():
    x = bw.Input((4,), name="x")
    once = bricks.Linear(4)(x)
    y = bricks.Linear(4)(bricks.Tanh()(once), owner=once.call.owner)
    return bw.Model(x, Cube()(bricks.Bias()(y)) + x)


def own():
    x = bw.Input((4,), name="x")
    return bw.Model(x, Doubling(3, factor=0.5, name="mine")(x))


def normalized():
    layer = layers.Normalization(name="norm")
    layer.adapt(np.random.default_rng(1).normal(3, 2, (50, 4)))
    return bw.Sequential([bw.Input((4,)), layer, layers.Dense(3)])


def frozen():
    model = classifier(norm=True)
    model.get_layer("hidden").trainable = False
    return model


NETWORKS = [images, merging, by_name, nested, bare, own, normalized, frozen, classifier]


def inputs_of(model, rng):
    xs = [rng.uniform(-1, 1, (ROWS, *symbol.shape[1:])).astype(np.float32) for symbol in model.inputs]
    return xs[0] if len(xs) == 1 else xs


@pytest.mark.parametrize("make", NETWORKS)
def test_every_network_comes_back(path, rng, make):
    model = make()
    for index, weight in enumerate(weights := model.get_weights()):
        weights[index] = (
            weight + rng.uniform(0, 0.5, weight.shape).astype(np.float32) if weight.ndim else weight
        )
    model.set_weights(weights)
    read = again(model, path)
    assert same(model, read)
    assert read.name == model.name and type(read) is type(model)
    assert [layer.name for layer in read.layers] == [layer.name for layer in model.layers]
    assert [one.path for one in read.trainable_weights] == [one.path for one in model.trainable_weights]
    assert read.get_config() == model.get_config()
    x = inputs_of(model, rng)
    for mine, other in zip(
        listed(model.predict(x, verbose=0)), listed(read.predict(x, verbose=0)), strict=True
    ):
        np.testing.assert_array_equal(mine, other)


def listed(told):
    if isinstance(told, dict):
        return [told[name] for name in sorted(told)]
    return told if isinstance(told, list) else [told]


@pytest.mark.parametrize(
    "optimizer", ["sgd", bw.optimizers.SGD(0.1, momentum=0.9, nesterov=True), "adam"], ids=str
)
@pytest.mark.parametrize("make", NETWORKS)
def test_training_goes_on_bit_for_bit(path, rng, make, optimizer):
    model = make()
    model.compile(optimizer, "mse", seed=9)
    x = inputs_of(model, rng)
    y = [rng.uniform(0, 1, (ROWS, *symbol.shape[1:])).astype(np.float32) for symbol in model.outputs]
    y = dict(zip(model.output_names, y, strict=True)) if make is by_name else y
    model.fit(x, y, batch_size=6, epochs=2, verbose=0)
    read = again(model, path)
    mine = model.fit(x, y, batch_size=6, epochs=4, initial_epoch=2, verbose=0).history
    other = read.fit(x, y, batch_size=6, epochs=4, initial_epoch=2, verbose=0).history
    assert mine == other
    assert same(model, read)


def test_interrupted_training_is_uninterrupted_training(path, rng):
    """Four epochs; and two, a file, two more in a model read from it."""
    x, y = digits(rng)
    whole, part = (classifier(dropout=0.3, norm=True) for _ in range(2))
    whole.fit(x, y, batch_size=6, epochs=4, verbose=0)
    part.fit(x, y, batch_size=6, epochs=2, verbose=0)
    read = again(part, path)
    read.fit(x, y, batch_size=6, epochs=4, initial_epoch=2, verbose=0)
    assert same(whole, read)


def test_a_network_shared_with_another_stays_whole(path, rng):
    """A layer that stands in the model and in a model nested in it is one layer again."""
    read = again(nested(), path)
    assert len(read.get_weights()) == 4
    inner = read.get_layer("base")
    assert any(layer is inner.get_layer("features") for layer in read.layers)
    read.get_layer("features").set_weights([np.zeros((4, 4)), np.ones(4)])
    np.testing.assert_allclose(
        inner.predict(np.zeros((1, 4)), verbose=0), np.tanh(np.ones((1, 4))), rtol=1e-6
    )


def test_bricks_keep_what_was_said_of_their_parameters(path):
    from brickwork.graph.node import Attributes

    x = bw.Input((4,), name="x")
    said = {"W": Attributes(bw.initializers.Ones(), False, bw.regularizers.L2(0.5), bw.constraints.NonNeg())}
    read = again(bw.Model(x, bricks.Linear(3)(x, attributes=said)), path)
    (parameter,) = read.graph.parameters.values()
    assert not parameter.trainable and parameter.regularizer.l2 == 0.5
    assert type(parameter.constraint).__name__ == "NonNeg" and type(parameter.initializer).__name__ == "Ones"


# Arguments of compile.


def absolute(t, y):
    return bricks.Sum(axis=(-1,))(bricks.Maximum()(t, y))


def bias(y_true, y_pred):
    return y_pred - y_true


class MineLoss(bw.losses.MeanSquaredError):
    """A loss of a user's own."""


class MineMetric(bw.metrics.MeanAbsoluteError):
    """A metric of a user's own."""


class MineOptimizer(bw.optimizers.SGD):
    """An optimizer of a user's own."""


OWN = {
    "MineLoss": MineLoss,
    "MineMetric": MineMetric,
    "MineOptimizer": MineOptimizer,
    "absolute": absolute,
    "bias": bias,
}


@pytest.mark.parametrize(
    "arguments",
    [
        {"loss": [CROSS, "mse"]},
        {"loss": {"amounts": "mse"}, "metrics": {"amounts": ["mae"]}},
        {
            "loss": [bw.losses.SparseCategoricalCrossentropy(reduction="sum"), bw.losses.HalfSquaredError()],
            "loss_weights": [0.5, 2],
        },
        {
            "loss": {"classes": CROSS, "amounts": "mse"},
            "loss_weights": {"amounts": 3.0},
            "metrics": [["accuracy"], ["mae", bw.metrics.MeanSquaredError(name="mine")]],
        },
        {"loss": [None, "mse"], "weighted_metrics": [None, [bw.metrics.MeanAbsoluteError()]]},
        {"loss": [None, absolute], "metrics": [[], [bias]]},
        {
            "loss": [None, MineLoss()],
            "metrics": [None, [MineMetric(name="own")]],
            "optimizer": MineOptimizer(0.2),
        },
        {
            "loss": [
                "sparse_categorical_crossentropy",
                {"class_name": "MeanSquaredError", "config": {"name": "told"}},
            ]
        },
        {
            "loss": [CROSS, "mse"],
            "optimizer": bw.optimizers.Adam(
                bw.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5), clipnorm=1.0
            ),
        },
    ],
)
def test_arguments_of_compile_come_back(path, rng, arguments):
    x, y = digits(rng)
    z = rng.normal(size=(ROWS, 2))
    model = two_outputs(**arguments)
    targets = {"classes": y, "amounts": z} if not isinstance(arguments["loss"], list) else [y, z]
    model.fit(x, targets, verbose=0)
    read = again(model, path, custom_objects=OWN)
    told = model.evaluate(x, targets, verbose=0, return_dict=True)
    assert read.evaluate(x, targets, verbose=0, return_dict=True) == told
    assert read.optimizer.get_config() == model.optimizer.get_config()
    assert type(read.optimizer) is type(model.optimizer)
    model.fit(x, targets, verbose=0)
    read.fit(x, targets, verbose=0)
    assert same(model, read)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"loss": absolute},
            r"compiled with the function 'absolute', which no file can hold\. Pass "
            r"custom_objects=\{'absolute': …\}, or compile=False",
        ),
        ({"loss": "mse", "metrics": [bias]}, r"compiled with the function 'bias'"),
        ({"loss": MineLoss()}, r"A loss must be one of .*; got 'MineLoss'"),
        ({"loss": "mse", "metrics": [MineMetric()]}, r"A metric must be one of .*; got 'MineMetric'"),
        (
            {"loss": "mse", "optimizer": MineOptimizer()},
            r"An optimizer must be one of .*; got 'MineOptimizer'",
        ),
    ],
)
def test_what_a_file_cannot_hold_is_asked_for(path, arguments, message):
    model = compiled(bw.Sequential([bw.Input((4,)), layers.Dense(2)]), **arguments)
    model.save(path)
    with pytest.raises(ParameterError, match=message) as caught:
        load_model(path)
    assert str(path) in "".join(caught.value.__notes__)
    assert same(load_model(path, compile=False), model)
    assert load_model(path, custom_objects=OWN).metrics_names == model.metrics_names


def test_a_schedule_that_is_a_function_is_not_saved(path, rng):
    model = classifier(optimizer=bw.optimizers.SGD(lambda step: 0.1))
    with pytest.warns(
        UserWarning, match=r"saved without the arguments of compile, .*only schedules that are classes"
    ):
        model.save(path)
    read = load_model(path)
    assert same(read, model)
    with pytest.raises(NotFittedError, match=r"must be compiled"):
        read.fit(*digits(rng), verbose=0)


@pytest.mark.parametrize("given", [[Doubling], {"Doubling": 3}, "Doubling"])
def test_custom_objects_are_a_dict(path, given):
    classifier().save(path)
    with pytest.raises(
        ParameterTypeError, match=r"custom_objects must be a dict name -> class or function; got"
    ):
        load_model(path, custom_objects=given)


def test_layers_that_are_not_registered(path):
    @configured()
    class Unknown(layers.Layer):
        def lay(self, x):
            return self.put(bricks.Tanh(), x)

    x = bw.Input((4,))
    model = bw.Model(x, Unknown()(x))
    with pytest.raises(
        FormatError, match=r"must be registered before its network is saved; it received Unknown\. Put @"
    ):
        model.save(path)
    assert not path.exists()
    register_layer(Unknown)
    try:
        model.save(path)
        from brickwork.layers import serialization

        del serialization._custom["Unknown"]
        with pytest.raises(
            FormatError, match=r"A layer's class must be one of .*the file says 'Unknown'\..*registered"
        ):
            load_model(path)
        assert type(load_model(path, custom_objects={"Unknown": Unknown}).layers[1]) is Unknown
    finally:
        serialization._custom.pop("Unknown", None)


def test_bricks_without_a_name_are_not_saved(path):
    @configured(frozen=True, eq=True)
    class Square(Cube):
        pass

    x = bw.Input((4,))
    with pytest.raises(
        ValueError, match=r"Only bricks with a registered name can be saved; it received Square"
    ):
        bw.Model(x, Square()(x)).save(path)


def test_what_is_not_compiled_comes_back_uncompiled(path, rng):
    x, y = digits(rng)
    read = again(two_outputs(), path)
    with pytest.raises(NotFittedError, match=r"must be compiled"):
        read.fit(x, y, verbose=0)
    model = classifier()
    model.fit(x, y, verbose=0)
    model.save(path)
    with pytest.raises(NotFittedError, match=r"must be compiled"):
        load_model(path, compile=False).evaluate(x, y, verbose=0)
    without_loss = classifier()
    without_loss.compile("sgd")
    assert type(again(without_loss, path).optimizer).__name__ == "SGD"


def test_without_the_optimizer_it_begins_anew(path, rng):
    x, y = digits(rng)
    model = classifier()
    model.fit(x, y, verbose=0)
    model.save(path, include_optimizer=False)
    read = load_model(path)
    assert same(read, model) and read._plan.step_number == 0
    assert read.train_on_batch(x, y) == pytest.approx(model.train_on_batch(x, y))
    model.save(path)
    assert load_model(path)._plan.step_number == 2


def test_flags_changed_after_compile_do_not_break_the_file(path, rng):
    x, y = digits(rng)
    model = classifier()
    model.fit(x, y, verbose=0)
    model.get_layer("hidden").trainable = False
    read = again(model, path)
    assert same(read, model)
    before = read.get_weights()
    read.fit(x, y, verbose=0)
    np.testing.assert_array_equal(read.get_weights()[0], before[0])
    model.get_layer("hidden").trainable = True
    compiled(model).get_layer("hidden").trainable = False
    compiled(model)
    model.get_layer("hidden").trainable = True
    again(model, path).fit(x, y, verbose=0)  # no slots were kept for the layer: they begin at zero


def test_the_engine_comes_back(path):
    pytest.importorskip("jax")
    assert again(classifier(engine="jax"), path)._engine.name == "jax"
    assert again(classifier(engine="reference"), path)._engine.name == "reference"
    assert again(classifier(), path)._engine.name == default_name()


def test_loading_moves_no_random_numbers(path, rng):
    model = classifier()
    model.save(path)
    bw.utils.set_random_seed(3)
    expected = layers.Dense(2)(bw.Input((2,))).call.scope.handle.layer.get_weights()
    bw.utils.set_random_seed(3)
    load_model(path)
    found = layers.Dense(2)(bw.Input((2,))).call.scope.handle.layer.get_weights()
    np.testing.assert_array_equal(found[0], expected[0])


# Weights alone.


def test_weights_alone(path, rng):
    x, y = digits(rng)
    model, other = classifier(norm=True), classifier(norm=True)
    model.fit(x, y, verbose=0)
    model.save_weights(path)
    other.load_weights(path)
    assert same(model, other)
    with pytest.raises(
        FormatError, match=r"load_model needs a file written by model\.save; .* holds weights alone"
    ):
        load_model(path)
    model.save(path)
    fresh = classifier(norm=True)
    fresh.load_weights(path)
    assert same(model, fresh)


@pytest.mark.parametrize(
    "other, message",
    [
        (lambda: classifier(units=4), r"'out/kernel' has shape \(5, 4\); it received \(5, 3\)"),
        (lambda: classifier(norm=True), r"holds 8 arrays; it received 4"),
        (lambda: bw.Sequential([layers.Dense(2)]), r"does not know the shape of its input yet"),
    ],
)
def test_weights_of_another_network(path, other, message):
    classifier().save_weights(path)
    model = other()
    before = model.get_weights() if model.built else []
    with pytest.raises((ShapeError, NotFittedError), match=message) as caught:
        model.load_weights(path)
    note = "".join(caught.value.__notes__)
    assert str(path) in note and "'hidden/kernel'" in note
    if before:
        assert all(np.array_equal(w, v) for w, v in zip(model.get_weights(), before, strict=True))


def test_loading_goes_on_with_the_running_plan(path, rng):
    """Arrays are written in place, so that a compiled model trains on what was loaded."""
    x, y = digits(rng)
    model, other = classifier(), classifier()
    model.fit(x, y, verbose=0)
    model.save_weights(path)
    other.evaluate(x, y, verbose=0)
    other.load_weights(path)
    assert other.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


# float64.


def test_a_float64_model_comes_back_as_one(path, rng):
    bw.config.set_floatx("float64")
    try:
        model = classifier(norm=True)
    finally:
        bw.config.set_floatx("float32")
    x, y = digits(rng)
    model.fit(x, y, verbose=0)
    read = again(model, path)
    assert bw.config.floatx() == "float32"
    assert all(w.dtype == np.float64 for w in read.get_weights()) and same(read, model)
    assert read.predict(x, verbose=0).dtype == np.float64
    model.fit(x, y, verbose=0)
    read.fit(x, y, verbose=0)
    assert same(read, model)


def test_weights_of_another_precision_are_converted(path):
    bw.config.set_floatx("float64")
    try:
        model = classifier()
    finally:
        bw.config.set_floatx("float32")
    model.save_weights(path)
    other = classifier()
    other.load_weights(path)
    assert other.get_weights()[0].dtype == np.float32
    np.testing.assert_allclose(other.get_weights()[0], model.get_weights()[0], rtol=1e-6)


# A file of version 1 that every later version must read.


GOLDEN = Path(__file__).parents[1] / "golden" / "model_version_1.safetensors"


def test_a_file_of_version_1():
    """Written once by tools/make_model_file.py; never written again."""
    model = load_model(GOLDEN)
    header = header_of(GOLDEN)
    assert header["version"] == 1 and header["format"] == "brickwork-model"
    expected = np.load(GOLDEN.with_suffix(".npz"))
    told = model.predict([expected["a"], expected["b"]], verbose=0)
    np.testing.assert_allclose(told[0], expected["classes"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(told[1], expected["amounts"], rtol=1e-5, atol=1e-6)
    model.fit(
        [expected["a"], expected["b"]],
        [expected["labels"], expected["values"]],
        batch_size=8,
        epochs=2,
        initial_epoch=1,
        shuffle=False,
        verbose=0,
    )
    for index, variable in enumerate(model.weights):
        # a bias before batch normalization has the gradient 0 but for rounding, which is the processor's; of
        # that Adam makes up to six steps of 0.01, and the mean moves with it
        loose = variable.path in ("conv2d/bias", "batch_normalization/moving_mean")
        atol = 0.06 if loose else 1e-5
        np.testing.assert_allclose(variable.value, expected[f"weight_{index}"], rtol=1e-4, atol=atol)
