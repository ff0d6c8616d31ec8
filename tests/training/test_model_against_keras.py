"""`fit`, `evaluate` and `predict` beside Keras's own: the same network, weights, data and arguments."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import brickwork

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROWS = 22


@pytest.fixture(scope="module")
def keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras = pytest.importorskip("keras")
    if keras.backend.backend() != "jax":
        pytest.skip("compares with Keras on JAX")
    return keras


def classifier(library, units=3, activation="softmax"):
    x = library.Input((4,), name="x")
    y = library.layers.Dense(5, activation="tanh", name="hidden")(x)
    return library.Model(x, library.layers.Dense(units, activation=activation, name="out")(y))


def two_outputs(library, as_dict=False):
    x = library.Input((4,), name="x")
    h = library.layers.Dense(5, activation="tanh", name="hidden")(x)
    p = library.layers.Dense(3, activation="softmax", name="classes")(h)
    q = library.layers.Dense(2, name="amounts")(h)
    return library.Model(x, {"kinds": p, "sizes": q} if as_dict else [p, q])


def two_inputs(library):
    a, b = library.Input((4,), name="a"), library.Input((2,), name="b")
    y = library.layers.Concatenate(name="both")([library.layers.Dense(3, name="left")(a), b])
    return library.Model([a, b], library.layers.Dense(2, name="out")(y))


def pair(keras, build, *arguments, **compile_arguments):
    """(ours, theirs) with one set of weights, compiled alike."""
    ours, theirs = build(brickwork, *arguments), build(keras, *arguments)
    ours.set_weights([np.asarray(w) for w in theirs.get_weights()])
    for model, library in ((ours, brickwork), (theirs, keras)):
        given = {
            key: value(library) if callable(value) else value for key, value in compile_arguments.items()
        }
        given.setdefault("optimizer", library.optimizers.SGD(0.1, momentum=0.5))
        model.compile(**given)
    return ours, theirs


def data(rng, classes=3):
    x = rng.normal(size=(ROWS, 4)).astype(np.float32)
    return x, rng.integers(0, classes, ROWS)


def same_logs(ours, theirs, tolerance=3e-5):
    assert sorted(ours) == sorted(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=tolerance, atol=1e-6, err_msg=name)


def same_weights(ours, theirs):
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(w, v, rtol=2e-4, atol=2e-6)


FITTING = {"verbose": 0, "shuffle": False, "batch_size": 5}


def fit_keras(theirs, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return theirs.fit(*arguments, **{**FITTING, **options}).history


def fit_both(ours, theirs, *arguments, **options):
    """Histories of both, which must agree, as must the weights afterwards."""
    mine = ours.fit(*arguments, **{**FITTING, **options}).history
    same_logs(mine, fit_keras(theirs, *arguments, **options))
    same_weights(ours, theirs)
    return mine


LOSSES = [
    ("sparse_categorical_crossentropy", "softmax", "index"),
    (lambda lib: lib.losses.SparseCategoricalCrossentropy(from_logits=True), None, "index"),
    ("categorical_crossentropy", "softmax", "one-hot"),
    (lambda lib: lib.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2), None, "one-hot"),
    (lambda lib: lib.losses.CategoricalCrossentropy(label_smoothing=0.1), "softmax", "one-hot"),
    ("categorical_crossentropy", "sigmoid", "one-hot"),
    ("binary_crossentropy", "sigmoid", "one-hot"),
    (lambda lib: lib.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.3), None, "one-hot"),
    ("mse", None, "one-hot"),
    (lambda lib: lib.losses.MeanSquaredError(), "tanh", "one-hot"),
    (lambda lib: lib.losses.MeanSquaredError(reduction="sum"), None, "one-hot"),
    ("mae", None, "values"),
    ("mean_absolute_percentage_error", "sigmoid", "values"),
    ("msle", "sigmoid", "values"),
    ("huber", None, "values"),
    (lambda lib: lib.losses.Huber(delta=0.3, reduction="sum"), None, "values"),
    ("log_cosh", "tanh", "values"),
    ("poisson", "sigmoid", "values"),
    ("cosine_similarity", None, "values"),
    ("hinge", None, "one-hot"),
    ("squared_hinge", "tanh", "signs"),
    ("categorical_hinge", None, "one-hot"),
    ("kld", "softmax", "one-hot"),
    (lambda lib: lib.losses.KLDivergence(), "sigmoid", "values"),
    ("binary_focal_crossentropy", "sigmoid", "one-hot"),
    (
        lambda lib: lib.losses.BinaryFocalCrossentropy(
            True, gamma=1.5, from_logits=True, label_smoothing=0.2
        ),
        None,
        "one-hot",
    ),
    ("categorical_focal_crossentropy", "softmax", "one-hot"),
    (
        lambda lib: lib.losses.CategoricalFocalCrossentropy(
            [0.2, 0.5, 1.0], 1.5, from_logits=True, label_smoothing=0.2
        ),
        None,
        "one-hot",
    ),
    (lambda lib: lib.losses.CategoricalFocalCrossentropy(0.3), "sigmoid", "one-hot"),
]
TARGETS = {
    "index": lambda rng, y: y,
    "one-hot": lambda rng, y: np.eye(3, dtype=np.float32)[y],
    "signs": lambda rng, y: 2 * np.eye(3, dtype=np.float32)[y] - 1,
    "values": lambda rng, y: rng.uniform(0.2, 1.2, (len(y), 3)).astype(np.float32),
}


@pytest.mark.parametrize("loss, activation, kind", LOSSES)
def test_every_loss_with_sample_weights(keras, rng, loss, activation, kind):
    ours, theirs = pair(
        keras, classifier, 3, activation, loss=loss, metrics=["accuracy"], weighted_metrics=["accuracy"]
    )
    x, y = data(rng)
    y = TARGETS[kind](rng, y)
    options = {"epochs": 3, "sample_weight": rng.uniform(0, 2, ROWS).astype(np.float32)}
    fit_both(ours, theirs, x, y, validation_split=0.3, **options)


@pytest.mark.parametrize("metrics", [["accuracy"], ["acc", "mae"], ["mse", "mse"]])
def test_metrics_and_their_names(keras, rng, metrics):
    ours, theirs = pair(keras, classifier, loss="mse", metrics=metrics, weighted_metrics=metrics[:1])
    x, y = data(rng)
    y = np.eye(3, dtype=np.float32)[y]
    weight = rng.uniform(0, 2, ROWS).astype(np.float32)
    fit_both(ours, theirs, x, y, sample_weight=weight)
    mine = ours.evaluate(x, y, sample_weight=weight, verbose=0, return_dict=True)
    same_logs(mine, theirs.evaluate(x, y, sample_weight=weight, verbose=0, return_dict=True))


def test_evaluate_lists_results_in_keras_order(keras, rng):
    ours, theirs = pair(keras, classifier, loss="mse", metrics=["mse", "accuracy", "mae"])
    x, y = data(rng)
    y = np.eye(3, dtype=np.float32)[y]
    mine = ours.evaluate(x, y, verbose=0)
    assert mine == [ours.evaluate(x, y, verbose=0, return_dict=True)[name] for name in ours.metrics_names]
    np.testing.assert_allclose(mine, theirs.evaluate(x, y, verbose=0), rtol=1e-5)


def test_class_weight_is_for_training_alone(keras, rng):
    ours, theirs = pair(keras, classifier, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = data(rng)
    fit_both(ours, theirs, x, y, class_weight={0: 0.2, 2: 3.0}, validation_split=0.25, epochs=3)


def test_class_weight_of_one_hot_rows(keras, rng):
    ours, theirs = pair(keras, classifier, loss="categorical_crossentropy")
    x, y = data(rng)
    fit_both(ours, theirs, x, np.eye(3, dtype=np.float32)[y], class_weight={1: 4.0})


def test_class_weight_of_two_classes(keras, rng):
    ours, theirs = pair(keras, classifier, 1, "sigmoid", loss="binary_crossentropy", metrics=["accuracy"])
    x, y = data(rng, classes=2)
    fit_both(ours, theirs, x, y, class_weight={0: 1.0, 1: 4.0}, epochs=2)


@pytest.mark.parametrize("fraction", [0.1, 0.37, 0.5])
def test_validation_split_cuts_where_keras_cuts(keras, rng, fraction):
    ours, theirs = pair(keras, classifier, loss="sparse_categorical_crossentropy")
    x, y = data(rng)
    fit_both(ours, theirs, x, y, validation_split=fraction, epochs=2)


def test_validation_data_and_frequency(keras, rng):
    ours, theirs = pair(keras, classifier, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = data(rng)
    z, t = data(rng)
    weight = rng.uniform(0, 2, ROWS).astype(np.float32)
    told = fit_both(
        ours, theirs, x, y, validation_data=(z, t, weight), validation_freq=2, epochs=5, validation_steps=2
    )
    assert len(told["val_loss"]) == 2
    fit_both(ours, theirs, x, y, validation_data=[z, t], validation_batch_size=3)


def test_validation_after_certain_epochs(keras, rng):
    ours, theirs = pair(keras, classifier, loss="sparse_categorical_crossentropy")
    x, y = data(rng)
    told = fit_both(ours, theirs, x, y, validation_data=(x, y), validation_freq=[1, 4], epochs=5)
    assert len(told["val_loss"]) == 2


def test_initial_epoch(keras, rng):
    ours, theirs = pair(keras, classifier, loss="sparse_categorical_crossentropy")
    x, y = data(rng)
    told = fit_both(ours, theirs, x, y, epochs=5, initial_epoch=3)
    assert len(told["loss"]) == 2


TWO = {"classes": "sparse_categorical_crossentropy", "amounts": "mse"}


@pytest.mark.parametrize(
    "compile_arguments",
    [
        {"loss": list(TWO.values())},
        {"loss": TWO, "loss_weights": {"classes": 0.5, "amounts": 2.0}},
        {"loss": list(TWO.values()), "loss_weights": [0.5, 2.0]},
        {"loss": list(TWO.values()), "metrics": [["accuracy"], ["mse", "mae"]]},
        {"loss": TWO, "metrics": {"amounts": ["mae"]}, "weighted_metrics": [[], ["mae"]]},
        {"loss": list(TWO.values()), "metrics": ["accuracy", "mae"]},
        {"loss": ["sparse_categorical_crossentropy", None]},
    ],
)
def test_two_outputs(keras, rng, compile_arguments):
    ours, theirs = pair(keras, two_outputs, **compile_arguments)
    x, y = data(rng)
    targets = [y, rng.normal(size=(ROWS, 2)).astype(np.float32)]
    fit_both(ours, theirs, x, targets, epochs=2)
    np.testing.assert_allclose(
        ours.evaluate(x, targets, verbose=0), theirs.evaluate(x, targets, verbose=0), rtol=1e-4
    )


@pytest.mark.parametrize("form", ["list", "one for all"])
def test_sample_weights_of_two_outputs(keras, rng, form):
    ours, theirs = pair(keras, two_outputs, loss=list(TWO.values()), weighted_metrics=[["accuracy"], ["mae"]])
    x, y = data(rng)
    targets = [y, rng.normal(size=(ROWS, 2)).astype(np.float32)]
    weight = rng.uniform(0, 2, (2, ROWS)).astype(np.float32)
    fit_both(ours, theirs, x, targets, sample_weight=list(weight) if form == "list" else weight[0])


def test_outputs_in_a_dict(keras, rng):
    ours, theirs = pair(
        keras,
        two_outputs,
        True,
        loss={"kinds": "sparse_categorical_crossentropy", "sizes": "mse"},
        loss_weights={"kinds": 0.5, "sizes": 1.0},
        metrics={"sizes": ["mae"]},
    )
    x, y = data(rng)
    targets = {"kinds": y, "sizes": rng.normal(size=(ROWS, 2)).astype(np.float32)}
    fit_both(ours, theirs, x, targets)
    mine, other = ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    assert sorted(mine) == sorted(other)
    for name in mine:
        np.testing.assert_allclose(mine[name], other[name], rtol=1e-4, atol=1e-6)


def test_two_inputs_by_list_and_by_name(keras, rng):
    ours, theirs = pair(keras, two_inputs, loss="mse")
    a, b = rng.normal(size=(ROWS, 4)).astype("f"), rng.normal(size=(ROWS, 2)).astype("f")
    y = rng.normal(size=(ROWS, 2)).astype("f")
    fit_both(ours, theirs, [a, b], y)
    fit_both(ours, theirs, {"a": a, "b": b}, y)
    np.testing.assert_allclose(
        ours.predict({"b": b, "a": a}, verbose=0), theirs.predict([a, b], verbose=0), rtol=1e-4, atol=1e-6
    )


def test_a_generator_of_batches(keras, rng):
    x, y = data(rng)
    weight = rng.uniform(0, 2, ROWS).astype(np.float32)

    def endless():
        while True:
            for start in range(0, ROWS, 5):
                rows = slice(start, start + 5)
                yield x[rows], y[rows], weight[rows]

    ours, theirs = pair(keras, classifier, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    options = {"steps_per_epoch": 3, "epochs": 4, "verbose": 0, "shuffle": False}
    mine = ours.fit(endless(), **options).history
    same_logs(mine, theirs.fit(endless(), **options).history)
    same_weights(ours, theirs)
    same_logs(
        ours.evaluate(endless(), steps=4, verbose=0, return_dict=True),
        theirs.evaluate(endless(), steps=4, verbose=0, return_dict=True),
    )
    np.testing.assert_allclose(
        ours.predict(endless(), steps=2, verbose=0), theirs.predict(endless(), steps=2, verbose=0), rtol=1e-4
    )


def test_an_epoch_of_some_steps_goes_on_where_the_last_one_ended(keras, rng):
    """5 batches in a pass, 5 epochs of 1 step: Keras stops short of nothing here."""
    ours, theirs = pair(keras, classifier, loss="sparse_categorical_crossentropy")
    x, y = data(rng)
    fit_both(ours, theirs, x, y, steps_per_epoch=1, epochs=7)


def test_a_schedule(keras, rng):
    def optimizer(library):
        return library.optimizers.Adam(library.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5))

    ours, theirs = pair(keras, classifier, loss="sparse_categorical_crossentropy", optimizer=optimizer)
    x, y = data(rng)
    fit_both(ours, theirs, x, y, epochs=3)


def test_learning_rate_set_while_training(keras, rng):
    ours, theirs = pair(keras, classifier, loss="sparse_categorical_crossentropy")
    x, y = data(rng)

    def halve(epoch, rate):
        return rate / 2

    options = {"epochs": 3, "verbose": 0, "shuffle": False, "batch_size": 5}
    mine = ours.fit(x, y, callbacks=[brickwork.callbacks.LearningRateScheduler(halve)], **options)
    other = theirs.fit(x, y, callbacks=[keras.callbacks.LearningRateScheduler(halve)], **options)
    same_logs(mine.history, other.history)
    same_weights(ours, theirs)


def test_frozen_layers_and_statistics(keras, rng):
    def build(library):
        x = library.Input((4,), name="x")
        y = library.layers.Dense(5, activation="relu", name="hidden")(x)
        y = library.layers.BatchNormalization(name="norm")(y)
        model = library.Model(x, library.layers.Dense(3, activation="softmax", name="out")(y))
        model.get_layer("hidden").trainable = False
        model.get_layer("norm").trainable = False
        return model

    ours, theirs = pair(keras, build, loss="sparse_categorical_crossentropy")
    x, y = data(rng)
    before = ours.get_weights()
    fit_both(ours, theirs, x, y, epochs=2)
    for w, v in zip(ours.get_weights()[:6], before[:6], strict=True):
        np.testing.assert_array_equal(w, v)
    assert not np.array_equal(ours.get_weights()[6], before[6])


def test_batch_normalization_in_training(keras, rng):
    def build(library):
        x = library.Input((4,), name="x")
        y = library.layers.BatchNormalization(name="norm", momentum=0.7)(x)
        return library.Model(x, library.layers.Dense(3, activation="softmax", name="out")(y))

    ours, theirs = pair(keras, build, loss="sparse_categorical_crossentropy")
    x, y = data(rng)
    fit_both(ours, theirs, x, y, epochs=2, validation_split=0.2)


def test_regularizers_count_in_every_loss(keras, rng):
    def build(library):
        x = library.Input((4,), name="x")
        layer = library.layers.Dense(
            3,
            name="shared",
            kernel_regularizer=library.regularizers.L2(0.1),
            bias_regularizer=library.regularizers.L1(0.2),
        )
        y = layer(x)
        # on a layer that is used twice, Keras 3 forgets the activity penalty of the first use
        z = library.layers.Dense(4, name="back", activity_regularizer=library.regularizers.L2(0.05))(y)
        return library.Model(x, layer(z))

    ours, theirs = pair(keras, build, loss="mse")
    weights = [w + 0.3 for w in ours.get_weights()]  # |b| has no derivative at 0, where biases begin
    ours.set_weights(weights)
    theirs.set_weights(weights)
    x, y = data(rng)
    y = np.eye(3, dtype=np.float32)[y]
    fit_both(ours, theirs, x, y, epochs=2, validation_split=0.2)
    np.testing.assert_allclose(ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0), rtol=1e-5)


def decorated(library):
    """Every kind of penalty and constraint, on kernels, biases, gains and outputs."""
    r, c, layers = library.regularizers, library.constraints, library.layers
    x = library.Input((5, 5, 2), name="x")
    y = layers.Conv2D(
        4,
        3,
        kernel_regularizer=r.L1L2(0.01, 0.02),
        kernel_constraint=c.MaxNorm(0.8, axis=[0, 1, 2]),
        bias_constraint=c.NonNeg(),
        activity_regularizer=r.L1(0.01),
        name="conv",
    )(x)
    y = layers.BatchNormalization(
        gamma_regularizer=r.L2(0.1), beta_regularizer=r.L1(0.05), gamma_constraint=c.NonNeg(), name="norm"
    )(y)
    y = layers.Dense(
        6,
        kernel_regularizer=r.OrthogonalRegularizer(0.5),
        kernel_constraint=c.UnitNorm(axis=1),
        bias_regularizer="l2",
        activation="tanh",
        name="hidden",
    )(layers.Flatten(name="flat")(y))
    y = layers.Dense(
        3,
        kernel_regularizer=r.OrthogonalRegularizer(0.2, "columns"),
        kernel_constraint=c.MinMaxNorm(0.5, 0.9, 0.6),
        activity_regularizer=r.L1L2(0.01, 0.1),
        name="out",
    )(y)
    return library.Model(x, y)


def test_penalties_and_constraints_of_every_kind(keras, rng):
    ours, theirs = pair(keras, decorated, loss="mse")
    weights = [w + 0.3 if w.ndim == 1 else w for w in ours.get_weights()]
    theirs.set_weights(weights)
    x, y = rng.normal(size=(ROWS, 5, 5, 2)).astype(np.float32), rng.normal(size=(ROWS, 3)).astype(np.float32)
    options = {"epochs": 3, "validation_split": 0.2}
    wanted = fit_keras(theirs, x, y, **options)
    for engine in ("reference", "native", "jax"):
        ours.compile(brickwork.optimizers.SGD(0.1, momentum=0.5), "mse", engine=engine)
        ours.set_weights(weights)
        same_logs(ours.fit(x, y, **FITTING, **options).history, wanted)
        same_weights(ours, theirs)
        kernel = ours.get_layer("conv").get_weights()[0]
        assert np.sqrt((kernel**2).sum(axis=(0, 1, 2))).max() <= 0.8 + 1e-5


def test_order_of_callbacks(keras, rng):
    """Every hook that Keras calls, in its order; Brickwork's own two are left out."""

    def recorder(library, seen):
        names = [name for name in dir(library.callbacks.Callback) if name.startswith("on_")]
        names = [name for name in names if name not in ("on_progress", "on_gradients")]

        class Recorder(library.callbacks.Callback):
            pass

        for name in names:

            def hook(self, *arguments, _name=name, **more):
                numbers = [one for one in arguments if isinstance(one, int)]
                seen.append((_name, *numbers))

            setattr(Recorder, name, hook)
        return Recorder()

    x, y = data(rng)
    told = []
    for library in (brickwork, keras):
        seen = []
        model = classifier(library)
        model.compile("sgd", "sparse_categorical_crossentropy")
        callbacks = [recorder(library, seen)]
        model.fit(x, y, batch_size=9, epochs=2, verbose=0, validation_split=0.2, callbacks=callbacks)
        model.evaluate(x, y, batch_size=9, verbose=0, callbacks=callbacks)
        model.predict(x, batch_size=9, verbose=0, callbacks=callbacks)
        told.append(seen)
    assert told[0] == told[1]


def test_stop_training_within_an_epoch(keras, rng):
    x, y = data(rng)
    told = []
    for library in (brickwork, keras):

        class Stop(library.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                if batch == 1:
                    self.model.stop_training = True

        ours = library is brickwork
        told.append((library, Stop(), ours))
    ours, theirs = pair(keras, classifier, loss="sparse_categorical_crossentropy")
    options = {"batch_size": 5, "epochs": 3, "verbose": 0, "shuffle": False}
    mine = ours.fit(x, y, callbacks=[told[0][1]], **options).history
    same_logs(mine, theirs.fit(x, y, callbacks=[told[1][1]], **options).history)
    same_weights(ours, theirs)


def test_inputs_of_rank_one(keras, rng):
    def build(library):
        x = library.Input((1,), name="x")
        return library.Model(x, library.layers.Dense(1, name="out")(x))

    ours, theirs = pair(keras, build, loss="mse", metrics=["mae"])
    x = rng.normal(size=ROWS).astype(np.float32)
    fit_both(ours, theirs, x, 2 * x + 1, epochs=2)
    assert ours.predict(x, verbose=0).shape == theirs.predict(x, verbose=0).shape == (ROWS, 1)


def test_sequences_of_labels(keras, rng):
    def build(library):
        x = library.Input((6, 4), name="x")
        return library.Model(x, library.layers.Dense(3, activation="softmax", name="out")(x))

    ours, theirs = pair(keras, build, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x = rng.normal(size=(ROWS, 6, 4)).astype(np.float32)
    fit_both(ours, theirs, x, rng.integers(0, 3, (ROWS, 6)), epochs=2)
