"""Networks of several inputs and outputs, nested, shared, frozen, of bare bricks, and used as layers."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import ROWS, classifier, compiled, digits, same, two_outputs

import brickwork as bw
from brickwork import bricks
from brickwork.errors import DataError, GraphError

# Inputs and outputs.


def merged(as_dict=False):
    """(a, b) -> 10 a + b, told by its kernel."""
    a, b = bw.Input((1,), name="a"), bw.Input((1,), name="b")
    both = bw.layers.Concatenate()([a, b])
    layer = bw.layers.Dense(1, use_bias=False, name="out")
    model = bw.Model({"first": a, "second": b} if as_dict else [a, b], layer(both))
    layer.set_weights([np.array([[10.0], [1.0]])])
    return model


COLUMNS = np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])


@pytest.mark.parametrize(
    "given", [list, tuple, lambda c: {"b": c[1], "a": c[0]}], ids=["list", "tuple", "dict"]
)
def test_inputs_in_their_order(given):
    np.testing.assert_allclose(merged().predict(given(COLUMNS), verbose=0), [[13], [24]])
    np.testing.assert_allclose(merged().predict_on_batch(given(COLUMNS)), [[13], [24]])


def test_inputs_named_by_a_dict():
    model = merged(as_dict=True)
    a, b = COLUMNS
    np.testing.assert_allclose(model.predict({"second": b, "first": a}, verbose=0), [[13], [24]])
    np.testing.assert_allclose(model.predict([a, b], verbose=0), [[13], [24]])
    model.compile("sgd", "mse")
    model.fit({"first": a, "second": b}, a, verbose=0)
    model.fit([({"first": a, "second": b}, a)], verbose=0)
    with pytest.raises(DataError, match=r"x names the inputs 'first', 'second'; it received 'a'"):
        model.predict({"a": a, "second": b}, verbose=0)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"a": 0, "c": 0}, r"x names the inputs 'a', 'b'; it received 'c'"),
        ({"a": 0}, r"x needs 'b' too; it received 'a'"),
        ([0], r"x needs a list of 2 arrays, for 'a', 'b'; it received 1"),
        (np.zeros((3, 1)), r"x needs a list of 2 arrays, for 'a', 'b'; it received one array"),
        ([np.zeros((3, 1)), np.zeros((2, 1))], r"equally many rows; they have: 'a' 3, 'b' 2\. Were they cut"),
        (
            [np.zeros((3, 1)), np.zeros((3, 2))],
            r"x must have the shape \(N, 1\) for the input 'b'; it received \(N, 2\)",
        ),
        ([np.zeros((3, 1)), None], r"x\['b'\] needs an array; it received None"),
    ],
)
def test_inputs_that_do_not_fit(given, message):
    if isinstance(given, dict):
        given = {name: np.zeros((3, 1)) for name in given}
    if isinstance(given, list) and given == [0]:
        given = [np.zeros((3, 1))]
    with pytest.raises(ValueError, match=message):
        merged().predict(given, verbose=0)


def test_a_nan_in_one_of_several_inputs_is_named():
    model = compiled(merged(), loss="mse")
    a, b = COLUMNS
    with pytest.raises(
        DataError, match=r"x\['b'\] must hold finite numbers; it holds nan in row 1, column 0"
    ):
        model.fit([a, np.array([[1.0], [np.nan]])], a, verbose=0)


def test_an_input_that_nothing_reads(rng):
    x, unused = bw.Input((4,), name="x"), bw.Input((2,), name="unused")
    model = compiled(bw.Model([x, unused], bw.layers.Dense(3, "softmax")(x)))
    data, y = digits(rng)
    model.fit([data, np.zeros((ROWS, 2))], y, verbose=0)
    assert model.predict([data, np.zeros((ROWS, 2))], verbose=0).shape == (ROWS, 3)


def test_an_output_that_is_an_input(rng):
    x = bw.Input((4,), name="x")
    model = bw.Model(x, [x, bw.layers.Dense(2)(x)])
    data, _ = digits(rng)
    passed, other = model.predict(data, verbose=0)
    np.testing.assert_array_equal(passed, data)
    assert other.shape == (ROWS, 2)


@pytest.mark.parametrize("as_dict", [False, True])
def test_structures_of_outputs(rng, as_dict):
    x, y = digits(rng)
    model = two_outputs(as_dict)
    for told in (model.predict(x, verbose=0), model.predict([(x,)], verbose=0), model.predict_on_batch(x)):
        values = told.values() if as_dict else told
        assert [y.shape for y in values] == [(ROWS, 3), (ROWS, 2)]
        assert isinstance(told, dict if as_dict else list)
    assert model.output_names == (["kinds", "sizes"] if as_dict else ["classes", "amounts"])


def test_a_list_of_one_output_is_that_output(rng):
    """As in Keras."""
    x = bw.Input((4,))
    model = bw.Model([x], [bw.layers.Dense(2)(x)])
    assert model.predict(digits(rng)[0], verbose=0).shape == (ROWS, 2)


TARGETS = {"classes": "sparse_categorical_crossentropy", "amounts": "mse"}


@pytest.mark.parametrize(
    "given, message",
    [
        (
            lambda y, z: y,
            r"y needs a list of 2 arrays, for the outputs 'classes', 'amounts', or a dict by these "
            r"names; it received one array",
        ),
        (lambda y, z: [y, z, z], r"y needs a list of 2 arrays.*; it received 3"),
        (
            lambda y, z: {"classes": y},
            r"y\['amounts'\] is needed, since that output has a loss; it received None",
        ),
        (
            lambda y, z: {"classes": y, "amount": z},
            r"y names the outputs 'classes', 'amounts'; it received 'amount'\. Did you mean 'amounts'\?",
        ),
        (lambda y, z: [y, z[:5]], r"x has 20, y\['amounts'\] has 5\. Were they cut or shuffled apart"),
        (lambda y, z: [y + 3, z], r"y\['classes'\] must hold class indices in 0 … 2"),
        (
            lambda y, z: [y, z[:, :1]],
            r"y\['amounts'\] must have the shape \(N, 2\), since the output is \(N, 2\); it received "
            r"\(N, 1\)",
        ),
    ],
)
def test_targets_that_do_not_fit(rng, given, message):
    x, y = digits(rng)
    z = np.zeros((ROWS, 2), np.float32)
    with pytest.raises(ValueError, match=message):
        two_outputs(loss=TARGETS).fit(x, given(y, z), verbose=0)


def test_targets_of_the_outputs_that_have_a_loss(rng):
    x, y = digits(rng)
    z = rng.normal(size=(ROWS, 2))
    models = [two_outputs(loss=[None, "mse"]) for _ in range(4)]
    for model, given in zip(models, (z, [None, z], {"amounts": z}, [z]), strict=True):
        model.fit(x, given, verbose=0)
        assert same(model, models[0])


def test_targets_of_some_of_three_outputs(rng):
    x = bw.Input((4,), name="x")
    outputs = [bw.layers.Dense(units, name=name)(x) for units, name in ((2, "a"), (3, "b"), (2, "c"))]
    data, _ = digits(rng)
    first, last = rng.normal(size=(2, ROWS, 2))
    models = []
    for given in ([first, last], [first, None, last], {"a": first, "c": last}):
        model = compiled(bw.Model(x, outputs), loss=["mse", None, "mse"])
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        told = model.train_on_batch(data, given, return_dict=True)
        assert told["a_loss"] == pytest.approx(np.mean(first**2), rel=1e-5)
        assert told["c_loss"] == pytest.approx(np.mean(last**2), rel=1e-5)
        models.append(model)
    assert same(models[0], models[1]) and same(models[0], models[2])


def test_weights_of_rows_by_output(rng):
    x, y = digits(rng)
    z = rng.normal(size=(ROWS, 2))
    weight = rng.uniform(0, 2, ROWS)
    models = [two_outputs(loss=TARGETS) for _ in range(3)]
    forms = ([None, weight], {"amounts": weight}, [np.ones(ROWS), weight])
    for model, given in zip(models, forms, strict=True):
        model.fit(x, [y, z], sample_weight=given, verbose=0)
        assert same(model, models[0])
    with pytest.raises(
        DataError, match=r"sample_weight names the outputs 'classes', 'amounts'; it received 'z'"
    ):
        models[0].fit(x, [y, z], sample_weight={"z": weight}, verbose=0)


def test_class_weight_goes_with_one_output(rng):
    x, y = digits(rng)
    with pytest.raises(
        ValueError, match=r"class_weight goes with one output; this network has several\. Pass sample_w"
    ):
        two_outputs(loss=TARGETS).fit(x, [y, np.zeros((ROWS, 2))], class_weight={0: 1.0}, verbose=0)


# Networks in networks, and layers in several networks.


def base():
    x = bw.Input((4,), name="inside")
    return bw.Model(x, bw.layers.Dense(5, "tanh", name="features")(x), name="base")


def test_a_network_is_a_layer(rng):
    data, y = digits(rng)
    inner = base()
    x = bw.Input((4,), name="x")
    model = compiled(bw.Model(x, bw.layers.Dense(3, "softmax", name="head")(inner(x))))
    assert [layer.name for layer in model.layers] == ["x", "base", "head"]
    assert model.get_layer("base") is inner and model.count_params() == 4 * 5 + 5 + 5 * 3 + 3
    assert list(model.parameters) == [
        "base/features/linear/W",
        "base/features/bias/b",
        "head/linear/W",
        "head/bias/b",
    ]
    before = inner.predict(data, verbose=0)
    model.fit(data, y, verbose=0)
    assert not np.array_equal(inner.predict(data, verbose=0), before)  # one array, seen by both


def test_a_network_used_twice_shares_its_weights(rng):
    inner = base()
    a, b = bw.Input((4,), name="a"), bw.Input((4,), name="b")
    model = bw.Model([a, b], bw.layers.Add()([inner(a), inner(b)]))
    model.compile("sgd", "mse")
    assert model.count_params() == 25 and len(model.graph.parameters) == 2
    x, _ = digits(rng)
    np.testing.assert_allclose(
        model.predict([x, 2 * x], verbose=0),
        inner.predict(x, verbose=0) + inner.predict(2 * x, verbose=0),
        rtol=1e-5,
    )
    y = rng.normal(size=(ROWS, 5))
    before = inner.get_weights()
    _, gradients = model.gradients([x, x], y)
    model.fit([x, x], y, batch_size=ROWS, verbose=0)
    np.testing.assert_allclose(
        inner.get_weights()[0], before[0] - 0.01 * gradients["base/features/linear/W"], rtol=1e-5
    )


def test_nested_twice_over(rng):
    x = bw.Input((4,), name="x")
    middle_in = bw.Input((4,), name="m")
    middle = bw.Model(middle_in, bw.layers.Dense(3, name="m_out")(base()(middle_in)), name="middle")
    model = bw.Model(x, bw.layers.Softmax()(middle(x)))
    compiled(model)
    data, y = digits(rng)
    history = model.fit(data, y, epochs=5, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert list(model.parameters)[0] == "middle/base/features/linear/W"


def test_a_network_with_several_inputs_and_outputs_as_a_layer(rng):
    a, b = bw.Input((2,), name="a"), bw.Input((3,), name="b")
    inner = bw.Model([a, b], [bw.layers.Dense(2, name="p")(b), bw.layers.Dense(4, name="q")(a)], name="inner")
    x, z = bw.Input((2,), name="x"), bw.Input((3,), name="z")
    p, q = inner([x, z])
    model = bw.Model([x, z], [q, p])
    told = model.predict([np.ones((5, 2)), np.ones((5, 3))], verbose=0)
    expected = inner.predict([np.ones((5, 2)), np.ones((5, 3))], verbose=0)
    np.testing.assert_array_equal(told[0], expected[1])
    np.testing.assert_array_equal(told[1], expected[0])
    with pytest.raises((GraphError, TypeError), match=r"inner.* takes 2 inputs; it received 1|called on"):
        inner(x)


def test_inputs_and_outputs_by_name_on_symbols():
    inner = two_outputs(as_dict=True)
    x = bw.Input((4,))
    told = inner({"x": x})
    assert {name: y.shape for name, y in told.items()} == {"kinds": (None, 3), "sizes": (None, 2)}
    with pytest.raises(GraphError, match=r"takes the inputs 'x'; it received 'y'"):
        inner({"y": x})


def test_a_nested_network_that_passes_an_input_on(rng):
    x = bw.Input((4,), name="inside")
    inner = bw.Model(x, [x, bw.layers.Dense(4, name="d")(x)], name="inner")
    outer = bw.Input((4,), name="outer")
    passed, made = inner(outer)
    model = bw.Model(outer, bw.layers.Add()([passed, made]))
    assert [layer.name for layer in model.layers][:2] == ["outer", "inner"]
    data, _ = digits(rng)
    np.testing.assert_allclose(
        model.predict(data, verbose=0), data + inner.predict(data, verbose=0)[1], rtol=1e-6
    )


def test_a_part_of_a_network_shares_its_weights(rng):
    data, y = digits(rng)
    model = classifier()
    features = bw.Model(model.inputs, model.get_layer("hidden").output)
    assert [layer.name for layer in features.layers] == ["x", "hidden"]
    before = features.predict(data, verbose=0)
    model.fit(data, y, verbose=0)
    after = features.predict(data, verbose=0)
    assert not np.array_equal(before, after)
    head = bw.Model(model.get_layer("hidden").output, model.outputs)
    np.testing.assert_allclose(head.predict(after, verbose=0), model.predict(data, verbose=0), rtol=1e-6)
    assert head.count_params() == 18


def test_a_part_of_a_nested_network(rng):
    data, _ = digits(rng)
    inner = base()
    x = bw.Input((4,), name="x")
    model = bw.Model(x, bw.layers.Dense(3, name="head")(inner(x)))
    part = bw.Model(inner.input, inner.get_layer("features").output)
    np.testing.assert_array_equal(part.predict(data, verbose=0), inner.predict(data, verbose=0))
    with pytest.raises(GraphError, match=r"depend on the input 'inside', which is not among the inputs 'x'"):
        bw.Model(model.input, model.get_layer("base").output)  # the network's own output, as in Keras


def test_a_layer_in_two_networks_is_trained_by_both(rng):
    data, y = digits(rng)
    shared = bw.layers.Dense(5, "tanh", name="shared")
    models = []
    for units in (3, 3):
        x = bw.Input((4,))
        models.append(compiled(bw.Model(x, bw.layers.Dense(units, "softmax")(shared(x)))))
    kernel = shared.get_weights()[0]
    models[0].fit(data, y, verbose=0)
    between = shared.get_weights()[0]
    models[1].fit(data, y, verbose=0)
    assert not np.array_equal(kernel, between) and not np.array_equal(between, shared.get_weights()[0])
    np.testing.assert_array_equal(models[0].get_weights()[0], shared.get_weights()[0])


def test_a_layer_beside_and_inside_a_nested_network_counts_once(rng):
    inner = base()
    x = bw.Input((4,), name="x")
    y = bw.layers.Add()([inner(x), inner.get_layer("features")(x)])
    model = bw.Model(x, y)
    assert model.count_params() == 25 and len(model.get_weights()) == 2
    model.set_weights([2 * w for w in model.get_weights()])
    data, _ = digits(rng)
    np.testing.assert_allclose(model.predict(data, verbose=0), 2 * inner.predict(data, verbose=0), rtol=1e-6)


# Frozen parts.


def test_a_frozen_base_keeps_weights_and_statistics(rng):
    x = bw.Input((4,), name="inside")
    y = bw.layers.BatchNormalization(name="norm")(bw.layers.Dense(5, name="features")(x))
    inner = bw.Model(x, y, name="base")
    inner.trainable = False
    outer = bw.Input((4,), name="x")
    model = compiled(bw.Model(outer, bw.layers.Dense(3, "softmax", name="head")(inner(outer))))
    assert [variable.path for variable in model.trainable_weights] == ["head/kernel", "head/bias"]
    data, labels = digits(rng)
    before = inner.get_weights()
    head = model.get_layer("head").get_weights()
    model.fit(data, labels, epochs=2, verbose=0)
    assert all(np.array_equal(w, v) for w, v in zip(inner.get_weights(), before, strict=True))
    assert not np.array_equal(model.get_layer("head").get_weights()[0], head[0])
    inner.trainable = True
    compiled(model)
    model.fit(data, labels, verbose=0)
    assert not any(np.array_equal(w, v) for w, v in zip(inner.get_weights(), before, strict=True))


def test_flags_are_read_by_compile(rng):
    data, y = digits(rng)
    model = classifier()
    model.get_layer("hidden").trainable = False
    before = model.get_layer("hidden").get_weights()[0]
    model.fit(data, y, verbose=0)
    assert not np.array_equal(before, model.get_layer("hidden").get_weights()[0])
    compiled(model)
    before = model.get_layer("hidden").get_weights()[0]
    model.fit(data, y, verbose=0)
    np.testing.assert_array_equal(before, model.get_layer("hidden").get_weights()[0])


def test_everything_frozen_trains_nothing(rng):
    data, y = digits(rng)
    model = classifier(norm=True)
    model.trainable = False
    compiled(model)
    before = model.get_weights()
    history = model.fit(data, y, epochs=2, shuffle=False, verbose=0).history
    assert all(np.array_equal(w, v) for w, v in zip(model.get_weights(), before, strict=True))
    assert history["loss"][0] == history["loss"][1] and model.trainable_weights == []


def test_a_penalty_of_a_frozen_layer_leaves_the_loss():
    """0.5 w² at w = 2."""
    x = bw.Input((1,))
    layer = bw.layers.Dense(1, use_bias=False, kernel_regularizer=bw.regularizers.L2(0.5))
    model = bw.Model(x, layer(x))
    layer.set_weights([np.array([[2.0]])])
    zero = np.zeros((1, 1))
    model.compile("sgd", "mse")
    assert model.evaluate(zero, zero, verbose=0) == 2.0
    layer.trainable = False
    model.compile("sgd", "mse")
    assert model.evaluate(zero, zero, verbose=0) == 0.0


def test_a_constraint_holds_after_each_step(rng):
    x = bw.Input((4,))
    layer = bw.layers.Dense(3, "softmax", kernel_constraint=bw.constraints.MaxNorm(0.1))
    model = compiled(bw.Model(x, layer(x)))
    model.fit(*digits(rng), epochs=2, verbose=0)
    assert np.linalg.norm(layer.get_weights()[0], axis=0).max() <= 0.1 + 1e-6


# Bare bricks.


def test_a_network_of_bare_bricks(rng):
    data, y = digits(rng)
    x = bw.Input((4,), name="x")
    h = bricks.Tanh()(bricks.Bias()(bricks.Linear(5)(x)))
    model = compiled(bw.Model(x, bricks.Softmax()(bricks.Linear(3)(h))))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["InputLayer"] + ["BrickLayer"] * 5
    assert [w.shape for w in model.get_weights()] == [(4, 5), (5,), (5, 3)]
    history = model.fit(data, y, epochs=10, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


def test_bricks_and_layers_mixed_with_sums_and_products(rng):
    x = bw.Input((4,), name="x")
    y = bw.layers.Dense(4, name="d")(x)
    model = bw.Model(x, bricks.Sigmoid()(y) * y + x)
    data, _ = digits(rng)
    d = bw.Model(x, y).predict(data, verbose=0)
    np.testing.assert_allclose(model.predict(data, verbose=0), d / (1 + np.exp(-d)) + data, rtol=1e-5)


def test_bricks_that_share_parameters_are_one_layer(rng):
    x = bw.Input((4,), name="x")
    once = bricks.Linear(4)(x)
    twice = bricks.Linear(4)(once, owner=once.call.owner)
    model = bw.Model(x, twice)
    assert len(model.get_weights()) == 1 and model.count_params() == 16
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "BrickLayer"]
    data, _ = digits(rng)
    w = model.get_weights()[0]
    np.testing.assert_allclose(model.predict(data, verbose=0), data @ w @ w, rtol=1e-4)


# Wiring that is refused.


def test_wiring_errors():
    x, z = bw.Input((4,), name="x"), bw.Input((4,), name="z")
    y = bw.layers.Dense(3, name="d")(x)
    with pytest.raises(
        GraphError, match=r"The outputs depend on the input 'x', which is not among the inputs 'z'\. Add it"
    ):
        bw.Model(z, y)
    with pytest.raises(
        GraphError, match=r"The inputs must be different symbols; .*'x'.* stands twice\. Drop one"
    ):
        bw.Model([x, x], y)
    with pytest.raises(
        GraphError, match=r"A network's outputs are symbols: .* it received array.*Start from"
    ):
        bw.Model(x, np.zeros(3))
    with pytest.raises(
        GraphError,
        match=r"A network's inputs are symbols: .* it received \(4,\)\. Start from brickwork\.Input",
    ):
        bw.Model((4,), y)
    with pytest.raises(
        GraphError, match=r"must have different names; 'd' stands 2 times\. Give one of them another"
    ):
        bw.Model(x, bw.layers.Dense(3, name="d")(y))
    inside = y.call.inputs[0]
    with pytest.raises(
        GraphError, match=r"lies inside 'd'\. Take that layer's output, or lay its parts one by one"
    ):
        bw.Model(x, inside)


def test_calling_a_model_on_arrays_computes_and_remembers_nothing(rng):
    data, _ = digits(rng)
    inner = base()
    x = bw.Input((4,), name="x")
    model = bw.Model(x, bw.layers.Dropout(0.5)(inner(x)))
    before = [len(layer._calls) for layer in model._all_layers()]
    np.testing.assert_allclose(model(data), model.predict(data, verbose=0), rtol=1e-6)
    assert [len(layer._calls) for layer in model._all_layers()] == before
    assert (model(data, training=True) == 0).any()
    with bw.record() as tape:
        told = model(data)
    np.testing.assert_allclose(told.value, model.predict(data, verbose=0), rtol=1e-6)
    assert len(tape.gradients(told)) > 3
    assert [len(layer._calls) for layer in model._all_layers()] == before
    assert two_outputs(as_dict=True)(data)["kinds"].shape == (ROWS, 3)


def test_a_model_that_diverges_when_called_on_a_wrong_shape(rng):
    model = classifier()
    with pytest.raises(ValueError, match=r"Linear.*would need|takes|shares"):
        model(np.zeros((3, 7)))
    assert model(np.zeros((3, 4))).shape == (3, 3)
