"""Calling layers: on symbols, on arrays, while recording; sharing, freezing, penalties, refusals."""

from __future__ import annotations

import re

import numpy as np
import pytest

import brickwork
from brickwork import bricks, constraints, initializers, layers, regularizers, seeds
from brickwork.arguments import Whole, argument, configured
from brickwork.errors import GraphError, NotFittedError, ParameterError, ParameterTypeError, ShapeError
from brickwork.graph.symbol import Symbol, collect
from brickwork.layers import Dense, Input, Layer
from layers.test_layer_table import forward


def test_dense_lays_three_bricks():
    x = Input((4,), name="x")
    graph = collect([x], [Dense(3, activation="relu", name="d")(x)]).graph
    assert [(node.name, repr(node.brick), node.layer, node.kind) for node in graph.nodes] == [
        ("d/linear", "Linear(units=3)", "d", "Dense"),
        ("d/bias", "Bias()", "d", "Dense"),
        ("d/re_lu", "ReLU()", "d", "Dense"),
    ]


@pytest.mark.parametrize("activation", [None, "linear"])
def test_no_bias_and_no_activation_lay_no_brick(activation):
    x = Input((4,))
    graph = collect([x], [Dense(3, activation=activation, use_bias=False)(x)]).graph
    assert [type(node.brick).__name__ for node in graph.nodes] == ["Linear"]


def test_dense_by_hand():
    layer = Dense(2, activation="relu")
    layer.build((None, 3))
    layer.set_weights([[[1, -1], [2, -2], [0, 4]], [10, 1]])
    np.testing.assert_array_equal(layer([[1.0, 1.0, 1.0], [0.0, 3.0, -1.0]]), [[13, 2], [16, 0]])


def test_one_layer_called_twice_has_one_set_of_parameters():
    layer, x, z = Dense(3, name="d"), Input((4,), name="x"), Input((4,), name="z")
    made = collect([x, z], [layers.Add(name="sum")([layer(x), layer(z)])])
    assert list(made.parameters) == ["d/linear/W", "d/bias/b"]
    assert [node.owner for node in made.graph.nodes] == [
        "d/linear",
        "d/bias",
        "d/linear",
        "d/bias",
        "sum/add",
    ]
    assert len(layer.weights) == 2
    # the arrays of the graph are those of the layer
    layer.set_weights([np.full((4, 3), 2.0), np.full(3, 1.0)])
    assert made.parameters["d/linear/W"].sum() == 24.0


def test_a_shared_layer_wants_inputs_of_one_size():
    layer = Dense(3, name="d")
    layer(Input((4,)))
    with pytest.raises(
        ShapeError, match=r"Linear shares 'W' of shape \(4, 3\); with this input it would need"
    ):
        layer(Input((5,)))
    assert layer(Input((4,))).shape == (None, 3)  # nothing is broken by that


def test_after_a_call_that_failed_another_may_fit():
    layer = layers.Conv2D(2, 3)
    with pytest.raises(ShapeError, match=r"window of \(3, 3\) takes x with at least 3 rows") as caught:
        layer(Input((2, 2, 1), name="small"))
    assert caught.value.__notes__ == [f"at '{layer.name}/convolution2d', fed by 'small'"]
    assert not layer.built
    assert layer(Input((5, 5, 4))).shape == (None, 3, 3, 2)


def test_after_a_call_that_failed_halfway_another_may_fit():
    layer = Dense(4, activation=bricks.Softmax(axis=2))
    with pytest.raises(ShapeError, match="Softmax takes an axis in"):
        layer(Input((5,)))
    assert layer.weights == []
    assert layer(Input((3, 7))).shape == (None, 3, 4)


class TestAttributes:
    """What a layer says of its parameters reaches the graph."""

    ARGUMENTS = {
        "initializer": initializers.Constant(0.5),
        "regularizer": regularizers.L1(0.1),
        "constraint": constraints.NonNeg(),
    }

    @pytest.mark.parametrize(
        ("make", "shape", "names"),
        [
            (lambda **given: Dense(2, **given), (4,), {"W": "kernel", "b": "bias"}),
            (lambda **given: layers.Conv2D(2, 3, **given), (4, 4, 1), {"W": "kernel", "b": "bias"}),
            (layers.BatchNormalization, (4,), {"gamma": "gamma", "beta": "beta"}),
        ],
    )
    def test_initializers_regularizers_constraints(self, make, shape, names):
        for wanted, prefix in names.items():
            x = Input(shape)
            layer = make(**{f"{prefix}_{what}": value for what, value in self.ARGUMENTS.items()})
            made = collect([x], [layer(x)])
            for key, parameter in made.graph.parameters.items():
                name = key.rpartition("/")[2]
                told = {what: getattr(parameter, what) for what in self.ARGUMENTS}
                assert (told == self.ARGUMENTS) == (name == wanted)
                if name != wanted:
                    assert (parameter.regularizer, parameter.constraint) == (None, None)
                assert np.all(made.parameters[key] == 0.5) == (name == wanted)


class TestFreezing:
    def test_before_and_after_laying(self):
        x = Input((4,))
        early = Dense(3, trainable=False, name="early")
        late = Dense(3, name="late")
        y = layers.BatchNormalization(name="norm")(late(early(x)))
        late.trainable = False
        graph = collect([x], [y]).graph
        assert {key: parameter.trainable for key, parameter in graph.parameters.items()} == {
            "early/linear/W": False,
            "early/bias/b": False,
            "late/linear/W": False,
            "late/bias/b": False,
            "norm/batch_normalization/gamma": True,
            "norm/batch_normalization/beta": True,
        }
        assert [node.frozen for node in graph.nodes] == [True, True, True, True, False]
        late.trainable = True
        graph = collect([x], [y]).graph
        assert [node.frozen for node in graph.nodes] == [True, True, False, False, False]

    def test_weights_change_sides(self):
        layer = layers.BatchNormalization()
        layer.build((None, 2))
        names = ["gamma", "beta", "moving_mean", "moving_variance"]
        assert [v.name for v in layer.trainable_weights] == names[:2]
        assert [v.name for v in layer.non_trainable_weights] == names[2:]
        layer.trainable = False
        assert [v.name for v in layer.trainable_weights] == []
        assert [v.name for v in layer.non_trainable_weights] == names
        assert [v.name for v in layer.weights] == names

    @pytest.mark.parametrize("recording", [False, True])
    def test_frozen_batch_normalization_uses_its_statistics(self, recording, rng):
        layer, x = layers.BatchNormalization(trainable=False, epsilon=1e-9), rng.normal(3.0, 2.0, (5, 2))
        if recording:
            with brickwork.record(training=True):
                y = layer(x).value
        else:
            y = layer(x, training=True)
        np.testing.assert_allclose(y, x, rtol=1e-5)
        assert layer.moving_mean.numpy().tolist() == [0.0, 0.0]


class TestArrays:
    def test_layers_compute_at_once_in_float32(self):
        y = Dense(3, kernel_initializer="ones")(np.ones((2, 4)))
        assert y.dtype == np.float32
        np.testing.assert_array_equal(y, np.full((2, 3), 4.0))

    def test_parameters_are_kept(self):
        layer, x = Dense(3), np.ones((2, 4))
        np.testing.assert_array_equal(layer(x), layer(x))
        assert layer.built
        assert layer(Input((4,))).shape == (None, 3)
        np.testing.assert_array_equal(layer(x), forward([s := Input((4,))], layer(s), [x.astype("f")]))

    def test_nested_lists_are_one_array(self):
        assert Dense(3)([[1.0, 2.0], [3.0, 4.0]]).shape == (2, 3)

    def test_arrays_leave_no_trace_in_the_wiring(self):
        layer = Dense(3)
        layer(np.ones((2, 4)))
        with pytest.raises(NotFittedError, match="was never called, so it has neither input nor output"):
            _ = layer.output

    def test_dropout_draws_while_training_only(self):
        layer, x = layers.Dropout(0.5), np.ones((50, 40))
        np.testing.assert_array_equal(layer(x), x)
        np.testing.assert_array_equal(layer(x, training=False), x)
        one, two = layer(x, training=True), layer(x, training=True)
        assert set(np.unique(one)) == {0.0, 2.0}
        assert np.any(one != two)

    def test_dropout_repeats_after_the_same_seed(self):
        layer, x = layers.Dropout(0.5), np.ones((5, 40))
        seeds.set_random_seed(3)
        one = layer(x, training=True)
        seeds.set_random_seed(3)
        np.testing.assert_array_equal(layer(x, training=True), one)

    def test_batch_normalization_moves_its_statistics(self):
        layer, x = layers.BatchNormalization(momentum=0.9), np.array([[0.0, 10.0], [2.0, 30.0]])
        np.testing.assert_allclose(layer(x, training=True), [[-1, -1], [1, 1]], rtol=1e-3)
        np.testing.assert_allclose(layer.moving_mean.value, [0.1, 2.0], rtol=1e-6)
        np.testing.assert_allclose(layer.moving_variance.value, [1.0, 10.9], rtol=1e-6)
        layer(x)
        np.testing.assert_allclose(layer.moving_mean.value, [0.1, 2.0], rtol=1e-6)

    def test_moving_statistics_start_where_they_are_told(self):
        layer = layers.BatchNormalization(
            moving_mean_initializer=brickwork.initializers.Constant(3.0), moving_variance_initializer="zeros"
        )
        layer.build((None, 2))
        assert [w.tolist() for w in layer.get_weights()] == [[1, 1], [0, 0], [3, 3], [0, 0]]
        x = Input((2,))
        made = collect([x], [layer(x)])
        assert [spec.start for spec in made.graph.statistics.values()] == [3.0, 0.0]


def test_dropout_with_a_seed_of_its_own():
    x = Input((40,), name="x")
    y = layers.Dropout(0.5, seed=3)(x)
    z = layers.Dropout(0.5)(x)
    array = np.ones((5, 40), "float32")

    def drawn(symbol, **surroundings):
        return forward([x], symbol, [array], training=True, **surroundings)

    np.testing.assert_array_equal(drawn(y, key=1), drawn(y, key=2))
    np.testing.assert_array_equal(drawn(y, key=1), drawn(z, key=3))
    assert np.any(drawn(y, key=1, step=0) != drawn(y, key=1, step=1))
    assert np.any(drawn(z, key=1) != drawn(z, key=2))


class TestRecording:
    def test_a_tape_gives_values_and_gradients(self):
        layer = Dense(2, kernel_initializer="ones")
        with brickwork.record() as tape:
            y = layer(np.array([[1.0, 2.0], [3.0, 4.0]]))
        np.testing.assert_array_equal(y.value, [[3, 3], [7, 7]])
        gradients = tape.gradients(y)
        np.testing.assert_array_equal(gradients[f"{layer.name}/linear/W"], [[4, 4], [6, 6]])
        np.testing.assert_array_equal(gradients[f"{layer.name}/bias/b"], [2, 2])

    def test_training_is_said_to_record(self):
        with (
            brickwork.record(),
            pytest.raises(ParameterError, match=r"While recording, say record\(training"),
        ):
            layers.Dropout(0.5)(np.ones((2, 3)), training=True)


class TestPenalties:
    def test_they_hang_on_the_call(self):
        x = Input((2,), name="x")
        layer = Dense(
            2, activity_regularizer=regularizers.L1L2(0.5, 0.25), kernel_initializer="ones", name="d"
        )
        y = layer(x)
        (call,) = layer._calls
        (penalty,) = call.penalties
        assert y.shape == (None, 2)
        assert penalty.shape == (None,)
        assert call.outputs == (y,)
        assert penalty.call.scope.path == "d"
        # rows: (3, 3) and (-1, -1): 0.5 Σ|y| + 0.25 Σy²
        np.testing.assert_allclose(forward([x], penalty, [np.array([[1, 2], [-2, 1]], "f")]), [7.5, 1.5])

    @pytest.mark.parametrize(("name", "numbers"), [("l1", (0.01, 0.0)), ("l2", (0.0, 0.01)), (None, None)])
    def test_by_name(self, name, numbers):
        layer = layers.Flatten(activity_regularizer=name)
        layer(Input((4,)))
        penalties = layer._calls[0].penalties
        assert [(p.call.brick.l1, p.call.brick.l2) for p in penalties] == ([numbers] if numbers else [])

    def test_each_call_has_its_own(self):
        layer = Dense(2, activity_regularizer="l2")
        layer(Input((2,)))
        layer(Input((2,)))
        one, two = (call.penalties for call in layer._calls)
        assert len(one) == len(two) == 1
        assert one[0] is not two[0]
        assert [w.name for w in layer.weights] == ["kernel", "bias"]

    def test_on_arrays_the_output_is_the_output(self):
        assert Dense(2, activity_regularizer="l2")(np.ones((3, 4))).shape == (3, 2)


class TestWeights:
    @pytest.mark.parametrize(
        ("layer", "shape", "weights"),
        [
            (Dense(3), (None, 4), {"kernel": (4, 3), "bias": (3,)}),
            (Dense(3, use_bias=False), (None, 5, 4), {"kernel": (4, 3)}),
            (layers.Conv2D(8, (3, 2)), (None, 9, 9, 4), {"kernel": (3, 2, 4, 8), "bias": (8,)}),
            (layers.Conv2D(8, 3, groups=4), (None, 9, 9, 4), {"kernel": (3, 3, 1, 8), "bias": (8,)}),
            (
                layers.BatchNormalization(),
                (None, 9, 9, 4),
                {"gamma": (4,), "beta": (4,), "moving_mean": (4,), "moving_variance": (4,)},
            ),
            (
                layers.BatchNormalization(axis=1, scale=False),
                (None, 9, 4),
                {"beta": (9,), "moving_mean": (9,), "moving_variance": (9,)},
            ),
            (layers.Normalization(), (None, 4), {"mean": (4,), "variance": (4,), "count": ()}),
            (layers.Normalization(axis=None), (None, 4), {"mean": (), "variance": (), "count": ()}),
            (
                layers.Normalization(axis=(-1, 1)),
                (None, 5, 6, 4),
                {"mean": (5, 4), "variance": (5, 4), "count": ()},
            ),
            (layers.Normalization(mean=0.0, variance=1.0), (None, 4), {}),
        ],
        ids=lambda value: value.name if isinstance(value, Layer) else "",
    )
    def test_order_and_layout(self, layer, shape, weights):
        assert layer.get_weights() == []
        assert not layer.built
        layer.build(shape)
        assert layer.built
        assert {v.name: v.shape for v in layer.weights} == weights
        assert [v.path for v in layer.variables] == [f"{layer.name}/{name}" for name in weights]
        assert [w.shape for w in layer.get_weights()] == list(weights.values())

    def test_by_name(self):
        layer = Dense(3)
        with pytest.raises(
            AttributeError, match=r"has no 'kernel' \(yet\)\. Call it on an input, or build it"
        ):
            _ = layer.kernel
        with pytest.raises(AttributeError, match="'Dense' object has no attribute 'kernell'"):
            _ = layer.kernell
        layer.build((None, 4))
        layer.bias.assign([1, 2, 3])
        assert layer.bias.numpy().tolist() == [1, 2, 3]
        assert layer.get_weights()[1].tolist() == [1, 2, 3]

    def test_copies_are_copies(self):
        layer = Dense(3)
        layer.build((None, 4))
        layer.get_weights()[1][:] = 7
        layer.bias.numpy()[:] = 7
        assert layer.bias.value.tolist() == [0, 0, 0]

    def test_all_or_none(self):
        layer = Dense(3, name="d")
        layer.build((None, 4))
        before = layer.get_weights()
        message = r"Dense 'd': 'd/bias' has shape \(3,\); it received \(4,\)\. Check the order"
        with pytest.raises(ShapeError, match=message):
            layer.set_weights([np.zeros((4, 3)), np.zeros(4)])
        for one, other in zip(before, layer.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_the_same_seed_gives_the_same_numbers_whatever_was_asked_about_shapes(self):
        seeds.set_random_seed(1)
        one = Dense(3)
        one.build((None, 4))
        seeds.set_random_seed(1)
        two = Dense(3)
        assert two.compute_output_shape((None, 4)) == (None, 3)
        assert not two.built
        two.build((None, 4))
        np.testing.assert_array_equal(one.kernel.value, two.kernel.value)


def test_input_and_output():
    x = Input((4,))
    layer = Dense(3)
    y = layer(x)
    assert layer.input is x
    assert layer.output is y
    with pytest.raises(NotFittedError, match="Dense 'fresh' was never called, so it has neither"):
        _ = Dense(3, name="fresh").input


def test_input_symbols():
    x = Input((28, None, 1), batch_size=5, name="image")
    assert (x.shape, x.dtype, x.call.name) == ((5, 28, None, 1), "float32", "image")
    assert Input(batch_shape=(7, 3)).shape == (7, 3)
    assert Input(()).shape == (None,)
    assert Input((3,), dtype=np.int32).dtype == "int32"


class TestRefusals:
    def test_two_inputs_where_one_is_taken(self):
        a, b = Input((4,)), Input((4,))
        message = r"Dense 'd' is called on 1 input; it received 2\. Merge several into one before it"
        for xs in ([a, b], (a, b)):
            with pytest.raises(ParameterTypeError, match=message):
                Dense(3, name="d")(xs)
        with pytest.raises(ParameterTypeError, match=message):
            Dense(3, name="d")(a, b)
        with pytest.raises(ParameterTypeError, match="is called on 1 input; it received 0"):
            Dense(3)()

    def test_symbols_and_arrays_together(self):
        with pytest.raises(
            GraphError, match=r"Add 'sum' takes symbols or arrays; it received both\. Make the"
        ):
            layers.Add(name="sum")([Input((4,)), np.ones((2, 4))])

    @pytest.mark.parametrize("training", [True, False])
    def test_training_on_symbols(self, training):
        message = rf"'n': `training` is for arrays; got training={training} on a symbol\. .* trainable=False"
        with pytest.raises(ParameterError, match=message):
            layers.BatchNormalization(name="n")(Input((4,)), training=training)

    def test_missing_flatten(self):
        with pytest.raises(
            ShapeError, match=r"Convolution2D takes x of shape \(N, H, W, C\), 4 axes; it received"
        ):
            layers.Conv2D(3, 3)(Input((784,)))

    @pytest.mark.parametrize("make", [layers.Add, layers.Multiply, layers.Maximum, layers.Concatenate])
    def test_merging_one(self, make):
        name = make.__name__
        message = (
            rf"{name} 'm' is called on a list of at least 2 inputs; it received 1\. Write {name}\(\)\(\[a"
        )
        with pytest.raises(ShapeError, match=message):
            make(name="m")([Input((4,))])
        with pytest.raises(ShapeError, match=message):
            make(name="m")(Input((4,)))
        with pytest.raises(ShapeError, match="at least 2 inputs; it received 0"):
            make()([])

    @pytest.mark.parametrize("make", [layers.Add, layers.Concatenate])
    def test_merging_batches_of_other_sizes(self, make):
        message = r"takes inputs with equally many samples; it received \(2, 3\), \(1, 3\)\. Give all"
        with pytest.raises(ShapeError, match=message):
            make()([np.ones((2, 3)), np.ones((1, 3))])

    def test_merging_shapes_that_do_not_broadcast(self):
        with pytest.raises(
            ShapeError, match=r"Add takes shapes that broadcast: equal sizes, or 1; it received"
        ):
            layers.add([Input((4,)), Input((3,))])
        with pytest.raises(ShapeError, match="Concatenate takes shapes that are equal but for axis 2"):
            layers.concatenate([Input((4, 2)), Input((3, 2))])

    def test_merging_with_two_unknown_sizes(self):
        message = (
            r"adds axes to an input with at most one unknown size; it received \(N, \?, \?\)\. Put a Reshape"
        )
        with pytest.raises(ShapeError, match=message):
            layers.add([Input((None, None)), Input((1, 4, 4))])


def test_merging_functions_name_their_layer():
    a, b = Input((4,)), Input((4,))
    for function in (layers.add, layers.multiply, layers.maximum, layers.concatenate):
        y = function([a, b], name="here")
        assert y.call.scope.path == "here"
    assert layers.concatenate([Input((4, 1)), Input((2, 1))], axis=1).shape == (None, 6, 1)


def test_merging_one_value_with_itself():
    x = Input((4,))
    array = np.arange(4.0, dtype="float32").reshape(1, 4)
    np.testing.assert_array_equal(forward([x], layers.multiply([x, x]), [array]), array**2)
    np.testing.assert_array_equal(layers.multiply([array, array]), array**2)


def test_fewer_axes_broadcast_after_the_batch_axis():
    """(N, 2) meets (N, 3, 2) as (N, 1, 2): samples meet samples, as in Keras."""
    gate, x = np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones((2, 2, 2))
    expected = [[[1, 2], [1, 2]], [[3, 4], [3, 4]]]
    np.testing.assert_array_equal(layers.multiply([gate, x]), expected)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [0.0, 0.0, 0.5, 2.0]),
        ({"max_value": 1.0}, [0.0, 0.0, 0.5, 1.0]),
        ({"negative_slope": 0.5}, [-1.0, -0.25, 0.5, 2.0]),
        ({"threshold": 1.0}, [0.0, 0.0, 0.0, 2.0]),
        ({"threshold": 1.0, "negative_slope": 0.5}, [-1.5, -0.75, -0.25, 2.0]),
        ({"threshold": 1.0, "negative_slope": 0.5, "max_value": 1.5}, [-1.5, -0.75, -0.25, 1.5]),
    ],
)
def test_relu_by_hand(arguments, expected):
    x = np.array([[-2.0, -0.5, 0.5, 2.0]])
    np.testing.assert_allclose(layers.ReLU(**arguments)(x)[0], expected)


class TestOwnLayers:
    def test_a_layer_of_a_user(self):
        @layers.register_layer
        @configured()
        class Gate(Layer):
            units: int = argument(Whole(1))

            def lay(self, x: Symbol, z: Symbol) -> Symbol:
                left = self.put(bricks.Linear(self.units), x, role="left")
                right = self.put(bricks.Linear(self.units), z, role="right")
                return self.put(bricks.Multiply(), left, right)

        gate, x, z = Gate(3, name="g"), Input((2,)), Input((4,))
        assert gate(x, z).shape == gate([x, z]).shape == (None, 3)
        assert [w.shape for w in gate.get_weights()] == [(2, 3), (4, 3)]
        assert gate.compute_output_shape([(None, 2), (None, 4)]) == (None, 3)
        with pytest.raises(ParameterTypeError, match="Gate 'g' is called on 2 inputs; it received 1"):
            gate(x)
        again = layers.serialization.layer_from_config(layers.serialization.layer_to_config(gate))
        assert (type(again), again.units, again.name) == (Gate, 3, "g")

    def test_two_bricks_of_one_role(self):
        class Twice(Layer):
            def lay(self, x):
                return self.put(bricks.Linear(2), self.put(bricks.Linear(2), x))

        message = "Twice lays two bricks as 'linear'; give the second one another `role`"
        with pytest.raises(ParameterError, match=message):
            Twice()(Input((2,)))

    def test_only_registered_ones_can_be_saved(self):
        from brickwork.errors import FormatError
        from brickwork.layers.serialization import layer_from_config, layer_to_config

        class Mine(Layer):
            pass

        with pytest.raises(
            FormatError, match=r"it received Mine\. Put @brickwork\.layers\.register_layer above"
        ):
            layer_to_config(Mine())
        message = re.escape("the file says 'Densse'. Did you mean 'Dense'?")
        with pytest.raises(FormatError, match=message):
            layer_from_config({"class_name": "Densse", "config": {}})


def test_variables_are_another_name_of_weights():
    layer = layers.BatchNormalization()
    layer(Input((3,)))
    for kind in ("", "trainable_", "non_trainable_"):
        variables, weights = getattr(layer, f"{kind}variables"), getattr(layer, f"{kind}weights")
        assert [one.path for one in variables] == [one.path for one in weights] != []


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("SpatialDropout1D", (5, 4)), ("SpatialDropout2D", (5, 3, 4)), ("SpatialDropout3D", (2, 5, 3, 4))],
)
def test_spatial_dropout_leaves_out_whole_channels(kind, shape):
    y = getattr(layers, kind)(0.5)(np.ones((30, *shape)), training=True)
    flat = y.reshape(30, -1, shape[-1])
    assert np.all(flat == flat[:, :1])
    assert set(np.unique(y).tolist()) == {0.0, 2.0}
    with pytest.raises(
        ShapeError, match=rf"{kind} '.*' takes x of shape \(N, .*C\), {len(shape) + 1} axes; it received"
    ):
        getattr(layers, kind)(0.5)(layers.Input(shape[1:]))


@pytest.mark.parametrize("noise_shape", [(None, 1, 4), (None, 1, None), [None, 1, 4]])
def test_noise_shape_shares_the_mask(noise_shape):
    y = layers.Dropout(0.5, noise_shape=noise_shape)(np.ones((30, 5, 4)), training=True)
    assert np.all(y == y[:, :1])
    assert set(np.unique(y).tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("noise_shape", [(None, 1), (None, 1, 3), (None, 5, 4, 1)])
def test_a_noise_shape_that_does_not_fit(noise_shape):
    with pytest.raises(
        ShapeError, match=r"Dropout 'd' with noise_shape=\(None, .* it received \(N, 5, 4\)\. Write 1"
    ):
        layers.Dropout(0.5, noise_shape=noise_shape, name="d")(layers.Input((5, 4)))
