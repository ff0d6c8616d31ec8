"""Depthwise convolutions on the native engine: the reference on odd shapes, on any number of threads."""

from __future__ import annotations

import pytest

from brickwork.bricks import (
    Add,
    Bias,
    Convolution2D,
    DepthwiseConvolution1D,
    DepthwiseConvolution2D,
    GlobalAveragePooling2D,
    ReLU,
    Tanh,
)
from brickwork.graph import Node
from engines.native_checks import agrees, needs_native, plan_for, program_of, same_on_all_threads

pytestmark = needs_native

RATE = 1e-5
KERNELS = {
    "3x3, same": {"kernel_size": 3, "padding": "same"},
    "3x3": {"kernel_size": 3},
    "1x1": {"kernel_size": 1},
    "5x4, stride 2, same": {"kernel_size": (5, 4), "strides": 2, "padding": "same"},
    "stride larger than kernel": {"kernel_size": 2, "strides": (3, 4)},
    "dilated": {"kernel_size": 3, "dilation_rate": (1, 2), "strides": (2, 1), "padding": "same"},
    "own border": {"kernel_size": 3, "padding": ((4, 0), (1, 5))},
    "larger than the image": {"kernel_size": (7, 9), "padding": "same"},
}


def behind(brick, shape):
    return program_of([Node("y", brick, ("mixed",))], shape)


@pytest.mark.parametrize("shape", [(6, 7, 1), (5, 14, 3), (7, 6, 17), (6, 25, 32), (4, 5, 45)], ids=str)
@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_agrees_with_the_reference(kernel, shape):
    agrees(behind(DepthwiseConvolution2D(**kernel), shape), rate=RATE)


@pytest.mark.parametrize("multiplier", [2, 3])
@pytest.mark.parametrize("channels", [1, 6, 17])
@pytest.mark.parametrize("kernel", ["3x3, same", "stride larger than kernel"])
def test_several_outputs_for_each_channel(kernel, channels, multiplier):
    brick = DepthwiseConvolution2D(**KERNELS[kernel], depth_multiplier=multiplier)
    agrees(behind(brick, (6, 7, channels)), rate=RATE)


@pytest.mark.parametrize("multiplier", [1, 2])
def test_groups_of_one_channel(multiplier):
    program = behind(Convolution2D(6 * multiplier, 3, groups=6, padding="same"), (6, 7, 6))
    agrees(program, rate=RATE)
    names = {step.name for step in plan_for("native", program)._pass("train", 6).writer.steps}
    assert {"depthwise", "depthwise_gradient"} <= names and not {"convolve", "convolve_gradient"} & names


@pytest.mark.parametrize(
    "brick",
    [
        DepthwiseConvolution1D(3, padding="causal", dilation_rate=2),
        DepthwiseConvolution1D(4, strides=3, padding="same", depth_multiplier=2),
    ],
    ids=repr,
)
@pytest.mark.parametrize("shape", [(9, 2), (20, 17)], ids=str)
def test_sequences(brick, shape):
    agrees(behind(brick, shape), rate=RATE)


@pytest.mark.parametrize("rectified", [False, True])
def test_bias_and_rectifier_are_taken_in(rectified):
    nodes = [Node("c", DepthwiseConvolution2D(3, padding="same"), ("mixed",)), Node("b", Bias(), ("c",))]
    nodes += [Node("r", ReLU(), ("b",))] if rectified else []
    program = program_of([*nodes, Node("y", Convolution2D(3, 2), (nodes[-1].name,))], (6, 5, 17))
    agrees(program, rate=RATE)
    steps = plan_for("native", program)._pass("evaluate", 6).writer.steps
    assert any(len(step.covers) == 2 + rectified for step in steps)


@pytest.mark.parametrize("multiplier", [1, 2])
@pytest.mark.parametrize("first", [False, True])
def test_gradients_are_added_to_others(first, multiplier):
    own = [
        Node("own", DepthwiseConvolution2D(3, strides=2, depth_multiplier=multiplier), ("mixed",)),
        Node("narrow", Convolution2D(5, 1), ("own",)),
        Node("g1", GlobalAveragePooling2D(), ("narrow",)),
    ]
    other = [Node("bent", Tanh(), ("mixed",)), Node("g2", GlobalAveragePooling2D(), ("bent",))]
    nodes = own + other if first else other + own
    agrees(program_of([*nodes, Node("y", Add(), ("g1", "g2"))], (6, 7, 5)), rate=RATE)


def test_one_kernel_used_twice():
    kernel = DepthwiseConvolution2D(3, padding="same")
    nodes = [
        Node("first", kernel, ("mixed",), owner="shared"),
        Node("y", kernel, ("first",), owner="shared"),
    ]
    agrees(program_of(nodes, (6, 5, 17)), rate=RATE)


def test_one_sample():
    agrees(behind(DepthwiseConvolution2D(3, padding="same"), (1, 1, 1)), rows=1, batch_size=1, rate=RATE)


@pytest.mark.parametrize("multiplier", [1, 2])
def test_the_same_bits_on_any_number_of_threads(multiplier):
    same_on_all_threads(
        behind(DepthwiseConvolution2D(3, padding="same", depth_multiplier=multiplier), (9, 13, 17))
    )
