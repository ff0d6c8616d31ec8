"""Estimators as pickles and as files: nothing lost, nothing run, every damage told."""

from __future__ import annotations

import copy
import json
import pickle
import pickletools

import joblib
import made_networks
import numpy as np
import pytest

pytest.importorskip("sklearn.base")

from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from sklearn.base import clone
from sklearn.datasets import make_blobs, make_multilabel_classification
from sklearn.exceptions import NotFittedError

from brickwork import bricks, losses, optimizers, seeds
from brickwork.errors import BrickworkError, FormatError, ParameterError, ParameterTypeError
from brickwork.estimators import BrickClassifier, BrickRegressor, BrickTransformer
from brickwork.files import FileError
from brickwork.models import load_model

X, Y = make_blobs(60, centers=3, random_state=0)


def quick(cls=BrickClassifier, **more):
    return cls(**{"max_iter": 4, "tol": None, "random_state": 0, **more})


FITTED = {
    "plain": lambda: quick().fit(X, Y),
    "words": lambda: quick(dropout=0.1, batch_normalization=True).fit(X, np.array(["a", "b", "c"])[Y]),
    "objects": lambda: quick().fit(X, np.array(["a", "b", "c"], dtype=object)[Y]),
    "two": lambda: quick(early_stopping=True).fit(X, Y == 1),
    "several": lambda: quick().fit(*make_multilabel_classification(40, 5, random_state=0)),
    "function": lambda: quick(network=made_networks.small).fit(X, Y),
    "numbers": lambda: quick(BrickRegressor, loss=losses.HalfSquaredError()).fit(X, np.column_stack([X, X])),
    "features": lambda: quick(BrickTransformer, optimizer=optimizers.SGD(0.1, momentum=0.9)).fit(X, Y),
}


@pytest.fixture(params=FITTED)
def fitted(request):
    return FITTED[request.param]()


def told(estimator):
    """Everything that an estimator tells of rows."""
    x = np.resize(X, (30, estimator.n_features_in_))
    names = ("predict", "predict_proba", "transform")
    return [getattr(estimator, name)(x) for name in names if hasattr(estimator, name)]


def assert_same(one, other):
    for left, right in zip(told(one), told(other), strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    learned = {key for key in vars(one) if key.endswith("_") and not key.startswith("__")}
    assert learned == {key for key in vars(other) if key.endswith("_") and not key.startswith("__")}
    for key in learned:
        np.testing.assert_array_equal(getattr(one, key), getattr(other, key))
        assert type(getattr(one, key)) is type(getattr(other, key))


def save(estimator, folder):
    path = folder / "estimator.safetensors"
    estimator.save(path)
    return path


# Pickles.


def test_a_pickle_holds_it_all(fitted):
    state = seeds.get_state()
    other = pickle.loads(pickle.dumps(fitted))
    assert seeds.get_state() == state
    assert_same(fitted, other)
    assert_same(fitted, copy.deepcopy(fitted))


def test_a_pickle_holds_no_code(fitted):
    """Only classes and functions by their names, of NumPy and of packages that are known."""
    known = ("brickwork.", "numpy", "made_networks", "sklearn", "copyreg", "builtins")
    strings = []
    for opcode, argument, _ in pickletools.genops(pickle.dumps(fitted)):
        if opcode.name in ("SHORT_BINUNICODE", "BINUNICODE"):
            strings.append(argument)
        if opcode.name == "STACK_GLOBAL":
            modules = [
                one for one in strings if one.partition(".")[0] in {name.partition(".")[0] for name in known}
            ]
            assert modules, strings[-5:]
        assert opcode.name != "GLOBAL"
    assert b"code" not in pickle.dumps(fitted).split(b"brickwork-model")[0][:200]
    assert not any("types" in one and "CodeType" in one for one in strings)


def test_equal_fits_give_equal_pickles():
    assert joblib.hash(FITTED["words"]()) == joblib.hash(FITTED["words"]())


def test_an_estimator_that_is_not_fitted_is_pickled():
    other = pickle.loads(pickle.dumps(quick(dropout=0.3)))
    assert other.get_params() == quick(dropout=0.3).get_params()
    with pytest.raises(NotFittedError):
        other.predict(X)


def test_training_goes_on_after_a_pickle_and_after_a_file(tmp_path):
    network = quick(batch_size=10, dropout=0.2).fit(X, Y)
    others = [pickle.loads(pickle.dumps(network)), BrickClassifier.load(save(network, tmp_path))]
    network.partial_fit(X, Y)
    for other in others:
        assert_same(network, other.partial_fit(X, Y))


# Files.


def test_a_file_holds_it_all(fitted, tmp_path):
    path = save(fitted, tmp_path)
    state = seeds.get_state()
    other = type(fitted).load(path)
    assert seeds.get_state() == state
    assert_same(fitted, other)
    ours, theirs = fitted.get_params(), other.get_params()
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert repr(ours[name]) == repr(theirs[name]) or name == "network"


def test_a_file_is_one_of_a_model_too(tmp_path):
    network = quick().fit(X, Y)
    model = load_model(save(network, tmp_path))
    np.testing.assert_allclose(model.predict(X, verbose=0), network.predict_proba(X), rtol=1e-4, atol=1e-6)


def test_parameters_of_every_kind(tmp_path):
    params = {
        "hidden_layer_sizes": np.array([3, 2]),
        "activation": bricks.LeakyReLU(0.3),
        "optimizer": optimizers.Adam(beta_1=0.8),
        "learning_rate": optimizers.schedules.ExponentialDecay(0.1, 10, 0.5),
        "alpha": np.float64(0.01),
        "class_weight": {0: 1.0, 1: np.float32(2.0), 2: 3},
    }
    other = BrickClassifier.load(save(quick(**params).fit(X, Y), tmp_path))
    assert other.hidden_layer_sizes == [3, 2]
    assert other.activation == bricks.LeakyReLU(0.3)
    assert other.optimizer.get_config() == params["optimizer"].get_config()
    assert other.learning_rate(10) == 0.05
    assert other.class_weight == {0: 1.0, 1: 2.0, 2: 3}
    clone(other).fit(X, Y)


def test_parameters_that_no_file_can_hold(tmp_path):
    for name, value in (("random_state", np.random.RandomState(0)), ("learning_rate", lambda step: 0.1)):
        network = quick(**{name: value}).fit(X, Y)
        with pytest.raises(ParameterError, match=f"writes parameters that JSON can hold; {name}=.* is none"):
            save(network, tmp_path)
    with pytest.raises(ParameterTypeError, match="only schedules that are classes can be saved"):
        save(quick(optimizer=optimizers.SGD(lambda step: 0.1)).fit(X, Y), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_function_is_named_in_a_file_and_never_looked_up(tmp_path):
    path = save(quick(network=made_networks.small).fit(X, Y), tmp_path)
    other = BrickClassifier.load(path)
    assert repr(other.network) == "<function made_networks.small, not loaded>"
    other.partial_fit(X, Y)
    with pytest.raises(ParameterError, match=r"saved with network=made_networks\.small, and a file holds no"):
        other.fit(X, Y)
    again = BrickClassifier.load(save(other, tmp_path))
    again.set_params(network=made_networks.small).fit(X, Y)


def test_an_engine_that_is_not_here(tmp_path):
    def change(told):
        told["estimator"]["params"]["engine"] = "quantum"

    path = rewritten(save(quick().fit(X, Y), tmp_path), change)
    with pytest.raises(ParameterError, match="got engine='quantum'"):
        BrickClassifier.load(path)
    assert BrickClassifier.load(path, engine="reference").engine == "reference"


def test_what_save_refuses(tmp_path):
    with pytest.raises(NotFittedError):
        quick().save(tmp_path / "network.safetensors")
    network = quick().fit(X, Y)
    with pytest.raises(FormatError, match=r"end in \.safetensors; got 'network\.pkl'"):
        network.save(tmp_path / "network.pkl")
    path = save(network, tmp_path)
    with pytest.raises(FileError, match="it exists, and overwrite is False"):
        network.save(path, overwrite=False)
    network.save(path)


def header_text(path):
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return header["__metadata__"]["brickwork"]


def rewritten(path, change):
    """The file with its description changed."""
    tensors, description = load_file(path), json.loads(header_text(path))
    change(description)
    save_file(tensors, path, {"brickwork": json.dumps(description)})
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told: told.pop("estimator"), "holds a model alone. Read it with brickwork.models.load_model"),
        (lambda told: told["estimator"].update(class_name="BrickRegressor"), "holds a 'BrickRegressor'"),
        (lambda told: told["estimator"].pop("params"), r"description breaks at KeyError\('params'\)"),
        (lambda told: told["estimator"]["params"].update(evil=1), "description breaks at ValueError"),
        (lambda told: told["estimator"]["params"].update(alpha={"pickle": "x"}), "breaks at KeyError"),
        (lambda told: told["estimator"]["learned"].update(predict={"value": 1}), "breaks at ValueError"),
        (
            lambda told: told["estimator"]["learned"].pop("classes_"),
            "attributes do not belong to its network",
        ),
        (lambda told: told["estimator"]["learned"].update(n_features_in_={"value": 7}), "do not belong"),
        (lambda told: told["estimator"].update(optimizer=None), "breaks at ValueError"),
        (lambda told: told.update(seed="x"), "description breaks at"),
        (lambda told: told.update(version=99), "of version 99. Update Brickwork"),
    ],
)
def test_damaged_files(tmp_path, change, message):
    path = rewritten(save(quick().fit(X, Y), tmp_path), change)
    with pytest.raises(FormatError, match=message):
        BrickClassifier.load(path)


@pytest.mark.parametrize("name", ["optimizer/step", "optimizer/momentum/0001", "weights/0002"])
def test_files_that_lack_an_array(tmp_path, name):
    path = save(quick(optimizer=optimizers.SGD(0.1, momentum=0.9)).fit(X, Y), tmp_path)
    tensors, text = load_file(path), header_text(path)
    del tensors[name]
    save_file(tensors, path, {"brickwork": text})
    with pytest.raises(FormatError, match=f"it lacks 1, first '{name}'"):
        BrickClassifier.load(path)


def test_files_of_other_kinds(tmp_path):
    path = tmp_path / "network.safetensors"
    with pytest.raises(FileError, match="There is no such file"):
        BrickClassifier.load(path)
    quick().fit(X, Y).model_.save(path)
    with pytest.raises(FormatError, match="needs a file written by BrickClassifier.save"):
        BrickClassifier.load(path)
    path.write_bytes(pickle.dumps(quick()))
    with pytest.raises(FormatError, match="a pickle"):
        BrickClassifier.load(path)


PATHS = [(key,) for key in ("floatx", "network", "weights", "seed", "estimator")] + [
    ("estimator", key) for key in ("class_name", "params", "learned", "optimizer", "loss")
]


@given(data=st.data())
def test_a_description_of_anything_is_refused_or_read(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("files")
    if not hasattr(test_a_description_of_anything_is_refused_or_read, "network"):
        test_a_description_of_anything_is_refused_or_read.network = quick(hidden_layer_sizes=(3,)).fit(X, Y)
    path = save(test_a_description_of_anything_is_refused_or_read.network, folder)
    anything = st.recursive(
        st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
    place = data.draw(st.sampled_from(PATHS))
    deeper = data.draw(st.booleans())

    def change(told):
        for key in place[:-1]:
            told = told[key]
        inner = told[place[-1]]
        if deeper and isinstance(inner, dict) and inner:
            told, key = inner, data.draw(st.sampled_from(sorted(inner)))
        else:
            key = place[-1]
        told[key] = data.draw(anything)

    try:
        BrickClassifier.load(rewritten(path, change)).predict(X)
    except BrickworkError:
        pass
