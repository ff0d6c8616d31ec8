"""Steps of the native engine: whole or not at all, and the same numbers on any number of threads."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import brickwork as bw
from brickwork import layers
from brickwork.engines.native_module import load_native
from brickwork.errors import DivergenceError
from brickwork.threads import limited_threads

native = load_native()
pytestmark = pytest.mark.skipif(native is None, reason="the native module is not built")

ROWS = 300


def wide(optimizer="adam", units=200, **compiled):
    """Its kernels are large enough for gradients that go straight into the update."""
    rng = np.random.default_rng(0)
    x = bw.Input((150,))
    y = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name="a")(x)
    y = layers.Dropout(0.3)(y)
    y = layers.Dense(units, activation="tanh", kernel_regularizer="l2", name="b")(y)
    model = bw.Model(x, layers.Dense(3, name="c")(y))
    loss = bw.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], seed=5, engine="native", **compiled)
    for weight in model.parameters.values():
        weight[...] = 0.1 * rng.standard_normal(weight.shape)
    return model


def images(**compiled):
    rng = np.random.default_rng(0)
    x = bw.Input((9, 9, 2))
    y = layers.Conv2D(17, 3, padding="same", activation="relu", name="a")(x)
    y = layers.MaxPooling2D(2)(layers.BatchNormalization(name="n")(y))
    y = layers.Conv2D(5, 2, strides=2, name="b")(y)
    y = layers.Dense(30, activation="relu", name="c")(layers.Flatten()(y))
    model = bw.Model(x, layers.Dense(3, name="d")(y))
    loss = bw.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], seed=5, engine="native", **compiled)
    for weight in model.parameters.values():
        weight[...] = 0.1 * rng.standard_normal(weight.shape)
    return model


def data(model, rows=ROWS, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, *model.input_shape[1:])).astype(np.float32)
    return x, rng.integers(0, 3, rows)


def arrays(model):
    return {key: value.copy() for key, value in model._plan.state().items()}


def assert_same(one, other):
    assert set(one) == set(other)
    for key in one:
        np.testing.assert_array_equal(one[key], other[key], err_msg=key)


# -- the same numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [wide, images])
def test_any_number_of_threads_gives_the_same_bits(make):
    found = []
    for threads in (1, 2, 3, 8):
        model = make()
        with limited_threads(threads):
            history = model.fit(*data(model), batch_size=128, epochs=3, verbose=0).history
        found.append((arrays(model), history))
    for state, history in found[1:]:
        assert_same(found[0][0], state)
        assert history == found[0][1]


class Watching(bw.callbacks.Callback):
    """Asks for every step."""

    def on_train_batch_end(self, batch, logs=None):
        self.steps = batch + 1


@pytest.mark.parametrize("make", [wide, images])
def test_steps_that_are_watched_are_the_same_bits(make):
    one, other = make(), make()
    options = {"batch_size": 128, "epochs": 2, "verbose": 0}
    plain = one.fit(*data(one), **options).history
    assert other.fit(*data(other), callbacks=[Watching()], **options).history == plain
    assert_same(arrays(one), arrays(other))


_ON_ONE_SET = """
import json, sys
import numpy as np
sys.path[:0] = json.loads(sys.argv[1])
from engines.test_native_steps import arrays, data, images, wide
found = {}
for make in (wide, images):
    model = make()
    model.fit(*data(model), batch_size=100, epochs=1, verbose=0)
    found.update({f"{make.__name__} {key}": value for key, value in arrays(model).items()})
np.savez(sys.argv[2], **found)
"""


def test_all_instruction_sets_agree(tmp_path):
    """In three steps of Adam what differs by a rounding stays within 2e-4 of the largest number beside it."""
    found = {}
    for isa in native.available_isas():
        out = tmp_path / f"{isa}.npz"
        subprocess.run(
            [sys.executable, "-c", _ON_ONE_SET, json.dumps([str(Path(__file__).parents[1])]), str(out)],
            env={**os.environ, "BRICKWORK_ISA": isa},
            check=True,
        )
        found[isa] = dict(np.load(out))
    best, *others = found.values()
    for other in others:
        for key, value in best.items():
            scale = max(1e-3, float(np.abs(value).max()))
            np.testing.assert_allclose(other[key], value, rtol=0, atol=2e-4 * scale, err_msg=key)


def test_rows_that_lie_apart_give_the_same_bits():
    """The native side cannot read them in place; they are gathered batch by batch."""
    one, other = wide(), wide()
    x, y = data(one)
    one.fit(x, y, batch_size=64, epochs=2, verbose=0)
    other.fit(np.asfortranarray(x), y, batch_size=64, epochs=2, verbose=0)
    assert_same(arrays(one), arrays(other))


def test_the_time_of_each_instruction_is_told():
    model = images()
    model.fit(*data(model), batch_size=100, epochs=1, verbose=0)
    made = model._plan._pass("train", 100)
    steps = [step for phase in made.schedule.forward for step in phase.steps]
    made.native.times()  # from now on they are measured
    model.fit(*data(model), batch_size=100, epochs=1, verbose=0)
    times = made.native.times()
    assert len(times) >= len(steps)
    assert min(times[: len(steps)]) > 0.0
    assert max(made.native.times()) == 0.0  # told once


# -- whole or not at all ------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [bw.optimizers.SGD(0.1, momentum=0.9), bw.optimizers.Adam(0.01)])
def test_a_step_that_is_not_finite_is_not_made(optimizer):
    model, by_hand = wide(optimizer), wide(type(optimizer).from_config(optimizer.get_config()))
    x, y = data(model)
    weight = np.ones(len(x), np.float32)
    weight[130:140] = 3e38
    for part in (slice(0, 64), slice(64, 128)):
        by_hand.train_on_batch(x[part], y[part])
    with pytest.raises(DivergenceError, match="step 3"):
        model.fit(x, y, sample_weight=weight, batch_size=64, shuffle=False, verbose=0)
    assert_same(arrays(model), arrays(by_hand))


@pytest.mark.parametrize(
    "optimizer", [bw.optimizers.SGD(1e38), bw.optimizers.SGD(1e38, momentum=0.9), bw.optimizers.Adam(1e39)]
)
def test_an_update_that_overflows_is_undone(optimizer):
    model = wide(optimizer)
    model._ready()
    before = arrays(model)
    x, y = data(model)
    with pytest.raises(DivergenceError, match="the update of step 1 would make a parameter"):
        model.fit(1e3 * x, y, batch_size=64, verbose=0)
    assert model._plan.step_number == 0
    assert_same(arrays(model), before)


class Raising(bw.bricks.Identity):
    """Fails in its third batch."""

    def forward(self, params, x, *, ctx):
        if ctx.training and ctx.step == 2:
            raise RuntimeError("as told")
        return x + 0, ()

    def backward(self, params, saved, dy):
        return (dy,), {}


def test_a_brick_that_raises_leaves_the_steps_before():
    def made():
        x = bw.Input((6,))
        model = bw.Model(
            x, layers.Dense(2, name="b")(Raising()(layers.Dense(200, activation="relu", name="a")(x)))
        )
        model.compile("adam", "mse", seed=3, engine="native")
        for index, weight in enumerate(model.parameters.values()):
            weight[...] = np.random.default_rng(index).standard_normal(weight.shape)
        return model

    model, by_hand = made(), made()
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 6)), rng.standard_normal((40, 2))
    with pytest.raises(RuntimeError, match="as told"):
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    for part in (slice(0, 8), slice(8, 16)):
        by_hand.train_on_batch(x[part], y[part])
    assert_same(arrays(model), arrays(by_hand))


# -- Ctrl-C ----------------------------------------------------------------------------------------------


def test_control_c_is_heard_within_a_large_step():
    """A step of some seconds is given up; nothing has changed, and training can go on."""
    model = wide(units=2500)
    x, y = data(model, rows=20_000)
    model.fit(x[:32], y[:32], batch_size=32, verbose=0)
    before = arrays(model)
    came = []

    def press():
        came.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.5, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=20_000, verbose=0)
    took = time.perf_counter() - came[0]
    timer.join()
    assert_same(arrays(model), before)
    assert took < 3.0, f"{took:.2f} s; a quiet machine takes less than 0.1, the whole step many seconds"


# -- threads and processes -------------------------------------------------------------------------------


def test_two_models_in_two_threads():
    alone = wide()
    alone.fit(*data(alone), batch_size=64, epochs=3, verbose=0)
    models = [wide(), wide()]
    with limited_threads(2):
        threads = [
            threading.Thread(
                target=model.fit, args=data(model), kwargs={"batch_size": 64, "epochs": 3, "verbose": 0}
            )
            for model in models
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for model in models:
        assert_same(arrays(model), arrays(alone))


def _in_a_child(queue):
    model = wide()
    with limited_threads(2):
        model.fit(*data(model), batch_size=64, epochs=1, verbose=0)
    queue.put(float(sum(np.abs(value).sum() for value in model.get_weights())))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning", "ignore:os.fork:RuntimeWarning")
def test_a_forked_child_trains():
    model = wide()
    with limited_threads(2):
        model.fit(*data(model), batch_size=64, epochs=1, verbose=0)
    expected = float(sum(np.abs(value).sum() for value in model.get_weights()))
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_a_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == expected
    child.join()
