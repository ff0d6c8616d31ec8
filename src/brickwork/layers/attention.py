"""MultiHeadAttention: positions of a sequence that ask one another, as a graph of bricks."""

from __future__ import annotations

import math
from typing import Any

from .. import bricks
from ..arguments import Flag, Maybe, Real, Whole, argument, configured
from ..arrays import Array
from ..bricks.base import letters
from ..errors import ShapeError
from ..graph.node import Attributes
from ..graph.symbol import Symbol
from ..initializers.reshaped import Reshaped
from .base import Layer
from .checks import CONSTRAINT, INITIALIZER, REGULARIZER
from .masks import beside, checked
from .variables import KERAS_NAMES, Variable

_OUTPUT = "attention_output"


@configured()
class MultiHeadAttention(Layer):
    """Each position of `query` takes a weighted mean of all positions of `value`, several times side by side.

    For each head, y = softmax(q k' / √key_dim) v, where q, k and v are Linear → Bias of query, key and value;
    what the heads give is joined and goes through one more Linear → Bias. In bricks: Linear → Bias →
    Reshape → Transpose, Rescaling, MatMul, CausalMask or Mask, Softmax, Dropout, MatMul.

    Call it as `layer(query, value, key=None, attention_mask=None, use_causal_mask=False,
    return_attention_scores=False)` on query (N, T, F), value (N, S, G) and key (N, S, K), by default value.
    attention_mask (N, T, S), or (N, 1, S), is 0 where nothing may be taken from. The masks of the sequences,
    or query_mask (N, T), value_mask (N, S) and key_mask (N, S), take away the positions that do not count.

    Parameters
    ----------
    num_heads : at least 1; this and what follows up to output_shape may be given by place.
    key_dim : size of each head's q and k, at least 1.
    value_dim : size of each head's v; default key_dim.
    dropout : part of the weights that is left out while training, in [0, 1).
    use_bias : whether biases are added.
    output_shape : size of the output's last axis; default: that of query.
    kernel_initializer, bias_initializer : "glorot_uniform", "zeros"; kernels count as (F, heads, dim).
    kernel_regularizer, bias_regularizer : penalties on the parameters.
    kernel_constraint, bias_constraint : applied after each update; they see kernels as matrices.
    seed : None, or what dropout follows instead of the run's seed.

    Weights, as in Keras: kernels (F, heads, dim) and biases (heads, dim) of query, key and value; kernel
    (heads, dim, F) and bias (F,) of the output.

    >>> from brickwork import Input
    >>> x = Input((10, 16))
    >>> MultiHeadAttention(num_heads=2, key_dim=8)(x, x, use_causal_mask=True).shape
    (None, 10, 16)

    Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser and Polosukhin, "Attention Is All You Need",
    2017.
    """

    num_heads: int = argument(Whole(1))
    key_dim: int = argument(Whole(1))
    value_dim: Any = argument(Maybe(Whole(1)), default=None)
    dropout: float = argument(Real(0.0, 1.0, high_open=True), default=0.0)
    use_bias: bool = argument(Flag(), default=True)
    output_shape: Any = argument(Maybe(Whole(1)), default=None)
    kernel_initializer: Any = argument(INITIALIZER, default="glorot_uniform", kw_only=True)
    bias_initializer: Any = argument(INITIALIZER, default="zeros", kw_only=True)
    kernel_regularizer: Any = argument(REGULARIZER, default=None, kw_only=True)
    bias_regularizer: Any = argument(REGULARIZER, default=None, kw_only=True)
    kernel_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)
    bias_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)
    seed: Any = argument(Maybe(Whole(0, 2**64 - 1)), default=None, kw_only=True)

    supports_masking = True
    passes_mask = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.value_dim is None:
            self.value_dim = self.key_dim

    def lay(  # type: ignore[override]
        self,
        query: Symbol,
        value: Symbol,
        key: Symbol | None = None,
        *,
        query_mask: Symbol | None = None,
        value_mask: Symbol | None = None,
        key_mask: Symbol | None = None,
        attention_mask: Symbol | None = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
    ) -> Any:
        """The output; with `return_attention_scores` also the weights (N, heads, T, S)."""
        owner = type(self).__name__
        causal = Flag()(owner, "use_causal_mask", use_causal_mask)
        tells = Flag()(owner, "return_attention_scores", return_attention_scores)
        key = value if key is None else key
        self._require_sequences(query, value, key)
        q = self._heads("query", query, self.key_dim)
        k = self._heads("key", key, self.key_dim)
        v = self._heads("value", value, self.value_dim)
        q = self.put(bricks.Rescaling(1.0 / math.sqrt(self.key_dim)), q)
        scores = self.put(bricks.MatMul(transpose_b=True), q, k, role="scores")
        if attention_mask is not None:
            scores = self.put(bricks.Mask(), scores, self._mask_for_heads(attention_mask, scores))
        if query_mask is not None:
            query_mask = checked(self, query_mask, query, "query_mask")
            scores = self._without(scores, query_mask, "query_mask", behind=1)
        for role, mask in {"value_mask": value_mask, "key_mask": key_mask}.items():
            if mask is not None:
                scores = self._without(scores, checked(self, mask, value, role), role, before=1)
        if causal:
            scores = self.put(bricks.CausalMask(), scores)
        weights = kept = self.put(bricks.Softmax(), scores)
        if self.dropout > 0.0:
            kept = self.put(bricks.Dropout(self.dropout, seed=self.seed), weights)
        y = self._joined(self.put(bricks.MatMul(), kept, v, role="mixture"))
        y = self._linear(_OUTPUT, y, int(self.output_shape or query.shape[-1] or 0))
        y.mask = query_mask
        return (y, weights) if tells else y

    def _without(self, scores: Symbol, mask: Symbol, role: str, before: int = 0, behind: int = 0) -> Any:
        """The scores (N, heads, T, S), taken away where the positions of a sequence do not count."""
        placed = beside(self, mask, before=1 + before, behind=behind, role=role)
        return self.put(bricks.Mask(), scores, placed, role=role)

    def _require_sequences(self, query: Symbol, value: Symbol, key: Symbol) -> None:
        shapes = [x.shape for x in (query, value, key)]
        if any(len(shape) != 3 or shape[2] is None for shape in shapes) or shapes[1][1] != shapes[2][1]:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} takes query (N, T, F), value (N, S, G) and key "
                f"(N, S, K); it received {', '.join(letters(shape) for shape in shapes)}. Bring sequences "
                f"into this form by Embedding or Reshape((T, F)), with a key for each value."
            )

    def _linear(self, role: str, x: Symbol, units: int) -> Symbol:
        """Linear, Bias; their first values have the spread of Keras's layout."""
        features = int(x.shape[-1] or 0)
        kernel: tuple[int, ...]
        bias: tuple[int, ...]
        if role == _OUTPUT:
            kernel, bias = (self.num_heads, self.value_dim, units), (units,)
        else:
            kernel, bias = (features, *self._split(role)), self._split(role)
        told = Attributes(
            Reshaped(self.kernel_initializer, kernel), True, self.kernel_regularizer, self.kernel_constraint
        )
        y = self.put(bricks.Linear(units), x, role=role, W=told)
        if self.use_bias:
            told = Attributes(
                Reshaped(self.bias_initializer, bias), True, self.bias_regularizer, self.bias_constraint
            )
            y = self.put(bricks.Bias(), y, role=f"{role}_bias", b=told)
        made: Symbol = y
        return made

    def _split(self, role: str) -> tuple[int, int]:
        return self.num_heads, self.value_dim if role == "value" else self.key_dim

    def _heads(self, role: str, x: Symbol, size: int) -> Symbol:
        """(N, T, F) → (N, heads, T, size)."""
        y = self._linear(role, x, self.num_heads * size)
        split = (-1 if y.shape[1] is None else y.shape[1], self.num_heads, size)
        y = self.put(bricks.Reshape(split), y, role=f"{role}_split")
        made: Symbol = self.put(bricks.Transpose((0, 2, 1, 3)), y, role=f"{role}_heads")
        return made

    def _joined(self, y: Symbol) -> Symbol:
        """(N, heads, T, size) → (N, T, heads * size)."""
        y = self.put(bricks.Transpose((0, 2, 1, 3)), y, role="side_by_side")
        joined = (-1 if y.shape[1] is None else y.shape[1], self.num_heads * self.value_dim)
        made: Symbol = self.put(bricks.Reshape(joined), y, role="joined")
        return made

    def _mask_for_heads(self, mask: Symbol, scores: Symbol) -> Symbol:
        """(N, T, S) → (N, 1, T, S): one mask for all heads."""
        if len(mask.shape) == 4:
            return mask
        fits = len(mask.shape) == 3 and all(
            size in (1, None, wanted) or wanted is None
            for size, wanted in zip(mask.shape[1:], scores.shape[2:], strict=True)
        )
        if not fits or mask.shape[1:].count(None) > 1:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} takes an attention_mask (N, T, S), here "
                f"{letters((None, *scores.shape[2:]))}; it received {letters(mask.shape)}. Say 1 where a "
                f"position may be looked at, 0 where not."
            )
        sizes = [-1 if size is None else size for size in mask.shape[1:]]
        made: Symbol = self.put(bricks.Reshape((1, *sizes)), mask, role="mask_for_heads")
        return made

    def _variable(self, role: str, key: str, value: Array, trainable: bool) -> Variable:
        """In Keras's layout, which is a view of the brick's."""
        name, part = KERAS_NAMES.get(key, key), role.removesuffix("_bias")
        if part != _OUTPUT:
            value = value.reshape(*value.shape[:-1], *self._split(part))
        elif key == "W":
            value = value.reshape(self.num_heads, self.value_dim, -1)
        return Variable(name, f"{self.name}/{part}/{name}", value, trainable)
