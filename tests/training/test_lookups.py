"""Numbers for an Embedding are checked before any engine sees them."""

from __future__ import annotations

import numpy as np
import pytest

import brickwork
from brickwork import layers
from brickwork.engines.native_module import load_native
from brickwork.errors import DataError

every_engine = pytest.mark.parametrize("engine", ["reference", "jax", *(["native"] if load_native() else [])])
BEYOND = (
    "{}x must hold whole numbers from 0 to 9, since the Embedding 'words' has input_dim=10; "
    "it holds {} in row {}"
)


def texts(engine, dtype="int32"):
    model = brickwork.Sequential(
        [
            brickwork.Input((4,), dtype=dtype),
            layers.Embedding(10, 3, name="words"),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse", engine=engine)
    return model


def numbers(value, dtype="int32"):
    x = np.arange(24).reshape(6, 4) % 10
    x[4, 1] = value
    return x.astype(dtype), np.zeros((6, 1), "float32")


@every_engine
@pytest.mark.parametrize("dtype", ["int32", "float32"])
@pytest.mark.parametrize("value", [10, -1])
def test_numbers_without_a_row(engine, dtype, value):
    model, (x, t) = texts(engine, dtype), numbers(value, dtype)
    told = BEYOND.format("{}", x[4, 1], 4)
    for use in (
        lambda: model.fit(x, t, verbose=0),
        lambda: model.evaluate(x, t, verbose=0),
        lambda: model.predict(x, verbose=0),
        lambda: model.train_on_batch(x, t),
        lambda: model.gradients(x, t),
        lambda: model.predict_on_batch(x),
    ):
        with pytest.raises(DataError, match=told.format("")):
            use()
    with pytest.raises(DataError, match=told.format("batch 1: ").replace("row 4", "row 1")):
        model.fit([(x[:3], t[:3]), (x[3:], t[3:])], verbose=0)
    with pytest.raises(DataError, match=told.format("validation ")):
        model.fit(x[:2], t[:2], validation_data=(x, t), verbose=0)
    with pytest.raises(DataError, match=r"x for 'input_layer.*' must hold whole numbers"):
        model.predictor(6)(x)


@every_engine
def test_numbers_that_have_a_row(engine):
    model = texts(engine, "float32")
    x, t = numbers(9, "float32")
    x[0, 0] = 9.5  # a fraction is cut off
    model.fit(x, t, verbose=0)
    assert np.isfinite(model.predictor(6)(x)).all()


def test_how_to_mend_it():
    model = texts("reference")
    with pytest.raises(DataError, match="Give the layer an input_dim of at least 13, or number from 0"):
        model.predict(numbers(12)[0], verbose=0)
    with pytest.raises(DataError, match="Number from 0, and keep a number for what is not known"):
        model.predict(numbers(-1)[0], verbose=0)


def test_columns_of_a_table_go_into_tables_of_their_own():
    """Through bricks that only move numbers; what a number is made of is the network's own business."""
    start = brickwork.Input((3,), name="table")
    first = layers.Embedding(2, 4, name="first")(brickwork.bricks.Slice(1, 0, 1)(start))
    second = layers.Embedding(5, 4, name="second")(
        layers.Reshape((2,))(brickwork.bricks.Slice(1, 1, 3)(start))
    )
    made = layers.Embedding(2, 4, name="made")(brickwork.bricks.Rescaling(0.0)(start))
    model = brickwork.Model(start, layers.Concatenate(1)([first, second, made]))
    x = np.array([[1, 4, 4], [0, 0, 4.0]])
    assert model.predict(x, verbose=0).shape == (2, 6, 4)
    for column, layer, count in ((0, "first", 2), (2, "second", 5)):
        wrong = x.copy()
        wrong[1, column] = 7
        with pytest.raises(DataError, match=f"'{layer}' has input_dim={count}; it holds 7.0 in row 1"):
            model.predict(wrong, verbose=0)


def test_which_input_it_is():
    both = [brickwork.Input((2,), name=name, dtype="int32") for name in ("left", "right")]
    y = layers.Add()([layers.Embedding(3, 2)(x) for x in both])
    model = brickwork.Model(both, y)
    x = np.array([[1, 2]])
    with pytest.raises(DataError, match=r"x\['right'\] must hold whole numbers from 0 to 2"):
        model.predict({"left": x, "right": x + 1}, verbose=0)
