"""One table of every layer in several configurations, with shapes of inputs and output worked by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brickwork import layers

N = None


@dataclass(frozen=True)
class Inner:
    """A layer that another one is made around."""

    kind: str
    arguments: dict[str, Any]

    def make(self, library: Any = layers) -> Any:
        return getattr(library, self.kind)(**self.arguments)


@dataclass(frozen=True)
class Example:
    """A layer's class and arguments; shapes of its inputs and of its output."""

    kind: str
    arguments: dict[str, Any]
    inputs: tuple[tuple[int | None, ...], ...]
    output: tuple[int | None, ...]

    @property
    def id(self) -> str:
        told = ",".join(f"{key}={value}" for key, value in self.arguments.items())
        return f"{self.kind}({told})-{'+'.join(map(str, self.inputs))}"

    def make(self, library: Any = layers, **more: Any) -> Any:
        """The layer, of Brickwork or of another library with these names."""
        told = {
            key: value.make(library) if isinstance(value, Inner) else value
            for key, value in self.arguments.items()
        }
        return getattr(library, self.kind)(**{**told, **more})

    def symbols(self) -> list[Any]:
        return [layers.Input(batch_shape=shape, name=f"x{index}") for index, shape in enumerate(self.inputs)]

    def call(self, layer: Any, xs: Any, **more: Any) -> Any:
        """A list goes to the layers that merge."""
        xs = list(xs)
        if self.kind == "MultiHeadAttention":
            return layer(*xs, **more)
        return layer(xs[0] if len(xs) == 1 else xs, **more)

    def draw(self, rng: np.random.Generator, rows: int = 3) -> list[np.ndarray]:
        if self.kind == "CategoryEncoding":
            shape = [rows if size is None else size for size in self.inputs[0]]
            return [rng.integers(0, self.arguments["num_tokens"], shape).astype("float32")]
        if self.kind in ("Embedding", "TokenAndPositionEmbedding"):
            shape = [rows if size is None else size for size in self.inputs[0]]
            count = self.arguments.get("input_dim") or self.arguments["vocabulary_size"]
            return [rng.integers(0, count, shape).astype("float32")]
        return [
            rng.standard_normal([rows if size is None else size for size in shape]).astype("float32")
            for shape in self.inputs
        ]


def example(kind: str, *shapes: tuple[int | None, ...], **arguments: Any) -> Example:
    """The last shape is the output's."""
    return Example(kind, arguments, shapes[:-1], shapes[-1])


def wrapped(
    kind: str, given: Any, output: Any, inner: str, told: dict[str, Any], **arguments: Any
) -> Example:
    """A layer around another one."""
    return Example(kind, {"layer": Inner(inner, told), **arguments}, (given,), output)


IMAGE = (N, 7, 6, 4)
SEQUENCE = (N, 7, 4)
COLORED = (N, 7, 6, 3)
SEQUENCES = {"units": 3, "return_sequences": True}

EXAMPLES: tuple[Example, ...] = (
    example("Dense", (N, 4), (N, 3), units=3),
    example("Dense", (N, 4), (N, 3), units=3, activation="softmax", use_bias=False),
    example("Dense", (N, 5, 2, 4), (N, 5, 2, 3), units=3, activation="tanh"),
    example("Embedding", (N, 5), (N, 5, 3), input_dim=4, output_dim=3),
    example("Embedding", (N,), (N, 2), input_dim=1, output_dim=2, embeddings_initializer="ones"),
    example("CategoryEncoding", (N, 5), (N, 4), num_tokens=4),
    example("CategoryEncoding", (N, 6), (N, 3), num_tokens=3, output_mode="count"),
    example("CategoryEncoding", (N, 5), (N, 5, 4), num_tokens=4, output_mode="one_hot"),
    example("CategoryEncoding", (N, 5, 1), (N, 5, 4), num_tokens=4, output_mode="one_hot"),
    example("Embedding", (N, 5), (N, 5, 3), input_dim=4, output_dim=3, mask_zero=True),
    example("Masking", (N, 5, 4), (N, 5, 4)),
    example("Masking", (N, None, 2), (N, None, 2), mask_value=-1.5),
    example("PositionEmbedding", (N, 5, 4), (N, 5, 4), sequence_length=5),
    example("PositionEmbedding", (N, 5, 4), (N, 5, 4), sequence_length=7, initializer="ones"),
    example("SinePositionEncoding", (N, 5, 4), (N, 5, 4)),
    example("SinePositionEncoding", (N, 5, 3), (N, 5, 3), max_wavelength=100),
    example(
        "TokenAndPositionEmbedding", (N, 5), (N, 5, 3), vocabulary_size=4, sequence_length=6, embedding_dim=3
    ),
    example("MultiHeadAttention", (N, 5, 4), (N, 6, 3), (N, 5, 4), num_heads=2, key_dim=3),
    example("MultiHeadAttention", (N, 5, 4), (N, 6, 3), (N, 6, 2), (N, 5, 4), num_heads=3, key_dim=1),
    example(
        "MultiHeadAttention",
        (N, 5, 4),
        (N, 5, 4),
        (N, 5, 7),
        num_heads=1,
        key_dim=3,
        use_bias=False,
        output_shape=7,
    ),
    example("Identity", (N, 5, 2), (N, 5, 2)),
    example("ActivityRegularization", (N, 4), (N, 4), l1=0.1, l2=0.5),
    example("ActivityRegularization", IMAGE, IMAGE),
    example("Activation", (N, 4), (N, 4), activation="relu"),
    example("Activation", (N, 4), (N, 4), activation="linear"),
    example("Activation", (N, 4), (N, 4), activation="log_softmax"),
    example("Flatten", IMAGE, (N, 168)),
    example("Flatten", (N,), (N, 1)),
    example("Reshape", (N, 12), (N, 2, 6), target_shape=(2, 6)),
    example("Reshape", (N, 4, 3), (N, 6, 2), target_shape=(-1, 2)),
    example("Conv2D", IMAGE, (N, 5, 4, 2), filters=2, kernel_size=3),
    example("Conv2D", IMAGE, (N, 7, 6, 2), filters=2, kernel_size=(3, 2), padding="same", activation="relu"),
    example("Conv2D", IMAGE, (N, 4, 3, 2), filters=2, kernel_size=3, padding="same", strides=2),
    example("Conv2D", IMAGE, (N, 3, 4, 2), filters=2, kernel_size=2, strides=(2, 1), dilation_rate=(2, 2)),
    example("Conv2D", IMAGE, (N, 6, 5, 6), filters=6, kernel_size=2, groups=2, use_bias=False),
    example("Conv1D", SEQUENCE, (N, 5, 2), filters=2, kernel_size=3),
    example("Conv1D", SEQUENCE, (N, 7, 2), filters=2, kernel_size=3, padding="causal", dilation_rate=2),
    example("Conv1D", SEQUENCE, (N, 4, 6), filters=6, kernel_size=2, strides=2, padding="same", groups=2),
    example("Conv2DTranspose", IMAGE, (N, 9, 8, 2), filters=2, kernel_size=3, activation="relu"),
    example("Conv2DTranspose", IMAGE, (N, 14, 12, 2), filters=2, kernel_size=3, padding="same", strides=2),
    example("Conv2DTranspose", IMAGE, (N, 21, 12, 2), filters=2, kernel_size=(2, 1), strides=(3, 2)),
    example(
        "Conv2DTranspose",
        IMAGE,
        (N, 15, 12, 2),
        filters=2,
        kernel_size=(3, 2),
        strides=2,
        output_padding=(0, 0),
        use_bias=False,
    ),
    example("Conv1DTranspose", SEQUENCE, (N, 15, 2), filters=2, kernel_size=3, strides=2),
    example("Conv1DTranspose", SEQUENCE, (N, 9, 2), filters=2, kernel_size=2, dilation_rate=2),
    example("DepthwiseConv2D", IMAGE, (N, 5, 4, 4), kernel_size=3),
    example("DepthwiseConv2D", IMAGE, (N, 7, 6, 8), kernel_size=(3, 2), padding="same", depth_multiplier=2),
    example("DepthwiseConv1D", SEQUENCE, (N, 5, 4), kernel_size=3, activation="tanh"),
    example(
        "DepthwiseConv1D", SEQUENCE, (N, 4, 8), kernel_size=3, strides=2, padding="same", depth_multiplier=2
    ),
    example("SeparableConv2D", IMAGE, (N, 5, 4, 3), filters=3, kernel_size=3),
    example("SeparableConv2D", IMAGE, (N, 4, 3, 3), filters=3, kernel_size=3, strides=2, padding="same"),
    example("SeparableConv1D", SEQUENCE, (N, 5, 3), filters=3, kernel_size=3, depth_multiplier=2),
    example("MaxPooling2D", IMAGE, (N, 3, 3, 4)),
    example("MaxPooling2D", IMAGE, (N, 4, 3, 4), padding="same"),
    example("MaxPooling2D", IMAGE, (N, 5, 2, 4), pool_size=3, strides=(1, 2)),
    example("AveragePooling2D", IMAGE, (N, 3, 3, 4), pool_size=2),
    example("AveragePooling2D", IMAGE, (N, 4, 3, 4), pool_size=(3, 3), strides=2, padding="same"),
    example("GlobalAveragePooling2D", IMAGE, (N, 4)),
    example("GlobalAveragePooling2D", IMAGE, (N, 1, 1, 4), keepdims=True),
    example("MaxPooling1D", SEQUENCE, (N, 3, 4)),
    example("MaxPooling1D", SEQUENCE, (N, 4, 4), pool_size=3, strides=2, padding="same"),
    example("AveragePooling1D", SEQUENCE, (N, 3, 4), pool_size=2),
    example("AveragePooling1D", SEQUENCE, (N, 3, 4), pool_size=(2,), strides=(3,), padding="same"),
    example("GlobalAveragePooling1D", SEQUENCE, (N, 4)),
    example("GlobalAveragePooling1D", SEQUENCE, (N, 1, 4), keepdims=True),
    example("GlobalMaxPooling1D", SEQUENCE, (N, 4)),
    example("GlobalMaxPooling2D", IMAGE, (N, 4)),
    example("GlobalMaxPooling2D", IMAGE, (N, 1, 1, 4), keepdims=True),
    example("ZeroPadding2D", IMAGE, (N, 9, 8, 4)),
    example("ZeroPadding2D", IMAGE, (N, 9, 12, 4), padding=(1, 3)),
    example("ZeroPadding2D", IMAGE, (N, 8, 11, 4), padding=((1, 0), (2, 3))),
    example("ZeroPadding1D", SEQUENCE, (N, 9, 4)),
    example("ZeroPadding1D", SEQUENCE, (N, 10, 4), padding=(1, 2)),
    example("Cropping2D", IMAGE, IMAGE),
    example("Cropping2D", IMAGE, (N, 3, 2, 4), cropping=2),
    example("Cropping2D", IMAGE, (N, 6, 1, 4), cropping=((1, 0), (2, 3))),
    example("Cropping1D", SEQUENCE, (N, 5, 4)),
    example("Cropping1D", SEQUENCE, (N, 4, 4), cropping=(1, 2)),
    example("UpSampling2D", IMAGE, (N, 14, 12, 4)),
    example("UpSampling2D", IMAGE, (N, 7, 18, 4), size=(1, 3), interpolation="bilinear"),
    example("UpSampling2D", IMAGE, (N, 14, 18, 4), size=(2, 3), interpolation="bicubic"),
    example("UpSampling2D", IMAGE, (N, 14, 6, 4), size=(2, 1), interpolation="lanczos3"),
    example("UpSampling2D", IMAGE, (N, 14, 12, 4), size=2, interpolation="lanczos5"),
    example("UpSampling1D", SEQUENCE, (N, 21, 4), size=3),
    example("BatchNormalization", (N, 4), (N, 4)),
    example("BatchNormalization", IMAGE, IMAGE, axis=1, momentum=0.5, epsilon=0.1),
    example("BatchNormalization", (N, 4), (N, 4), center=False, scale=False),
    example("LayerNormalization", (N, 4), (N, 4)),
    example("LayerNormalization", IMAGE, IMAGE, axis=[1, 2, 3], epsilon=0.1),
    example("LayerNormalization", IMAGE, IMAGE, axis=2, center=False),
    example("GroupNormalization", IMAGE, IMAGE, groups=2),
    example("GroupNormalization", IMAGE, IMAGE, groups=-1, scale=False, epsilon=0.1),
    example("GroupNormalization", (N, 6), (N, 6), groups=3, center=False),
    example("GroupNormalization", (N, 6, 3), (N, 6, 3), groups=2, axis=1),
    example("RMSNormalization", (N, 4), (N, 4)),
    example("RMSNormalization", IMAGE, IMAGE, axis=[2, 3], epsilon=0.1),
    example("UnitNormalization", (N, 4), (N, 4)),
    example("UnitNormalization", IMAGE, IMAGE, axis=[1, 2]),
    example("LocalResponseNormalization", IMAGE, IMAGE, size=3, alpha=0.5),
    example("Dropout", (N, 4), (N, 4), rate=0.5),
    example("Dropout", IMAGE, IMAGE, rate=0.5, noise_shape=(None, 1, 1, 4)),
    example("NaiveDropout", (N, 4), (N, 4), rate=0.5, seed=3),
    example("AlphaDropout", (N, 4), (N, 4), rate=0.5),
    example("AlphaDropout", (N, 5, 4), (N, 5, 4), rate=0.5, noise_shape=(None, None, 1)),
    example("SpatialDropout1D", (N, 5, 4), (N, 5, 4), rate=0.5),
    example("SpatialDropout2D", IMAGE, IMAGE, rate=0.5),
    example("SpatialDropout3D", (N, 2, 3, 4, 5), (N, 2, 3, 4, 5), rate=0.5),
    example("GaussianNoise", (N, 4), (N, 4), stddev=0.5),
    example("GaussianDropout", (N, 4), (N, 4), rate=0.5),
    example("RandomTranslation", IMAGE, IMAGE, height_factor=0.2, width_factor=(0.0, 0.3)),
    example("RandomRotation", IMAGE, IMAGE, factor=(-0.1, 0.2), fill_mode="constant", fill_value=1.0),
    example("RandomZoom", IMAGE, IMAGE, height_factor=0.2, interpolation="nearest", seed=3),
    example("RandomFlip", IMAGE, IMAGE),
    example("RandomFlip", IMAGE, IMAGE, mode="horizontal", seed=3),
    example("RandomCrop", IMAGE, (N, 3, 2, 4), height=3, width=2),
    example("RandomBrightness", IMAGE, IMAGE, factor=0.2),
    example("RandomContrast", IMAGE, IMAGE, factor=(0.1, 0.3), value_range=(-1.0, 1.0)),
    example("RandomSaturation", COLORED, COLORED, factor=0.7),
    example("RandomHue", COLORED, COLORED, factor=(0.1, 0.3), seed=3),
    example("RandomColorJitter", IMAGE, IMAGE),
    example(
        "RandomColorJitter",
        COLORED,
        COLORED,
        brightness_factor=0.1,
        contrast_factor=0.2,
        saturation_factor=0.7,
        hue_factor=0.2,
    ),
    example("RandomErasing", IMAGE, IMAGE),
    example("RandomErasing", COLORED, COLORED, factor=0.5, scale=(0.1, 0.2), fill_value=3.0),
    example("CenterCrop", IMAGE, (N, 4, 3, 4), height=4, width=3),
    example("CenterCrop", IMAGE, (N, 9, 4, 4), height=9, width=4),
    example("ReLU", (N, 9), (N, 9)),
    example("ReLU", (N, 9), (N, 9), max_value=0.8, negative_slope=0.1, threshold=0.3),
    example("ReLU", (N, 9), (N, 9), negative_slope=0.1),
    example("ReLU", (N, 9), (N, 9), threshold=0.5),
    example("LeakyReLU", (N, 9), (N, 9)),
    example("LeakyReLU", (N, 9), (N, 9), negative_slope=0.01),
    example("ELU", (N, 9), (N, 9)),
    example("ELU", (N, 9), (N, 9), alpha=0.5),
    example("PReLU", (N, 9), (N, 9), alpha_initializer="ones"),
    example("PReLU", IMAGE, IMAGE, shared_axes=[1, 2]),
    example("PReLU", IMAGE, IMAGE, shared_axes=3),
    example("Maxout", (N, 8), (N, 4)),
    example("Maxout", (N, 9, 2), (N, 3, 2), pieces=3, axis=1),
    example("Softmax", (N, 9), (N, 9)),
    example("Softmax", (N, 5, 2), (N, 5, 2), axis=1),
    example("Rescaling", (N, 4), (N, 4), scale=0.5),
    example("Rescaling", (N, 3), (N, 3), scale=[0.5, 1.0, 2.0], offset=[1.0, 0.0, -1.0]),
    example("Normalization", (N, 2), (N, 2), mean=[1.0, 2.0], variance=[4.0, 0.25]),
    example("Normalization", IMAGE, IMAGE, mean=3.0, variance=2.0, invert=True),
    example("Normalization", (N, 2), (N, 2), axis=None, mean=3.0, variance=2.0),
    example("Normalization", (N, 3, 2), (N, 3, 2), axis=1, mean=[1.0, 2.0, 3.0], variance=[1.0, 0.0, 4.0]),
    example("Normalization", (N, 5), (N, 5)),
    example("MinMaxScaling", (N, 5), (N, 5)),
    example("MinMaxScaling", IMAGE, IMAGE, axis=None, bounds=(-1.0, 1.0), invert=True),
    example("Add", (N, 4), (N, 4), (N, 4), (N, 4)),
    example("Add", (N, 3, 2), (N, 1, 2), (N, 3, 2)),
    example("Add", (N, 2), (N, 3, 2), (N, 3, 2)),
    example("Multiply", (N, 4), (N, 4), (N, 4)),
    example("Multiply", (N, 5, 4, 2), (N, 2), (N, 5, 4, 2)),
    example("Maximum", (N, 4), (N, 1), (N, 4)),
    example("Minimum", (N, 4), (N, 1), (N, 4)),
    example("Minimum", (N, 5, 4, 2), (N, 2), (N, 5, 4, 2)),
    example("Average", (N, 4), (N, 4), (N, 4), (N, 4)),
    example("Average", (N, 3, 2), (N, 1, 2), (N, 3, 2)),
    example("Subtract", (N, 4), (N, 4), (N, 4)),
    example("Subtract", (N, 3, 2), (N, 2), (N, 3, 2)),
    example("Dot", (N, 4), (N, 4), (N, 1), axes=1),
    example("Dot", (N, 4), (N, 4), (N, 1), axes=-1, normalize=True),
    example("Dot", (N, 3, 5), (N, 7, 3), (N, 5, 7), axes=(1, 2)),
    example("Dot", (N, 3, 5), (N, 5), (N, 3), axes=(2, 1)),
    example("Dot", (N, 2, 5, 3), (N, 5, 4), (N, 2, 3, 4), axes=(2, 1), normalize=True),
    example("Permute", (N, 5, 4), (N, 4, 5), dims=(2, 1)),
    example("Permute", IMAGE, (N, 4, 7, 6), dims=(3, 1, 2)),
    example("RepeatVector", (N, 4), (N, 3, 4), n=3),
    example("Concatenate", (N, 4), (N, 2), (N, 1), (N, 7)),
    example("Concatenate", (N, 4, 2), (N, 3, 2), (N, 7, 2), axis=1),
    *(
        example(kind, (N, 5, 4), output, units=3, **arguments)
        for kind in ("SimpleRNN", "LSTM", "GRU")
        for output, arguments in (
            ((N, 3), {}),
            ((N, 5, 3), {"return_sequences": True, "activation": "sigmoid"}),
            ((N, 5, 3), {"return_sequences": True, "go_backwards": True, "use_bias": False}),
        )
    ),
    example("LSTM", (N, 5, 4), (N, 3), units=3, unit_forget_bias=False, recurrent_activation="tanh"),
    example("GRU", (N, 5, 4), (N, 5, 3), units=3, reset_after=False, return_sequences=True),
    wrapped("Bidirectional", (N, 5, 4), (N, 6), "GRU", {"units": 3}),
    wrapped("Bidirectional", (N, 5, 4), (N, 5, 3), "LSTM", SEQUENCES, merge_mode="ave"),
    wrapped("Bidirectional", (N, 5, 4), (N, 5, 3), "SimpleRNN", SEQUENCES, merge_mode="mul"),
    wrapped("TimeDistributed", (N, 5, 4), (N, 5, 3), "Dense", {"units": 3, "activation": "tanh"}),
    wrapped("TimeDistributed", (N, 2, 5, 5, 1), (N, 2, 3, 3, 2), "Conv2D", {"filters": 2, "kernel_size": 3}),
)

BEYOND_KERAS = {
    "LocalResponseNormalization",
    "Maxout",
    "MinMaxScaling",
    "NaiveDropout",
    "PositionEmbedding",
    "SinePositionEncoding",
    "TokenAndPositionEmbedding",
}
"""Layers of which Keras has none; the last three are of KerasHub."""

REQUIRED = {
    item.kind: {key: one.make() if isinstance(one, Inner) else one for key, one in item.arguments.items()}
    for item in reversed(EXAMPLES)
}
"""Arguments with which each class can be made."""
