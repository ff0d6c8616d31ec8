"""From users' data to sources of batches, and the checks on the way."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import ROWS, batches, classifier, digits, regressor, two_outputs

import brickwork as bw
from brickwork.data.source import ArraySource
from brickwork.errors import DataError, ParameterTypeError
from brickwork.training import data_checks, feeds
from brickwork.training.data_adapter import split
from brickwork.training.data_checks import balanced_class_weights
from brickwork.training.feeds import ArrayFeed, BatchFeed, first_rows, is_array_like

# Sources.


def source_of(model, *data):
    model._ready()
    return model._adapter(targets=True).source(*data)


def test_a_source_has_inputs_targets_and_weights(rng):
    x, y = digits(rng)
    source = source_of(classifier(), x, y)
    assert list(source.arrays) == ["x", "target/out", "weight/out"] and len(source) == ROWS
    assert source.arrays["x"] is x and source.arrays["weight/out"] is None  # neither copied nor made
    batch = source.gather(np.array([3, 1]))
    np.testing.assert_array_equal(batch["x"], x[[3, 1]])
    np.testing.assert_array_equal(batch["target/out"], y[[3, 1]])
    assert {name: str(part.dtype) for name, part in batch.items()} == {
        "x": "float32",
        "target/out": "int32",
        "weight/out": "float32",
    }
    np.testing.assert_array_equal(batch["weight/out"], [1, 1])


def test_bytes_stay_bytes_until_they_are_gathered(rng):
    x = rng.integers(0, 256, (ROWS, 4), np.uint8)
    source = source_of(classifier(), x, np.zeros(ROWS, np.uint8))
    assert source.arrays["x"] is x
    assert source.gather(slice(0, 2))["x"].dtype == np.float32


def test_targets_may_have_one_axis_more_or_less(rng):
    x, y = digits(rng)
    for target in (y, y[:, None]):
        assert source_of(classifier(), x, target).arrays["target/out"].shape == (ROWS,)
    for target in (y, y[:, None]):
        assert source_of(regressor(), x, target).arrays["target/out"].shape == (ROWS, 1)


def test_mapped_files_are_not_copied(tmp_path, rng):
    x, y = digits(rng)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    source = source_of(classifier(), mapped, y)
    assert np.shares_memory(source.arrays["x"], mapped)
    batch = source.gather(np.array([5, 2]))
    assert type(batch["x"]) is np.ndarray
    np.testing.assert_array_equal(batch["x"], x[[5, 2]])
    models = [classifier(), classifier()]
    models[0].fit(mapped, y, verbose=0)
    models[1].fit(x, y, verbose=0)
    assert np.array_equal(models[0].get_weights()[0], models[1].get_weights()[0])


class Lazy:
    """The shape of an array; rows are read when they are asked for, and counted."""

    def __init__(self, array):
        self.array, self.rows_read = array, 0

    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    dtype = property(lambda self: self.array.dtype)
    size = property(lambda self: self.array.size)

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        taken = self.array[rows]
        self.rows_read += len(taken)
        return taken

    def read(self, rows):
        return self[rows]

    def select(self, rows):
        return Lazy(self.array[rows])

    def reshape(self, *shape):
        return Lazy(self.array.reshape(*shape))

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("the whole was asked for")


def test_rows_that_are_read_on_demand_are_never_read_whole(rng):
    x, y = digits(rng)
    lazy = Lazy(x)
    model, plain = classifier(), classifier()
    model.fit(lazy, y, batch_size=6, verbose=0)
    plain.fit(x, y, batch_size=6, verbose=0)
    assert lazy.rows_read == ROWS
    assert np.array_equal(model.get_weights()[0], plain.get_weights()[0])
    np.testing.assert_array_equal(model.predict(lazy, verbose=0), plain.predict(x, verbose=0))


def test_class_weights_are_multiplied_into_a_source(rng):
    x, y = digits(rng)
    model = classifier()
    model._ready()
    adapter = model._adapter(targets=True, class_weight={1: 3.0})
    plain = adapter.source(x, y)
    assert plain.arrays["weight/out"] is None
    weighted = adapter.weighted(plain)
    np.testing.assert_array_equal(weighted.arrays["weight/out"], np.where(y == 1, 3.0, 1.0))
    twice = adapter.weighted(adapter.source(x, y, np.full(ROWS, 2.0)))
    np.testing.assert_array_equal(twice.arrays["weight/out"], np.where(y == 1, 6.0, 2.0))


def test_balanced_class_weights(rng):
    """As scikit-learn counts them, of the rows that are trained on."""
    y = np.array([2] * 7 + [0] * 2 + [1])
    expected = {0: 10 / 6, 1: 10 / 3, 2: 10 / 21}
    assert balanced_class_weights(y) == pytest.approx(expected)
    assert balanced_class_weights(np.eye(4)[y]) == pytest.approx(expected)
    assert balanced_class_weights(y[:, None].astype("float32")) == pytest.approx(expected)
    sklearn = pytest.importorskip("sklearn.utils.class_weight")
    theirs = sklearn.compute_class_weight("balanced", classes=np.arange(3), y=y)
    assert list(expected.values()) == pytest.approx(theirs.tolist())
    x, y = digits(rng)
    models = [classifier(), classifier()]
    for model, given in zip(models, ("balanced", balanced_class_weights(y[: int(0.75 * ROWS)])), strict=True):
        model.fit(x, y, class_weight=given, validation_split=0.25, verbose=0)
    assert np.array_equal(*[model.get_weights()[0] for model in models])
    with pytest.raises(ParameterTypeError, match=r"or in fit on arrays 'balanced'; got 'balance'"):
        models[0].fit(x, y, class_weight="balance", verbose=0)
    with pytest.raises(ParameterTypeError, match=r"in fit on arrays 'balanced'; got 'balanced'"):
        models[0].train_on_batch(x, y, class_weight="balanced")
    with pytest.raises(DataError, match="counted from labels; it received none"):
        balanced_class_weights([])


def test_splitting_takes_the_end():
    source = ArraySource({"x": np.arange(10), "w": None}, {"x": "float32", "w": "float32"}, 10)
    left, right = split(source, 0.3)
    assert len(left) == 7 and len(right) == 3
    np.testing.assert_array_equal(right.gather(slice(0, 3))["x"], [7, 8, 9])
    assert np.shares_memory(left.arrays["x"], source.arrays["x"])
    with pytest.raises(DataError, match=r"leaves 0 for training and 1 for validation"):
        split(source.slice(0, 1), 0.5)


# Arrays or batches?


@pytest.mark.parametrize(
    "x, is_array",
    [
        (np.zeros((3, 2)), True),
        ([[1, 2], [3, 4]], True),
        ([1, 2, 3], True),
        ([np.zeros(3), np.zeros(3)], True),
        ((np.zeros(3), np.zeros(3)), True),
        ([(1, 2), (3, 4)], True),
        ({"a": np.zeros(3)}, True),
        ([], True),
        ([(np.zeros(3), np.zeros(3))], False),
        ([([1, 2], [3])], False),
        ([(np.zeros(3),)], False),
        ([(None, None)], False),
        ([{"a": np.zeros(3)}], False),
        pytest.param(iter([1]), False, id="iterator"),
        (range(3), False),
        (3, False),
        (None, False),
    ],
    ids=str,
)
def test_what_counts_as_arrays(x, is_array):
    assert is_array_like(x) is is_array


def test_the_first_rows_of_anything():
    array = np.zeros((5, 3))
    assert first_rows(array)[0] is array
    assert first_rows([array])[0] is array
    assert first_rows([(array, 1)])[0] is array
    generator = iter([(array, 1), (2 * array, 2)])
    first, again = first_rows(generator)
    assert first is array
    assert [item[1] for item in again] == [1, 2]  # nothing is lost
    assert first_rows(iter([]))[0] is None


# Feeds.


def feed(rows=10, size=4, shuffle=True, seed=1, steps=None, first=0):
    source = ArraySource({"x": np.arange(rows)}, {"x": "int64"}, rows)
    return ArrayFeed(source, size, shuffle, seed, steps, first)


def test_an_epoch_of_an_array_feed():
    told = feed(shuffle=False)
    assert told.steps == 3 and [len(rows) for rows in told.rows(0)] == [4, 4, 2]
    np.testing.assert_array_equal(told.order(5), np.arange(10))
    np.testing.assert_array_equal(np.sort(feed().order(0)), np.arange(10))
    assert [list(batch["x"]) for batch in told.epoch(0)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_orders_depend_on_seed_and_step_alone():
    assert np.array_equal(feed().order(2), feed(first=6).order(0))  # the pass that begins at step 6
    assert not np.array_equal(feed().order(0), feed().order(1))
    assert not np.array_equal(feed().order(0), feed(seed=2).order(0))
    assert np.array_equal(feed(seed=2**64 - 1).order(0), feed(seed=-1).order(0))
    assert len(feed(first=-6).order(1)) == 10  # an initial_epoch beyond what was trained


def test_the_order_is_the_same_without_the_native_module(monkeypatch):
    with_it = [feed(rows=rows).order(3) for rows in (1, 2, 1000, 70000)]
    monkeypatch.setattr(feeds, "load_native", lambda: None)
    for order in with_it:
        np.testing.assert_array_equal(feed(rows=len(order)).order(3), order)


def test_the_order_is_kept_for_later_versions():
    """Philox, keyed by the seed: a training that is resumed later must find the same order."""
    assert feed().order(0).tolist() == ORDER


ORDER = [0, 3, 6, 4, 1, 7, 5, 8, 2, 9]


def test_epochs_of_some_steps():
    told = feed(shuffle=False, steps=2)
    assert [[list(rows) for rows in told.rows(epoch)] for epoch in range(3)] == [
        [[0, 1, 2, 3], [4, 5, 6, 7]],
        [[8, 9], [0, 1, 2, 3]],
        [[4, 5, 6, 7], [8, 9]],
    ]
    assert told.order(0).tolist() == list(range(8)) and told.order(1) is None
    assert told.order(2).tolist() == list(range(4, 10))


def test_a_batch_feed_counts_its_steps(rng):
    def plain(items):
        return iter(items)

    assert BatchFeed([1, 2], plain).steps == 2
    assert BatchFeed([1, 2], plain, 5).steps == 5
    assert BatchFeed(iter([1, 2]), plain).steps is None and BatchFeed(iter([1]), plain).once
    assert not BatchFeed([1], plain).once
    told = BatchFeed([1, 2, 3], plain, 2)
    assert [list(told.epoch(epoch)) for epoch in range(3)] == [[1, 2], [3, 1], [2, 3]]
    anew = BatchFeed([1, 2, 3], plain, 2, from_start=True)
    assert [list(anew.epoch(epoch)) for epoch in range(2)] == [[1, 2], [1, 2]]


# Checks of single arrays.


@pytest.mark.parametrize("shape", [(200_000,), (300, 700), (5, 40, 50, 20), (70_000, 1), (3, 100_000)])
def test_the_first_number_that_is_not_finite_is_found_anywhere(rng, shape):
    array = np.zeros(shape, np.float32)
    data_checks.check_finite(array, "x")
    for _ in range(3):
        place = tuple(int(rng.integers(0, size)) for size in shape)
        array[:] = 0
        array[place] = np.inf
        column = {1: "", 2: f", column {place[-1]}"}.get(len(shape), f", at {place[1:]}")
        with pytest.raises(DataError) as caught:
            data_checks.check_finite(array, "x")
        assert f"it holds inf in row {place[0]}{column}." in str(caught.value)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, bool])
def test_integers_are_not_looked_at(kind):
    class Unread(np.ndarray):
        def __getitem__(self, key):
            raise AssertionError("read")

    data_checks.check_finite(np.zeros((4, 3), kind).view(Unread), "x", "float32")


def test_no_rows_are_finite():
    data_checks.check_finite(np.zeros((0, 3)), "x")
    data_checks.check_finite(np.zeros((3, 0)), "x")


@pytest.mark.parametrize("value, kind", [(1e39, "float32"), (-1e300, "float32")])
def test_numbers_beyond_the_type_of_the_network(value, kind):
    array = np.array([[0.0, value]])
    data_checks.check_finite(array, "x", "float64")
    with pytest.raises(
        DataError, match=r"x must hold numbers that fit into float32; it holds .* in row 0, column 1\. Scale"
    ):
        data_checks.check_finite(array, "x", kind)
    data_checks.check_finite(np.array([6e4], np.float16), "x", "float32")


# Memory.


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_a_large_file_of_bytes_is_not_copied(tmp_path, method):
    """48 MB of images: at most 8 MB of arrays at any time, where float32 would take 192."""
    import tracemalloc

    rows, shape = 60_000, (20, 20, 2)
    images = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (rows, *shape))
    images[::500] = 7
    images.flush()
    model = bw.Sequential([bw.Input(shape), bw.layers.Flatten(), bw.layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    y = np.zeros(rows, np.uint8)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    ask = {
        "fit": lambda: model.fit(
            mapped, y, steps_per_epoch=3, validation_split=0.5, validation_steps=2, verbose=0
        ),
        "evaluate": lambda: model.evaluate(mapped, y, steps=3, verbose=0),
        "predict": lambda: model.predict(mapped, steps=3, verbose=0),
    }[method]
    tracemalloc.start()
    try:
        ask()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8e6, f"{peak / 1e6:.1f} MB"


@pytest.mark.full
def test_a_file_of_two_hundred_megabytes_of_bytes_fits_into_little_memory(tmp_path):
    """A whole epoch, in a process of its own that may grow by 120 MB; as float32 the file would take 800."""
    import subprocess
    import sys

    code = f"""
import resource, numpy as np, brickwork as bw
rows, shape = 50_000, (64, 64)
images = np.lib.format.open_memmap({str(tmp_path / "x.npy")!r}, "w+", np.uint8, (rows, *shape))
images[::100] = 7
del images
model = bw.Sequential([bw.Input(shape), bw.layers.Flatten(), bw.layers.Dense(2, "softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
mapped = np.load({str(tmp_path / "x.npy")!r}, mmap_mode="r")
model.train_on_batch(mapped[:8], np.zeros(8, int))
def own():
    return int([line for line in open("/proc/self/status") if line.startswith("RssAnon")][0].split()[1])
before = own()
model.fit(mapped, np.zeros(rows, int), batch_size=128, verbose=0)
print((own() - before) / 1024)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert float(told.stdout) < 120


def test_weights_of_two_outputs_by_batches(rng):
    x, y = digits(rng)
    z = rng.normal(size=(ROWS, 2))
    model = two_outputs(loss=["sparse_categorical_crossentropy", "mse"])
    model.fit([(part, (y[:8], z[:8])) for part, _ in batches(x, y)[:1]], verbose=0)
