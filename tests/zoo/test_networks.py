"""The networks of the zoo: their sizes, what they take, that they learn, that scaling is saved with them."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork import zoo
from brickwork.data import load
from brickwork.errors import BrickworkError, ParameterError, ParameterTypeError, ShapeError
from brickwork.layers import Normalization
from brickwork.models import load_model
from brickwork.seeds import set_random_seed

NETWORKS = [zoo.mlp, zoo.lenet5, zoo.convnet]


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize(
    "network, options, parameters",
    [
        (zoo.mlp, {}, 235_146),
        (zoo.mlp, {"hidden": ()}, 7_850),
        (zoo.lenet5, {}, 61_706),
        (zoo.lenet5, {"activation": "tanh", "pooling": "average"}, 61_706),
        (zoo.convnet, {}, 421_642),
    ],
)
def test_number_of_parameters(network, options, parameters):
    model = network((28, 28, 1), 10, **options)
    assert model.count_params() == parameters
    assert model.output_shape == (None, 10)


def test_lenet5_as_it_is_drawn():
    shapes = [layer.output.shape[1:] for layer in zoo.lenet5().layers]
    assert shapes == [
        (28, 28, 6),
        (14, 14, 6),
        (10, 10, 16),
        (5, 5, 16),
        (400,),
        (120,),
        (84,),
        (10,),
    ]


def test_lenet5_of_the_paper():
    model = zoo.lenet5(activation="tanh", pooling="average")
    assert kinds(model).count("AveragePooling2D") == 2
    assert any("Tanh" in type(node.brick).__name__ for node in model.graph.nodes)
    assert not any("ReLU" in type(node.brick).__name__ for node in model.graph.nodes)


def test_convnet_is_the_lectures_network():
    assert kinds(zoo.convnet(scale=255, dense_dropout=0.5)) == [
        "Rescaling",
        "Conv2D",
        "MaxPooling2D",
        "Conv2D",
        "MaxPooling2D",
        "Flatten",
        "Dropout",
        "Dense",
        "Dropout",
        "Dense",
    ]


@pytest.mark.parametrize("network", NETWORKS)
def test_dropout_of_rate_zero_is_no_layer(network):
    assert "Dropout" not in kinds(network((8, 8, 1), 10, dropout=0))


@pytest.mark.parametrize("network", NETWORKS)
def test_small_and_coloured_images(network):
    assert network((8, 8, 1), 10).output_shape == (None, 10)
    assert network((4, 5, 3), 2).output_shape == (None, 2)
    assert network((32, 32, 3), 100).output_shape == (None, 100)


@pytest.mark.parametrize("side, padding", [(11, "same"), (12, "valid")])
def test_lenet5_pads_where_its_kernel_would_not_fit(side, padding):
    assert zoo.lenet5((side, side, 1), 10).layers[2].padding == padding


@pytest.mark.parametrize("network", [zoo.lenet5, zoo.convnet])
def test_images_that_are_too_small(network):
    with pytest.raises(ShapeError, match=r"at least 4 x 4 pixels, .* received \(N, 8, 3, 1\)\. Use zoo\.mlp"):
        network((8, 3, 1), 10)


@pytest.mark.parametrize("network", [zoo.lenet5, zoo.convnet])
def test_what_is_no_image(network):
    with pytest.raises(
        ShapeError, match=r"images of shape \(N, H, W, C\); it received \(N, 4\)\. Use zoo\.mlp"
    ):
        network((4,), 3)
    with pytest.raises(ShapeError, match=r"Give grey images a channel axis: \(28, 28, 1\)"):
        network((28, 28), 10)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"classes": 1}, "`classes` must be a whole number of at least 2; got classes=1"),
        ({"classes": 2.5}, "`classes` must be a whole number"),
        ({"input_shape": (28, 0, 1)}, "`input_shape` must be a tuple"),
        ({"input_shape": "28x28"}, "`input_shape` must be a tuple"),
        ({"dropout": 1.0}, r"`dropout` must be in \[0, 1\); got dropout=1.0"),
        ({"scale": 0}, "`scale` must be None or a finite number above 0; got scale=0"),
        ({"scale": "white"}, "`scale` must be None or a finite number above 0"),
    ],
)
def test_wrong_arguments(network, wrong, told):
    with pytest.raises((ParameterError, ParameterTypeError), match=f"^{network.__name__}: {told}"):
        network(**wrong)


@pytest.mark.parametrize(
    "network, wrong, told",
    [
        (zoo.mlp, {"hidden": (64, 0)}, "mlp: `hidden` must be a tuple"),
        (zoo.mlp, {"hidden": 64}, "mlp: `hidden` must be a tuple"),
        (zoo.lenet5, {"activation": "relo"}, "lenet5: `activation` must be one of .* Did you mean 'relu'"),
        (zoo.lenet5, {"pooling": "mean"}, "lenet5: `pooling` must be one of 'max', 'average'"),
        (zoo.convnet, {"dense_dropout": -0.1}, "convnet: `dense_dropout` must be in"),
    ],
)
def test_wrong_arguments_of_one_network(network, wrong, told):
    with pytest.raises(BrickworkError, match=told):
        network(**wrong)


# By name, for a data set.


def test_names_and_did_you_mean():
    assert zoo.names() == ["mlp", "lenet5", "convnet"]
    digits = load("digits")
    assert zoo.build("LeNet-5", digits).name == "lenet5"
    with pytest.raises(
        ParameterError, match=r"one of 'mlp', 'lenet5', 'convnet'; got 'covnet'\. Did you mean 'con"
    ):
        zoo.build("covnet", digits)
    with pytest.raises(ParameterError, match="got 3"):
        zoo.build(3, digits)


def test_build_takes_a_data_set():
    with pytest.raises(
        ParameterTypeError, match=r"as brickwork\.data\.load\('digits'\) gives it; got 'digits'"
    ):
        zoo.build("mlp", "digits")


def test_pixels_are_scaled_inside_the_model():
    digits = load("digits")
    first = zoo.build("convnet", digits).layers[0]
    assert first(digits.x_train[:50]).max() == 1.0


def test_the_columns_of_a_table_are_normalized_inside_the_model():
    iris = load("iris")
    first = zoo.build("mlp", iris).layers[0]
    assert isinstance(first, Normalization)
    scaled = first(iris.x_train)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(0), 1, atol=1e-5)


@pytest.mark.parametrize(
    "data, name, options, epochs, least",
    [
        ("digits", "mlp", {"hidden": (64,)}, 5, 0.9),
        ("digits", "lenet5", {}, 5, 0.85),
        ("digits", "convnet", {}, 2, 0.9),
        ("iris", "mlp", {"hidden": (16,)}, 100, 0.9),
    ],
)
def test_they_learn_and_are_saved_with_their_scaling(data, name, options, epochs, least, tmp_path):
    dataset = load(data)
    set_random_seed(0)
    model = zoo.build(name, dataset, **options)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.optimizer.learning_rate = 3e-3
    model.fit(dataset.x_train, dataset.y_train, epochs=epochs, verbose=0)
    accuracy = model.evaluate(dataset.x_test, dataset.y_test, verbose=0)[1]
    assert accuracy >= least
    model.save(tmp_path / "model.safetensors")
    again = load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(
        again.predict(dataset.x_test[:20], verbose=0), model.predict(dataset.x_test[:20], verbose=0)
    )
