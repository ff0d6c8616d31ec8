"""`compile`: every form of loss, metrics and weights, what they are called in logs, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import ROWS, classifier, digits, regressor, same, two_outputs

import brickwork as bw
from brickwork import bricks
from brickwork.errors import NotFittedError, ParameterError, ParameterTypeError, ShapeError

CROSS = "sparse_categorical_crossentropy"


def absolute(t, y):
    """|y − t| averaged over the features, as max(y − t, t − y)."""
    difference = bricks.Add()(y, bricks.Rescaling(-1.0)(t))
    larger = bricks.Maximum()(difference, bricks.Rescaling(-1.0)(difference))
    return bricks.Rescaling(0.5)(bricks.Sum(axis=(-1,))(larger))


@pytest.mark.parametrize(
    "loss",
    [
        "mse",
        "MSE",
        "mean_squared_error",
        "MeanSquaredError",
        bw.losses.MeanSquaredError(),
        bw.losses.MeanSquaredError,
        {"class_name": "MeanSquaredError", "config": {}},
        ["mse"],
        {"out": "mse"},
    ],
    ids=str,
)
def test_a_loss_in_any_form(rng, loss):
    x, y = digits(rng)
    told = regressor(loss=loss).evaluate(x, y, verbose=0)
    prediction = regressor().predict(x, verbose=0)[:, 0]
    assert told == pytest.approx(np.mean((prediction - y) ** 2), rel=1e-6)


def test_a_function_of_symbols_is_a_loss(rng):
    x, _ = digits(rng)
    model = two_outputs(loss=[None, absolute], metrics=[[], ["mae"]])
    y = rng.normal(size=(ROWS, 2))
    loss, mae = model.evaluate(x, [None, y], verbose=0)
    assert loss == pytest.approx(mae, rel=1e-6)
    before = model.evaluate(x, y, verbose=0)[0]
    model.fit(x, y, epochs=5, verbose=0)
    assert model.evaluate(x, y, verbose=0)[0] < before


def test_half_squared_error_is_the_lectures(rng):
    x, _ = digits(rng)
    y = rng.normal(size=(ROWS, 2))
    model = two_outputs(loss=[None, "half_squared_error"])
    prediction = model.predict(x, verbose=0)[1]
    expected = 0.5 * np.sum((prediction - y) ** 2) / ROWS
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("reduction, scale", [("sum_over_batch_size", 1), ("mean", 1), ("sum", ROWS)])
def test_reductions(rng, reduction, scale):
    x, y = digits(rng)
    told = regressor(loss=bw.losses.MeanSquaredError(reduction=reduction)).evaluate(x, y, verbose=0)
    assert told == pytest.approx(scale * regressor().evaluate(x, y, verbose=0), rel=1e-6)


@pytest.mark.parametrize(
    "metrics, names",
    [
        (None, ["loss"]),
        ([], ["loss"]),
        (["accuracy"], ["loss", "accuracy"]),
        (["acc", "mse"], ["loss", "acc", "mse"]),
        ([bw.metrics.SparseCategoricalAccuracy(name="right")], ["loss", "right"]),
        ([bw.metrics.SparseCategoricalAccuracy], ["loss", "sparse_categorical_accuracy"]),
        ({"out": ["accuracy"]}, ["loss", "accuracy"]),
        ({"out": "accuracy"}, ["loss", "accuracy"]),
        ([["accuracy"]], ["loss", "accuracy"]),
        (("accuracy", "accuracy"), ["loss", "accuracy", "accuracy_1"]),
    ],
    ids=str,
)
def test_metrics_in_any_form(rng, metrics, names):
    x, y = digits(rng)
    model = (
        classifier(loss="categorical_crossentropy", metrics=metrics)
        if "mse" in names
        else classifier(metrics=metrics)
    )
    y = np.eye(3)[y] if "mse" in names else y
    assert model.metrics_names == names
    assert list(model.evaluate(x, y, verbose=0, return_dict=True)) == names
    assert list(model.fit(x, y, verbose=0).history) == names


def test_a_function_is_a_metric(rng):
    def bias(y_true, y_pred):
        return y_pred - y_true

    x, y = digits(rng)
    model = regressor(metrics=[bias])
    told = model.evaluate(x, y[:, None], verbose=0, return_dict=True)
    assert told["bias"] == pytest.approx(float(np.mean(model.predict(x, verbose=0)[:, 0] - y)), rel=1e-5)


TWO = [CROSS, "mse"]


@pytest.mark.parametrize(
    "arguments, names",
    [
        ({"loss": TWO}, ["loss", "classes_loss", "amounts_loss"]),
        ({"loss": {"amounts": "mse"}}, ["loss"]),
        (
            {"loss": TWO, "metrics": {"amounts": ["mae"]}},
            ["loss", "classes_loss", "amounts_loss", "amounts_mae"],
        ),
        (
            {"loss": TWO, "metrics": [["accuracy"], ["mae", "mse"]]},
            ["loss", "classes_loss", "amounts_loss", "amounts_mae", "amounts_mse", "classes_accuracy"],
        ),
        (
            {"loss": [None, "mse"], "metrics": [None, "mae"], "weighted_metrics": {"amounts": "mae"}},
            ["loss", "amounts_mae", "amounts_weighted_mae"],
        ),
        (
            {"loss": "mse", "metrics": ["mae"]},
            ["loss", "classes_loss", "amounts_loss", "amounts_mae", "classes_mae"],
        ),
    ],
)
def test_names_of_several_outputs(rng, arguments, names):
    assert two_outputs(**arguments).metrics_names == names


def test_the_total_is_the_weighted_sum(rng):
    x, y = digits(rng)
    amounts = rng.normal(size=(ROWS, 2))
    model = two_outputs(loss=TWO, loss_weights=[0.5, 2.0])
    told = model.evaluate(x, [y, amounts], verbose=0, return_dict=True)
    assert told["loss"] == pytest.approx(0.5 * told["classes_loss"] + 2 * told["amounts_loss"])
    same_by_name = two_outputs(loss=TWO, loss_weights={"amounts": 2.0, "classes": 0.5})
    assert same_by_name.evaluate(x, [y, amounts], verbose=0, return_dict=True) == told
    alone = two_outputs(loss=TWO, loss_weights={"amounts": 2.0})
    assert alone.evaluate(x, [y, amounts], verbose=0, return_dict=True)["loss"] == pytest.approx(
        told["classes_loss"] + 2 * told["amounts_loss"]
    )


def test_outputs_of_one_layer_have_numbers():
    x, z = bw.Input((4,), name="x"), bw.Input((4,), name="z")
    layer = bw.layers.Dense(2, name="shared")
    model = bw.Model([x, z], [layer(x), layer(z)])
    model.compile("sgd", "mse")
    assert model.output_names == ["shared", "shared_1"]
    assert model.metrics_names == ["loss", "shared_loss", "shared_1_loss"]


def test_a_weighted_metric_without_weights_is_the_plain_one(rng):
    x, y = digits(rng)
    told = classifier(metrics=["accuracy"], weighted_metrics=["accuracy"]).evaluate(
        x, y, verbose=0, return_dict=True
    )
    assert told["accuracy"] == told["weighted_accuracy"]


def test_compiling_again_begins_the_optimizer_anew(rng):
    x, y = digits(rng)
    model, other = classifier(), classifier()
    model.fit(x, y, verbose=0)
    other.set_weights(model.get_weights())
    model.compile("adam", CROSS, seed=1)
    other.compile("adam", CROSS, seed=1)
    model.fit(x, y, verbose=0)
    other.fit(x, y, verbose=0)
    assert same(model, other)


def test_without_a_loss_a_model_predicts(rng):
    x, y = digits(rng)
    model = classifier()
    expected = model.predict(x, verbose=0)
    model.compile()
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
    with pytest.raises(
        ParameterError, match=r"Training and evaluation need a loss; compile received none\. Write"
    ):
        model.fit(x, y, verbose=0)


def test_a_penalty_alone_can_be_trained(rng):
    """E = 0.5 mean |w x| at w = 2, x = 1 and 3, no targets at all: 0.5 · (2 + 6) / 2."""
    x = bw.Input((1,))
    layer = bw.layers.Dense(1, use_bias=False, activity_regularizer=bw.regularizers.L1(0.5))
    model = bw.Model(x, layer(x))
    model.compile(bw.optimizers.SGD(0.1))
    model.set_weights([np.array([[2.0]])])
    rows = np.array([[1.0], [3.0]])
    assert model.evaluate(rows, verbose=0) == 2.0
    model.fit(rows, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], [[1.9]], rtol=1e-6)


def test_uncompiled_models_predict(rng):
    x, _ = digits(rng)
    model = two_outputs()
    assert [y.shape for y in model.predict(x, verbose=0)] == [(ROWS, 3), (ROWS, 2)]
    assert model.predict_on_batch(x)[0].shape == (ROWS, 3)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch", "gradients"])
def test_training_needs_compile(rng, method):
    model = two_outputs()
    x, y = digits(rng)
    with pytest.raises(
        NotFittedError, match=r"must be compiled before it is trained or evaluated\. Call model\.comp"
    ):
        getattr(model, method)(x, y)
    with pytest.raises(NotFittedError, match=r"must be compiled"):
        model.apply({})
    assert model.metrics == []
    with pytest.raises(NotFittedError, match=r"must be compiled"):
        _ = model.metrics_names


# What is refused, at once, also before a Sequential knows its shapes.

BAD = [
    ({"loss": "mes"}, ParameterError, r"A loss must be one of .*; got 'mes'\. Did you mean 'mse'\?"),
    (
        {"loss": 3},
        ParameterTypeError,
        r"A loss must be a name, a Loss or a function that lays bricks; got 3 of type int",
    ),
    (
        {"metrics": ["acuracy"]},
        ParameterError,
        r"A metric must be one of .*; got 'acuracy'\. Did you mean 'accuracy'\?",
    ),
    ({"weighted_metrics": [3]}, ParameterTypeError, r"A metric must be one of .*; got 3 of type int"),
    (
        {"optimizer": "adamm"},
        ParameterError,
        r"An optimizer must be one of .*'sgd', or an Optimizer.*; got 'adamm'\. Did you mean 'adam",
    ),
    (
        {"optimizer": None},
        ParameterTypeError,
        r"compile needs an optimizer; it received None\. Write optimizer='adam'",
    ),
    ({"optimizer": 0.1}, ParameterTypeError, r"An optimizer must be one of .*; got 0\.1 of type float"),
    (
        {"engine": "jx"},
        ParameterError,
        r"`engine` must be one of 'native', 'reference', 'jax'.*; got engine='jx'\. Did you mean 'jax'\?",
    ),
    (
        {"seed": -1},
        ParameterError,
        r"compile: `seed` must be a whole number in \[0, 18446744073709551615\]; got seed=-1",
    ),
    ({"seed": "one"}, ParameterTypeError, r"compile: `seed` must be a whole number"),
]


@pytest.mark.parametrize("arguments, kind, message", BAD, ids=str)
@pytest.mark.parametrize("built", [True, False])
def test_bad_arguments_of_compile(arguments, kind, message, built):
    model = bw.Sequential([bw.layers.Dense(3, "softmax")])
    if built:
        model.build((None, 4))
    with pytest.raises(kind, match=message):
        model.compile(**{"optimizer": "sgd", "loss": CROSS, **arguments})


@pytest.mark.parametrize(
    "arguments, kind, message",
    [
        (
            {"loss": ["mse"]},
            ParameterError,
            r"loss needs one entry for each of the 2 outputs 'classes', 'amounts'; it received 1",
        ),
        (
            {"loss": {"amount": "mse"}},
            ParameterError,
            r"loss names the outputs 'classes', 'amounts'; it received 'amount'\. Did you mean 'amounts'\?",
        ),
        (
            {"loss": TWO, "loss_weights": [1.0]},
            ParameterError,
            r"loss_weights needs one entry for each of the 2 outputs",
        ),
        (
            {"loss": TWO, "loss_weights": [1.0, "two"]},
            ParameterTypeError,
            r"compile: `loss_weights` must be a finite number; got loss_weights='two'",
        ),
        (
            {"loss": TWO, "loss_weights": [1.0, np.nan]},
            ParameterError,
            r"`loss_weights` must be a finite number; got loss_weights=nan",
        ),
        (
            {"loss": TWO, "metrics": ["accuracy", "mse", "mae"]},
            ParameterError,
            r"metrics needs one entry for each of the 2 outputs .*; it received 3",
        ),
        (
            {"loss": TWO, "metrics": "accuracy"},
            ParameterTypeError,
            r"`metrics` must be a list such as \['accuracy'\].*; got metrics='accuracy'\. Put it in brackets",
        ),
        (
            {"loss": [None, "mse"], "metrics": ["mae"]},
            ParameterError,
            r"output 'classes' has no loss and so no target\. Give it a loss, or list metrics by output name",
        ),
    ],
)
def test_bad_arguments_for_several_outputs(arguments, kind, message):
    with pytest.raises(kind, match=message):
        two_outputs(**{"optimizer": "sgd", **arguments})


def test_a_loss_that_gives_no_number_per_sample():
    with pytest.raises(
        ShapeError,
        match=r"A loss gives one number per sample, shape \(N,\); twice gave \(N, 1\)\. Sum or average",
    ):

        def twice(t, y):
            return bricks.Add()(t, y)

        regressor(loss=twice)
    with pytest.raises(ShapeError, match=r"broken gave int\. Sum"):

        def broken(t, y):
            return 3

        regressor(loss=broken)
    with pytest.raises(ShapeError) as caught:

        def clash(t, y):
            return bricks.MeanSquaredError()(bricks.Concatenate()(y, y), t)

        regressor(loss=clash)
    assert any("in the loss of output 'out', of shape (N, 1)" in note for note in caught.value.__notes__)


def test_models_are_wired_not_subclassed():
    class Mine(bw.Model):
        def __init__(self):
            super().__init__()

    with pytest.raises(ParameterError, match=r"Models written by subclassing are not supported"):
        Mine()
    with pytest.raises(ParameterError, match=r"Model takes inputs and outputs"):
        bw.Model()
