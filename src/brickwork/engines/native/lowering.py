"""How bricks become instructions: a table from brick class to lowering, filled as bricks are met.

A lowering has two halves. `forward` writes the instructions that make the part's output; `backward` those
that hand its gradient on to its inputs and parameters. A brick that is not in the table runs through its own
NumPy text, called back from the plan (see host.py).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, ClassVar, Protocol, TypeVar

from ...bricks.base import Brick
from .layout import Layout
from .writer import Part, Writer


class Lowering(Protocol):
    """The two halves."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Whether this brick, with inputs of these shapes, has native instructions."""
        ...

    def reserve(self, layout: Layout, part: Part, shapes: list[Any]) -> None:
        """Give the part's parameters places that suit its instructions; others are stored as they are."""
        ...

    def forward(self, writer: Writer, part: Part) -> None:
        """Write what makes the output."""
        ...

    def backward(self, writer: Writer, part: Part) -> None:
        """Write what hands the gradient on."""
        ...


class Plain:
    """Base of lowerings whose parameters are stored as they are, and that take every brick of their class."""

    strided = False
    """Whether the rows of inputs and gradients may be pieces of longer ones."""
    reads_whole = False
    """Whether its instructions read whole numbers as what they are, beside floats."""
    moves = False
    """Whether it only brings numbers, of any kind, to other places."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Always."""
        return True

    def reserve(self, layout: Layout, part: Part, shapes: list[Any]) -> None:
        """Nothing to reserve."""


_BRICKS = {
    "attention": "CausalMask Embedding LearnedPositions Mask MatMul SinePositions",
    "axes": "Dot RepeatVector Transpose",
    "color": "RandomBrightness RandomContrast RandomErasing RandomHue RandomSaturation",
    "convolution": "Convolution1D Convolution2D TransposedConvolution1D TransposedConvolution2D",
    "dense": "Bias Linear StackedBias",
    "depthwise": "DepthwiseConvolution1D DepthwiseConvolution2D",
    "features": "ActivityPenalty GLU LogSoftmax Maxout Normalization PReLU Rescaling Scale Softmax"
    " Sparsemax Standardization Sum",
    "loop": "Loop",
    "loss": "BinaryCrossEntropy BinaryFocalCrossEntropy CategoricalHinge CosineSimilarity CrossEntropy"
    " FocalCrossEntropy GeneralizedCrossEntropy HalfSquaredError Hinge Huber KLDivergence LogCosh"
    " MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson"
    " SigmoidCrossEntropy SoftmaxCrossEntropy SquaredHinge Tversky",
    "merge": "Add Average Concatenate Maximum Minimum Multiply Slice Subtract",
    "noise": "AlphaDropout Dropout GaussianDropout GaussianNoise NaiveDropout",
    "normalization": "BatchNormalization",
    "pooling": "AveragePooling1D AveragePooling2D GlobalAveragePooling1D GlobalAveragePooling2D"
    " GlobalMaxPooling1D GlobalMaxPooling2D MaxPooling1D MaxPooling2D",
    "resampling": "Cropping1D Cropping2D UpSampling1D UpSampling2D ZeroPadding1D ZeroPadding2D",
    "sample_normalization": "GroupNormalization LayerNormalization LocalResponseNormalization"
    " RMSNormalization UnitNormalization",
    "sampling": "CenterCrop RandomCrop RandomFlip RandomRotation RandomTranslation RandomZoom",
    "selection": "NonZero Where",
    "simple": "CELU ELU Exp Flatten GELU HardShrink HardSiLU HardSigmoid HardTanh Heaviside Identity"
    " LeakyReLU Log LogSigmoid Mish ReLU Reciprocal Rectifier Reshape SELU SiLU Sigmoid Sign SoftShrink"
    " Softplus Softsign SparsePlus SparseSigmoid Squareplus Tanh TanhShrink Threshold",
}
"""What each file `lower_….py` lowers: it is imported when the first such brick is met."""

_FAMILY = __name__.partition(".")[0] + "."
_ROOMS = {brick: f".lower_{room}" for room, names in _BRICKS.items() for brick in names.split()}

TABLE: dict[type[Brick], Lowering] = {}
"""Brick class -> lowering, for the bricks that were met; see `lowering_for`."""

_NAMED: dict[str, Lowering] = {}
"""The same by the names of bricks whose classes need not be imported for it."""

_Made = TypeVar("_Made", bound=type[Any])


def lowers(*kinds: type[Brick] | str) -> Callable[[_Made], _Made]:
    """Class decorator: an instance lowers bricks of these classes, which may be told by name."""

    def enter(made: _Made) -> _Made:
        for kind in kinds:
            if isinstance(kind, str):
                _NAMED[kind] = made()
            else:
                TABLE[kind] = made()
        return made

    return enter


def lowering_for(kind: type[Brick]) -> Lowering | None:
    """The lowering of a class of bricks; None where its own text must run."""
    name = kind.__name__
    if kind not in TABLE and name in _ROOMS and kind.__module__.startswith(_FAMILY):
        importlib.import_module(_ROOMS[name], __package__)
        if name in _NAMED:
            TABLE[kind] = _NAMED[name]
    return TABLE.get(kind)


class Functions:
    """Codes of native functions, by name: the order is that of the C++ side."""

    UNARY: ClassVar[dict[str, str | None]] = {
        "ReLU": "y",
        "LeakyReLU": "x",
        "ELU": "y",
        "Sigmoid": "y",
        "Tanh": "y",
        "Exp": "y",
        "Log": "x",
        "Reciprocal": "y",
        "Heaviside": None,
        "Rectifier": "x",
        "Affine": None,
        "Softplus": "y",
        "LogSigmoid": "y",
        "Softsign": "x",
        "Squareplus": "y",
        "SparsePlus": "x",
        "TanhShrink": "x",
        "SiLU": "x",
        "GELU": "x",
        "GELU by tanh": "x",
        "Mish": "x",
        "HardSiLU": "x",
        "Ramp": "y",
        "HardShrink": "x",
        "SoftShrink": "y",
        "Threshold": "x",
        "Sign": None,
    }
    """With what the backward half reads of the forward half."""
    PAIRED: ClassVar[dict[str, tuple[str, ...]]] = {
        "HalfSquaredError": (),
        "MeanSquaredError": (),
        "SigmoidCrossEntropy": (),
        "BinaryCrossEntropy": ("clip",),
        "CrossEntropy": ("clip",),
        "MeanAbsoluteError": (),
        "MeanAbsolutePercentageError": ("epsilon",),
        "MeanSquaredLogarithmicError": ("epsilon",),
        "Huber": ("delta",),
        "LogCosh": (),
        "Poisson": ("epsilon",),
        "Hinge": (),
        "SquaredHinge": (),
        "KLDivergence": ("epsilon",),
        "BinaryFocalCrossEntropy": ("clip", "gamma", "alpha"),
        "FocalCrossEntropy": ("clip", "gamma"),
        "GeneralizedCrossEntropy": ("epsilon", "q"),
    }
    """Losses of one number and its target, with those of their fields that the C++ side reads."""
    VECTOR: ClassVar[dict[str, tuple[str, ...]]] = {
        "CategoricalHinge": (),
        "CosineSimilarity": ("epsilon",),
        "Tversky": ("alpha", "beta", "epsilon"),
    }
    """Losses of a vector and its target, likewise."""

    @classmethod
    def unary(cls, name: str) -> int:
        """The code of a function of one number."""
        return list(cls.UNARY).index(name)
