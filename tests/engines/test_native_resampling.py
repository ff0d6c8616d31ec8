"""Borders and upsampling on the native engine: the reference's numbers on odd shapes."""

from __future__ import annotations

import pytest

from brickwork.bricks import (
    Add,
    Cropping1D,
    Cropping2D,
    Flatten,
    GlobalAveragePooling2D,
    Tanh,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from brickwork.graph import Node
from engines.native_checks import agrees, needs_native, program_of, same_on_all_threads

pytestmark = needs_native

IMAGES = [(5, 6, 17), (6, 5, 1), (5, 5, 3), (7, 5, 32)]
ON_IMAGES = {
    "zeros": ZeroPadding2D(((2, 0), (1, 3))),
    "zeros on one side": ZeroPadding2D(((0, 0), (0, 1))),
    "cropped": Cropping2D(((2, 1), (0, 3))),
    "nothing": Cropping2D(),
    "nearest": UpSampling2D((2, 3)),
    "bilinear": UpSampling2D((3, 2), "bilinear"),
    "bicubic": UpSampling2D((2, 1), "bicubic"),
    "lanczos3": UpSampling2D(2, "lanczos3"),
    "lanczos5": UpSampling2D(2, "lanczos5"),
}
ON_SEQUENCES = {"zeros": ZeroPadding1D((2, 1)), "cropped": Cropping1D((1, 2)), "nearest": UpSampling1D(3)}


@pytest.mark.parametrize("shape", IMAGES, ids=str)
@pytest.mark.parametrize("brick", ON_IMAGES.values(), ids=ON_IMAGES)
def test_images(brick, shape):
    agrees(program_of([Node("y", brick, ("mixed",))], shape))


@pytest.mark.parametrize("shape", [(5, 17), (4, 1)], ids=str)
@pytest.mark.parametrize("brick", ON_SEQUENCES.values(), ids=ON_SEQUENCES)
def test_sequences(brick, shape):
    agrees(program_of([Node("y", brick, ("mixed",))], shape))


@pytest.mark.parametrize("brick", ON_IMAGES.values(), ids=ON_IMAGES)
@pytest.mark.parametrize("first", [False, True])
def test_gradients_are_added_to_others(brick, first):
    own = [Node("own", brick, ("mixed",)), Node("g1", GlobalAveragePooling2D(), ("own",))]
    other = [Node("bent", Tanh(), ("mixed",)), Node("g2", GlobalAveragePooling2D(), ("bent",))]
    nodes = own + other if first else other + own
    agrees(program_of([*nodes, Node("y", Add(), ("g1", "g2"))], (6, 7, 5)))


def test_one_sample():
    agrees(program_of([Node("y", UpSampling2D(2, "bilinear"), ("mixed",))], (3, 2, 1)), rows=1, batch_size=1)


def test_the_same_on_any_number_of_threads():
    nodes = [
        Node("p", ZeroPadding2D(2), ("mixed",)),
        Node("u", UpSampling2D(2, "bicubic"), ("p",)),
        Node("c", Cropping2D(3), ("u",)),
        Node("y", Flatten(), ("c",)),
    ]
    same_on_all_threads(program_of(nodes, (9, 7, 5)))
