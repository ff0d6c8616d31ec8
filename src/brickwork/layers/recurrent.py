"""Recurrent layers: SimpleRNN, LSTM, GRU.

What does not depend on the state, x @ kernel + bias, is one Linear and one Bias on the whole sequence; the
rest is a Loop whose cell shows every gate as bricks. Weights have Keras's names, layout and order of gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from .. import bricks
from ..arguments import Check, Flag, Maybe, Real, Whole, argument, configured
from ..arrays import Array
from ..bricks.base import Brick, letters
from ..catalogue import snake_case
from ..config import floatx
from ..errors import ShapeError
from ..graph.graph import Graph
from ..graph.loop import Loop
from ..graph.node import Attributes, Node
from ..graph.symbol import Symbol
from .base import Layer
from .checks import ACTIVATION, CONSTRAINT, INITIALIZER, REGULARIZER
from .masks import beside, checked
from .normalization import Fixed
from .variables import Variable

_ORDER = ("kernel", "recurrent_kernel", "bias")
_STATEFUL = Fixed(False, "Pass the last states on as initial_state: return_state=True gives them.")


class Auto(Check):
    """Keras's `use_cudnn`: which kernels compute is the engine's business here."""

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The value: any of Keras's three, without effect."""
        if value == "auto" or isinstance(value, bool):
            return value
        raise self.refuse(owner, name, value)

    def describe(self) -> str:
        """Keras's three."""
        return "'auto', True or False, which all mean the same here"

    def bad(self) -> list[Any]:
        """None of them."""
        return ["always", 3, None]


class Cells:
    """The bricks of a cell, collected one by one; activations that are the identity lay nothing."""

    def __init__(self, units: int) -> None:
        self.units = units
        self.nodes: list[Node] = []

    def __call__(self, name: str, brick: Brick | None, *inputs: str, owner: str = "") -> str:
        """Lay a brick; gives the name of its output."""
        if brick is None or isinstance(brick, bricks.Identity):
            return inputs[0]
        self.nodes.append(Node(name, brick, inputs, owner))
        return name

    def parts(self, of: str, *names: str, first: int = 0) -> list[str]:
        """Neighbouring parts of the last axis, each as wide as the units."""
        width = self.units
        return [
            self(name, bricks.Slice(-1, index * width, (index + 1) * width), of)
            for index, name in enumerate(names, first)
        ]


@configured()
class Recurrent(Layer):
    """What the recurrent layers share.

    Sequences of several lengths are padded, and a mask says which moments count: that of the input
    (Embedding(mask_zero=True), Masking), or one given in the call, mask=… (N, T). Where a moment does not
    count the states stay what they are, and the output is that of the moment before.

    Parameters common to the recurrent layers (by keyword)
    ----------
    kernel_constraint, recurrent_constraint, bias_constraint : applied after each update.
    dropout : part of the input's numbers that are 0 while training, the same ones at all moments; in [0, 1).
    recurrent_dropout : the same for the state that goes into the recurrent kernel.
    seed : of the masks; None (default): they follow the seed of the training run.
    return_sequences : whether the output of each moment is given, (N, T, units), or the last, (N, units).
    return_state : whether the last states are given too, behind the output.
    go_backwards : whether the sequence is read from its end; the outputs stand in the order of reading.
    zero_output_for_mask : whether outputs are 0 where the mask is, if sequences are returned; default False.
    stateful : of Keras; only its default.
    unroll : of Keras, where it chooses how to compute; the numbers are the same. See `Loop.unroll`.
    """

    kernel_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)
    recurrent_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)
    bias_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)
    dropout: float = argument(Real(0.0, 1.0, high_open=True), default=0.0, kw_only=True)
    recurrent_dropout: float = argument(Real(0.0, 1.0, high_open=True), default=0.0, kw_only=True)
    seed: Any = argument(Maybe(Whole(0, 2**64 - 1)), default=None, kw_only=True)
    return_sequences: bool = argument(Flag(), default=False, kw_only=True)
    return_state: bool = argument(Flag(), default=False, kw_only=True)
    go_backwards: bool = argument(Flag(), default=False, kw_only=True)
    zero_output_for_mask: bool = argument(Flag(), default=False, kw_only=True)
    stateful: bool = argument(_STATEFUL, default=False, kw_only=True)
    unroll: bool = argument(Flag(), default=False, kw_only=True)

    gates: ClassVar[int] = 1
    """How many times as many numbers as units a moment brings into the cell."""
    state_names: ClassVar[tuple[str, ...]] = ("h",)
    former_names: ClassVar[dict[str, str]] = {
        **Layer.former_names,
        "inner_activation": "recurrent_activation",
        "inner_init": "recurrent_initializer",
        "U_regularizer": "recurrent_regularizer",
        "dropout_W": "dropout",
        "dropout_U": "recurrent_dropout",
    }

    supports_masking = True
    passes_mask = False
    _aligned = False
    """True: outputs stand at their moments though the sequence is read from its end; for Bidirectional."""

    def wire(self, lay: Cells, h: str) -> list[str]:
        """Lay one moment's bricks on "x", the states, and `h`, the state as the kernel sees it.

        Gives the new states; the first of them is the output.
        """
        raise NotImplementedError

    @property
    def bias_in_cell(self) -> bool:
        """Whether the cell adds the bias."""
        return False

    @property
    def cell(self) -> Graph:
        """What happens at one moment: x, already times the kernel, and the states; the output, new states."""
        return self._cell(masked=False)

    def _cell(self, *, masked: bool) -> Graph:
        """The cell; with a mask, it is one more number that a moment brings: whether the moment counts."""
        lay = Cells(self.units)
        inputs = {"x": (None, self.gates * self.units)}
        if masked:
            inputs["counts"] = (None, 1)
        inputs.update({name: (None, self.units) for name in self.state_names})
        h = "h"
        if self.recurrent_dropout:
            inputs["mask"] = (None, self.units)
            h = lay("masked", bricks.Multiply(), "h", "mask")
        new = self.wire(lay, h)
        if masked:
            new = [
                lay(f"{name}_carried", bricks.Where(), "counts", made, name)
                for name, made in zip(self.state_names, new, strict=True)
            ]
        y = new[0]
        if masked and self.zero_output_for_mask and self.return_sequences:
            y = lay("y_or_0", bricks.Mask(low=0.0), y, "counts")
        return Graph(inputs, lay.nodes, [y, *new, *(["mask"] if self.recurrent_dropout else [])])

    def lay(self, x: Symbol, *states: Symbol, mask: Symbol | None = None) -> Any:  # type: ignore[override]
        """Linear → Bias for all moments, then the loop."""
        self._require_fitting(x, states)
        z = self._kernel(self._dropped(x))
        moments = [z]
        if mask is not None:
            mask = checked(self, mask, x)
            moments.append(beside(self, mask, behind=1))
        given = self._with_mask(z, states) if self.recurrent_dropout else states
        count = len(self.state_names) + bool(self.recurrent_dropout)
        told: dict[str, Any] = {"recurrent.W": self._attributes("recurrent")}
        if self.bias_in_cell:
            told["recurrent_bias.b"] = self._attributes("bias")
        loop = Loop(self._cell(masked=mask is not None), count, self.go_backwards)
        sequence, *last = self.put(loop, *moments, *given, role="loop", **told)
        last = last[: len(self.state_names)]
        y = last[0]
        if self.return_sequences:
            turned = self.go_backwards and not self._aligned
            y = self.put(bricks.Flip(1), sequence) if turned else sequence
            y.mask = mask
        return (y, *last) if self.return_state else y

    def __call__(
        self, *inputs: Any, training: bool | None = None, initial_state: Any = None, **more: Any
    ) -> Any:
        """On a sequence (N, T, F), a symbol or an array; `initial_state` is a state or a list of them.

        `mask` (N, T), by name, is 0 where moments do not count; default: that of the sequence.
        """
        states = () if initial_state is None else (initial_state,)
        flat = [x for given in (*inputs, *states) for x in _listed(given)]
        return super().__call__(*flat, training=training, **more)

    def _require_fitting(self, x: Symbol, states: Sequence[Symbol]) -> None:
        name = f"{type(self).__name__} {self.name!r}"
        if len(x.shape) != 3 or x.shape[2] is None:
            raise ShapeError(
                f"{name} takes sequences of shape (N, T, F), F known; it received {letters(x.shape)}. "
                f"Put Reshape((T, F)) before it; for a text, a vector for each letter."
            )
        shapes = [state.shape[1:] for state in states]
        if states and shapes != [(self.units,)] * len(self.state_names):
            raise ShapeError(
                f"{name} takes {len(self.state_names)} initial states of shape (N, {self.units}); it "
                f"received {', '.join(letters(state.shape) for state in states)}. Pass all or none."
            )

    def _attributes(self, of: str) -> Attributes:
        """What the arguments say of a weight."""
        kinds = ("initializer", "regularizer", "constraint")
        said = {kind: getattr(self, f"{of}_{kind}") for kind in kinds}
        return Attributes(said["initializer"], True, said["regularizer"], said["constraint"])

    def _kernel(self, x: Symbol) -> Any:
        z = self.put(bricks.Linear(self.gates * self.units), x, role="kernel", W=self._attributes("kernel"))
        if not self.use_bias or self.bias_in_cell:
            return z
        known = self._attributes("bias")
        return self.put(bricks.Bias(), z, role="bias", values=self._first_values(), b=known)

    def _first_values(self) -> dict[str, Any]:
        """Numbers with which the bias begins, where they are not its initializer's."""
        return {}

    def _dropped(self, x: Symbol) -> Any:
        """The sequence times a mask that is the same at all moments."""
        if not self.dropout:
            return x
        moment = self.put(bricks.Slice(1, 0, 1), x, role="first_moment")
        return self.put(bricks.Multiply(), x, self._mask(moment, self.dropout, "input"), role="dropped")

    def _with_mask(self, z: Symbol, states: Sequence[Symbol]) -> tuple[Any, ...]:
        """The states, zeros if none are given, and a mask as one more that the cell hands on."""
        moment = self.put(bricks.Slice(1, 0, 1), z, role="first_of_kernel")
        part = self.put(bricks.Slice(-1, 0, self.units), moment, role="first_units")
        like = self.put(bricks.Reshape((self.units,)), part, role="like_state")
        if not states:
            states = (self.put(bricks.Rescaling(0.0), like, role="zeros"),) * len(self.state_names)
        return (*states, self._mask(like, self.recurrent_dropout, "recurrent"))

    def _mask(self, like: Symbol, rate: float, of: str) -> Any:
        ones = self.put(bricks.Rescaling(0.0, 1.0), like, role=f"{of}_ones")
        return self.put(bricks.Dropout(rate, seed=self.seed), ones, role=f"{of}_mask")

    def _variable(self, role: str, key: str, value: Array, trainable: bool) -> Variable:
        """Under the path that it has in Keras, where a cell holds it."""
        known = super()._variable(role, key, value, trainable)
        return replace(known, path=f"{self.name}/{snake_case(type(self).__name__)}_cell/{known.name}")

    @property
    def weights(self) -> list[Variable]:
        """kernel, recurrent_kernel, bias, as Keras lists them."""
        return sorted(super().weights, key=lambda variable: _ORDER.index(variable.name))


def _listed(given: Any) -> Sequence[Any]:
    return given if isinstance(given, (list, tuple)) else (given,)


@configured()
class SimpleRNN(Recurrent):
    """h(t) = activation(x(t) @ kernel + bias + h(t − 1) @ recurrent_kernel); x (N, T, F), h (N, units).

    Parameters
    ----------
    units : the size of state and output, at least 1.
    activation : name, brick or None; default "tanh".
    use_bias : whether a bias is added.
    kernel_initializer, recurrent_initializer, bias_initializer : "glorot_uniform", "orthogonal", "zeros".
    kernel_regularizer, recurrent_regularizer, bias_regularizer : penalties on the parameters.

    By keyword, as in all recurrent layers (see `Recurrent`): return_sequences, return_state, go_backwards,
    dropout, recurrent_dropout, seed, kernel_constraint, recurrent_constraint, bias_constraint.

    >>> from brickwork.layers import Input
    >>> SimpleRNN(3)(Input((7, 4))).shape
    (None, 3)

    Elman, "Finding structure in time", 1990.
    """

    units: int = argument(Whole(1))
    activation: Any = argument(ACTIVATION, default="tanh")
    use_bias: bool = argument(Flag(), default=True)
    kernel_initializer: Any = argument(INITIALIZER, default="glorot_uniform")
    recurrent_initializer: Any = argument(INITIALIZER, default="orthogonal")
    bias_initializer: Any = argument(INITIALIZER, default="zeros")
    kernel_regularizer: Any = argument(REGULARIZER, default=None)
    recurrent_regularizer: Any = argument(REGULARIZER, default=None)
    bias_regularizer: Any = argument(REGULARIZER, default=None)

    def wire(self, lay: Cells, h: str) -> list[str]:
        """tanh(x + h R)."""
        total = lay("sum", bricks.Add(), "x", lay("recurrent", bricks.Linear(self.units), h))
        return [lay("new", self.activation, total)]


@configured()
class LSTM(Recurrent):
    """Long short-term memory: a carry c that gates open and close, and the output h.

    (i, f, g, o) = x(t) @ kernel + bias + h(t − 1) @ recurrent_kernel, in four parts of `units` each;
    c(t) = σ(f) c(t − 1) + σ(i) tanh(g);  h(t) = σ(o) tanh(c(t)). The states are h and c.

    Parameters
    ----------
    units : the size of states and output, at least 1.
    activation : where tanh stands; name, brick or None.
    recurrent_activation : of the gates, where σ stands; default "sigmoid".
    use_bias : whether a bias is added.
    kernel_initializer, recurrent_initializer, bias_initializer : "glorot_uniform", "orthogonal", "zeros".
    unit_forget_bias : whether the bias of the forget gate f starts from 1.
    kernel_regularizer, recurrent_regularizer, bias_regularizer : penalties on the parameters.
    use_cudnn : of Keras; without effect.

    By keyword, as in all recurrent layers (see `Recurrent`): return_sequences, return_state, go_backwards,
    dropout, recurrent_dropout, seed, kernel_constraint, recurrent_constraint, bias_constraint.

    >>> from brickwork.layers import Input
    >>> layer = LSTM(3, return_sequences=True)
    >>> layer(Input((7, 4))).shape, layer.count_params()
    ((None, 7, 3), 96)

    Hochreiter and Schmidhuber, "Long short-term memory", 1997; the forget gate: Gers, Schmidhuber and
    Cummins, "Learning to forget", 2000.
    """

    units: int = argument(Whole(1))
    activation: Any = argument(ACTIVATION, default="tanh")
    recurrent_activation: Any = argument(ACTIVATION, default="sigmoid")
    use_bias: bool = argument(Flag(), default=True)
    kernel_initializer: Any = argument(INITIALIZER, default="glorot_uniform")
    recurrent_initializer: Any = argument(INITIALIZER, default="orthogonal")
    bias_initializer: Any = argument(INITIALIZER, default="zeros")
    unit_forget_bias: bool = argument(Flag(), default=True)
    kernel_regularizer: Any = argument(REGULARIZER, default=None)
    recurrent_regularizer: Any = argument(REGULARIZER, default=None)
    bias_regularizer: Any = argument(REGULARIZER, default=None)
    use_cudnn: Any = argument(Auto(), default="auto", kw_only=True)

    gates = 4
    state_names = ("h", "c")

    def wire(self, lay: Cells, h: str) -> list[str]:
        """Three gates, a candidate, the carry, the output."""
        recurrent = lay("recurrent", bricks.Linear(4 * self.units), h)
        i, f, g, o = lay.parts(lay("sum", bricks.Add(), "x", recurrent), "i", "f", "g", "o")
        kept = lay("kept", bricks.Multiply(), lay("forget_gate", self.recurrent_activation, f), "c")
        candidate = lay("candidate", self.activation, g)
        added = lay("added", bricks.Multiply(), lay("input_gate", self.recurrent_activation, i), candidate)
        carry = lay("carry", bricks.Add(), kept, added)
        shown = lay("shown", self.activation, carry)
        return [
            lay("new", bricks.Multiply(), lay("output_gate", self.recurrent_activation, o), shown),
            carry,
        ]

    def _first_values(self) -> dict[str, Any]:
        if not self.unit_forget_bias or "bias" in self._owners:
            return {}
        b = self.bias_initializer((4 * self.units,), floatx())
        b[self.units : 2 * self.units] = 1.0
        return {"b": b}


@configured()
class GRU(Recurrent):
    """Gated recurrent unit: how much of the state is kept, and how much of it the candidate sees.

    (z, r, g) = x(t) @ kernel + b₀ and (z', r', g') = h(t − 1) @ recurrent_kernel + b₁, bias = (b₀, b₁);
    z = σ(z + z'), r = σ(r + r'), g = tanh(g + r g');  h(t) = z h(t − 1) + (1 − z) g.

    With reset_after=False, the reset gate r acts before the product: g' = (r h(t − 1)) @ recurrent_kernel,
    and there is one bias, b₀.

    Parameters
    ----------
    units : the size of state and output, at least 1.
    activation : where tanh stands; name, brick or None.
    recurrent_activation : of the gates, where σ stands; default "sigmoid".
    use_bias : whether biases are added.
    kernel_initializer, recurrent_initializer, bias_initializer : "glorot_uniform", "orthogonal", "zeros".
    kernel_regularizer, recurrent_regularizer, bias_regularizer : penalties on the parameters.
    reset_after : whether the reset gate acts behind the product with the recurrent kernel; default True.
    use_cudnn : of Keras; without effect.

    By keyword, as in all recurrent layers (see `Recurrent`): return_sequences, return_state, go_backwards,
    dropout, recurrent_dropout, seed, kernel_constraint, recurrent_constraint, bias_constraint.

    >>> from brickwork.layers import Input
    >>> layer = GRU(3)
    >>> layer(Input((7, 4))).shape, layer.count_params()
    ((None, 3), 81)

    Cho and others, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
    Translation", 2014.
    """

    units: int = argument(Whole(1))
    activation: Any = argument(ACTIVATION, default="tanh")
    recurrent_activation: Any = argument(ACTIVATION, default="sigmoid")
    use_bias: bool = argument(Flag(), default=True)
    kernel_initializer: Any = argument(INITIALIZER, default="glorot_uniform")
    recurrent_initializer: Any = argument(INITIALIZER, default="orthogonal")
    bias_initializer: Any = argument(INITIALIZER, default="zeros")
    kernel_regularizer: Any = argument(REGULARIZER, default=None)
    recurrent_regularizer: Any = argument(REGULARIZER, default=None)
    bias_regularizer: Any = argument(REGULARIZER, default=None)
    reset_after: bool = argument(Flag(), default=True, kw_only=True)
    use_cudnn: Any = argument(Auto(), default="auto", kw_only=True)

    gates = 3

    @property
    def bias_in_cell(self) -> bool:
        """Whether there are two biases; the reset gate acts on what one of them is added to."""
        return bool(self.use_bias and self.reset_after)

    def wire(self, lay: Cells, h: str) -> list[str]:
        """Two gates, a candidate, the mixture."""
        product = bricks.Linear(3 * self.units)
        x, own, first = "x", lay("recurrent", product, h), 0
        if self.bias_in_cell:
            x = own = lay("recurrent_bias", bricks.StackedBias(2), lay("both", bricks.Concatenate(), x, own))
            first = 3
        zx, rx, gx = lay.parts(x, "z_x", "r_x", "g_x")
        zh, rh = lay.parts(own, "z_h", "r_h", first=first)
        z = lay("update_gate", self.recurrent_activation, lay("z", bricks.Add(), zx, zh))
        r = lay("reset_gate", self.recurrent_activation, lay("r", bricks.Add(), rx, rh))
        if self.reset_after:
            (gh,) = lay.parts(own, "g_h", first=first + 2)
            seen = lay("seen", bricks.Multiply(), r, gh)
        else:
            again = lay("again", product, lay("reset", bricks.Multiply(), r, h), owner="recurrent")
            (seen,) = lay.parts(again, "g_h", first=2)
        candidate = lay("candidate", self.activation, lay("g", bricks.Add(), gx, seen))
        kept = lay("kept", bricks.Multiply(), z, "h")
        rest = lay("rest", bricks.Rescaling(-1.0, 1.0), z)
        return [lay("new", bricks.Add(), kept, lay("added", bricks.Multiply(), rest, candidate))]
