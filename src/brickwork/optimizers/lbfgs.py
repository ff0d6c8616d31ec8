"""Quasi-Newton descent on all rows at once: curvature from the last steps, and a line search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..arguments import Real, Whole, argument, configured
from ..arrays import Array
from ..errors import ParameterError
from .base import NAME, Arrays, Optimizer, Slots
from .line_search import Point, strong_wolfe
from .settings import RATE

Vector = npt.NDArray[np.float64]

Evaluate = Callable[[Arrays], tuple[float, Mapping[str, Array]]]
"""Parameters -> (E, dE/dparameter)."""

_OTHERS = (
    "weight_decay",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "ema_overwrite_frequency",
    "gradient_accumulation_steps",
)


@configured()
class LBFGS(Optimizer):
    """L-BFGS for full batches, with a line search to the strong Wolfe conditions (Liu, Nocedal 1989).

    With s = w' - w and y = g' - g of the last `history_size` steps, the two-loop recursion makes d = -H g,
    H being the BFGS estimate of the inverse Hessian from s'y / y'y I on; then w <- w + a d with
    E(w + a d) <= E(w) + armijo a g'd and |g(w + a d)'d| <= curvature |g'd|. It computes in float64, whatever
    the parameters are in. Where no lower point is found, it begins anew with d = -g; where there is none
    along -g either, the parameters stay as they are.

    One step looks at E several times, and y compares gradients of the same function: each step takes all rows
    (`fit` with batch_size="all", its default here). Masks of dropout stay the same for all looks of a step.
    Penalties belong to E: use regularizers in the place of weight decay.

    Parameters
    ----------
    learning_rate : the a that is tried first, number above 0, or a schedule; default 1.0
    history_size : how many pairs (s, y) are remembered, whole number of at least 1, default 10
    max_evaluations : looks at E along a direction, at most, whole number of at least 1, default 25
    armijo : in (0, 1), default 1e-4
    curvature : in (0, 1), above armijo, default 0.9
    name : str, default "lbfgs"

    >>> lbfgs = LBFGS()
    >>> params = {"w": np.array([1.0, 1.0])}
    >>> slots = lbfgs.slots(params)
    >>> def bowl(params):
    ...     return 0.5 * params["w"] @ ([1, 10] * params["w"]), {"w": [1, 10] * params["w"]}
    >>> for step in range(8):
    ...     params, slots = lbfgs.search(params, bowl, slots, lr=1.0)
    >>> bool(abs(params["w"]).max() < 1e-6)
    True
    """

    whole_data: ClassVar[bool] = True

    learning_rate: Any = argument(RATE, default=1.0)
    history_size: int = argument(Whole(1), default=10)
    max_evaluations: int = argument(Whole(1), default=25)
    armijo: float = argument(Real(0.0, 1.0, low_open=True, high_open=True), default=1e-4)
    curvature: float = argument(Real(0.0, 1.0, low_open=True, high_open=True), default=0.9)
    name: str | None = argument(NAME, default="lbfgs", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [name for name in _OTHERS if getattr(self, name) is not None]
        given += ["use_ema"] if self.use_ema else []
        if given:
            raise ParameterError(
                f"LBFGS: `{given[0]}` must be left out, since the line search follows E itself; got "
                f"{given[0]}={getattr(self, given[0])!r}. For smaller weights give layers a "
                f"kernel_regularizer."
            )
        if self.curvature <= self.armijo:
            raise ParameterError(
                f"LBFGS: `curvature` must be above armijo={self.armijo}, or no step may fulfil both; got "
                f"curvature={self.curvature}."
            )

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The last steps and changes of the gradient, the latest first."""
        return tuple(f"{letter}_{index}" for index in range(self.history_size) for letter in "sy")

    def first_slot(self, slot: str, w: Array) -> Array:
        """Zeros in float64: a pair that is not there yet."""
        return np.zeros(w.shape, np.float64)

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """Raises ParameterError: gradients alone make no step; see `search`."""
        raise ParameterError(
            "LBFGS looks at E again along its direction, which gradients alone do not tell. Call "
            "search(params, evaluate, slots, lr), or fit and train_on_batch of a model."
        )

    def search(
        self,
        params: Mapping[str, Array],
        evaluate: Evaluate,
        slots: Mapping[str, Mapping[str, Array]],
        lr: float,
        start: tuple[float, Mapping[str, Array]] | None = None,
    ) -> tuple[Arrays, Slots]:
        """(parameters, slots) after one step; nothing that was given is changed.

        `start` is (E, gradients) at params, where they are known already.
        """
        flat = _Flat(params)

        def look(x: Vector) -> tuple[Vector, float, Vector]:
            """The point as the parameters' type holds it, E and the gradient there."""
            held = flat.arrays(x)
            energy, gradients = evaluate(held)
            return flat.vector(held), float(energy), flat.vector(gradients)

        x = flat.vector(params)
        energy, gradients = evaluate(dict(params)) if start is None else start
        here = Point(0.0, x, float(energy), flat.vector(gradients))
        pairs = self._pairs(flat, slots)
        for known in (pairs, []) if pairs else ([],):
            d = _direction(here.gradient, known)
            slope = float(here.gradient @ d)
            if not (np.isfinite(slope) and slope < 0.0):
                continue
            first = lr if known else lr * min(1.0, 1.0 / float(np.abs(here.gradient).sum()))
            found = strong_wolfe(look, here, d, first, self.armijo, self.curvature, self.max_evaluations)
            if found is not None:
                s, y = found.x - x, found.gradient - here.gradient
                if float(s @ y) > 1e-10 * float(y @ y):  # else the estimate would not stay positive
                    known = [(s, y), *known][: self.history_size]
                return flat.arrays(found.x), self._slots(flat, known)
        return dict(params), {slot: dict(arrays) for slot, arrays in slots.items()}

    def _pairs(self, flat: _Flat, slots: Mapping[str, Mapping[str, Array]]) -> list[tuple[Vector, Vector]]:
        held = (
            (flat.vector(slots[f"s_{index}"]), flat.vector(slots[f"y_{index}"]))
            for index in range(self.history_size)
        )
        return [(s, y) for s, y in held if float(s @ y) > 0.0]

    def _slots(self, flat: _Flat, pairs: list[tuple[Vector, Vector]]) -> Slots:
        nothing = np.zeros(flat.size)
        padded = [*pairs, *[(nothing, nothing)] * (self.history_size - len(pairs))]
        return {
            f"{letter}_{index}": flat.arrays(vector, np.float64)
            for index, pair in enumerate(padded)
            for letter, vector in zip("sy", pair, strict=True)
        }


class _Flat:
    """Arrays by key as one vector in float64, and back."""

    def __init__(self, params: Mapping[str, Array]) -> None:
        self.like = {key: np.asarray(w) for key, w in params.items()}
        self.size = sum(w.size for w in self.like.values())

    def vector(self, arrays: Mapping[str, Array]) -> Vector:
        """Side by side."""
        parts = [np.asarray(arrays[key], np.float64).reshape(-1) for key in self.like]
        return np.concatenate(parts) if parts else np.zeros(0)

    def arrays(self, vector: Vector, dtype: Any = None) -> Arrays:
        """Apart again, in the parameters' types or in another one."""
        made, at = {}, 0
        for key, w in self.like.items():
            part = vector[at : at + w.size].reshape(w.shape)
            with np.errstate(over="ignore"):  # a trial that is too far is found to be infinite
                made[key] = part.astype(dtype or w.dtype)
            at += w.size
        return made


def _direction(g: Vector, pairs: list[tuple[Vector, Vector]]) -> Vector:
    """-H g by the two-loop recursion; the pairs from the latest to the first."""
    q = -g
    shares = []
    for s, y in pairs:
        share = float(s @ q) / float(s @ y)
        q = q - share * y
        shares.append(share)
    if pairs:
        s, y = pairs[0]
        q = q * (float(s @ y) / float(y @ y))
    for (s, y), share in zip(reversed(pairs), reversed(shares), strict=True):
        q = q + (share - float(y @ q) / float(s @ y)) * s
    return q
