"""BrickClassifier: labels, probabilities, weights, stopping, going on, randomness, messages."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import made_networks
import numpy as np
import pytest

pytest.importorskip("sklearn.base")

from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils import get_tags

from brickwork import Input, Sequential, config, layers, optimizers, seeds
from brickwork.errors import DataError, DivergenceError, ParameterError, ParameterTypeError, ShapeError
from brickwork.estimators import BrickClassifier

STOCHASTIC = {"hidden_layer_sizes": (12,), "dropout": 0.2, "batch_normalization": True, "batch_size": 16}


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x / 16, y


@pytest.fixture(scope="module")
def blobs():
    x, y = make_blobs(90, centers=3, cluster_std=0.6, random_state=0)
    return x, y


def quick(**more):
    return BrickClassifier(**{"max_iter": 20, "tol": None, "learning_rate": 0.02, "random_state": 0, **more})


def test_digits(digits):
    x, y = digits
    network = quick(learning_rate=None, max_iter=40).fit(x[:1400], y[:1400])
    assert network.score(x[1400:], y[1400:]) > 0.88
    assert network.model_.count_params() == 64 * 100 + 100 + 100 * 10 + 10
    assert (network.n_features_in_, network.n_outputs_, network.n_iter_) == (64, 10, 40)
    assert network.t_ == 40 * 1400
    assert len(network.loss_curve_) == 40 and network.loss_ == network.loss_curve_[-1]
    assert network.best_loss_ == min(network.loss_curve_)
    assert network.validation_scores_ is network.best_validation_score_ is None


def test_training_agrees_with_scikit_learns_own():
    """The same network, optimizer, penalty and batch from the same weights: the same losses and numbers."""
    from sklearn.neural_network import MLPClassifier

    x, y = make_blobs(60, centers=3, random_state=1, n_features=4)
    arguments = {"max_iter": 12, "alpha": 0.3, "shuffle": False, "tol": 0.0, "warm_start": True}
    theirs = MLPClassifier((7,), "tanh", solver="sgd", learning_rate_init=0.1, momentum=0.0, **arguments)
    ours = BrickClassifier((7,), "tanh", optimizer="sgd", learning_rate=0.1, **arguments)
    with pytest.warns(ConvergenceWarning):
        theirs.set_params(max_iter=1).fit(x, y)
        ours.set_params(max_iter=1).fit(x, y)
    ours.model_.set_weights(
        [array for pair in zip(theirs.coefs_, theirs.intercepts_, strict=True) for array in pair]
    )
    with pytest.warns(ConvergenceWarning):
        theirs.set_params(max_iter=12).fit(x, y)
        ours.set_params(max_iter=12).fit(x, y)
    np.testing.assert_allclose(ours.loss_curve_[1:], theirs.loss_curve_[1:], rtol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=1e-5)


# Labels and probabilities.


@pytest.mark.parametrize(
    "labels",
    [["ant", "bee", "cat"], [30, 10, 20], [2.0, 1.0, 0.0], np.array(["ant", "bee", "cat"], dtype=object)],
)
def test_labels_of_any_kind(blobs, labels):
    x, y = blobs
    network = quick().fit(x, np.asarray(labels)[y])
    assert network.classes_.tolist() == sorted(labels)
    assert network.score(x, np.asarray(labels)[y]) > 0.9
    probabilities = network.predict_proba(x)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-6)
    assert (network.classes_[probabilities.argmax(axis=1)] == network.predict(x)).all()
    np.testing.assert_array_equal(network.predict_log_proba(x), np.log(probabilities))


def test_two_classes_are_one_sigmoid_unit(blobs):
    x, y = blobs
    network = quick().fit(x, np.where(y == 1, "yes", "no"))
    assert network.n_outputs_ == 1
    assert network.model_.output_shape == (None, 1)
    assert network.predict_proba(x).shape == (90, 2)
    assert network.score(x, np.where(y == 1, "yes", "no")) > 0.9


def test_one_class(blobs):
    x, _ = blobs
    network = quick().fit(x, ["only"] * 90)
    assert network.predict(x).tolist() == ["only"] * 90
    assert network.predict_proba(x).tolist() == [[1.0]] * 90


def test_several_labels():
    x, y = make_multilabel_classification(80, 6, n_classes=4, random_state=0)
    network = quick(max_iter=60).fit(x, y)
    assert network.classes_.tolist() == [0, 1, 2, 3]
    assert network.predict_proba(x).shape == (80, 4)
    assert set(np.unique(network.predict(x))) <= {0, 1}
    assert network.score(x, y) > 0.5
    same = quick(max_iter=60).fit(x, sparse.csr_matrix(y))
    np.testing.assert_array_equal(same.predict_proba(x), network.predict_proba(x))
    with pytest.raises(ParameterError, match="class_weight goes with one class per row"):
        quick(class_weight="balanced").fit(x, y)


def test_several_outputs_of_several_classes_are_refused(blobs):
    x, y = blobs
    with pytest.raises(DataError, match=r"one class per row, .* shape \(90, 2\) .*MultiOutputClassifier"):
        quick().fit(x, np.column_stack([y, y]))


def test_numbers_with_a_fraction_are_no_classes(blobs):
    with pytest.raises(ValueError, match="continuous"):
        quick().fit(blobs[0], blobs[0][:, 0])


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
def test_sparse_rows_give_the_same_network(digits, form):
    x, y = digits[0][:200], digits[1][:200]
    dense, thin = (quick(**STOCHASTIC, early_stopping=True).fit(one, y) for one in (x, form(x)))
    np.testing.assert_array_equal(dense.predict_proba(x), thin.predict_proba(form(x)))


def test_float32_in_float32_out(blobs):
    x, y = blobs
    network = quick().fit(x, y)
    assert network.predict_proba(x.astype(np.float32)).dtype == np.float32
    assert network.predict_proba(x).dtype == np.float64


def test_predictions_of_a_row_do_not_depend_on_the_rows_beside_it(digits):
    x, y = digits
    network = quick(max_iter=3).fit(x, y)
    alone = np.concatenate([network.predict_proba(x[index : index + 1]) for index in range(50)])
    np.testing.assert_allclose(network.predict_proba(x)[:50], alone, rtol=1e-12)


# Weights.


@pytest.mark.parametrize("more", [{}, STOCHASTIC, {**STOCHASTIC, "early_stopping": True}])
def test_a_row_of_weight_two_is_the_row_twice(blobs, rng, more):
    x, y = blobs
    weights = rng.integers(0, 4, 90)
    mixed = rng.permutation(90)
    counted = quick(**more).fit(x[mixed], y[mixed], sample_weight=weights[mixed])
    repeated = quick(**more).fit(np.repeat(x, weights, axis=0), np.repeat(y, weights))
    assert counted.loss_curve_ == repeated.loss_curve_
    np.testing.assert_array_equal(counted.predict_proba(x), repeated.predict_proba(x))


def test_fractional_weights_multiply_the_loss(blobs):
    """In one batch they are what copies are, but for rounding."""
    x, y = blobs
    weights = np.where(y == 0, 3.0, 1.0)
    settings = {"batch_size": 1000, "optimizer": "sgd", "alpha": 0.0}
    one = quick(**settings).fit(x, y, sample_weight=weights)
    copies = quick(**settings).fit(x, y, sample_weight=weights.astype(int))
    np.testing.assert_allclose(one.predict_proba(x), copies.predict_proba(x), rtol=1e-4)


def test_the_scale_of_weights_plays_no_role(blobs, rng):
    x, y = (np.concatenate([part, part[:40]]) for part in blobs)
    weights = rng.random(130)
    one, two = (quick(**STOCHASTIC).fit(x, y, sample_weight=weights * scale) for scale in (1.0, 0.3))
    np.testing.assert_allclose(one.loss_curve_, two.loss_curve_, rtol=1e-3)


def test_class_weights(blobs):
    x, y = blobs
    by_class = quick(class_weight={0: 2.0, 1: 0.5}).fit(x, y)
    by_row = quick().fit(x, y, sample_weight=np.array([2.0, 0.5, 1.0])[y])
    np.testing.assert_array_equal(by_class.predict_proba(x), by_row.predict_proba(x))
    few = np.r_[np.flatnonzero(y == 0)[:5], np.flatnonzero(y != 0)]
    balanced = quick(class_weight="balanced").fit(x[few], y[few])
    share = np.bincount(y[few])
    named = quick(class_weight=dict(enumerate(len(few) / (3 * share)))).fit(x[few], y[few])
    np.testing.assert_allclose(balanced.predict_proba(x), named.predict_proba(x), rtol=1e-6)


def test_balanced_classes_count_weights(blobs, rng):
    x, y = blobs
    weights = rng.integers(0, 4, 90) * (1 + y)
    counted = quick(class_weight="balanced").fit(x, y, sample_weight=weights)
    repeated = quick(class_weight="balanced").fit(np.repeat(x, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_array_equal(counted.predict_proba(x), repeated.predict_proba(x))


def test_tags_tell_what_is_taken():
    tags = get_tags(BrickClassifier())
    assert tags.input_tags.sparse and tags.classifier_tags.multi_label and tags.classifier_tags.multi_class
    assert not get_tags(BrickClassifier(class_weight="balanced")).classifier_tags.multi_label


def test_class_weights_go_by_label(blobs):
    x, y = blobs
    names = np.array(["a", "b", "c"])[y]
    network = quick(class_weight={"a": 1000.0, "b": 1e-4, "c": 1e-4}).fit(x, names)
    assert np.mean(network.predict(x) == "a") > 0.5


def test_a_class_of_weight_zero_is_not_in_the_training_set(blobs):
    x, y = blobs
    network = quick(class_weight={0: 1.0, 1: 1.0, 2: 0.0}, early_stopping=True).fit(x, y)
    assert network.classes_.tolist() == [0, 1, 2]
    assert set(network.predict(x)) == {0, 1}
    assert network.t_ == 20 * 54


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("equal", "must be None, 'balanced' or a dict class -> weight; got 'equal'"),
        ({0: 1.0, 7: 2.0}, r"must name classes of y, among 0, 1, 2; it names 7\. Leave that out"),
        ({0: -1.0}, "must hold finite weights of at least 0; it holds -1.0 for 0"),
        ({0: "much"}, "it holds 'much' for 0"),
        ({0: 0.0, 1: 0.0, 2: 0.0}, "must leave at least one row a weight that is not zero"),
    ],
)
def test_class_weights_that_are_refused(blobs, given, message):
    with pytest.raises((ParameterError, ParameterTypeError, DataError), match=message):
        quick(class_weight=given).fit(*blobs)


def test_a_fold_may_lack_a_class_that_is_weighed(blobs):
    x, y = blobs
    quick(class_weight={0: 1.0, 1: 2.0, 2: 3.0}).fit(x[y < 2], y[y < 2])


# When it ends.


def test_it_ends_where_the_loss_improves_no_more(blobs):
    network = BrickClassifier(random_state=0, tol=0.5, n_iter_no_change=3).fit(*blobs)
    assert network.n_iter_ == len(network.loss_curve_) < 200


def test_too_few_epochs_are_told(blobs):
    with pytest.warns(ConvergenceWarning, match=r"3 epochs \(max_iter\) are over and the training still"):
        BrickClassifier(max_iter=3).fit(*blobs)


def test_early_stopping_keeps_the_best_epoch(digits):
    x, y = digits[0][:400], digits[1][:400]
    network = quick(early_stopping=True, n_iter_no_change=3, tol=1e-4, max_iter=200, learning_rate=0.05)
    network.fit(x, y)
    scores = network.validation_scores_
    assert len(scores) == network.n_iter_ < 200
    assert network.best_validation_score_ == max(scores)
    assert network.best_loss_ is None
    # the state of the best epoch, the last of equal ones: training that ends there is the same
    last = max(index for index, score in enumerate(scores) if score >= max(scores) - 1e-4)
    again = clone(network).set_params(max_iter=last + 1, tol=None).fit(x, y)
    np.testing.assert_array_equal(network.predict_proba(x), again.predict_proba(x))


def test_early_stopping_weighs_rows_as_the_loss_does(blobs):
    x, y = blobs
    network = quick(early_stopping=True, class_weight={0: 1.0, 1: 0.0, 2: 0.0}, max_iter=3).fit(x, y)
    assert network.best_validation_score_ in (0.0, 1.0)


def test_early_stopping_needs_rows():
    with pytest.raises(DataError, match=r"n_samples = 1\. Pass more rows, or early_stopping=False"):
        quick(early_stopping=True).fit([[1.0]], [0])


def test_verbose_prints_a_line_per_epoch(blobs, capsys):
    quick(max_iter=2, verbose=True, early_stopping=True).fit(*blobs)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("BrickClassifier: epoch 2/2, loss ") and "validation score" in lines[1]
    quick(max_iter=2).fit(*blobs)
    assert capsys.readouterr().out == ""


def test_divergence_names_the_way_out(blobs):
    with pytest.raises(DivergenceError) as caught:
        quick(optimizer="sgd", learning_rate=1e30, activation="linear").fit(*blobs)
    assert any("StandardScaler() before it" in note for note in caught.value.__notes__)


# Going on.


def test_warm_start_goes_on_from_the_weights(blobs):
    x, y = blobs
    network = quick(warm_start=True, max_iter=5).fit(x, y)
    weights = network.model_.get_weights()
    network.set_params(max_iter=1, learning_rate=0.0).fit(x, y)
    for before, after in zip(weights, network.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert (network.n_iter_, len(network.loss_curve_), network.t_) == (1, 6, 6 * 90)
    cold = quick(max_iter=5).fit(x, y).fit(x, y)
    assert len(cold.loss_curve_) == 5


def test_warm_start_shuffles_anew(blobs):
    network = quick(warm_start=True, max_iter=1, batch_size=10, learning_rate=0.0, dropout=0.5).fit(*blobs)
    network.fit(*blobs)
    assert network.loss_curve_[0] != network.loss_curve_[1]


def test_warm_start_with_another_network_or_other_classes(blobs):
    x, y = blobs
    network = quick(warm_start=True).fit(x, y)
    before = network.predict_proba(x)
    with pytest.raises(ParameterError, match=r"warm_start goes on with the network of the last fit"):
        network.set_params(hidden_layer_sizes=(7,)).fit(x, y)
    with pytest.raises(DataError, match=r"must hold classes among 0, 1, 2, .* it holds 5 too"):
        network.set_params(hidden_layer_sizes=(100,)).fit(x, np.where(y == 2, 5, y))
    np.testing.assert_array_equal(network.predict_proba(x), before)
    network.set_params(dropout=0.3).fit(x, y)  # dropout has no weights


def test_partial_fit_over_all_rows_is_an_epoch_of_fit(blobs):
    """Bit for bit, since it goes on with the optimizer's averages too; a warm start begins those anew."""
    x, y = blobs
    whole = quick(max_iter=6, batch_size=10, dropout=0.2).fit(x, y)
    network = clone(whole)
    for _ in range(6):
        network.partial_fit(x, y, classes=[0, 1, 2])
    assert network.loss_curve_ == whole.loss_curve_
    np.testing.assert_array_equal(network.predict_proba(x), whole.predict_proba(x))
    assert (network.n_iter_, network.t_) == (1, 6 * 90)
    whole.partial_fit(x, y)
    assert len(whole.loss_curve_) == 7
    steps = clone(whole).set_params(max_iter=1, warm_start=True)
    for _ in range(6):
        steps.fit(x, y)
    assert steps.loss_curve_ != network.loss_curve_


def test_each_epoch_has_an_order_of_its_own(blobs):
    network = quick(max_iter=1).fit(*blobs)
    orders = []
    for _ in range(2):
        orders.append(network._learner.order(np.arange(90), True).tolist())
        network.partial_fit(*blobs)
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(90))


def test_partial_fit_takes_parts_without_all_classes(blobs):
    x, y = blobs
    network = quick()
    for _ in range(30):
        for label in range(3):
            network.partial_fit(x[y == label], y[y == label], classes=[2, 1, 0])
    assert network.classes_.tolist() == [0, 1, 2]
    assert network.score(x, y) > 0.9


def test_partial_fit_of_several_labels():
    x, y = make_multilabel_classification(40, 6, n_classes=4, random_state=0)
    assert quick().partial_fit(x, y).partial_fit(x, y).predict(x).shape == (40, 4)


def test_partial_fit_is_told_the_classes(blobs):
    x, y = blobs
    with pytest.raises(ParameterError, match="classes must be passed on the first call to partial_fit"):
        quick().partial_fit(x, y)
    network = quick().partial_fit(x[y < 2], y[y < 2], classes=[0, 1, 2])
    with pytest.raises(DataError, match=r"classes must be those of the first call"):
        network.partial_fit(x, y, classes=[0, 1, 2, 3])
    with pytest.raises(DataError, match="it holds 9 too"):
        network.partial_fit(x, np.where(y == 1, 9, y))


def test_where_there_is_no_partial_fit():
    for network, message in (
        (BrickClassifier(early_stopping=True), "early_stopping=True"),
        (BrickClassifier(class_weight="balanced"), "class_weight='balanced'"),
    ):
        assert not hasattr(network, "partial_fit")
        with pytest.raises(AttributeError) as caught:
            _ = network.partial_fit
        assert message in str(caught.value.__cause__)


# Randomness.


@pytest.mark.parametrize("more", [STOCHASTIC, {"network": made_networks.small}])
def test_equal_random_state_gives_equal_bits_and_leaves_the_sessions_seeds(blobs, more):
    x, y = blobs
    results = []
    for state in (5, 99):
        seeds.set_state(state)
        np.random.seed(state)
        drawn = np.random.get_state()[1].copy()
        network = quick(**more, early_stopping=True).fit(x, y)
        results.append(network.predict_proba(x))
        assert seeds.get_state() == state
        np.testing.assert_array_equal(np.random.get_state()[1], drawn)
    np.testing.assert_array_equal(*results)
    other = quick(**{**more, "random_state": 1}, early_stopping=True).fit(x, y).predict_proba(x)
    assert np.abs(results[0] - other).max() > 1e-6


def test_random_state_none_follows_numpys_global_state(blobs):
    x, y = blobs
    results = []
    for _ in range(2):
        np.random.seed(3)
        results.append(quick(random_state=None).fit(x, y).predict_proba(x))
    np.testing.assert_array_equal(*results)
    assert (quick(random_state=None).fit(x, y).predict_proba(x) != results[0]).any()


def test_a_random_state_object_is_drawn_from(blobs):
    x, y = blobs
    source = np.random.RandomState(0)
    one, two = (quick(random_state=source).fit(x, y).predict_proba(x) for _ in range(2))
    assert (one != two).any()
    again = quick(random_state=np.random.RandomState(0)).fit(x, y).predict_proba(x)
    np.testing.assert_array_equal(one, again)


@pytest.mark.parametrize("more", [STOCHASTIC, {"network": made_networks.slow}])
def test_fits_in_threads_do_not_disturb_each_other(blobs, more):
    x, y = blobs
    wanted = [quick(**{**more, "random_state": state}).fit(x, y).predict_proba(x) for state in range(3)]
    found = {}

    def work(state):
        found[state] = quick(**{**more, "random_state": state}).fit(x, y).predict_proba(x)

    threads = [threading.Thread(target=work, args=(state,)) for state in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for state in range(3):
        np.testing.assert_array_equal(found[state], wanted[state])


def test_networks_are_made_at_once_by_two_threads(blobs):
    """Each function waits for the other one, layer by layer, while the session draws seeds of its own."""
    x, y = blobs

    def network(wait):
        def made(features, outputs):
            model = Sequential([Input((features,))])
            for units in (5, 4, outputs):
                wait()
                model.add(layers.Dropout(0.1))
                model.add(layers.Dense(units, activation="softmax"))
            return model

        return made

    def fit(state, wait):
        return quick(network=network(wait), random_state=state).fit(x, y).predict_proba(x)

    seeds.set_random_seed(3)
    wanted = [fit(state, lambda: None) for state in (1, 2)]
    drawn = [seeds.next_seed() for _ in range(3)]
    seeds.set_random_seed(3)
    both = threading.Barrier(2, timeout=20)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(fit, state, both.wait) for state in (1, 2)]
        assert [seeds.next_seed() for _ in range(3)] == drawn
        for found, alone in zip(waiting, wanted, strict=True):
            np.testing.assert_array_equal(found.result(), alone)
    assert (wanted[0] != wanted[1]).any()


def test_a_network_may_come_from_a_function_that_fits_one(blobs):
    x, y = blobs
    inner = []

    def outer(features, outputs):
        inner.append(quick(network=made_networks.small, random_state=1).fit(x, y).predict_proba(x))
        return made_networks.small(features, outputs)

    found = quick(network=outer, random_state=2).fit(x, y).predict_proba(x)
    np.testing.assert_array_equal(
        found, quick(network=made_networks.small, random_state=2).fit(x, y).predict_proba(x)
    )
    np.testing.assert_array_equal(
        inner[0], quick(network=made_networks.small, random_state=1).fit(x, y).predict_proba(x)
    )


# Parameters.


def test_an_optimizer_is_copied_and_never_changed(blobs):
    optimizer = optimizers.SGD(0.1, momentum=0.5)
    network = quick(optimizer=optimizer, learning_rate=0.3).fit(*blobs)
    assert optimizer.learning_rate == 0.1
    assert network.optimizer is optimizer
    named = quick(optimizer=optimizers.SGD(0.3, momentum=0.5), learning_rate=None).fit(*blobs)
    assert named.loss_curve_ == network.loss_curve_


def test_a_schedule_is_a_learning_rate(blobs):
    schedule = optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    network = quick(learning_rate=schedule).fit(*blobs)
    assert network.loss_curve_ != quick(learning_rate=0.1).fit(*blobs).loss_curve_


def test_layers_of_the_network():
    network = quick(hidden_layer_sizes=(5, 4), dropout=0.5, batch_normalization=True, activation="logistic")
    network.set_params(max_iter=1).fit(*make_blobs(20, random_state=0))
    assert [layer.name for layer in network.model_.layers] == [
        "features",
        "hidden_1",
        "hidden_1_normalized",
        "hidden_1_activation",
        "hidden_1_dropout",
        "hidden_2",
        "hidden_2_normalized",
        "hidden_2_activation",
        "hidden_2_dropout",
        "output",
    ]
    assert isinstance(network.model_.get_layer("hidden_1_dropout"), layers.Dropout)
    assert quick(hidden_layer_sizes=3, max_iter=1).fit([[0.0], [1.0]], [0, 1]).model_.count_params() == 10
    assert quick(hidden_layer_sizes=(), max_iter=1).fit([[0.0], [1.0]], [0, 1]).model_.count_params() == 2


def test_a_function_makes_the_network(digits):
    x, y = digits[0][:300], digits[1][:300]
    network = quick(network=made_networks.images, max_iter=15).fit(x, y)
    assert network.score(x, y) > 0.8
    assert network.model_.get_layer("filters").output.shape == (None, 6, 6, 4)


def test_two_softmax_units_do_for_two_classes(blobs):
    x, y = blobs
    network = quick(network=made_networks.two_units).fit(x, y == 1)
    assert network.predict_proba(x).shape == (90, 2)
    assert network.predict(x).dtype == bool


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (3, ParameterTypeError, r"`network` must be None or a function .* got network=3"),
        (made_networks, ParameterTypeError, "`network` must be None or a function"),
        (lambda features, outputs: None, ParameterTypeError, "it gave None of type NoneType"),
        (lambda features, outputs: made_networks.linear(5, 3), ShapeError, r"one input of shape \(None, 2\)"),
        (lambda features, outputs: made_networks.small(2, 7), ShapeError, r"one output of shape \(None, 3\)"),
        (made_networks.linear, ParameterError, "output is probabilities; its last brick is Bias"),
    ],
)
def test_functions_that_are_refused(blobs, function, error, message):
    with pytest.raises(error, match=message):
        quick(network=function).fit(*blobs)


@pytest.mark.parametrize(
    "more",
    [{"hidden_layer_sizes": 7}, {"activation": "tanh"}, {"dropout": 0.5}, {"batch_normalization": True}],
)
def test_parameters_that_a_function_overrides_are_refused(blobs, more):
    with pytest.raises(
        ParameterError, match=r"`network` makes the whole network, so .* would change nothing"
    ):
        quick(network=made_networks.small, **more).fit(*blobs)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("hidden_layer_sizes", (0,), "`hidden_layer_sizes` must be"),
        ("hidden_layer_sizes", "wide", "`hidden_layer_sizes` must be"),
        ("activation", "rleu", "Did you mean 'relu'"),
        ("dropout", 1.0, r"`dropout` must be in \[0, 1\)"),
        ("batch_normalization", "yes", "`batch_normalization` must be True or False"),
        ("optimizer", "adm", "Did you mean 'adam'"),
        ("optimizer", None, "`optimizer` must be a name or an Optimizer; got optimizer=None"),
        ("learning_rate", "adaptive", "a word of scikit-learn's MLP. Write learning_rate=0.001"),
        ("learning_rate", -1.0, "`learning_rate` must be"),
        ("alpha", -0.1, "`alpha` must be a finite number of at least 0"),
        ("batch_size", 0, "`batch_size` must be one of 'auto', or a whole number of at least 1"),
        ("max_iter", 0, "`max_iter` must be a whole number of at least 1"),
        ("shuffle", None, "`shuffle` must be True or False"),
        ("tol", -1.0, "`tol` must be None or a finite number of at least 0"),
        ("warm_start", "no", "`warm_start` must be True or False"),
        ("early_stopping", 1, "`early_stopping` must be True or False"),
        ("validation_fraction", 1.0, r"`validation_fraction` must be in \(0, 1\)"),
        ("n_iter_no_change", 0, "`n_iter_no_change` must be a whole number of at least 1"),
        ("engine", "referense", "Did you mean 'reference'"),
        ("n_threads", 0, "`n_threads` must be None or a whole number of at least 1"),
        ("random_state", "seed", "cannot be used to seed"),
    ],
)
def test_parameters_are_checked_when_they_are_used(blobs, name, value, message):
    network = BrickClassifier(**{name: value})
    with pytest.raises((ValueError, TypeError), match=message):
        network.fit(*blobs)
    assert not hasattr(network, "model_")


def test_not_fitted():
    for method in ("predict", "predict_proba", "predict_log_proba"):
        with pytest.raises(NotFittedError):
            getattr(BrickClassifier(), method)([[1.0]])
    with pytest.raises(NotFittedError):
        _ = BrickClassifier().model_


def test_numbers_that_do_not_fit_into_float32(blobs):
    x, y = blobs
    with pytest.raises(DataError, match=r"X must hold numbers that fit into float32; the largest is 1e\+300"):
        quick().fit(np.where(x > 2, 1e300, x), y)


def test_the_sessions_float_type_is_the_networks(blobs):
    x, y = blobs
    single = quick().fit(x, y)
    config.set_floatx("float64")
    try:
        double = quick().fit(x, y)
    finally:
        config.set_floatx("float32")
    assert {array.dtype for array in double.model_.get_weights()} == {np.dtype("float64")}
    np.testing.assert_allclose(double.predict_proba(x), single.predict_proba(x), atol=1e-4)


def test_another_engine(blobs):
    pytest.importorskip("jax")
    x, y = blobs
    networks = [quick(max_iter=5, engine=name, **STOCHASTIC).fit(x, y) for name in ("reference", "jax")]
    np.testing.assert_allclose(networks[0].loss_curve_, networks[1].loss_curve_, rtol=1e-3)
    np.testing.assert_allclose(networks[0].predict_proba(x), networks[1].predict_proba(x), atol=2e-3)
    thin = quick(max_iter=5, engine="jax", **STOCHASTIC).fit(sparse.csr_matrix(x), y)
    np.testing.assert_array_equal(thin.predict_proba(x), networks[1].predict_proba(x))


def test_threads_are_limited(blobs, monkeypatch):
    import threadpoolctl

    asked = []
    limits = threadpoolctl.threadpool_limits
    monkeypatch.setattr(
        threadpoolctl, "threadpool_limits", lambda **given: asked.append(given) or limits(**given)
    )
    network = quick(n_threads=1).fit(*blobs)
    assert asked == [{"limits": 1}]
    network.predict(blobs[0])
    assert len(asked) == 2
    free = quick().fit(*blobs)
    assert len(asked) == 2
    assert free.loss_curve_ == network.loss_curve_
