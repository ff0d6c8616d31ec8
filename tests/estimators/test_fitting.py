"""When a training ends and which epoch's weights stay, on scripted losses and scores."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("sklearn.base")

from sklearn.exceptions import ConvergenceWarning

from brickwork.estimators.fitting import train


class Scripted:
    """Stands for a learner and its plan: each epoch gives the next loss; the state is the epoch's number."""

    def __init__(self, losses):
        self.plan = self
        self.losses = losses
        self.number = 0

    def order(self, places, shuffle):
        return places

    def epoch(self, source, order, batch_size):
        self.number += 1
        return self.losses[self.number - 1]

    def state(self):
        return self.number

    def load(self, state):
        self.number = state

    def finish(self):
        """Nothing: no running mean is kept."""


def run(losses, scores=None, **more):
    settings = {
        "max_iter": len(losses),
        "tol": 0.01,
        "n_iter_no_change": 2,
        "verbose": False,
        "shuffle": True,
    }
    learner = Scripted(losses)
    coming = iter(scores or ())
    validate = (lambda: next(coming)) if scores else None
    course = train(learner, None, np.arange(3), 1, SimpleNamespace(**{**settings, **more}), validate, "Net")
    return course, learner.number


def test_it_ends_after_more_epochs_without_improvement_than_are_allowed():
    """As scikit-learn: falling by less than tol does not count, and the third such epoch is the last."""
    course, number = run([1.0, 0.5, 0.495, 0.494, 0.493, 0.1])
    assert course.losses == [1.0, 0.5, 0.495, 0.494, 0.493]
    assert (number, course.best_loss, course.best_score) == (5, 0.493, None)


def test_an_improvement_begins_the_patience_anew():
    assert len(run([1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.1])[0].losses) == 7


def test_without_tol_all_epochs_are_run():
    assert len(run([1.0] * 9, tol=None)[0].losses) == 9


def test_the_last_epoch_allowed_warns():
    with pytest.warns(ConvergenceWarning, match=r"Net: 3 epochs \(max_iter\) are over"):
        run([3.0, 2.0, 1.0])


def test_the_best_score_decides():
    scores = [0.2, 0.9, 0.5, 0.6, 0.7, 0.99]
    course, number = run([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], scores)
    assert course.scores == scores[:5]
    assert (number, course.best_score) == (2, 0.9)


def test_of_equal_scores_the_last_one_stays():
    course, number = run([1.0] * 6, [0.5, 0.9, 0.8, 0.895, 0.7, 0.7])
    assert course.best_score == 0.9
    assert (number, len(course.scores)) == (4, 5)


def test_a_score_that_is_no_number_keeps_the_last_epoch():
    course, number = run([1.0] * 3, [float("nan")] * 3, tol=None)
    assert number == 3
