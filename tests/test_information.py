"""Information, entropy, cross-entropy, divergence: known numbers, laws on drawn distributions, messages."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickwork import information, losses
from brickwork.errors import DataError, ParameterError, ParameterTypeError, ShapeError

P = np.array([1 / 2, 1 / 4, 1 / 8, 1 / 8])
UNIFORM = np.full(4, 1 / 4)


def test_the_four_horses():
    """The race of Cover and Thomas with four horses: 1.75 bits, 2 in the uniform code, 0.25 apart."""
    assert information.information(P).tolist() == [1.0, 2.0, 3.0, 3.0]
    assert information.entropy(P) == 1.75
    assert information.cross_entropy(P, UNIFORM) == 2.0
    assert information.kl_divergence(P, UNIFORM) == 0.25
    assert information.kl_divergence(UNIFORM, P) == 0.25
    assert information.entropy(P, "nats") == pytest.approx(1.75 * math.log(2))
    assert information.information(math.exp(-3.0), unit="nats") == pytest.approx(3.0)
    assert information.kl_divergence(P, UNIFORM, "nats") == pytest.approx(0.25 * math.log(2))


def test_what_is_certain_and_what_is_ruled_out():
    certain = [0.0, 1.0, 0.0]
    assert information.information(1.0) == 0.0 and information.information(0.0) == math.inf
    assert math.copysign(1.0, information.information(1.0)) == 1.0
    assert information.entropy(certain) == 0.0
    assert information.cross_entropy(certain, [0.5, 0.25, 0.25]) == 2.0
    assert information.cross_entropy([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert information.kl_divergence([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert information.kl_divergence(certain, certain) == 0.0


def test_many_distributions():
    both = np.stack([P, UNIFORM])
    np.testing.assert_array_equal(information.entropy(both), [1.75, 2.0])
    np.testing.assert_array_equal(information.kl_divergence(both, UNIFORM), [0.25, 0.0])
    assert information.cross_entropy(both[:, None], both[None]).shape == (2, 2)


def distributions(count):
    weights = st.lists(st.integers(0, 20), min_size=count, max_size=count).filter(any)
    return weights.map(lambda drawn: np.array(drawn) / sum(drawn))


@given(st.integers(1, 6).flatmap(lambda count: st.tuples(distributions(count), distributions(count))))
def test_laws(drawn):
    p, q = drawn
    entropy, cross = information.entropy(p), information.cross_entropy(p, q)
    apart = information.kl_divergence(p, q)
    assert -1e-12 <= entropy <= math.log2(len(p)) + 1e-12
    assert apart >= 0.0
    assert apart * math.log(2) >= np.abs(p - q).sum() ** 2 / 2 - 1e-12  # Pinsker
    if math.isfinite(cross):
        assert cross - entropy == pytest.approx(apart, abs=1e-9)
        assert cross == pytest.approx(float(np.sum(p[p > 0] * information.information(q[p > 0]))))
    else:
        assert apart == math.inf
    assert information.kl_divergence(p, p) == 0.0
    assert information.entropy(np.repeat(p, 2) / 2) == pytest.approx(entropy + 1.0)


def test_the_losses_say_the_same_in_nats(rng):
    p, q = rng.dirichlet(np.ones(5), 2)
    assert losses.KLDivergence()([p], [q]) == pytest.approx(information.kl_divergence(p, q, "nats"))
    assert losses.CategoricalCrossentropy()([p], [q]) == pytest.approx(
        information.cross_entropy(p, q, "nats")
    )


@pytest.mark.parametrize(
    "call, kind, message",
    [
        (lambda: information.information(1.5), DataError, r"p must be numbers in \[0, 1\]; it holds 1\.5"),
        (lambda: information.information(math.nan), DataError, r"information: p must be .* it holds nan"),
        (lambda: information.information("much"), DataError, r"p must be numbers in \[0, 1\]; got p='much'"),
        (lambda: information.entropy([0.5, 0.6]), DataError, r"p must add up to 1 .* adds up to 1\.1\. Div"),
        (lambda: information.entropy([[0.5, 0.5], [0.5, 0.4]]), DataError, r"adds up to 0\.9\. Divide"),
        (lambda: information.entropy([-0.5, 1.5]), DataError, r"entropy: p must be numbers in .* -0\.5\."),
        (lambda: information.entropy(0.5), ShapeError, r"of shape \(…, K\).* one number\. .*\[p, 1 - p\]"),
        (lambda: information.entropy([]), DataError, r"p must add up to 1 along the last axis; .* to 0\."),
        (lambda: information.kl_divergence(P, [0.5, 0.5]), ShapeError, r"received \(4,\) and \(2,\)\. Give"),
        (lambda: information.cross_entropy(P, [1, 2, 3, 4]), DataError, r"cross_entropy: q must be numbers"),
        (
            lambda: information.cross_entropy([[0.5, 0.5]] * 3, [[1, 0]] * 2),
            ShapeError,
            r"3, 2\) and \(2, 2",
        ),
        (
            lambda: information.entropy(P, "bit"),
            ParameterError,
            r"`unit` must be one of .* Did you mean 'bits'",
        ),
        (lambda: information.entropy(P, 2), ParameterTypeError, r"entropy: `unit` must be one of 'bits', 'n"),
    ],
)
def test_messages(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
