"""Convolutions on the native engine: the reference's numbers on odd shapes, on any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import (
    Add,
    Bias,
    Convolution1D,
    Convolution2D,
    GlobalAveragePooling2D,
    ReLU,
    TransposedConvolution1D,
    TransposedConvolution2D,
)
from brickwork.graph import Node
from engines.native_checks import agrees, needs_native, plan_for, program_of, same_on_all_threads

pytestmark = needs_native

KERNELS = {
    "3x3": {"kernel_size": 3},
    "1x1": {"kernel_size": 1},
    "1x1, stride 2": {"kernel_size": 1, "strides": 2},
    "3x3, same": {"kernel_size": 3, "padding": "same"},
    "5x5, same": {"kernel_size": 5, "padding": "same"},
    "3x2, stride 2, same": {"kernel_size": (3, 2), "strides": 2, "padding": "same"},
    "stride larger than kernel": {"kernel_size": 2, "strides": (3, 4)},
    "dilated": {"kernel_size": 3, "dilation_rate": 2, "padding": "same"},
    "dilated one way, stride the other": {"kernel_size": 2, "dilation_rate": (1, 2), "strides": (2, 1)},
    "own border": {"kernel_size": 3, "padding": ((2, 0), (1, 3))},
    "border wider than the kernel": {"kernel_size": 2, "padding": ((3, 2), (4, 0))},
    "own border, stride 2": {"kernel_size": 3, "strides": 2, "padding": ((1, 0), (0, 2))},
}
SHAPES = [(6, 7, 1), (7, 6, 3), (6, 6, 17), (5, 8, 32)]


RATE = 1e-5
"""Errors are summed over whole images: steps must be short."""


def convolved(brick, shape, **more):
    """A convolution between two others, so that it gets and hands on gradients."""
    return program_of([Node("y", brick, ("mixed",))], shape, **more)


@pytest.mark.parametrize("filters", [1, 6, 17, 33])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_agrees_with_the_reference(filters, shape, kernel):
    agrees(convolved(Convolution2D(filters, **kernel), shape), rate=RATE)


@pytest.mark.parametrize("groups, channels, filters", [(2, 4, 6), (4, 4, 4), (3, 9, 33), (16, 16, 16)])
@pytest.mark.parametrize("kernel", ["3x3, same", "1x1", "3x2, stride 2, same", "dilated"])
def test_groups(groups, channels, filters, kernel):
    agrees(convolved(Convolution2D(filters, groups=groups, **KERNELS[kernel]), (7, 6, channels)), rate=RATE)


@pytest.mark.parametrize("channels, filters", [(16, 16), (17, 20), (32, 32), (33, 48)])
@pytest.mark.parametrize("size", [(3, 3), (4, 7), (8, 8), (15, 14)], ids=str)
@pytest.mark.parametrize("padding", ["valid", "same", ((2, 0), (0, 2))], ids=str)
def test_by_patches(channels, filters, size, padding):
    """3x3 of stride 1 with many channels goes by Winograd's patches, also where they reach over the edge."""
    program = convolved(Convolution2D(filters, 3, padding=padding), (*size, channels))
    agrees(program, rate=RATE)
    assert "winograd" in {step.name for step in plan_for("native", program)._pass("train", 6).writer.steps}


@pytest.mark.parametrize("filters", [1, 3, 6, 7, 8])
@pytest.mark.parametrize("size", [(5, 12), (3, 16), (4, 31), (6, 45)], ids=str)
@pytest.mark.parametrize(
    "kernel", ["3x3", "5x5, same", "own border", "border wider than the kernel", "tall steps"]
)
def test_by_lines(filters, size, kernel):
    """Few filters on images of one channel take a line's pixels at a time, also where it fills no vectors."""
    settings = {**KERNELS, "tall steps": {"kernel_size": (2, 1), "strides": (2, 1)}}[kernel]
    program = convolved(Convolution2D(filters, **settings), (*size, 1))
    agrees(program, rate=RATE)
    names = {step.name for step in plan_for("native", program)._pass("train", 6).writer.steps}
    wide = program.graph.shapes["y"][2]
    enough = 4 * wide >= 3 * (-(-wide // 16) * 16)
    assert ("convolve_lines" in names) is enough and ("convolve_lines_gradient" in names) is enough


@pytest.mark.parametrize("filters, channels", [(6, 1), (32, 3), (20, 17), (32, 32)])
def test_bias_and_rectifier_are_taken_in(filters, channels):
    nodes = [
        Node("c", Convolution2D(filters, 3, padding="same"), ("mixed",)),
        Node("b", Bias(), ("c",)),
        Node("y", ReLU(), ("b",)),
    ]
    program = program_of(nodes, (6, 5, channels))
    agrees(program, rate=RATE)
    steps = plan_for("native", program)._pass("evaluate", 6).writer.steps
    assert any(len(step.covers) == 3 for step in steps)
    assert not any(step.name == "unary" and "y" in step.covers for step in steps)


def test_one_kernel_used_twice():
    kernel = Convolution2D(17, 3, padding="same")
    nodes = [
        Node("first", kernel, ("mixed",), owner="shared"),
        Node("y", kernel, ("first",), owner="shared"),
    ]
    agrees(program_of(nodes, (6, 5, 17)), rate=RATE)


def test_two_readers_of_one_image():
    """Each adds its part to the image's gradient."""
    nodes = [
        Node("left", Convolution2D(6, 3), ("mixed",)),
        Node("right", Convolution2D(6, 1), ("mixed",)),
        Node("third", Convolution2D(6, 3, padding="same"), ("mixed",)),
        *(Node(f"mean {name}", GlobalAveragePooling2D(), (name,)) for name in ("left", "right", "third")),
        Node("y", Add(), ("mean left", "mean right", "mean third")),
    ]
    agrees(program_of(nodes, (6, 7, 18)), rate=RATE)


@pytest.mark.parametrize("kernel", ["3x3, same", "3x2, stride 2, same", "5x5, same"])
@pytest.mark.parametrize("channels, filters", [(1, 6), (17, 33), (32, 32)])
def test_the_same_bits_on_any_number_of_threads(kernel, channels, filters):
    same_on_all_threads(convolved(Convolution2D(filters, **KERNELS[kernel]), (9, 13, channels)))


SPREADING = {
    "3x3": {"kernel_size": 3},
    "1x1": {"kernel_size": 1},
    "3x3, same": {"kernel_size": 3, "padding": "same"},
    "2x2, stride 2": {"kernel_size": 2, "strides": 2},
    "4x3, stride 2, same": {"kernel_size": (4, 3), "strides": 2, "padding": "same"},
    "stride larger than kernel": {"kernel_size": 2, "strides": (3, 4)},
    "dilated": {"kernel_size": (2, 3), "dilation_rate": 2, "strides": (1, 2), "padding": "same"},
    "more": {"kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1},
}


@pytest.mark.parametrize("filters", [1, 17, 32])
@pytest.mark.parametrize("shape", [(4, 5, 1), (3, 4, 17), (5, 4, 32)], ids=str)
@pytest.mark.parametrize("kernel", SPREADING.values(), ids=SPREADING)
def test_transposed(filters, shape, kernel):
    agrees(convolved(TransposedConvolution2D(filters, **kernel), shape), rate=RATE)


@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("filters, channels", [(1, 6), (3, 17), (20, 17), (32, 32)])
@pytest.mark.parametrize("kernel", ["3x3, same", "1x1", "stride larger than kernel"])
def test_transposed_with_bias_and_rectifier(kernel, filters, channels, biased, rectified):
    nodes = [Node("c", TransposedConvolution2D(filters, **SPREADING[kernel]), ("mixed",))]
    nodes += [Node("b", Bias(), ("c",))] if biased else []
    nodes += [Node("r", ReLU(), (nodes[-1].name,))] if rectified else []
    nodes += [Node("y", Convolution2D(3, 2), (nodes[-1].name,))]
    program = program_of(nodes, (4, 5, channels))
    agrees(program, rate=RATE)
    steps = plan_for("native", program)._pass("evaluate", 6).writer.steps
    assert any({"c", "b"} <= set(step.covers) for step in steps) is biased


def test_gradients_of_transposed_convolutions_are_added():
    """On lines, on patches and elsewhere the gradient of x joins another one."""
    for channels, filters, size in ((8, 1, (3, 14)), (32, 32, (4, 4)), (17, 3, (4, 5))):
        nodes = [
            Node("a", TransposedConvolution2D(filters, 3), ("mixed",)),
            Node("b", Convolution2D(filters, 1), ("mixed",)),
            Node("ga", GlobalAveragePooling2D(), ("a",)),
            Node("gb", GlobalAveragePooling2D(), ("b",)),
            Node("y", Add(), ("ga", "gb")),
        ]
        agrees(program_of(nodes, (*size, channels)), rate=RATE)


SEQUENCES = {
    "causal": Convolution1D(6, 3, padding="causal", dilation_rate=2),
    "same, stride 2": Convolution1D(17, 4, padding="same", strides=2),
    "one step": Convolution1D(20, 1),
    "groups": Convolution1D(4, 2, groups=2),
    "own border": Convolution1D(3, 3, padding=(4, 1)),
    "stride larger than kernel": Convolution1D(5, 2, strides=3),
    "transposed": TransposedConvolution1D(6, 3, strides=2),
    "transposed, same": TransposedConvolution1D(17, 4, strides=3, padding="same", output_padding=1),
}


@pytest.mark.parametrize("shape", [(9, 2), (8, 18), (20, 32)], ids=str)
@pytest.mark.parametrize("brick", SEQUENCES.values(), ids=SEQUENCES)
def test_sequences(brick, shape):
    agrees(convolved(brick, shape), rate=RATE)


def test_sequences_of_one_channel():
    agrees(convolved(Convolution1D(6, 5, padding="same"), (31, 1)), rate=RATE)


@pytest.mark.parametrize(
    "brick",
    [TransposedConvolution2D(17, 3, strides=2), TransposedConvolution2D(2, 3, padding="same")],
    ids=repr,
)
def test_transposed_gives_the_same_bits_on_any_number_of_threads(brick):
    same_on_all_threads(convolved(brick, (6, 7, 17)))


def test_one_sample():
    agrees(convolved(TransposedConvolution2D(1, 3), (2, 2, 1)), rows=1, batch_size=1, rate=RATE)
    agrees(convolved(Convolution2D(33, 3, padding="same"), (6, 6, 17)), rows=1, batch_size=1, rate=RATE)


def test_a_kernel_of_ones_adds_what_it_sees():
    program = program_of([Node("y", Convolution2D(1, 3), ("mixed",))], (3, 3, 1))

    def ones(parameters, statistics):
        for value in parameters.values():
            value[...] = 1.0

    plan = plan_for("native", program, change=ones)
    (y,) = plan.predict_batch({"x": np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)})
    assert y.item() == 36.0
