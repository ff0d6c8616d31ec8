"""The brick contract: what a block must state so that graph, engines and tools can work with it.

A brick is a frozen dataclass. Its fields are its hyper-parameters; it holds neither parameters nor state.
`forward` and `backward` are functions of their arguments only, in the array's own namespace, so that one
text runs on NumPy and, traced, under `jax.jit`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import field
from typing import Any, ClassVar

from ..arguments import Configured
from ..arrays import Array, Shape, extra, namespace
from ..errors import ShapeError
from ..structs import struct

RECORDER: ContextVar[Any] = ContextVar("brickwork_recorder", default=None)
"""What `brickwork.record()` sets: bricks called on arrays are then laid on its tape."""

Initializer = Callable[..., Any]
Saved = tuple[Any, ...]
"""What `forward` keeps for `backward`: arrays or None, tuples may nest."""


@struct(frozen=True)
class ParameterSpec:
    """Shape of a parameter and the initializer it gets unless a layer names another one."""

    shape: tuple[int, ...]
    initializer: Any


@struct(frozen=True)
class StateSpec:
    """Shape of a running statistic and the number it starts from."""

    shape: tuple[int, ...]
    start: float


@struct(frozen=True)
class Context:
    """What surrounds a brick in one pass: the mode, its running statistics, its random bits.

    One is made per node and pass, inside the trace. `key` is the 64-bit seed (two uint32 words under JAX),
    `stream` the number of the random node, `row` the place of the first sample in the whole batch.
    """

    training: bool = False
    state: Mapping[str, Array] = field(default_factory=dict)
    key: Any = 0
    step: Any = 0
    stream: int = 0
    row: Any = 0

    def bits(self, x: Array, shape: Sequence[int] | None = None) -> Array:
        """Random uint32 of the shape of `x`, or of `(len(x), *shape)`, the same on every engine."""
        per_sample = tuple(x.shape[1:]) if shape is None else tuple(shape)
        return extra(x).bits(
            self.key, step=self.step, stream=self.stream, row=self.row, rows=x.shape[0], shape=per_sample
        )

    def uniform(self, x: Array, count: int) -> Array:
        """Uniform numbers in [0, 1), (N, count): the upper 24 bits of each sample's first random words."""
        return namespace(x).astype(self.bits(x, (count,)) >> 8, x.dtype) * 2.0**-24

    def normals(self, x: Array, after: int = 0) -> Array:
        """Standard normal numbers of the shape of `x`: two from each pair of words behind the first `after`.

        √(-2 log(1 - u)) cos(2π v) and the same with sin, u and v the words as uniform numbers (Box and
        Muller, "A Note on the Generation of Random Normal Deviates", 1958). Engines agree on them to the last
        digits of float32.
        """
        xp = namespace(x)
        rows, size = x.shape[0], math.prod(x.shape[1:])
        pairs = -(-size // 2)
        uniform = self.uniform(x, after + 2 * pairs)[:, after:]
        radius = xp.sqrt(-2.0 * xp.log(1.0 - uniform[:, ::2]))
        angle = 2.0 * math.pi * uniform[:, 1::2]
        both = xp.stack([radius * xp.cos(angle), radius * xp.sin(angle)], axis=-1)
        return xp.reshape(xp.reshape(both, (rows, 2 * pairs))[:, :size], x.shape)


class Brick(Configured):
    """Base of all bricks.

    A subclass writes `output_shape`, `forward` and `backward`; one with parameters or running statistics
    also `parameters` or `state` and `next_state`. Where a brick's two gradients are both dear (Linear, the
    convolutions), it writes `input_gradients` and `parameter_gradients` instead and inherits `backward`.
    """

    random: ClassVar[bool] = False
    """True: the graph gives each node of this brick a stream of random numbers."""
    outputs: ClassVar[int] = 1
    """How many arrays `forward` returns; with more than one, `y` and `dy` are tuples."""
    mixes_samples: ClassVar[bool] = False
    """True where a sample's output depends on the other samples of the batch."""
    surrogate: ClassVar[str | None] = None
    """Where the backward formula is on purpose not the derivative: what it is instead."""

    def output_shape(self, *shapes: Shape) -> Any:
        """The shape of y (a tuple of shapes where there are several outputs). Raises ShapeError."""
        raise NotImplementedError

    def parameters(self, *shapes: Shape) -> dict[str, ParameterSpec]:
        """Name -> shape and initializer of each parameter."""
        return {}

    def state(self, *shapes: Shape) -> dict[str, StateSpec]:
        """Name -> shape and first value of each running statistic."""
        return {}

    def forward(self, params: Mapping[str, Array], *xs: Array, ctx: Context) -> tuple[Any, Saved]:
        """(y, saved)."""
        raise NotImplementedError

    def next_state(self, state: Mapping[str, Array], saved: Saved) -> Mapping[str, Array]:
        """The running statistics after this batch; pure."""
        return state

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Any
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        """(gradients of the inputs, None for those that have none; gradients of the parameters by name)."""
        if type(self).input_gradients is Brick.input_gradients:
            raise NotImplementedError(f"{type(self).__name__} states no backward formula")
        return self.input_gradients(params, saved, dy), self.parameter_gradients(params, saved, dy)

    def input_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Any) -> tuple[Array | None, ...]:
        """The half of `backward` that goes on to the bricks before."""
        return self.backward(params, saved, dy)[0]

    def parameter_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Any) -> dict[str, Array]:
        """The half of `backward` that the optimizer needs."""
        return self.backward(params, saved, dy)[1]

    def surrogate_forward(self, params: Mapping[str, Array], *xs: Array) -> Any:
        """The function whose derivative `backward` is, where `surrogate` names one."""
        raise NotImplementedError

    def distance_to_kink(self, *xs: Array) -> float:
        """How far the inputs are from the nearest point without a derivative; infinity where all have one."""
        return float("inf")

    def __call__(self, *xs: Any, **attributes: Any) -> Any:
        """Lay this brick on symbols of a network, or compute y on plain arrays.

        On symbols (`brickwork.Input`, `Tape.input`, outputs of layers) the result is a symbol again, and
        `attributes` may name the node or give parameters. On arrays, `params` gives the parameters.
        """
        for x in xs:
            if hasattr(x, "lay"):
                return x.lay(self, xs, **attributes)
        recorder = RECORDER.get()
        if recorder is not None:
            return recorder.lay(self, xs, **attributes)
        import numpy as np

        params = attributes.pop("params", {})
        ctx = attributes.pop("ctx", Context())
        if attributes:
            raise TypeError(
                f"{type(self).__name__} on arrays takes params and ctx; received {sorted(attributes)}"
            )
        arrays = tuple(np.asarray(x) if isinstance(x, (int, float, list, tuple)) else x for x in xs)
        self.output_shape(*(x.shape for x in arrays))
        return self.forward(params, *arrays, ctx=ctx)[0]


def unbroadcast(dy: Array, x: Array) -> Array:
    """Sum dy over the axes along which x was broadcast: the adjoint of broadcasting."""
    if dy.shape == x.shape:
        return dy
    xp = namespace(dy)
    lead = dy.ndim - x.ndim
    axes = tuple(range(lead)) + tuple(
        lead + axis for axis in range(x.ndim) if x.shape[axis] == 1 and dy.shape[lead + axis] != 1
    )
    return xp.reshape(xp.sum(dy, axis=axes), x.shape) if axes else dy


def letters(shape: Shape) -> str:
    """A shape as it stands in messages: (N, 28, 28, 1)."""
    names = [
        "N" if size is None and axis == 0 else "?" if size is None else str(size)
        for axis, size in enumerate(shape)
    ]
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def require_rank(brick: Brick, shape: Shape, pattern: str, repair: str) -> None:
    """Raise ShapeError unless `shape` has as many axes as `pattern`, such as "(N, H, W, C)"."""
    rank = pattern.count(",") + 1 if not pattern.endswith(",)") else 1
    if len(shape) != rank:
        raise ShapeError(
            f"{type(brick).__name__} takes x of shape {pattern}, {rank} axes; it received "
            f"{letters(shape)}, {len(shape)} {'axis' if len(shape) == 1 else 'axes'}. {repair}"
        )
