"""Epoch after epoch until nothing improves: when an estimator's training ends, and what it leaves."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..arrays import Array
from ..data.source import ArraySource
from ..errors import DivergenceError
from .learner import Learner
from .scikit_learn import ConvergenceWarning


@dataclass
class Course:
    """What a training was like: a loss per epoch, and a score per epoch where rows were kept for it."""

    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    @property
    def best_loss(self) -> float:
        """The smallest loss."""
        return min(self.losses)

    @property
    def best_score(self) -> float | None:
        """The highest score on the validation rows."""
        return max(self.scores, default=None)


def train(
    learner: Learner,
    source: ArraySource,
    places: Array,
    batch_size: int,
    settings: Any,
    validate: Callable[[], float] | None,
    owner: str,
) -> Course:
    """At most `max_iter` epochs, as scikit-learn's MLP ends them.

    The loss, or with `validate` the score, must improve by `tol` within `n_iter_no_change` epochs; tol=None
    goes through all epochs. With `validate`, the network is in the end as it was at its best score: at the
    last one of those that differ by no more than `tol`, since scores of few rows tie often.
    """
    course = Course()
    tolerance = settings.tol or 0.0
    best, best_state, waited = -float("inf"), None, 0
    for number in range(1, settings.max_iter + 1):
        course.losses.append(one_epoch(learner, source, places, batch_size, settings.shuffle, owner))
        now = -course.losses[-1]
        if validate is not None:
            now = validate()
            course.scores.append(now)
        if settings.verbose:
            print(_told(owner, number, settings.max_iter, course))
        waited = waited + 1 if settings.tol is not None and now < best + tolerance else 0
        if validate is not None and now >= best - tolerance:
            best_state = learner.plan.state()
        best = max(best, now)
        if waited > settings.n_iter_no_change:
            break
    else:
        if settings.tol is not None:
            warnings.warn(
                f"{owner}: {settings.max_iter} epochs (max_iter) are over and the training still improves. "
                f"Raise max_iter, or set tol=None for a fixed number of epochs.",
                ConvergenceWarning,
                stacklevel=4,
            )
    if best_state is not None:
        learner.plan.load(best_state)
    else:
        learner.plan.finish()
    return course


def one_epoch(
    learner: Learner, source: ArraySource, places: Array, batch_size: int, shuffle: bool, owner: str
) -> float:
    """One pass over the rows. Gives the mean loss."""
    try:
        return learner.epoch(source, learner.order(places, shuffle), batch_size)
    except DivergenceError as error:
        error.add_note(
            f"{owner} was being fitted. Put StandardScaler() before it (and scale the targets of a "
            f"regression), or lower learning_rate."
        )
        raise


def _told(owner: str, number: int, of: int, course: Course) -> str:
    score = f", validation score {course.scores[-1]:.4f}" if course.scores else ""
    return f"{owner}: epoch {number}/{of}, loss {course.losses[-1]:.6f}{score}"
