"""What a newcomer does wrong, and what is said about it: expected, received, how to mend it."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import ROWS, classifier, digits, regressor, same

import brickwork as bw
from brickwork import layers
from brickwork.errors import (
    DataError,
    DivergenceError,
    GraphError,
    NotFittedError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
)

RNG = np.random.default_rng(0)
X, Y = digits(RNG)


def changed(place, value, array=X):
    other = np.array(array)
    other[place] = value
    return other


# Shapes.


@pytest.mark.parametrize(
    "loss, y",
    [
        ("sparse_categorical_crossentropy", np.zeros(6, int)),
        ("categorical_crossentropy", np.zeros((6, 10))),
        ("mse", np.zeros((6, 10))),
    ],
)
def test_a_missing_flatten(loss, y):
    model = bw.Sequential([bw.Input((28, 28)), layers.Dense(10, "softmax")])
    model.compile("sgd", loss)
    message = r"the loss expects \(N, 10\); the output is \(N, 28, 10\)\. Put Flatten\(\) before the "
    r"last Dense layer"
    with pytest.raises(ShapeError, match=message):
        model.fit(np.zeros((6, 28, 28)), y, verbose=0)
    late = bw.Sequential([layers.Dense(10, "softmax")])
    late.compile("sgd", loss)
    with pytest.raises(ShapeError, match=message):
        late.fit(np.zeros((6, 28, 28)), y, verbose=0)


def test_a_missing_reshape():
    message = (
        r"Convolution2D takes x of shape \(N, H, W, C\), 4 axes; it received \(N, 784\), 2 axes\. Put Reshape"
    )
    with pytest.raises(ShapeError, match=message):
        bw.Sequential([bw.Input((784,)), layers.Conv2D(4, 3)])


@pytest.mark.parametrize(
    "x, message",
    [
        (
            X[:, :3],
            r"x must have the shape \(N, 4\) for the input 'x'; it received \(N, 3\)\. The first axis "
            r"is the rows",
        ),
        (X[0], r"it received \(N,\)\. Is it a single sample\? Then write x\[None\]"),
        (np.zeros((6, 2, 2)), r"it received \(N, 2, 2\)\. Reshape it: x\.reshape\(-1, 4\)"),
        (np.zeros((4, 20)), r"it received \(N, 20\)\. The first axis is the rows"),
    ],
)
def test_wrong_shapes_of_x(x, message):
    with pytest.raises(ShapeError, match=message):
        classifier().predict(x, verbose=0)
    with pytest.raises(ShapeError, match=message):
        classifier().fit(x, np.zeros(len(x), int), verbose=0)


def test_channels_first():
    model = bw.Sequential([bw.Input((8, 9, 3)), layers.Conv2D(4, 3)])
    with pytest.raises(ShapeError, match=r"Move the channels to the last axis: numpy\.moveaxis\(x, 1, -1\)"):
        model.predict(np.zeros((5, 3, 8, 9)), verbose=0)
    with pytest.raises(ShapeError, match=r"Is it a single sample\? Then write x\[None\]"):
        model.predict(np.zeros((8, 9, 3)), verbose=0)


@pytest.mark.parametrize(
    "loss, units, y, message",
    [
        (
            "categorical_crossentropy",
            3,
            Y,
            r"y must have the shape \(N, 3\), since the output is \(N, 3\); it received \(N,\)\. Use "
            r"loss='sparse_cat",
        ),
        (
            "categorical_crossentropy",
            3,
            Y[:, None],
            r"it received \(N, 1\)\. Use loss='sparse_categorical_crossentropy' for class indices, or "
            r"utils\.to_cat",
        ),
        (
            "sparse_categorical_crossentropy",
            3,
            np.eye(3)[Y],
            r"must have the shape \(N,\).*received \(N, 3\)\. Use loss='categorical_crossentropy'",
        ),
        (
            "categorical_crossentropy",
            3,
            np.eye(4)[Y],
            r"received \(N, 4\)\. Give the last layer 4 units, or pass other targets",
        ),
        (
            "mse",
            1,
            np.zeros((ROWS, 3)),
            r"y must have the shape \(N, 1\).*received \(N, 3\)\. Give the last layer 3 units",
        ),
        (
            "mse",
            3,
            np.zeros(ROWS),
            r"y must have the shape \(N, 3\).*received \(N,\)\. Give the last layer 1 unit, or",
        ),
    ],
)
def test_wrong_shapes_of_y(loss, units, y, message):
    with pytest.raises(ShapeError, match=message):
        classifier(units, loss=loss).fit(X, y, verbose=0)


# Labels.


@pytest.mark.parametrize(
    "y, message",
    [
        (
            Y + 1,
            r"y must hold class indices in 0 … 2, since the output has 3 units; it holds 3 in row "
            r"\d+\. Number the classes from 0 \(y - 1\), or give the last layer 4 units",
        ),
        (changed(5, 9, Y), r"it holds 9 in row 5\. Give the last layer 10 units"),
        (
            changed(7, -1, Y),
            r"it holds -1 in row 7\. Number the classes from 0: classes, y = numpy\.unique\(y, "
            r"return_inverse=True\)",
        ),
        (
            changed(2, 0.5, Y.astype(float)),
            r"y must hold class indices, whole numbers; it holds 0\.5 in row 2\. For regression use "
            r"loss='mse'",
        ),
        (
            changed(4, np.nan, Y.astype(float)),
            r"y must hold finite numbers; it holds nan in row 4\. Drop such rows",
        ),
        (
            np.array(["cat", "dog"] * 10),
            r"y must hold numbers; it holds <U3, such as 'cat'\. Number the classes, if these are "
            r"labels: classes, y = numpy\.unique\(labels",
        ),
        (
            np.array(["cat", None] * 10, object),
            r"y must hold numbers; it holds object, such as 'cat'\. Number the classes",
        ),
        (
            Y[:5],
            r"x, y and sample_weight must have equally many rows; x has 20, y has 5\. Were they cut "
            r"or shuffled apart",
        ),
        (3, r"y needs rows, shape \(N, …\); it received the single number 3"),
        (
            None,
            r"y is needed: the loss compares outputs with targets; it received none\. Pass y, or "
            r"batches \(x, y\)",
        ),
        (
            [[1, 2], [3]],
            r"y must be an array of numbers whose rows are all of one shape; making one of list "
            r"fails: .*Cut or pad the rows",
        ),
    ],
    ids=str,
)
def test_labels_that_are_none(y, message):
    model, fresh = classifier(), classifier()
    for method in (model.fit, model.evaluate):
        with pytest.raises((DataError, ShapeError), match=message):
            method(X, y, verbose=0)
    with pytest.raises((DataError, ShapeError), match=f"validation {message}|validation y|labels|equally"):
        model.fit(X, Y, validation_data=(X, y), verbose=0)
    assert same(model, fresh)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.uint8, np.int8, np.uint64, bool])
def test_labels_of_any_type(kind):
    y = (Y % 2).astype(kind)
    model, plain = classifier(), classifier()
    model.fit(X, y, verbose=0)
    plain.fit(X, Y % 2, verbose=0)
    assert same(model, plain)


def test_labels_of_one_unit():
    with pytest.raises(
        DataError, match=r"in 0 … 0, since the output has 1 unit; .*use loss='binary_crossentropy'"
    ):
        classifier(1).fit(X, Y, verbose=0)
    with pytest.raises(
        DataError,
        match=r"y must lie in \[0, 1\] for binary_crossentropy; it holds 2 in row \d+\. Number the two",
    ):
        regressor(loss="binary_crossentropy").fit(X, Y, verbose=0)
    with pytest.raises(DataError, match=r"y must lie in \[0, 1\]"):
        regressor(loss=bw.losses.BinaryCrossentropy(from_logits=True, name="mine")).fit(
            X, 2 * Y - 1, verbose=0
        )


# Numbers.


@pytest.mark.parametrize(
    "x, message",
    [
        (
            changed((3, 2), np.nan),
            r"x must hold finite numbers; it holds nan in row 3, column 2\. Drop such rows, or fill",
        ),
        (changed((0, 0), -np.inf), r"it holds -inf in row 0, column 0"),
        (
            changed((9, 1), 1e39, X.astype(float)),
            r"x must hold numbers that fit into float32; it holds 1e\+39 in row 9, column 1\. Scale it",
        ),
        (X * 1j, r"x must hold numbers; it holds complex64, such as .*j\. Take real and imaginary parts"),
        (
            X.astype("datetime64[D]") if False else np.full((ROWS, 4), "2020-01-01", "datetime64[D]"),
            r"it holds datetime64\[D\]",
        ),
        (
            np.full((ROWS, 4), None),
            r"x must hold numbers; it holds object, such as None\. Make numbers of it",
        ),
        ([["a"] * 4] * ROWS, r"it holds <U1, such as 'a'"),
        (
            np.ma.masked_array(X, X > 2),
            r"x must hold a number everywhere; some are masked\. Fill them: x\.filled\(0\), say",
        ),
    ],
)
def test_numbers_that_are_none(x, message):
    model, fresh = classifier(), classifier()
    for method in (model.fit, model.evaluate):
        with pytest.raises(DataError, match=message):
            method(x, Y, verbose=0)
    with pytest.raises(DataError, match="validation " + message if message.startswith("x") else message):
        model.fit(X, Y, validation_data=(x, Y), verbose=0)
    assert same(model, fresh)


def test_a_nan_deep_in_an_image_and_far_into_the_data():
    model = bw.Sequential([bw.Input((30, 30, 1)), layers.Flatten(), layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.zeros((200, 30, 30, 1), np.float32)
    x[150, 7, 29, 0] = np.nan
    with pytest.raises(DataError, match=r"it holds nan in row 150, at \(7, 29, 0\)"):
        model.fit(x, np.zeros(200, int), verbose=0)
    assert np.isnan(model.predict(x, verbose=0)[150]).all()  # a prediction harms no other row


def test_targets_that_are_not_finite():
    with pytest.raises(DataError, match=r"y must hold finite numbers; it holds inf in row 3, column 0"):
        regressor().fit(X, changed((3, 0), np.inf, np.zeros((ROWS, 1))), verbose=0)
    with pytest.raises(
        DataError, match=r"y must hold numbers that fit into float32; it holds 1e\+300 in row 0"
    ):
        regressor().fit(X, np.full(ROWS, 1e300), verbose=0)


# Rows and batches.


def test_no_rows():
    for x in (X[:0], [], np.zeros((0, 7))):
        with pytest.raises(
            DataError, match=r"x needs at least one row; it received none\. Is a filter or a path wrong"
        ):
            classifier().fit(x, [], verbose=0)
    with pytest.raises(DataError, match=r"validation x needs at least one row"):
        classifier().fit(X, Y, validation_data=(X[:0], Y[:0]), verbose=0)
    with pytest.raises(DataError, match=r"x needs at least one row"):
        classifier().predict(X[:0], verbose=0)


COUNTS = [0, -1, 1.5, "many", True]


@pytest.mark.parametrize("value", COUNTS)
@pytest.mark.parametrize(
    "name", ["batch_size", "steps_per_epoch", "validation_steps", "validation_batch_size", "validation_freq"]
)
def test_counts_of_fit(name, value):
    known = r"(None or )?a whole number of at least 1(, or a tuple.*|, or one of 'all')?"
    wanted = rf"fit: `{name}` must be {known}; got {name}={value!r}"
    with pytest.raises((ParameterError, ParameterTypeError), match=wanted):
        classifier().fit(X, Y, verbose=0, **{name: value})


@pytest.mark.parametrize(
    "name, value", [("epochs", -1), ("epochs", "3"), ("initial_epoch", -2), ("epochs", 2.0)]
)
def test_epochs_of_fit(name, value):
    wanted = rf"fit: `{name}` must be a whole number of at least 0; got {name}={value!r}"
    with pytest.raises((ParameterError, ParameterTypeError), match=wanted):
        classifier().fit(X, Y, verbose=0, **{name: value})


@pytest.mark.parametrize("method", ["evaluate", "predict"])
@pytest.mark.parametrize("name", ["batch_size", "steps"])
@pytest.mark.parametrize("value", COUNTS)
def test_counts_elsewhere(method, name, value):
    data = (X, Y) if method == "evaluate" else (X,)
    wanted = rf"{method}: `{name}` must be None or a whole number of at least 1; got {name}={value!r}"
    with pytest.raises((ParameterError, ParameterTypeError), match=wanted):
        getattr(classifier(), method)(*data, verbose=0, **{name: value})


@pytest.mark.parametrize("value", [1.0, -0.1, "a third", np.nan, True])
def test_validation_splits_that_are_none(value):
    with pytest.raises(
        (ParameterError, ParameterTypeError), match=r"fit: `validation_split` must be in \[0, 1\); got"
    ):
        classifier().fit(X, Y, validation_split=value, verbose=0)


@pytest.mark.parametrize("rows, fraction", [(3, 0.9), (2, 0.6), (1, 0.5), (5, 1e-17)])
def test_a_validation_split_that_leaves_nothing(rows, fraction):
    wanted = rf"validation_split={fraction} of {rows} rows leaves \d for training and \d for "
    r"validation; both need at least one"
    with pytest.raises(DataError, match=wanted):
        classifier().fit(X[:rows], Y[:rows], validation_split=fraction, verbose=0)


@pytest.mark.parametrize(
    "data, message",
    [
        (
            (X,),
            r"validation data must be \(x, y\) or \(x, y, sample_weight\); it received 1 part\. Pass "
            r"validation_data=\(",
        ),
        ((X, Y, Y, Y), r"it received 4 parts"),
        (X, r"validation data must be .*it received one array\. Pass both: validation_data=\(x_val, y_val\)"),
        (3, r"x must be an array, .*it received int"),
        ((X[:, :2], Y), r"validation x must have the shape \(N, 4\)"),
    ],
)
def test_validation_data_that_is_none(data, message):
    with pytest.raises((DataError, ShapeError), match=message):
        classifier().fit(X, Y, validation_data=data, verbose=0)


@pytest.mark.parametrize(
    "weight, message",
    [
        (
            -np.ones(ROWS),
            r"sample_weight must not be negative; it holds -1\.0 in row 0\. Use 0 to leave rows out",
        ),
        (
            np.ones((ROWS, 2)),
            r"sample_weight takes one number per row, shape \(N,\); it received \(N, 2\)\. Average",
        ),
        (changed(3, np.nan, np.ones(ROWS)), r"sample_weight must hold finite numbers; it holds nan in row 3"),
        (np.full(ROWS, 1e300), r"sample_weight must hold numbers that fit into float32"),
        (np.ones(3), r"x has 20, sample_weight has 3"),
        (["a"] * ROWS, r"sample_weight must hold numbers"),
        (2.0, r"sample_weight needs rows, shape \(N, …\); it received the single number 2\.0"),
    ],
)
def test_weights_of_rows_that_are_none(weight, message):
    for method in (classifier().fit, classifier().evaluate):
        with pytest.raises((DataError, ShapeError), match=message):
            method(X, Y, sample_weight=weight, verbose=0)
    with pytest.raises(
        (DataError, ShapeError), match=message.replace("sample_weight", "validation sample_weight", 1)
    ):
        classifier().fit(X, Y, validation_data=(X, Y, weight), verbose=0)


@pytest.mark.parametrize(
    "weight, message",
    [
        (
            [1, 2],
            r"must be a dict class -> weight, such as \{0: 1\.0, 1: 5\.0\}, "
            r"or in fit on arrays 'balanced'; got \[1, 2\]",
        ),
        ({7: 1.0}, r"class_weight names classes in 0 … 2; it received 7"),
        ({"0": 1.0}, r"class_weight names classes in 0 … 2; it received '0'"),
        ({True: 1.0}, r"class_weight names classes in 0 … 2; it received True"),
        ({0: -1.0}, r"class_weight must hold finite weights of at least 0; it holds -1\.0 for class 0"),
        ({0: np.nan}, r"it holds nan for class 0"),
        ({0: "two"}, r"it holds 'two' for class 0"),
    ],
)
def test_weights_of_classes_that_are_none(weight, message):
    with pytest.raises((ParameterError, ParameterTypeError), match=message):
        classifier().fit(X, Y, class_weight=weight, verbose=0)


def test_class_weight_needs_one_class_per_row():
    model = bw.Sequential([bw.Input((6, 4)), layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(
        ParameterError, match=r"class_weight goes with one class per row; y has the shape \(N, 6\)\. Pass"
    ):
        model.fit(np.zeros((5, 6, 4)), np.zeros((5, 6), int), class_weight={0: 2.0}, verbose=0)


@pytest.mark.parametrize(
    "x, message",
    [
        (
            None,
            r"x is needed: an array, a list or dict of arrays, or an iterable of batches; it received None",
        ),
        ("file.npz", r"x must be an array, .* it received str"),
        (3, r"x must be an array, .* it received int"),
        (object(), r"it received object"),
        (
            (X, Y),
            r"x needs one array; it received a tuple of 2\. Pass them one by one, as in fit\(x, y\), "
            r"or a list",
        ),
        (
            [[1, 2], [3]],
            r"x must be an array of numbers whose rows are all of one shape; making one of list fails",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_data_that_is_none(x, message):
    for model in (classifier(), late()):
        with pytest.raises((DataError, NotFittedError), match=message):
            model.fit(x, Y, verbose=0)


def late():
    """A model that learns its shape from data."""
    model = bw.Sequential([layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def test_a_sparse_matrix_is_told_how_to_become_dense():
    class Matrix:
        def toarray(self):
            return X

        def __iter__(self):
            return iter(X)

    with pytest.raises(DataError, match=r"it received Matrix\. Call its toarray\(\)"):
        classifier().fit(Matrix(), Y, verbose=0)


@pytest.mark.parametrize("value", ["yes", 2, None])
def test_shuffle_is_a_flag(value):
    with pytest.raises(ParameterTypeError, match=r"fit: `shuffle` must be True or False; got shuffle="):
        classifier().fit(X, Y, shuffle=value, verbose=0)


def test_callbacks_that_are_none():
    with pytest.raises(
        ParameterTypeError, match=r"it received the class EarlyStopping\. Make an instance: EarlyStopping"
    ):
        classifier().fit(X, Y, callbacks=[bw.callbacks.EarlyStopping], verbose=0)


# Before the shapes are known.


@pytest.mark.parametrize(
    "ask",
    [
        lambda model: model.get_weights(),
        lambda model: model.set_weights([]),
        lambda model: model.summary(),
        lambda model: model.graph,
        lambda model: model.output_shape,
        lambda model: model.save("never.safetensors"),
        lambda model: model.save_weights("never.safetensors"),
        lambda model: model.build(),
        lambda model: model.parameters,
    ],
)
def test_what_needs_shapes(ask):
    model = bw.Sequential([layers.Dense(3)], name="mine")
    with pytest.raises(
        (NotFittedError, ParameterError),
        match=r"'mine' does not know the shape of its input yet\. Begin it with Input|build takes",
    ):
        ask(model)
    with pytest.raises(NotFittedError, match=r"The model 'none' has no layers yet\. Add some"):
        ask(bw.Sequential(name="none"))


def test_layers_by_name_and_place():
    model = classifier()
    assert model.get_layer("hidden") is model.get_layer(index=1) is model.get_layer(index=-2)
    with pytest.raises(
        ParameterError,
        match=r"named 'x', 'hidden', 'out'; there is none named 'hiden'\. Did you mean 'hidden'",
    ):
        model.get_layer("hiden")
    with pytest.raises(
        ParameterError, match=r"The network has 3 layers; there is none of index 3\. Use 0 … 2"
    ):
        model.get_layer(index=3)
    with pytest.raises(ParameterTypeError, match=r"get_layer: `index` must be a whole number; got index='1'"):
        model.get_layer(index="1")
    for arguments in ({}, {"name": "x", "index": 0}):
        with pytest.raises(
            ParameterError, match=r"get_layer takes a name or an index; it received both or neither"
        ):
            model.get_layer(**arguments)


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda w: w[:2],
            r"The network '\w+' holds 4 arrays; it received 2\. Pass the list that get_weights",
        ),
        (lambda w: [*w, w[0]], r"holds 4 arrays; it received 5"),
        (
            lambda w: [w[0].T, *w[1:]],
            r"'hidden/kernel' has shape \(4, 5\); it received \(5, 4\)\. Check the order",
        ),
        (lambda w: [*w[:3], np.zeros(4)], r"'out/bias' has shape \(3,\); it received \(4,\)"),
    ],
)
def test_weights_are_set_all_or_none(change, message):
    model, fresh = classifier(), classifier()
    with pytest.raises(ShapeError, match=message):
        model.set_weights(change([w + 1 for w in model.get_weights()]))
    assert same(model, fresh)


def test_strings_are_no_weights():
    model, fresh = classifier(), classifier()
    with pytest.raises(
        DataError,
        match=r"'out/bias' holds real numbers; it received <U1 such as \['a'\]\. Pass the list that get_w",
    ):
        model.set_weights([*(w + 1 for w in model.get_weights()[:3]), np.array(["a", "b", "c"])])
    assert same(model, fresh)


# Divergence.


def test_a_rate_that_is_far_too_large():
    """The step that would spoil the weights is not made, and is named with its brick and the likely cause."""
    model, by_hand = (regressor(optimizer=bw.optimizers.SGD(1e6)) for _ in range(2))
    message = (
        r"^Training needs finite numbers; step 4 met one that is not, before the update\. First in node "
        r"'loss/weighted_mean' \(WeightedMean\), whose inputs are finite, up to \S+ in size\. Likely "
        r"cause: the "
        r"learning rate of 1e\+06 is too large, parameters have grown to \S+\. Lower it tenfold, or "
        r"clip gradients"
    )
    with pytest.raises(DivergenceError, match=message):
        model.fit(X, Y, batch_size=ROWS, epochs=50, shuffle=False, verbose=0)
    for _ in range(3):
        by_hand.train_on_batch(X, Y)
    assert same(model, by_hand) and np.isfinite(model.get_weights()[0]).all()
    with pytest.raises(DivergenceError, match=r"step 4 met one that is not"):
        by_hand.train_on_batch(X, Y)
    assert same(model, by_hand)


def test_divergence_is_met_step_by_step_too():
    model = regressor(optimizer=bw.optimizers.SGD(1e6))
    seen = []
    callbacks = [bw.callbacks.LambdaCallback(on_gradients=lambda step, gradients: seen.append(step))]
    with pytest.raises(DivergenceError, match=r"step 4 met one that is not"):
        model.fit(X, Y, batch_size=ROWS, epochs=50, callbacks=callbacks, verbose=0)
    assert seen == [0, 1, 2]


def test_gradients_that_a_callback_spoils():
    callbacks = [
        bw.callbacks.LambdaCallback(
            on_gradients=lambda step, found: {key: g * np.nan for key, g in found.items()}
        )
    ]
    model, fresh = classifier(), classifier()
    with pytest.raises(
        DivergenceError, match=r"the update of step 1 would make the parameter 'hidden/linear/W' infin"
    ):
        model.fit(X, Y, callbacks=callbacks, verbose=0)
    assert same(model, fresh)


def test_a_learning_rate_of_zero_is_a_rate():
    model, fresh = classifier(optimizer=bw.optimizers.SGD(0.0)), classifier()
    model.fit(X, Y, verbose=0)
    assert same(model, fresh)
    for rate in (-1.0, np.nan, np.inf, "fast"):
        with pytest.raises(
            (ParameterError, ParameterTypeError),
            match=r"`learning_rate` must be a finite number of at least 0",
        ):
            model.optimizer.learning_rate = rate


def test_a_schedule_that_gives_nonsense():
    model = classifier(optimizer=bw.optimizers.SGD(lambda step: 0.1 if step < 2 else -1.0))
    with pytest.raises(
        ParameterError, match=r"a schedule must give finite numbers of at least 0; .* gave -1\.0 at step 2"
    ):
        model.fit(X, Y, batch_size=5, verbose=0)


def test_a_sequential_takes_layers():
    with pytest.raises(
        ParameterTypeError, match=r"Sequential takes layers; it received <class .*Dense.*Write Dense\(…\)"
    ):
        bw.Sequential([layers.Dense])
    with pytest.raises(
        GraphError, match=r"An Input stands first in a Sequential; it came after other layers"
    ):
        bw.Sequential([layers.Dense(3), bw.Input((4,))])


def test_counts_of_samples_are_whole():
    """Normalization keeps a count beside mean and variance."""
    layer = layers.Normalization()
    layer.adapt(np.zeros((5, 4)) + X[:5])
    before = layer.get_weights()
    whole = [isinstance(w.dtype.type(0), np.integer) for w in before]
    with pytest.raises(DataError, match=r"count' holds whole numbers; it received float64 such as \[2\.5\]"):
        layer.set_weights(
            [np.asarray(2.5) if count else w + 1 for w, count in zip(before, whole, strict=True)]
        )
    assert all(np.array_equal(w, v) for w, v in zip(layer.get_weights(), before, strict=True))
    layer.set_weights([np.asarray(w, float) + 1 for w in before])
    assert any(whole) and layer.get_weights()[whole.index(True)] == before[whole.index(True)] + 1
