"""Noise on the native engine: the reference's bits, the same on any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    Multiply,
    NaiveDropout,
    Tanh,
)
from brickwork.engines import Program
from brickwork.graph import Graph, Node
from engines.native_checks import agrees, needs_native, plan_for, program_of, same_on_all_threads

pytestmark = needs_native

KINDS = (Dropout, NaiveDropout, AlphaDropout)
SHAPES = [(7,), (1,), (128,), (300,), (5, 6), (3, 4, 17)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def nodes_with(brick):
    return [Node("bent", Tanh(), ("mixed",)), Node("own", brick, ("bent",)), Node("y", Tanh(), ("own",))]


@every_shape
@pytest.mark.parametrize("seed", [None, 2**64 - 3])
@pytest.mark.parametrize("kind", [*KINDS, GaussianDropout, GaussianNoise])
def test_noise(kind, seed, shape):
    agrees(program_of(nodes_with(kind(0.3, seed=seed)), shape))
    nodes = [
        Node("bent", Tanh(), ("mixed",)),
        Node("own", kind(0.3, seed=seed), ("bent",)),
        Node("y", Multiply(), ("own", "bent")),
    ]
    agrees(program_of(nodes, shape))


@pytest.mark.parametrize("kind", [*KINDS, GaussianDropout, GaussianNoise])
def test_without_noise(kind):
    agrees(program_of(nodes_with(kind(0.0)), (5, 6)))


@pytest.mark.parametrize(
    ("axes", "hosted"),
    [((1, 2), False), ((3,), False), ((1, 2, 3), False), ((2, 3), False), ((1, 3), False), ((2,), True)],
    ids=str,
)
@pytest.mark.parametrize("kind", KINDS)
def test_masks_that_are_shared(kind, axes, hosted):
    brick = kind(0.4, shared_axes=axes)
    agrees(program_of(nodes_with(brick), (4, 5, 6)), hosted=[kind.__name__] if hosted else ())


def test_a_mask_of_many_channels():
    agrees(program_of(nodes_with(Dropout(0.4, shared_axes=(1,))), (3, 200)))


def test_a_frozen_node_drops_as_well():
    """Freezing stops parameters and statistics, of which there are none."""
    agrees(
        program_of(
            [Node("own", Dropout(0.4), ("mixed",), frozen=True), Node("y", Tanh(), ("own",))],
            (7,),
        )
    )


def test_normal_numbers_of_both_engines():
    """A hundred thousand of them, to the last digits; their moments are those of a normal distribution."""
    made = Graph({"x": (None, 333)}, [Node("y", GaussianNoise(1.0), ("x",))], ["y"])
    x = {"x": np.zeros((300, 333), np.float32)}
    native, reference = (
        plan_for(name, Program(made, made, "y"), seed=11) for name in ("native", "reference")
    )
    z = native.predict_batch(x, draw=3)[0].astype(np.float64)
    assert np.abs(z - reference.predict_batch(x, draw=3)[0]).max() < 3e-6
    assert np.any(z != native.predict_batch(x, draw=4)[0])
    assert np.all(native.predict_batch(x)[0] == 0.0)
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert z.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * z.size))
    assert np.mean(z**4) == pytest.approx(3.0, abs=0.15)
    assert np.mean(np.abs(z) < 1.0) == pytest.approx(0.682689, abs=0.006)
    assert abs(np.corrcoef(z[:, ::2][:, :166].ravel(), z[:, 1::2].ravel())[0, 1]) < 0.02


def test_noise_is_the_same_on_any_number_of_threads():
    nodes = [
        Node("a", Dropout(0.2), ("mixed",)),
        Node("b", NaiveDropout(0.2, shared_axes=(1,)), ("a",)),
        Node("c", AlphaDropout(0.2, shared_axes=(2,)), ("b",)),
        Node("d", GaussianNoise(0.2), ("c",)),
        Node("y", GaussianDropout(0.2), ("d",)),
    ]
    same_on_all_threads(program_of(nodes, (9, 17)), rows=130, batch_size=64)
