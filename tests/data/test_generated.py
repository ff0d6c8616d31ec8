"""Generated sets lie where their formulas say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from brickwork import data, datasets
from brickwork.data.generated import MAKERS, blobs, circles, generate, moons, spiral, xor
from brickwork.errors import ParameterError


@pytest.mark.parametrize("name", MAKERS)
def test_sizes_types_and_classes(name):
    dataset = data.load(name)
    assert dataset.x_train.shape == (500, 2) and dataset.x_test.shape == (250, 2)
    assert dataset.x_train.dtype == np.float32 and dataset.y_train.dtype == np.int64
    counts = np.bincount(dataset.y_train)
    assert len(counts) == len(dataset.class_names) and counts.max() - counts.min() <= 1
    assert set(dataset.y_train[-50:]) == set(range(len(counts)))  # any run of rows holds every class
    (x_train, y_train), (x_test, y_test) = getattr(datasets, name).load_data(20, 10, seed=3)
    assert x_train.shape == (20, 2) and y_test.shape == (10,) and y_train.dtype == np.uint8


@pytest.mark.parametrize(("name", "maker"), [(name, maker) for name, (maker, _) in MAKERS.items()])
def test_a_seed_draws_the_same_points(name, maker):
    for given in ({}, {"noise": 0.0}):
        (x, y), (again, _), (other, _) = (maker(30, seed=seed, **given) for seed in (1, 1, 2))
        assert np.array_equal(x, again) and not np.array_equal(x, other)
        assert np.isfinite(x).all() and len(y) == 30


def test_the_two_parts_are_drawn_apart():
    dataset = generate("blobs", 30, 30, seed=1)
    assert not np.array_equal(dataset.x_train, dataset.x_test)
    assert not np.array_equal(dataset.x_test, generate("blobs", 30, 30, seed=2).x_train)


def test_moons_are_half_circles():
    x, y = moons(101, noise=0.0)
    np.testing.assert_allclose(np.hypot(*x[y == 0].T), 1.0, rtol=1e-6)
    np.testing.assert_allclose(np.hypot(*(x[y == 1] - [1.0, 0.5]).T), 1.0, rtol=1e-6)
    assert np.all(x[y == 0][:, 1] >= -1e-6) and np.all(x[y == 1][:, 1] <= 0.5 + 1e-6)


def test_circles():
    x, y = circles(100, noise=0.0, factor=0.25)
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y == 0, 1.0, 0.25), rtol=1e-6)
    assert np.abs(x[y == 1].mean(axis=0)).max() < 1e-6  # evenly around
    with pytest.raises(ParameterError, match=re.escape("circles: `factor` must be in (0, 1); got factor=1.")):
        circles(factor=1.0)


def test_blobs_stand_evenly_on_a_circle():
    x, y = blobs(600, classes=6, noise=0.01)
    centres = np.stack([x[y == label].mean(axis=0) for label in range(6)])
    angle = np.arange(6) * np.pi / 3
    np.testing.assert_allclose(centres, np.stack([np.cos(angle), np.sin(angle)], 1), atol=0.01)


def test_the_arms_of_the_spiral():
    x, y = spiral(90, classes=3, noise=0.0, turns=0.5)
    radius = np.hypot(*x.T)
    wanted = 2 * np.pi * (y / 3 + 0.5 * radius)
    np.testing.assert_allclose(np.exp(1j * wanted) * radius, x[:, 0] + 1j * x[:, 1], atol=1e-6)


def test_exclusive_or():
    x, y = xor(200)
    assert np.array_equal(y == 1, x[:, 0] * x[:, 1] < 0)
    assert np.abs(x).max() <= 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "moons: `n` must be a whole number of at least 1; got n=0."),
        ({"noise": -1.0}, "moons: `noise` must be a finite number of at least 0; got noise=-1.0."),
        ({"noise": float("nan")}, "moons: `noise` must be a finite number"),
        ({"seed": -1}, "moons: `seed` must be a whole number of at least 0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        moons(**arguments)


def test_one_class_is_too_few():
    with pytest.raises(ParameterError, match="spiral: `classes` must be a whole number of at least 2"):
        spiral(classes=1)
    with pytest.raises(
        ParameterError, match="xor: `n_train` must be a whole number of at least 1; got n_train=0"
    ):
        generate("xor", 0)
