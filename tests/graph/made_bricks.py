"""Bricks that only tests need: several outputs, counted calls, planted errors."""

from __future__ import annotations

from brickwork.arguments import configured
from brickwork.bricks import Brick, Linear, Multiply, ParameterSpec, Sigmoid, Sum
from brickwork.errors import ShapeError
from brickwork.initializers import GlorotUniform


@configured(frozen=True, eq=True)
class Split(Brick):
    """The first and the second half of the features.

    Forward    y1, y2 = x[:, : F/2], x[:, F/2 :]
    Backward   dx = dy1 and dy2 side by side, 0 for an output that nothing reads
    """

    outputs = 2

    def output_shape(self, x):
        if len(x) != 2 or x[1] % 2:
            raise ShapeError(f"Split takes x of shape (N, F) with an even F; it received {x}. Give it F = 2.")
        return (x[0], x[1] // 2), (x[0], x[1] // 2)

    def forward(self, params, x, *, ctx):
        half = x.shape[1] // 2
        return (x[:, :half], x[:, half:]), (x,)

    def backward(self, params, saved, dy):
        (x,) = saved
        xp = x.__array_namespace__()
        half = xp.zeros_like(x[:, : x.shape[1] // 2])
        return (xp.concat([half if part is None else part for part in dy], axis=1),), {}


class Counted(Linear):
    """Linear that writes down which of its functions were called."""

    calls: list[str] = []

    def forward(self, params, x, *, ctx):
        self.calls.append("forward")
        return super().forward(params, x, ctx=ctx)

    def input_gradients(self, params, saved, dy):
        self.calls.append("input")
        return super().input_gradients(params, saved, dy)

    def parameter_gradients(self, params, saved, dy):
        self.calls.append("parameter")
        return super().parameter_gradients(params, saved, dy)


class MeanForSum(Sum):
    """Its backward is that of a mean."""

    def backward(self, params, saved, dy):
        (dx,), _ = super().backward(params, saved, dy)
        return (dx / saved[0].shape[-1],), {}


@configured(frozen=True, eq=True)
class Square(Brick):
    """A square matrix, so that a missing transpose fits everywhere."""

    def output_shape(self, x):
        return x

    def parameters(self, x):
        return {"W": ParameterSpec((x[-1], x[-1]), GlorotUniform())}

    def forward(self, params, x, *, ctx):
        return x @ params["W"], (x,)

    def backward(self, params, saved, dy):
        (x,) = saved
        return (dy @ params["W"].T,), {"W": x.T @ dy}


class InputNotTransposed(Square):
    def backward(self, params, saved, dy):
        (x,) = saved
        return (dy @ params["W"],), {"W": x.T @ dy}


class KernelNotTransposed(Square):
    def backward(self, params, saved, dy):
        (x,) = saved
        return (dy @ params["W"].T,), {"W": dy.T @ x}


class KernelTurned(Linear):
    """Its dW has the shape (U, F)."""

    def parameter_gradients(self, params, saved, dy):
        return {"W": super().parameter_gradients(params, saved, dy)["W"].T}


class WrongDerivative(Sigmoid):
    """Y (1 + y) for y (1 - y)."""

    def backward(self, params, saved, dy):
        (y,) = saved
        return (dy * y * (1.0 + y),), {}


class DropsOne(Multiply):
    """Its second input gets no gradient."""

    def backward(self, params, saved, dy):
        (first, *_), _ = super().backward(params, saved, dy)
        return (first, *[None] * (len(saved) - 1)), {}


class NoFormula(Sigmoid):
    """Forgets its input's gradient."""

    def backward(self, params, saved, dy):
        return (None,), {}
