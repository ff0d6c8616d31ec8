"""Sequential: when it learns its shape, and what adding and taking off layers does."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import ROWS, batches, digits, same

import brickwork as bw
from brickwork import layers
from brickwork.errors import GraphError, NotFittedError, ParameterError, ParameterTypeError, ShapeError

CROSS = "sparse_categorical_crossentropy"


def stack():
    bw.utils.set_random_seed(4)
    return [layers.Dense(5, "relu", name="hidden"), layers.Dense(3, "softmax", name="out")]


def known():
    """The same network with an Input."""
    return compiled(bw.Sequential([bw.Input((4,)), *stack()]))


def compiled(model):
    model.compile("adam", CROSS, seed=1)
    return model


def late():
    return compiled(bw.Sequential(stack()))


# Learning the shape.


@pytest.mark.parametrize(
    "meet",
    [
        lambda model, x, y: model.fit(x, y, shuffle=False, verbose=0),
        lambda model, x, y: model.fit(batches(x, y, 32), verbose=0),
        lambda model, x, y: model.fit(iter(batches(x, y, 32)), verbose=0),
        lambda model, x, y: model.fit((batch for batch in batches(x, y, 32)), verbose=0),
        lambda model, x, y: model.fit([x], y, shuffle=False, verbose=0),
        lambda model, x, y: model.fit(x.tolist(), y, shuffle=False, verbose=0),
        lambda model, x, y: model.train_on_batch(x, y),
        lambda model, x, y: (model.build((None, 4)), model.train_on_batch(x, y)),
        lambda model, x, y: (model.build([7, 4]), model.train_on_batch(x, y)),
        lambda model, x, y: (model.evaluate(x, y, verbose=0), model.train_on_batch(x, y)),
        lambda model, x, y: (model.predict(x, verbose=0), model.train_on_batch(x, y)),
        lambda model, x, y: (model.predict(iter([x]), verbose=0), model.train_on_batch(x, y)),
        lambda model, x, y: (model.predict_on_batch(x), model.train_on_batch(x, y)),
        lambda model, x, y: (model(x), model.train_on_batch(x, y)),
        lambda model, x, y: (model(bw.Input((4,))), model.train_on_batch(x, y)),
        lambda model, x, y: (model.gradients(x, y), model.train_on_batch(x, y)),
    ],
)
def test_a_shape_is_learned_wherever_data_is_met(rng, meet):
    x, y = digits(rng)
    model, expected = late(), known()
    assert not model.built
    bw.utils.set_random_seed(4)
    meet(model, x, y)
    expected.train_on_batch(x, y)
    assert model.built and model.input_shape == (None, 4) and model.output_shape == (None, 3)
    assert same(model, expected)


@pytest.mark.parametrize(
    "first", [lambda: layers.Dense(5, input_shape=(4,)), lambda: layers.Dense(5, input_shape=[4])]
)
def test_the_first_layer_may_tell_the_shape(first):
    model = bw.Sequential([first()])
    assert model.built and model.count_params() == 25


def test_keras_1_names_of_the_shape_are_named():
    with pytest.raises(ParameterTypeError, match=r"input_dim.*input_shape"):
        layers.Dense(5, input_dim=4)


def test_a_network_first_tells_the_shape(rng):
    inner = known()
    model = bw.Sequential([inner, layers.Dense(2)])
    assert model.built and model.input_shape == (None, 4)
    outer = bw.Sequential([bw.Sequential(stack()), layers.Dense(2)])
    assert not outer.built
    outer.build((None, 4))
    assert outer.count_params() == model.count_params()
    assert outer.layers[0].built


def test_one_column_may_come_as_a_vector():
    model = compiled(bw.Sequential([layers.Dense(3, "softmax")]))
    model.fit(np.arange(6.0), np.zeros(6, int), verbose=0)
    assert model.input_shape == (None, 1)


def test_images_and_unknown_axes():
    model = bw.Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)])
    model.predict(np.zeros((2, 6, 7, 1), np.uint8), verbose=0)
    assert model.input_shape == (None, 6, 7, 1)
    steps = bw.Sequential([bw.Input((None, 4)), layers.Dense(3)])
    assert steps.output_shape == (None, None, 3)
    assert steps.predict(np.zeros((2, 5, 4)), verbose=0).shape == (2, 5, 3)
    assert steps.predict(np.zeros((2, 9, 4)), verbose=0).shape == (2, 9, 3)


def test_building_again_changes_nothing():
    model = known()
    before = model.get_weights()
    model.build((None, 9))
    assert model.input_shape == (None, 4)
    assert all(np.array_equal(w, v) for w, v in zip(model.get_weights(), before, strict=True))


@pytest.mark.parametrize("shape", [None, 4, (), "4"])
def test_shapes_that_build_does_not_take(shape):
    with pytest.raises(
        ParameterError, match=r"build takes a shape with the batch axis, such as \(None, 784\); got"
    ):
        late().build(shape)


def test_a_failed_build_can_be_repeated():
    model = bw.Sequential([layers.Conv2D(2, 3)])
    with pytest.raises(ShapeError, match=r"4 axes; it received \(N, 4\)"):
        model.build((None, 4))
    assert not model.built
    model.build((None, 8, 8, 1))
    assert model.output_shape == (None, 6, 6, 2)


def test_data_that_shows_no_shape():
    with pytest.raises(NotFittedError, match=r"does not know the shape of its input yet"):
        late().fit({"x": np.zeros((3, 4))}, np.zeros(3), verbose=0)
    with pytest.raises(NotFittedError, match=r"does not know the shape of its input yet"):
        late().fit(iter([]), verbose=0)
    empty = bw.Sequential(name="none")
    empty.compile("sgd", CROSS)
    for ask in (
        lambda: empty.fit(np.zeros((3, 4)), np.zeros(3)),
        lambda: empty.build((None, 4)),
        empty.summary,
    ):
        with pytest.raises(
            NotFittedError, match=r"The model 'none' has no layers yet\. Add some: model\.add\(Dense\(10\)\)"
        ):
            ask()


# Adding and taking off.


def test_adding_one_by_one_is_a_list():
    model = bw.Sequential()
    model.add(bw.Input((4,)))
    for layer in stack():
        model.add(layer)
    assert model.built and same(model, known())
    assert [layer.name for layer in model.layers] == ["hidden", "out"]


def test_adding_after_building_keeps_the_weights(rng):
    x, y = digits(rng)
    model = known()
    model.fit(x, y, verbose=0)
    before = model.get_weights()
    model.add(layers.Dense(2, name="more"))
    assert model.output_shape == (None, 2) and model.count_params() == 25 + 18 + 8
    assert all(np.array_equal(w, v) for w, v in zip(model.get_weights(), before, strict=False))
    model.fit(x, y % 2, verbose=0)  # compiled with the same arguments
    assert model.predict(x, verbose=0).shape == (ROWS, 2)


def test_taking_off_after_building(rng):
    x, _ = digits(rng)
    model = known()
    kept = model.get_layer("hidden").get_weights()
    assert model.pop().name == "out"
    assert model.output_shape == (None, 5) and len(model.get_weights()) == 2
    np.testing.assert_array_equal(model.get_weights()[0], kept[0])
    model.add(layers.Dense(2, name="out"))  # the name is free again
    assert model.predict(x, verbose=0).shape == (ROWS, 2)
    model.pop()
    model.pop()
    assert not model.built
    with pytest.raises(GraphError, match=r"There is no layer to take off; the model is empty"):
        model.pop()
    model.add(layers.Dense(7))
    assert model.output_shape == (None, 7)


def test_a_layer_that_was_taken_off_can_be_used_elsewhere(rng):
    x, _ = digits(rng)
    model = known()
    before = model.predict(x, verbose=0)
    out = model.pop()
    again = bw.Sequential([bw.Input((5,)), out])
    assert out.output is again.outputs[0]
    np.testing.assert_allclose(again.predict(model.predict(x, verbose=0), verbose=0), before, rtol=1e-6)


def test_a_layer_that_does_not_fit_is_not_added():
    model = known()
    with pytest.raises(ShapeError, match=r"4 axes; it received \(N, 3\)"):
        model.add(layers.Conv2D(2, 3, name="conv"))
    assert [layer.name for layer in model.layers] == ["hidden", "out"] and model.built
    model.add(layers.Dense(2, name="conv"))
    assert model.output_shape == (None, 2)


@pytest.mark.parametrize(
    "wrong, kind, message",
    [
        (
            layers.Dense,
            ParameterTypeError,
            r"Sequential takes layers; it received <class .*Dense'> of type type\. Write Dense\(…\)",
        ),
        ("dense", ParameterTypeError, r"Sequential takes layers; it received 'dense' of type str"),
        (None, ParameterTypeError, r"it received None of type NoneType"),
        (lambda x: x, ParameterTypeError, r"of type function"),
    ],
)
def test_what_is_no_layer(wrong, kind, message):
    with pytest.raises(kind, match=message):
        bw.Sequential([wrong])
    with pytest.raises(kind, match=message):
        known().add(wrong)


def test_names_must_differ():
    layer = layers.Dense(4)
    for second in (layer, layers.Dense(4, name=layer.name)):
        with pytest.raises(
            GraphError, match=r"must have different names; 'dense\w*' stands twice\. Make a second layer"
        ):
            bw.Sequential([layer, second])


def test_one_value_is_passed_on():
    x = bw.Input((4,))
    two = bw.Model(x, [layers.Dense(2)(x), layers.Dense(2)(x)], name="two")
    with pytest.raises(GraphError, match=r"A Sequential passes one value on; 'two' gives 2\. Use Model"):
        bw.Sequential([two])


def test_an_input_stands_first_and_once():
    message = r"An Input stands first in a Sequential; it came after other layers"
    with pytest.raises(GraphError, match=message):
        bw.Sequential([layers.Dense(3), bw.Input((4,))])
    with pytest.raises(GraphError, match=message):
        bw.Sequential([bw.Input((4,)), bw.Input((4,))])


# As a layer, and its configuration.


def test_an_unbuilt_sequential_as_a_layer(rng):
    data, y = digits(rng)
    inner = bw.Sequential(stack(), name="inner")
    x = bw.Input((4,), name="x")
    model = bw.Model(x, inner(x))
    assert inner.built and [w.shape for w in inner.get_weights()] == [(4, 5), (5,), (5, 3), (3,)]
    compiled(model).fit(data, y, verbose=0)
    np.testing.assert_array_equal(inner.predict(data, verbose=0), model.predict(data, verbose=0))


@pytest.mark.parametrize("built", [True, False])
def test_configuration(built):
    model = known() if built else late()
    again = bw.Sequential.from_config(model.get_config())
    assert again.name == model.name and again.built == built
    assert [layer.name for layer in again.layers] == ["hidden", "out"]
    if built:
        assert again.count_params() == model.count_params()


def test_trainable():
    model = bw.Sequential(stack(), trainable=False)
    model.build((None, 4))
    assert model.trainable_weights == [] and not model.layers[0].trainable
    assert not bw.Sequential.from_config(model.get_config()).trainable
    model.trainable = True
    assert len(model.trainable_weights) == 4
    model.layers[0].trainable = False
    again = bw.Sequential.from_config(model.get_config())
    assert again.trainable and not again.layers[0].trainable and len(again.trainable_weights) == 2


def test_the_example_of_the_documentation(rng):
    """As it stands in Keras's own introduction."""
    model = bw.Sequential()
    model.add(layers.Dense(units=64, activation="relu", input_shape=(4,)))
    model.add(layers.Dense(units=10, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    x, y = digits(rng)
    model.fit(x, bw.utils.to_categorical(y, 10), epochs=5, batch_size=32, verbose=0)
    loss, accuracy = model.evaluate(x, bw.utils.to_categorical(y, 10), batch_size=128, verbose=0)
    assert loss > 0 and 0 <= accuracy <= 1
    assert model.predict(x, batch_size=128, verbose=0).shape == (ROWS, 10)
