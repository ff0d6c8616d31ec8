"""Layers that tell where in a sequence something stands; names and meaning are those of KerasHub."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Flag, Real, Whole, argument, configured
from ..arrays import Array
from ..bricks.base import Brick
from ..graph.node import Attributes
from ..graph.symbol import Symbol
from .base import Layer
from .checks import INITIALIZER
from .variables import Variable


class Positions(Layer):
    """What a brick adds to a sequence for the places in it, alone: of the input only the shape counts."""

    supports_masking = True

    def alone(self, brick: Brick, x: Symbol, **attributes: Any) -> Any:
        """The brick laid on zeros."""
        return self.put(brick, self.put(bricks.Rescaling(0.0), x, role="zeros"), **attributes)


@configured()
class SinePositionEncoding(Positions):
    """The place of each position, told by sines and cosines of many wavelengths, to be added to a sequence.

    y[n, t, 2i] = sin(t / w), y[n, t, 2i+1] = cos(t / w), w = max_wavelength^(2i/F); x and y (N, T, F).

    Parameters
    ----------
    max_wavelength : of the slowest sine, in positions / 2π; above 0; default 10000.

    >>> from brickwork.layers import Embedding, Input
    >>> x = Embedding(1000, 64)(Input((10,), dtype="int32"))
    >>> (x + SinePositionEncoding()(x)).shape
    (None, 10, 64)

    Vaswani and others, "Attention Is All You Need", 2017.
    """

    max_wavelength: float = argument(Real(0.0, low_open=True), default=10000)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Rescaling by 0 → SinePositions."""
        return self.alone(bricks.SinePositions(self.max_wavelength), x)


@configured()
class PositionEmbedding(Positions):
    """A learned row for each position, to be added to a sequence: y[n, t] = embeddings[t]; y as x (N, T, F).

    Parameters
    ----------
    sequence_length : the most positions that a sequence may have, at least 1.
    initializer : of `embeddings` (sequence_length, F); default "glorot_uniform".

    >>> from brickwork.layers import Embedding, Input
    >>> x = Embedding(1000, 64)(Input((10,), dtype="int32"))
    >>> (x + PositionEmbedding(sequence_length=10)(x)).shape
    (None, 10, 64)

    Gehring, Auli, Grangier, Yarats and Dauphin, "Convolutional Sequence to Sequence Learning", 2017.
    """

    sequence_length: int = argument(Whole(1))
    initializer: Any = argument(INITIALIZER, default="glorot_uniform")

    variable_names = {"learned_positions/P": "embeddings"}

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Rescaling by 0 → LearnedPositions."""
        return self.alone(bricks.LearnedPositions(self.sequence_length), x, P=Attributes(self.initializer))


@configured()
class TokenAndPositionEmbedding(Layer):
    """A learned row for each whole number, and one for its position, added: what a transformer begins with.

    y[n, t] = E[x[n, t]] + P[t]; x (N, T), E (vocabulary_size, embedding_dim), P (sequence_length,
    embedding_dim).

    Parameters
    ----------
    vocabulary_size : how many numbers there are, at least 1; x is in [0, vocabulary_size).
    sequence_length : the most positions that a sequence may have, at least 1.
    embedding_dim : length of a row, at least 1.
    embeddings_initializer : of both tables; default "uniform", which is uniform on [-0.05, 0.05).
    mask_zero : whether 0 stands for nothing, as in Embedding; default False.

    >>> from brickwork.layers import Input
    >>> TokenAndPositionEmbedding(1000, 10, 64)(Input((10,), dtype="int32")).shape
    (None, 10, 64)

    Gehring, Auli, Grangier, Yarats and Dauphin, "Convolutional Sequence to Sequence Learning", 2017.
    """

    vocabulary_size: int = argument(Whole(1))
    sequence_length: int = argument(Whole(1))
    embedding_dim: int = argument(Whole(1))
    embeddings_initializer: Any = argument(INITIALIZER, default="uniform", kw_only=True)
    mask_zero: bool = argument(Flag(), default=False, kw_only=True)

    passes_mask = False

    @property
    def supports_masking(self) -> bool:  # type: ignore[override]
        """Where it makes one itself."""
        return bool(self.mask_zero)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Embedding → LearnedPositions; where zeros are masked, NonZero beside them."""
        told = Attributes(self.embeddings_initializer)
        tokens = bricks.Embedding(self.vocabulary_size, self.embedding_dim)
        y = self.put(tokens, x, role="token_embedding", E=told)
        places = bricks.LearnedPositions(self.sequence_length)
        y = self.put(places, y, role="position_embedding", P=told)
        if self.mask_zero:
            y.mask = self.put(bricks.NonZero(), x, role="mask")
        return y

    def _variable(self, role: str, key: str, value: Array, trainable: bool) -> Variable:
        """Both are called embeddings."""
        return Variable("embeddings", f"{self.name}/{role}/embeddings", value, trainable)
