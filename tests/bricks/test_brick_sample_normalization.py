"""Normalization of each sample, and across channels: numbers by hand, PyTorch's, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import (
    Context,
    GroupNormalization,
    LayerNormalization,
    LocalResponseNormalization,
    UnitNormalization,
)
from brickwork.errors import ParameterError, ShapeError


def test_layer_normalization_by_hand():
    """1 and 3: mean 2, variance 1; with epsilon 3 the deviation is 2."""
    brick = LayerNormalization(epsilon=3.0)
    params = {"gamma": np.array([4.0, 2.0]), "beta": np.array([10.0, 0.0])}
    y, saved = brick.forward(params, np.array([[1.0, 3.0]]), ctx=Context())
    assert y.tolist() == [[8.0, 1.0]]
    (dx,), gradients = brick.backward(params, saved, np.array([[1.0, 4.0]]))
    assert gradients["gamma"].tolist() == [-0.5, 2.0]
    assert gradients["beta"].tolist() == [1.0, 4.0]
    # dz = (4, 8): mean 6, mean(dz z) = 1; dx = (dz - 6 - z) / 2
    assert dx.tolist() == [[-0.75, 0.75]]


def test_one_group_is_layer_normalization():
    x = np.random.default_rng(0).standard_normal((3, 5, 4, 6))
    params = {"gamma": np.ones(6), "beta": np.zeros(6)}
    whole, _ = LayerNormalization((1, 2, 3), scale=False, center=False).forward({}, x, ctx=Context())
    np.testing.assert_allclose(GroupNormalization(1).forward(params, x, ctx=Context())[0], whole, atol=1e-13)


def test_rows_of_zeros_have_no_direction():
    y, saved = UnitNormalization().forward({}, np.zeros((1, 3)), ctx=Context())
    assert y.tolist() == [[0.0] * 3]
    (dx,), _ = UnitNormalization().backward({}, saved, np.full((1, 3), 1e-12))
    np.testing.assert_allclose(dx, np.ones((1, 3)))


@pytest.mark.parametrize("size", [1, 2, 4, 5, 9, 30])
@pytest.mark.parametrize("channels", [3, 16])
def test_local_response_is_that_of_pytorch(size, channels):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(size).standard_normal((2, 3, 4, channels))
    theirs = torch.tensor(np.moveaxis(x, -1, 1), requires_grad=True)
    dy = np.random.default_rng(1).standard_normal(x.shape)
    y = torch.nn.LocalResponseNorm(size, alpha=0.3 * size, beta=0.6, k=1.5)(theirs)
    y.backward(torch.tensor(np.moveaxis(dy, -1, 1)))
    brick = LocalResponseNormalization(size, alpha=0.3, beta=0.6, k=1.5)
    mine, saved = brick.forward({}, x, ctx=Context())
    np.testing.assert_allclose(mine, np.moveaxis(y.detach().numpy(), 1, -1), rtol=1e-12)
    (dx,), _ = brick.backward({}, saved, dy)
    np.testing.assert_allclose(dx, np.moveaxis(theirs.grad.numpy(), 1, -1), rtol=1e-10, atol=1e-12)


def test_what_is_refused():
    with pytest.raises(ParameterError, match=r"LayerNormalization: `axis` must name one axis or more"):
        LayerNormalization(())
    with pytest.raises(ShapeError, match=r"LayerNormalization takes an axis in .*it received axis=0"):
        LayerNormalization((0,)).output_shape((None, 3))
    with pytest.raises(ShapeError, match=r"GroupNormalization with 4 groups takes x whose axis -1 they"):
        GroupNormalization(4).output_shape((None, 5, 5, 6))
    with pytest.raises(ShapeError, match=r"GroupNormalization needs to know the size of axis 2"):
        GroupNormalization(4).output_shape((None, 5, None))
