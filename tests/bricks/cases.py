"""One table of every brick in several configurations, with inputs to draw; general tests run over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from brickwork import bricks as b
from brickwork.bricks import Brick, Context

ROWS = 4
"""The batch; no other first axis has this size, so that it can be told."""

Draw = Callable[[np.random.Generator], np.ndarray]


def normal(*shape: int, scale: float = 1.0, shift: float = 0.0) -> Draw:
    return lambda rng: shift + scale * rng.standard_normal(shape)


def positive(*shape: int) -> Draw:
    return lambda rng: rng.uniform(0.5, 2.0, shape)


def between(*shape: int) -> Draw:
    """Probabilities, each for itself."""
    return lambda rng: rng.uniform(0.05, 0.95, shape)


def distribution(*shape: int) -> Draw:
    """Probabilities that add up to 1 along the last axis."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        raw = rng.uniform(0.1, 1.0, shape)
        return raw / raw.sum(axis=-1, keepdims=True)

    return draw


def one_hot(*shape: int) -> Draw:
    """Whole numbers, of which one along the last axis is 1."""
    return lambda rng: np.eye(shape[-1], dtype=np.int32)[rng.integers(0, shape[-1], shape[:-1])]


def classes(*shape: int, count: int) -> Draw:
    return lambda rng: rng.integers(0, count, shape).astype(np.int32)


@dataclass(frozen=True)
class Point:
    """A case with its numbers."""

    params: dict[str, np.ndarray]
    xs: tuple[np.ndarray, ...]
    ctx: Context

    def astype(self, dtype) -> Point:
        def cast(x):
            return x.astype(dtype) if x.dtype.kind == "f" else x

        state = {name: cast(value) for name, value in self.ctx.state.items()}
        ctx = Context(self.ctx.training, state, self.ctx.key, self.ctx.step, self.ctx.stream, self.ctx.row)
        params = {name: cast(value) for name, value in self.params.items()}
        return Point(params, tuple(cast(x) for x in self.xs), ctx)

    def read_only(self) -> Point:
        for array in (*self.params.values(), *self.xs, *self.ctx.state.values()):
            array.setflags(write=False)
        return self


@dataclass(frozen=True)
class Case:
    """A brick with inputs to draw."""

    id: str
    brick: Brick
    inputs: tuple[Draw, ...]
    training: bool = False
    seed: int = field(default=0)

    def shapes(self, xs: tuple[np.ndarray, ...]) -> list[tuple[int | None, ...]]:
        """As a graph sees them: None for the batch axis."""
        return [tuple(None if i == 0 and n == ROWS else n for i, n in enumerate(x.shape)) for x in xs]

    def draw(self, seed: int = 0) -> Point:
        """Parameters, inputs away from kinks, and what surrounds them."""
        rng = np.random.default_rng([self.seed, seed])
        for _ in range(50):
            xs = tuple(draw(rng) for draw in self.inputs)
            if self.brick.distance_to_kink(*xs) >= 1e-3:
                break
        shapes = self.shapes(xs)
        params = {
            name: 0.5 * rng.standard_normal(spec.shape) + (1.0 if name == "gamma" else 0.0)
            for name, spec in self.brick.parameters(*shapes).items()
        }
        state = {name: rng.uniform(0.5, 1.5, spec.shape) for name, spec in self.brick.state(*shapes).items()}
        return Point(params, xs, Context(self.training, state, key=7, step=3, stream=0, row=0))


def case(name: str, brick: Brick, *inputs: Draw, training: bool = False) -> Case:
    return Case(f"{type(brick).__name__}-{name}", brick, inputs, training)


_F = normal(ROWS, 3)
_IMAGE = normal(ROWS, 5, 6, 2)
_SEQUENCE = normal(ROWS, 7, 2)

CASES: tuple[Case, ...] = (
    case("rows", b.Linear(5), _F),
    case("one", b.Linear(1), normal(ROWS, 1)),
    case("sequence", b.Linear(5), normal(ROWS, 2, 3)),
    case("image", b.Linear(2), _IMAGE),
    case("rows", b.Bias(), _F),
    case("image", b.Bias(), _IMAGE),
    case("rows", b.StackedBias(), normal(ROWS, 6)),
    case("sequence", b.StackedBias(rows=3), normal(ROWS, 2, 6)),
    case("rows", b.Scale(), _F),
    case("image", b.Scale(), _IMAGE),
    case("rows", b.Sigmoid(), _F),
    case("large", b.Sigmoid(), normal(ROWS, 3, scale=20.0)),
    case("rows", b.Tanh(), _F),
    case("rows", b.ReLU(), _F),
    case("image", b.ReLU(), _IMAGE),
    case("rows", b.LeakyReLU(), _F),
    case("steep", b.LeakyReLU(2.0), _F),
    case("rows", b.ELU(), _F),
    case("alpha", b.ELU(0.5), _F),
    case("rows", b.Identity(), _F),
    case("rows", b.Softmax(), _F),
    case("axis", b.Softmax(axis=1), normal(ROWS, 3, 2)),
    case("rows", b.LogSoftmax(), _F),
    case("axis", b.LogSoftmax(axis=1), normal(ROWS, 3, 2)),
    case("plain", b.Rectifier(), _F),
    case("ceiling", b.Rectifier(max_value=0.8, negative_slope=0.2), _F),
    case("threshold", b.Rectifier(max_value=1.5, negative_slope=0.2, threshold=0.5), _F),
    case("off0", b.Heaviside(), _F),
    case("off-1", b.Heaviside(low=-1), _F),
    case("rows", b.Softplus(), _F),
    case("large", b.Softplus(), normal(ROWS, 3, scale=20.0)),
    case("rows", b.LogSigmoid(), _F),
    case("large", b.LogSigmoid(), normal(ROWS, 3, scale=20.0)),
    case("rows", b.Softsign(), _F),
    case("rows", b.Squareplus(), _F),
    case("sharp", b.Squareplus(0.3), normal(ROWS, 3, scale=3.0)),
    case("rows", b.Sparsemax(), normal(ROWS, 5)),
    case("one", b.Sparsemax(), normal(ROWS, 5, scale=9.0)),
    case("all", b.Sparsemax(), normal(ROWS, 3, scale=0.1)),
    case("axis", b.Sparsemax(axis=1), normal(ROWS, 3, 2)),
    case("rows", b.SparsePlus(), normal(ROWS, 3, scale=2.0)),
    case("rows", b.SELU(), _F),
    case("rows", b.CELU(), _F),
    case("alpha", b.CELU(0.5), _F),
    case("rows", b.TanhShrink(), _F),
    case("rows", b.SiLU(), _F),
    case("large", b.SiLU(), normal(ROWS, 3, scale=20.0)),
    case("rows", b.GELU(), _F),
    case("wide", b.GELU(), normal(ROWS, 3, scale=3.0)),
    case("approximate", b.GELU(approximate=True), normal(ROWS, 3, scale=2.0)),
    case("rows", b.Mish(), normal(ROWS, 3, scale=3.0)),
    case("rows", b.HardSiLU(), normal(ROWS, 3, scale=3.0)),
    case("rows", b.HardSigmoid(), normal(ROWS, 3, scale=3.0)),
    case("rows", b.SparseSigmoid(), _F),
    case("rows", b.HardTanh(), _F),
    case("rows", b.HardShrink(), _F),
    case("much", b.HardShrink(1.5), _F),
    case("rows", b.SoftShrink(), _F),
    case("much", b.SoftShrink(1.5), _F),
    case("rows", b.Threshold(0.5, -2.0), _F),
    case("rows", b.Sign(), _F),
    case("rows", b.PReLU(), _F),
    case("image", b.PReLU(), _IMAGE),
    case("channels", b.PReLU((1, 2)), _IMAGE),
    case("places", b.PReLU((-1,)), _IMAGE),
    case("one", b.PReLU((1,)), _F),
    case("pairs", b.Maxout(), normal(ROWS, 6)),
    case("threes", b.Maxout(3), normal(ROWS, 5, 6)),
    case("axis", b.Maxout(2, axis=1), normal(ROWS, 6, 3)),
    case("rows", b.GLU(), normal(ROWS, 6)),
    case("axis", b.GLU(axis=1), normal(ROWS, 6, 3)),
    case("rows", b.Exp(), _F),
    case("rows", b.Log(), positive(ROWS, 3)),
    case("rows", b.Reciprocal(), positive(ROWS, 3)),
    case("valid", b.Convolution2D(3, 3), _IMAGE),
    case("same", b.Convolution2D(3, 3, padding="same"), _IMAGE),
    case("pointwise", b.Convolution2D(3, 1), _IMAGE),
    case("strides", b.Convolution2D(3, (3, 2), strides=(2, 3)), _IMAGE),
    case("same-strides", b.Convolution2D(3, (3, 2), strides=(2, 3), padding="same"), _IMAGE),
    case("explicit", b.Convolution2D(2, 3, padding=((2, 0), (1, 3))), _IMAGE),
    case("dilation", b.Convolution2D(2, 2, dilation_rate=(2, 3)), _IMAGE),
    case("dilation-strides", b.Convolution2D(2, 2, strides=2, dilation_rate=2, padding="same"), _IMAGE),
    case("groups", b.Convolution2D(4, 2, groups=2), _IMAGE),
    case("groups-strides", b.Convolution2D(6, 3, groups=2, strides=2, padding="same"), normal(ROWS, 5, 5, 4)),
    case("depthwise", b.Convolution2D(4, 3, groups=2, padding="same"), _IMAGE),
    case("valid", b.Convolution1D(3, 3), _SEQUENCE),
    case("same-strides", b.Convolution1D(3, 3, strides=2, padding="same"), _SEQUENCE),
    case("causal", b.Convolution1D(3, 3, padding="causal", dilation_rate=2), _SEQUENCE),
    case("explicit", b.Convolution1D(2, 3, padding=(2, 1), strides=2), _SEQUENCE),
    case("groups", b.Convolution1D(4, 2, groups=2), _SEQUENCE),
    case("valid", b.TransposedConvolution2D(3, 3), _IMAGE),
    case("strides", b.TransposedConvolution2D(3, (3, 2), strides=(2, 3)), _IMAGE),
    case("same", b.TransposedConvolution2D(3, (3, 4), strides=2, padding="same"), _IMAGE),
    case("same-gaps", b.TransposedConvolution2D(3, 1, strides=(3, 2), padding="same"), _IMAGE),
    case("dilation", b.TransposedConvolution2D(2, 2, strides=(2, 1), dilation_rate=(2, 3)), _IMAGE),
    case("more", b.TransposedConvolution2D(2, 3, strides=3, padding="same", output_padding=(2, 1)), _IMAGE),
    case("more-valid", b.TransposedConvolution2D(2, 2, strides=3, output_padding=2), _IMAGE),
    case("valid", b.TransposedConvolution1D(3, 3, strides=2), _SEQUENCE),
    case("same", b.TransposedConvolution1D(3, 4, strides=3, padding="same", output_padding=1), _SEQUENCE),
    case("valid", b.DepthwiseConvolution2D(3), _IMAGE),
    case("multiplier", b.DepthwiseConvolution2D((3, 2), padding="same", depth_multiplier=3), _IMAGE),
    case("strides", b.DepthwiseConvolution2D(2, strides=(3, 2), dilation_rate=(1, 2)), _IMAGE),
    case("explicit", b.DepthwiseConvolution2D(3, padding=((2, 0), (1, 3))), _IMAGE),
    case("one-channel", b.DepthwiseConvolution2D(2, depth_multiplier=2), normal(ROWS, 5, 6, 1)),
    case("causal", b.DepthwiseConvolution1D(3, padding="causal", dilation_rate=2), _SEQUENCE),
    case("multiplier", b.DepthwiseConvolution1D(3, strides=2, padding="same", depth_multiplier=2), _SEQUENCE),
    case("plain", b.MaxPooling2D(), _IMAGE),
    case("overlap", b.MaxPooling2D(3, 2), _IMAGE),
    case("same", b.MaxPooling2D(3, 2, padding="same"), _IMAGE),
    case("explicit", b.MaxPooling2D((2, 3), 1, padding=((1, 0), (2, 1))), _IMAGE),
    case("gaps", b.MaxPooling2D(1, 2), _IMAGE),
    case("plain", b.AveragePooling2D(), _IMAGE),
    case("overlap", b.AveragePooling2D(3, 2), _IMAGE),
    case("same", b.AveragePooling2D(3, 2, padding="same"), _IMAGE),
    case("explicit", b.AveragePooling2D((2, 3), 1, padding=((1, 0), (2, 1))), _IMAGE),
    case("plain", b.GlobalAveragePooling2D(), _IMAGE),
    case("keepdims", b.GlobalAveragePooling2D(keepdims=True), _IMAGE),
    case("plain", b.MaxPooling1D(), _SEQUENCE),
    case("overlap", b.MaxPooling1D(3, 2, padding="same"), _SEQUENCE),
    case("explicit", b.MaxPooling1D(3, 1, padding=(2, 1)), _SEQUENCE),
    case("plain", b.AveragePooling1D(), _SEQUENCE),
    case("same", b.AveragePooling1D(3, 2, padding="same"), _SEQUENCE),
    case("explicit", b.AveragePooling1D(3, 1, padding=(2, 1)), _SEQUENCE),
    case("plain", b.GlobalAveragePooling1D(), _SEQUENCE),
    case("keepdims", b.GlobalAveragePooling1D(keepdims=True), _SEQUENCE),
    case("plain", b.GlobalMaxPooling1D(), _SEQUENCE),
    case("one-step", b.GlobalMaxPooling1D(keepdims=True), normal(ROWS, 1, 3)),
    case("plain", b.GlobalMaxPooling2D(), _IMAGE),
    case("keepdims", b.GlobalMaxPooling2D(keepdims=True), _IMAGE),
    case("plain", b.ZeroPadding2D(), _IMAGE),
    case("uneven", b.ZeroPadding2D(((2, 0), (1, 3))), _IMAGE),
    case("uneven", b.ZeroPadding1D((2, 1)), _SEQUENCE),
    case("uneven", b.Cropping2D(((2, 0), (1, 3))), _IMAGE),
    case("nothing", b.Cropping2D(), _IMAGE),
    case("uneven", b.Cropping1D((2, 1)), _SEQUENCE),
    case("plain", b.UpSampling1D(3), _SEQUENCE),
    case("nearest", b.UpSampling2D((2, 3)), _IMAGE),
    case("bilinear", b.UpSampling2D((2, 3), "bilinear"), _IMAGE),
    case("bicubic", b.UpSampling2D((3, 1), "bicubic"), _IMAGE),
    case("lanczos3", b.UpSampling2D(2, "lanczos3"), _IMAGE),
    case("lanczos5", b.UpSampling2D((1, 2), "lanczos5"), _IMAGE),
    case("rows", b.BatchNormalization(), _F, training=True),
    case("image", b.BatchNormalization(), _IMAGE, training=True),
    case("axis", b.BatchNormalization(axis=1, momentum=0.5), normal(ROWS, 3, 2), training=True),
    case("no-center", b.BatchNormalization(center=False), _F, training=True),
    case("no-scale", b.BatchNormalization(scale=False), _F, training=True),
    case("neither", b.BatchNormalization(scale=False, center=False), _F, training=True),
    case("far", b.BatchNormalization(), normal(ROWS, 3, shift=100.0), training=True),
    case("inference", b.BatchNormalization(), _F),
    case("inference-image", b.BatchNormalization(scale=False), _IMAGE),
    case("rows", b.LayerNormalization(), _F),
    case("image", b.LayerNormalization(epsilon=0.1), _IMAGE),
    case("axes", b.LayerNormalization((-1, 1, 2)), _IMAGE),
    case("odd-axes", b.LayerNormalization((1, 3), scale=False), _IMAGE),
    case("no-center", b.LayerNormalization(center=False), _F),
    case("neither", b.LayerNormalization(scale=False, center=False), _IMAGE),
    case("rows", b.GroupNormalization(3), normal(ROWS, 6)),
    case("image", b.GroupNormalization(2), normal(ROWS, 5, 6, 6)),
    case("one", b.GroupNormalization(1, scale=False), _IMAGE),
    case("instance", b.GroupNormalization(-1, center=False, epsilon=0.1), _IMAGE),
    case("axis", b.GroupNormalization(3, 2), _IMAGE),
    case("rows", b.RMSNormalization(), _F),
    case("axes", b.RMSNormalization((1, 2, 3), epsilon=0.1), _IMAGE),
    case("rows", b.UnitNormalization(), _F),
    case("axes", b.UnitNormalization((1, 3)), _IMAGE),
    case("rows", b.LocalResponseNormalization(3, alpha=0.5), normal(ROWS, 7)),
    case("image", b.LocalResponseNormalization(4, alpha=0.5, beta=0.5, k=1.0), normal(ROWS, 2, 3, 6)),
    case("wide", b.LocalResponseNormalization(9, alpha=0.5), _F),
    case("defaults", b.LocalResponseNormalization(), _F),
    case("training", b.Dropout(0.4), normal(ROWS, 7), training=True),
    case("image", b.Dropout(0.4), _IMAGE, training=True),
    case("nothing", b.Dropout(0.0), _F, training=True),
    case("inference", b.Dropout(0.4), _F),
    case("seed", b.Dropout(0.4, seed=2**64 - 1), _F, training=True),
    case("channels", b.Dropout(0.4, shared_axes=(1, 2)), _IMAGE, training=True),
    case("places", b.Dropout(0.4, shared_axes=(-1,)), _IMAGE, training=True),
    case("all", b.Dropout(0.4, shared_axes=(1,)), _F, training=True),
    case("training", b.NaiveDropout(0.4), normal(ROWS, 7), training=True),
    case("nothing", b.NaiveDropout(0.0), _F, training=True),
    case("inference", b.NaiveDropout(0.4), _F),
    case("channels", b.NaiveDropout(0.4, shared_axes=(1, 2)), _IMAGE, training=True),
    case("training", b.AlphaDropout(0.4), normal(ROWS, 7), training=True),
    case("nothing", b.AlphaDropout(0.0), _F, training=True),
    case("inference", b.AlphaDropout(0.4), _F),
    case("columns", b.AlphaDropout(0.4, shared_axes=(1, 3), seed=3), _IMAGE, training=True),
    case("training", b.GaussianNoise(0.4), normal(ROWS, 7), training=True),
    case("image", b.GaussianNoise(0.4, seed=5), _IMAGE, training=True),
    case("rank1", b.GaussianNoise(0.4), normal(ROWS), training=True),
    case("inference", b.GaussianNoise(0.4), _F),
    case("training", b.GaussianDropout(0.4), normal(ROWS, 7), training=True),
    case("image", b.GaussianDropout(0.4, seed=5), _IMAGE, training=True),
    case("inference", b.GaussianDropout(0.4), _F),
    case("reflect", b.RandomTranslation((-1.0, 1.0), (-0.5, 0.7)), _IMAGE, training=True),
    case(
        "constant",
        b.RandomTranslation((-0.5, 0.5), (-0.5, 0.5), fill_mode="constant", fill_value=0.7),
        _IMAGE,
        training=True,
    ),
    case(
        "wrap", b.RandomTranslation((-1.0, 1.0), (-1.0, 1.0), fill_mode="wrap", seed=3), _IMAGE, training=True
    ),
    case("inference", b.RandomTranslation((-1.0, 1.0), (-0.5, 0.7)), _IMAGE),
    case("reflect", b.RandomRotation((-1.0, 1.0)), _IMAGE, training=True),
    case("constant", b.RandomRotation((-1.0, 1.0), fill_mode="constant"), _IMAGE, training=True),
    case(
        "nearest",
        b.RandomRotation((-0.2, 0.1), fill_mode="nearest", interpolation="nearest"),
        _IMAGE,
        training=True,
    ),
    case("one", b.RandomZoom((-0.5, 1.0)), _IMAGE, training=True),
    case("two", b.RandomZoom((-0.5, 1.0), (0.2, 0.9), fill_mode="wrap"), _IMAGE, training=True),
    case("both", b.RandomFlip(), _IMAGE, training=True),
    case("horizontal", b.RandomFlip(vertical=False, seed=5), _IMAGE, training=True),
    case("inference", b.RandomFlip(), _IMAGE),
    case("training", b.RandomCrop(3, 2), _IMAGE, training=True),
    case("inference", b.RandomCrop(3, 2), _IMAGE),
    case("larger", b.RandomCrop(7, 9, seed=3), _IMAGE, training=True),
    case("plain", b.CenterCrop(2, 3), _IMAGE),
    case("larger", b.CenterCrop(7, 3), _IMAGE, training=True),
    case("training", b.RandomBrightness((-0.5, 0.9), (-1.0, 1.0)), _IMAGE, training=True),
    case("inference", b.RandomBrightness((-0.5, 0.9)), _IMAGE),
    case("training", b.RandomContrast((0.2, 1.9), (-1.0, 1.0), seed=3), _IMAGE, training=True),
    case("inference", b.RandomContrast((0.2, 1.9)), _IMAGE),
    case("training", b.RandomSaturation((0.0, 1.0), (0.0, 1.0)), between(ROWS, 5, 6, 3), training=True),
    case("training", b.RandomHue((0.0, 1.0), (0.0, 1.0)), between(ROWS, 5, 6, 3), training=True),
    case("noise", b.RandomErasing(scale=(0.1, 0.8), value_range=(-1.0, 1.0)), _IMAGE, training=True),
    case("sometimes", b.RandomErasing((0.3, 0.7), fill_value=(1.0, 2.0), seed=4), _IMAGE, training=True),
    case("inference", b.RandomErasing(), _IMAGE),
    case("number", b.Rescaling(0.5, offset=-1.0), _F),
    case("features", b.Rescaling((0.5, 2.0, -1.0), (1.0, 0.0, 3.0)), _F),
    case("last", b.Standardization(), _F),
    case("none", b.Standardization(()), _IMAGE),
    case("several", b.Standardization((3, 1)), _IMAGE),
    case("invert", b.Standardization(invert=True), _F),
    case("number", b.Normalization(3.0, 4.0), _F),
    case("features", b.Normalization((1.0, 2.0, 3.0), (4.0, 0.25, 1.0)), _F),
    case("image", b.Flatten(), _IMAGE),
    case("rank1", b.Flatten(), normal(ROWS)),
    case("image", b.Reshape((5, 3, 4)), _IMAGE),
    case("rest", b.Reshape((3, -1)), _IMAGE),
    case("step", b.Slice(axis=1, start=1, stop=5, step=2), normal(ROWS, 7, 2)),
    case("negative", b.Slice(axis=-1, start=-2), _F),
    case("whole", b.Slice(axis=2, step=3), normal(ROWS, 2, 7)),
    case("rows", b.Flip(axis=-1), _F),
    case("sequence", b.Flip(axis=1), normal(ROWS, 5, 2)),
    case("samples", b.Sum(), _IMAGE),
    case("axis", b.Sum(axis=-1), _IMAGE),
    case("axes", b.Sum(axis=(1, -1), keepdims=True), _IMAGE),
    case("batch", b.Sum(axis=0), _F),
    case("batch-and-more", b.Sum(axis=(0, 1), keepdims=True), _F),
    case("two", b.Add(), _F, _F),
    case("three-broadcast", b.Add(), normal(ROWS, 2, 3), normal(ROWS, 1, 3), normal(3)),
    case("scalars", b.Add(), normal(), normal()),
    case("two", b.Multiply(), _F, _F),
    case("three-broadcast", b.Multiply(), normal(ROWS, 2, 3), normal(ROWS, 2, 1), normal(1, 1, 3)),
    case("scalars", b.Multiply(), normal(), normal()),
    case("two", b.Maximum(), _F, _F),
    case("three-broadcast", b.Maximum(), normal(ROWS, 2, 3), normal(ROWS, 1, 3), normal(3)),
    case("two", b.Minimum(), _F, _F),
    case("three-broadcast", b.Minimum(), normal(ROWS, 2, 3), normal(ROWS, 1, 3), normal(3)),
    case("two", b.Subtract(), _F, _F),
    case("broadcast", b.Subtract(), normal(ROWS, 2, 1), normal(ROWS, 1, 3)),
    case("two", b.Average(), _F, _F),
    case("three-broadcast", b.Average(), normal(ROWS, 2, 3), normal(ROWS, 1, 3), normal(3)),
    case("vectors", b.Dot(1), _F, _F),
    case("rows", b.Dot(-1), normal(ROWS, 2, 3), normal(ROWS, 5, 3)),
    case("columns", b.Dot((1, 2)), normal(ROWS, 3, 2), normal(ROWS, 5, 3)),
    case("image", b.Dot((2, 1)), _IMAGE, normal(ROWS, 6)),
    case("images", b.Dot((2, -1)), normal(ROWS, 2, 3, 2), normal(ROWS, 5, 2, 3)),
    case("axes", b.UnitNormalization((1, 2)), _IMAGE),
    case("three", b.RepeatVector(3), _F),
    case("two", b.Concatenate(), _F, normal(ROWS, 2)),
    case("three-axis", b.Concatenate(axis=1), normal(ROWS, 1, 3), normal(ROWS, 2, 3), normal(ROWS, 3, 3)),
    case("rows", b.HalfSquaredError(), _F, _F),
    case("rank1", b.HalfSquaredError(), normal(ROWS), normal(ROWS)),
    case("image", b.HalfSquaredError(), _IMAGE, _IMAGE),
    case("integers", b.HalfSquaredError(), _F, classes(ROWS, 3, count=5)),
    case("rows", b.MeanSquaredError(), _F, _F),
    case("rank1", b.MeanSquaredError(), normal(ROWS), normal(ROWS)),
    case("image", b.MeanSquaredError(), _IMAGE, _IMAGE),
    case("integers", b.MeanSquaredError(), _F, classes(ROWS, 3, count=5)),
    case("classes", b.CrossEntropy(), distribution(ROWS, 3), classes(ROWS, count=3)),
    case("distribution", b.CrossEntropy(), distribution(ROWS, 3), distribution(ROWS, 3)),
    case("clip", b.CrossEntropy(clip=0.2), distribution(ROWS, 3), distribution(ROWS, 3)),
    case("sequence", b.CrossEntropy(), distribution(ROWS, 2, 3), classes(ROWS, 2, count=3)),
    case("onehot-integers", b.CrossEntropy(), distribution(ROWS, 3), classes(ROWS, 3, count=2)),
    case("classes", b.SoftmaxCrossEntropy(), _F, classes(ROWS, count=3)),
    case("distribution", b.SoftmaxCrossEntropy(), _F, distribution(ROWS, 3)),
    case("unnormalized", b.SoftmaxCrossEntropy(), _F, positive(ROWS, 3)),
    case("sequence", b.SoftmaxCrossEntropy(), normal(ROWS, 2, 3), classes(ROWS, 2, count=3)),
    case("rows", b.BinaryCrossEntropy(), between(ROWS, 3), between(ROWS, 3)),
    case("clip", b.BinaryCrossEntropy(clip=0.3), between(ROWS, 3), between(ROWS, 3)),
    case("integers", b.BinaryCrossEntropy(), between(ROWS, 1), classes(ROWS, 1, count=2)),
    case("rows", b.SigmoidCrossEntropy(), _F, between(ROWS, 3)),
    case("image", b.SigmoidCrossEntropy(), _IMAGE, between(ROWS, 5, 6, 2)),
    case("integers", b.SigmoidCrossEntropy(), _F, classes(ROWS, 3, count=2)),
    case("rows", b.MeanAbsoluteError(), _F, _F),
    case("rank1", b.MeanAbsoluteError(), normal(ROWS), normal(ROWS)),
    case("image", b.MeanAbsoluteError(), _IMAGE, _IMAGE),
    case("integers", b.MeanAbsoluteError(), _F, classes(ROWS, 3, count=5)),
    case("rows", b.MeanAbsolutePercentageError(), _F, _F),
    case("epsilon", b.MeanAbsolutePercentageError(epsilon=0.4), _F, _F),
    case("rows", b.MeanSquaredLogarithmicError(), positive(ROWS, 3), positive(ROWS, 3)),
    case("epsilon", b.MeanSquaredLogarithmicError(epsilon=0.4), _F, _F),
    case("rows", b.Huber(), _F, _F),
    case("delta", b.Huber(delta=0.3), _IMAGE, _IMAGE),
    case("rows", b.LogCosh(), _F, _F),
    case("large", b.LogCosh(), normal(ROWS, 3, scale=200.0), _F),
    case("rows", b.Poisson(), positive(ROWS, 3), positive(ROWS, 3)),
    case("counts", b.Poisson(epsilon=0.1), positive(ROWS, 3), classes(ROWS, 3, count=5)),
    case("rows", b.Hinge(), _F, normal(ROWS, 3)),
    case("zero-one", b.Hinge(), _F, classes(ROWS, 3, count=2)),
    case("rows", b.SquaredHinge(), _F, normal(ROWS, 3)),
    case("zero-one", b.SquaredHinge(), normal(ROWS), classes(ROWS, count=2)),
    case("rows", b.CategoricalHinge(), _F, distribution(ROWS, 3)),
    case("sequence", b.CategoricalHinge(), normal(ROWS, 2, 3), distribution(ROWS, 2, 3)),
    case("one-hot", b.CategoricalHinge(), _F, one_hot(ROWS, 3)),
    case("rows", b.KLDivergence(), distribution(ROWS, 3), distribution(ROWS, 3)),
    case("epsilon", b.KLDivergence(epsilon=0.2), distribution(ROWS, 2, 3), distribution(ROWS, 2, 3)),
    case("rows", b.BinaryFocalCrossEntropy(), between(ROWS, 3), between(ROWS, 3)),
    case("alpha", b.BinaryFocalCrossEntropy(0.5, 0.25), between(ROWS, 3), classes(ROWS, 3, count=2)),
    case("balance", b.BinaryFocalCrossEntropy(1.5, 0.7), between(ROWS, 2, 3), between(ROWS, 2, 3)),
    case("clip", b.BinaryFocalCrossEntropy(clip=0.3), between(ROWS, 3), between(ROWS, 3)),
    case("rows", b.FocalCrossEntropy(), distribution(ROWS, 3), distribution(ROWS, 3)),
    case("gamma", b.FocalCrossEntropy(0.5), distribution(ROWS, 2, 3), distribution(ROWS, 2, 3)),
    case("plain", b.FocalCrossEntropy(0.0, clip=0.2), distribution(ROWS, 3), one_hot(ROWS, 3)),
    case("rows", b.Tversky(), between(ROWS, 3), between(ROWS, 3)),
    case("classes", b.Tversky(0.2, 0.7, (1, 2)), between(ROWS, 5, 6, 2), one_hot(ROWS, 5, 6, 2)),
    case("apart", b.Tversky(0.0, 1.5, (-1, 1), epsilon=0.1), between(ROWS, 5, 6, 2), between(ROWS, 5, 6, 2)),
    case("classes", b.GeneralizedCrossEntropy(), distribution(ROWS, 3), classes(ROWS, count=3)),
    case("power", b.GeneralizedCrossEntropy(0.9), distribution(ROWS, 2, 3), distribution(ROWS, 2, 3)),
    case("least", b.GeneralizedCrossEntropy(epsilon=0.3), distribution(ROWS, 3), distribution(ROWS, 3)),
    case("rows", b.CosineSimilarity(), _F, _F),
    case("axis", b.CosineSimilarity(axis=1), _IMAGE, _IMAGE),
    case("short", b.CosineSimilarity(epsilon=0.4), normal(ROWS, 3, scale=0.1), _F),
    case("both", b.ActivityPenalty(l1=0.3, l2=0.2), _F),
    case("squares", b.ActivityPenalty(l2=0.2), _IMAGE),
    case("rank1", b.ActivityPenalty(l1=0.3), normal(ROWS)),
    case("plain", b.WeightedMean(), normal(ROWS), positive(ROWS)),
    case("unweighted", b.WeightedMean(2.0), normal(ROWS)),
    case("scale", b.WeightedMean(0.3), normal(ROWS), positive(ROWS)),
    case("rows", b.CategoryEncoding(5), classes(ROWS, count=5)),
    case("sequence", b.CategoryEncoding(4), classes(ROWS, 6, count=4)),
    case("counts", b.CategoryEncoding(3, "count"), classes(ROWS, 5, 6, count=5)),
    case("each", b.CategoryEncoding(3, "one_hot"), classes(ROWS, 5, count=3)),
    case("one", b.CategoryEncoding(3, "one_hot"), classes(ROWS, 2, 1, count=3)),
    case("floats", b.CategoryEncoding(3, "count"), lambda rng: rng.integers(0, 3, (ROWS, 5)) + 0.5),
    case("rows", b.Embedding(5, 3), classes(ROWS, count=5)),
    case("sequence", b.Embedding(4, 2), classes(ROWS, 6, count=4)),
    case("image", b.Embedding(3, 2), classes(ROWS, 5, 6, count=3)),
    case("floats", b.Embedding(3, 2), lambda rng: rng.integers(0, 3, (ROWS, 5)) + 0.5),
    case("full", b.LearnedPositions(5), normal(ROWS, 5, 3)),
    case("shorter", b.LearnedPositions(7), normal(ROWS, 5, 3)),
    case("plain", b.MatMul(), normal(ROWS, 2, 3), normal(ROWS, 3, 5)),
    case("heads", b.MatMul(), normal(ROWS, 2, 3, 5), normal(ROWS, 2, 5, 3)),
    case("first", b.MatMul(transpose_a=True), normal(ROWS, 3, 2), normal(ROWS, 3, 5)),
    case("second", b.MatMul(transpose_b=True), normal(ROWS, 2, 2, 3), normal(ROWS, 2, 5, 3)),
    case("both", b.MatMul(transpose_a=True, transpose_b=True), normal(ROWS, 3, 2), normal(ROWS, 5, 3)),
    case("rows", b.Transpose((0, 1)), _F),
    case("two", b.Transpose((0, 2, 1)), normal(ROWS, 2, 3)),
    case("heads", b.Transpose((0, 2, 1, 3)), _IMAGE),
    case("round", b.Transpose((0, 3, 1, 2)), _IMAGE),
    case("square", b.CausalMask(low=-3.0), normal(ROWS, 5, 5)),
    case("heads", b.CausalMask(low=-3.0), normal(ROWS, 2, 3, 5)),
    case("tall", b.CausalMask(low=2.0), normal(ROWS, 5, 3)),
    case("default", b.CausalMask(), normal(ROWS, 3, 3)),
    case("same", b.Mask(low=-3.0), normal(ROWS, 3, 5), classes(ROWS, 3, 5, count=2)),
    case("heads", b.Mask(low=-3.0), normal(ROWS, 2, 3, 5), classes(ROWS, 1, 3, 5, count=2)),
    case("default", b.Mask(), _F, classes(ROWS, 1, count=2)),
    case("floats", b.NonZero(), _IMAGE),
    case("whole", b.NonZero(), classes(ROWS, 7, count=3)),
    case("same", b.Where(), classes(ROWS, 3, 5, count=2), normal(ROWS, 3, 5), normal(ROWS, 3, 5)),
    case("moments", b.Where(), classes(ROWS, 3, 1, count=3), normal(ROWS, 3, 5), normal(ROWS, 3, 5)),
    case("samples", b.Where(), classes(ROWS, 1, count=2), _F, _F),
    case("even", b.SinePositions(), normal(ROWS, 5, 6)),
    case("odd", b.SinePositions(max_wavelength=30.0), normal(ROWS, 7, 3)),
)
