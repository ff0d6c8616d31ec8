"""Information theory: what an answer is worth, in bits or nats.

Distributions lie along the last axis; what stands before it are as many distributions. The losses of the same
names (`losses.KLDivergence`, `losses.CategoricalCrossentropy`) are for training: they clip, and take nats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._lazy import suggest
from .argument_checks import Choice
from .arrays import Array
from .errors import DataError, ShapeError

_UNIT = Choice(("bits", "nats"))
_TOLERANCE = 1e-6


def information(p: Any, unit: str = "bits") -> Any:
    """What it tells that something of probability p has happened: I = -log p.

    Parameters
    ----------
    p : a probability, or an array of them; each in [0, 1], and of 0 the information is infinite
    unit : "bits" (default, the logarithm to the base 2) or "nats" (the natural one)

    Returns a number, or an array of the shape of p. Raises DataError for what is no probability.

    >>> information(1 / 8), information([1.0, 0.5]).tolist()
    (3.0, [0.0, 1.0])

    Shannon, "A Mathematical Theory of Communication", 1948.
    """
    log = _logarithm("information", unit)
    given = _probabilities("information", "p", p)
    with np.errstate(divide="ignore"):
        return _number(0.0 - log(given))


def entropy(p: Any, unit: str = "bits") -> Any:
    """The information to expect from a distribution: H = -Σ p log p, at most log K for K outcomes.

    Parameters
    ----------
    p : probabilities (…, K) that add up to 1 along the last axis
    unit : "bits" (default) or "nats"

    Returns a number, or an array of the axes before the last. Raises DataError where p is no distribution.

    >>> entropy([1 / 2, 1 / 4, 1 / 8, 1 / 8])
    1.75

    Shannon, "A Mathematical Theory of Communication", 1948.
    """
    log = _logarithm("entropy", unit)
    given = _distribution("entropy", "p", p)
    return _number(_expected_cost(given, given, log))


def cross_entropy(p: Any, q: Any, unit: str = "bits") -> Any:
    """How long messages are on average, of a source p in the best code for q: H(p, q) = -Σ p log q.

    At least the entropy of p; infinite where q rules out what p does not.

    Parameters
    ----------
    p, q : probabilities (…, K) that add up to 1 along the last axis; the axes before it broadcast
    unit : "bits" (default) or "nats"

    Returns a number, or an array of the axes before the last. Raises DataError where p or q is no
    distribution, ShapeError where they do not have the same K.

    >>> cross_entropy([1 / 2, 1 / 4, 1 / 8, 1 / 8], [1 / 4] * 4)
    2.0

    Cover and Thomas, "Elements of Information Theory", 1991.
    """
    log = _logarithm("cross_entropy", unit)
    return _number(_expected_cost(*_pair("cross_entropy", p, q), log))


def kl_divergence(p: Any, q: Any, unit: str = "bits") -> Any:
    """What it costs on average to take q for the distribution p: D(p ‖ q) = Σ p log(p / q) = H(p, q) - H(p).

    At least 0, and 0 only for p = q; infinite where q rules out what p does not. It is no distance: D(p ‖ q)
    and D(q ‖ p) differ.

    Parameters
    ----------
    p, q : probabilities (…, K) that add up to 1 along the last axis; the axes before it broadcast
    unit : "bits" (default) or "nats"

    Returns a number, or an array of the axes before the last. Raises DataError where p or q is no
    distribution, ShapeError where they do not have the same K.

    >>> kl_divergence([1 / 2, 1 / 4, 1 / 8, 1 / 8], [1 / 4] * 4)
    0.25

    Kullback and Leibler, "On Information and Sufficiency", 1951.
    """
    log = _logarithm("kl_divergence", unit)
    p, q = _pair("kl_divergence", p, q)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * log(p / q), 0.0)
    return _number(np.maximum(np.sum(terms, axis=-1), 0.0))  # below 0 by rounding alone


def _expected_cost(p: Array, q: Array, log: Any) -> Array:
    """-Σ p log q, and nothing for what never happens."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sum(np.where(p > 0, 0.0 - p * log(q), 0.0), axis=-1)


def _logarithm(owner: str, unit: Any) -> Any:
    return np.log2 if _UNIT(owner, "unit", unit) == "bits" else np.log


def _pair(owner: str, p: Any, q: Any) -> tuple[Array, Array]:
    one, other = _distribution(owner, "p", p), _distribution(owner, "q", q)
    try:
        if one.shape[-1] != other.shape[-1]:
            raise ValueError
        np.broadcast_shapes(one.shape, other.shape)
    except ValueError:
        raise ShapeError(
            f"{owner} takes p and q of equal shapes (…, K); it received {one.shape} and {other.shape}. Give "
            f"both a probability for each of the same outcomes."
        ) from None
    return one, other


def _distribution(owner: str, name: str, p: Any) -> Array:
    given = _probabilities(owner, name, p)
    if given.ndim == 0:
        raise ShapeError(
            f"{owner} takes {name} of shape (…, K), the probabilities of K outcomes; it received one number. "
            f"Of two outcomes, write [p, 1 - p]."
        )
    total = np.sum(given, axis=-1)
    wrong = ~(np.abs(total - 1.0) <= _TOLERANCE * max(1, given.shape[-1]))
    if wrong.any():
        raise DataError(
            f"{owner}: {name} must add up to 1 along the last axis; it adds up to "
            f"{float(np.ravel(total)[np.argmax(wrong)]):.7g}. Divide counts by their sum."
        )
    return given


def _probabilities(owner: str, name: str, p: Any) -> Array:
    try:
        given = np.asarray(p, np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"{owner}: {name} must be numbers in [0, 1]; got {name}={p!r}. Pass a number or an array."
        ) from None
    wrong = ~((given >= 0.0) & (given <= 1.0 + _TOLERANCE))
    if wrong.any():
        first = float(np.ravel(given)[np.argmax(wrong)])
        raise DataError(
            f"{owner}: {name} must be numbers in [0, 1]; it holds {first}. Divide counts by their sum."
        )
    return given


def _number(value: Array) -> Any:
    """A float for a single number."""
    return float(value) if np.ndim(value) == 0 else value


if not TYPE_CHECKING:
    __getattr__ = suggest(__name__)
