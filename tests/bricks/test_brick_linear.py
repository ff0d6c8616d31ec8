"""Linear, Bias and Scale on numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import Bias, Context, Linear, Scale
from brickwork.errors import ParameterTypeError, ShapeError

INFERENCE = Context()


def test_linear_of_the_lecture():
    W = np.array([[3.0, 1.0, 7.0], [8.0, 2.0, 4.0]])
    assert Linear(3)([[0.0, 3.0]], params={"W": W}).tolist() == [[24.0, 6.0, 12.0]]


def test_linear_gradients_by_hand():
    x, W = np.array([[1.0, 2.0]]), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    y, saved = Linear(3).forward({"W": W}, x, ctx=INFERENCE)
    assert y.tolist() == [[9.0, 12.0, 15.0]]
    (dx,), gradients = Linear(3).backward({"W": W}, saved, np.array([[1.0, 0.0, -1.0]]))
    assert dx.tolist() == [[-2.0, -2.0]]
    assert gradients["W"].tolist() == [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0]]


def test_linear_acts_on_the_last_axis_of_any_rank():
    rng = np.random.default_rng(0)
    x, W = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((5, 6))
    y, saved = Linear(6).forward({"W": W}, x, ctx=INFERENCE)
    np.testing.assert_allclose(y, np.einsum("abcf,fu->abcu", x, W), rtol=1e-13)
    dW = Linear(6).parameter_gradients({"W": W}, saved, y)["W"]
    np.testing.assert_allclose(dW, np.einsum("abcf,abcu->fu", x, y), rtol=1e-12)


def test_linear_with_unknown_axes():
    assert Linear(6).output_shape((None, None, 5)) == (None, None, 6)
    assert Linear(6).parameters((None, None, 5))["W"].shape == (5, 6)


def test_linear_needs_the_size_of_the_last_axis():
    with pytest.raises(
        ShapeError, match=r"Linear needs to know the size of axis 1; it received \(N, \?\)\. Give"
    ):
        Linear(6).output_shape((None, None))


@pytest.mark.parametrize("brick", [Linear(2), Bias(), Scale()])
def test_samples_without_features(brick):
    name = type(brick).__name__
    message = (
        rf"{name} takes x of shape \(N, …, F\), at least 2 axes; it received \(N,\), 1 axis\. Put Reshape"
    )
    with pytest.raises(ShapeError, match=message):
        brick.output_shape((None,))
    with pytest.raises(ShapeError, match=message):
        brick.parameters((None,))


def test_units_are_needed():
    with pytest.raises(ParameterTypeError, match=r"Linear needs `units`; .* Write Linear\(units=…\)"):
        Linear()


def test_bias_adds_over_the_last_axis():
    b = np.array([1.0, 2.0, 3.0])
    y, saved = Bias().forward({"b": b}, np.array([[24.0, 6.0, 12.0], [0.0, 0.0, 0.0]]), ctx=INFERENCE)
    assert y.tolist() == [[25.0, 8.0, 15.0], [1.0, 2.0, 3.0]]
    dy = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    (dx,), gradients = Bias().backward({"b": b}, saved, dy)
    assert dx is dy
    assert gradients["b"].tolist() == [11.0, 22.0, 33.0]


def test_scale_is_a_gain():
    gamma, x = np.array([3.0, 0.5]), np.array([[1.0, 2.0], [4.0, 6.0]])
    y, saved = Scale().forward({"gamma": gamma}, x, ctx=INFERENCE)
    assert y.tolist() == [[3.0, 1.0], [12.0, 3.0]]
    (dx,), gradients = Scale().backward({"gamma": gamma}, saved, np.ones((2, 2)))
    assert dx.tolist() == [[3.0, 0.5], [3.0, 0.5]]
    assert gradients["gamma"].tolist() == [5.0, 8.0]


def test_first_values():
    start = {
        name: spec.initializer(spec.shape, "float32") for name, spec in Bias().parameters((None, 3)).items()
    }
    assert start["b"].tolist() == [0.0, 0.0, 0.0]
    assert Scale().parameters((None, 2))["gamma"].initializer((2,), "float32").tolist() == [1.0, 1.0]
    W = Linear(50).parameters((None, 50))["W"].initializer((50, 50), "float32")
    assert 0.2 < np.abs(W).max() <= np.sqrt(6 / 100) + 1e-6


def test_many_float32_rows_add_up():
    """np.sum over 25,000 rows one after the other is off by 9e-4 of the sum of magnitudes."""
    dy = np.random.default_rng(0).uniform(0.9, 1.1, (250, 100, 3)).astype(np.float32)
    b = np.zeros(3, np.float32)
    found = Bias().backward({"b": b}, (), dy)[1]["b"]
    np.testing.assert_allclose(found, dy.astype(np.float64).sum(axis=(0, 1)), rtol=1e-5)
