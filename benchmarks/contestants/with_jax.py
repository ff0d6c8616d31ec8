"""Plain JAX: one step in a jit, eight unrolled in one, or a whole pass by lax.scan; pooling by reshape.

lax.scan is left out where there are convolutions, which XLA runs on one thread inside a loop on CPUs; eight
steps in one program where compiling would take minutes and a step is long anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..networks import (
    Add,
    Augment,
    BatchNorm,
    Concat,
    Conv,
    ConvTranspose,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalAverage,
    Layer,
    MaxPool,
    Network,
    Recurrent,
    ReLU,
    SelfAttention,
)
from ..workloads import MOMENTUM, Workload
from . import jax_bricks
from .base import Contestant, Made, Weights, in_turn, slices

_UNROLLED = 8
_LARGE = 20_000_000_000
"""Operations of a step from which nothing is gained by several steps in one program."""

_ACTIVATIONS: dict[str | None, Callable[[Any], Any]] = {
    None: lambda x: x,
    "relu": lambda x: jnp.maximum(x, 0),
    "tanh": jnp.tanh,
}


class Jax(Contestant):
    """JAX with its own differentiation, weights donated."""

    def versions(self) -> dict[str, str]:
        return {"jax": jax.__version__, "jax device": jax.devices()[0].platform}

    def training_variants(self, workload: Workload) -> tuple[str, ...]:
        network = workload.build()
        if network.training_operations() * workload.batch > _LARGE:
            return ("step",)
        if len(network.input_shape) == 3:
            return ("step", f"{_UNROLLED} steps")
        return ("step", f"{_UNROLLED} steps", "scan")

    def trainer(
        self,
        workload: Workload,
        variant: str,
        x: np.ndarray,
        y: np.ndarray,
        weights: Weights | None = None,
    ) -> Made:
        network = workload.build()
        state = _first_state(network, workload, weights or network.weights())
        step = partial(_step, network, workload)
        scanned = variant == "scan"
        rows = slices(len(x), workload.batch, most=1 << 30 if scanned else 512)
        together = {"step": 1, "scan": len(rows)}.get(variant, min(_UNROLLED, len(rows)))

        def several(state: Any, xs: Any, ys: Any) -> Any:
            if scanned:
                return lax.scan(lambda state, batch: (step(state, *batch), None), state, (xs, ys))[0]
            for at in range(together):
                state = step(state, xs[at], ys[at])
            return state

        program = jax.jit(several, donate_argnums=0)
        batches = [
            (_stacked(x, rows[at : at + together]), _stacked(y.astype(np.int32), rows[at : at + together]))
            for at in range(0, len(rows) - together + 1, together)
        ]

        def advance(batch: Any) -> None:
            nonlocal state
            state = program(state, *batch)

        turn = in_turn(batches, advance)

        def run(steps: int) -> int:
            done = turn(-(-steps // together)) * together
            jax.block_until_ready(state)  # type: ignore[no-untyped-call]
            return done

        count = sum(int(leaf.size) for leaf in jax.tree.leaves(state["weights"]))
        return Made(run, lambda: jax.tree.map(np.asarray, state["weights"]), parameter_count=count)

    def inference_variants(self, workload: Workload, batch: int) -> tuple[str, ...]:
        return ("jit",)

    def predictor(
        self, workload: Workload, variant: str, x: np.ndarray, batch: int, weights: Weights
    ) -> Made:
        network = workload.build()
        held = jax.device_put(list(weights))
        fixed = jax.device_put(_statistics(network))

        @jax.jit
        def program(x: Any) -> Any:
            return jax.nn.softmax(_forward(network, held, fixed, x, None)[0])

        batches = [jax.device_put(x[rows]) for rows in slices(len(x), batch)]
        turn = in_turn(batches, lambda rows: program(rows).block_until_ready())
        return Made(turn, outputs=lambda: np.concatenate([np.asarray(program(rows)) for rows in batches]))


def _stacked(array: np.ndarray, rows: list[slice]) -> Any:
    return jax.device_put(np.stack([array[one] for one in rows]))


def _first_state(network: Network, workload: Workload, weights: Weights) -> dict[str, Any]:
    held = [dict(own) for own in weights]
    slots = jax.tree.map(np.zeros_like, held)
    state = {
        "weights": held,
        "first": slots,
        "statistics": _statistics(network),
        "step": np.zeros((), np.int32),
    }
    if workload.optimizer == "adam":
        state["second"] = jax.tree.map(np.zeros_like, held)
    placed: dict[str, Any] = jax.device_put(state)
    return placed


def _statistics(network: Network) -> list[tuple[np.ndarray, np.ndarray] | None]:
    """Running mean and variance of batch normalization, by node."""
    return [
        (np.zeros(node.shape[-1:], np.float32), np.ones(node.shape[-1:], np.float32))
        if isinstance(node.layer, BatchNorm)
        else None
        for node in network.nodes
    ]


def _step(network: Network, workload: Workload, state: Any, x: Any, y: Any) -> Any:
    key = jax.random.fold_in(jax.random.key(0, impl="unsafe_rbg"), state["step"])

    def loss(weights: Any) -> Any:
        logits, statistics = _forward(network, weights, state["statistics"], x, key)
        picked = jnp.take_along_axis(logits, y[:, None], axis=1)[:, 0]
        return jnp.mean(jax.nn.logsumexp(logits, axis=1) - picked), statistics

    gradients, statistics = jax.grad(loss, has_aux=True)(state["weights"])
    new = _adam if workload.optimizer == "adam" else _sgd
    updated = new(state, gradients, workload.learning_rate)
    return {**updated, "statistics": statistics, "step": state["step"] + 1}


def _sgd(state: Any, gradients: Any, rate: float) -> dict[str, Any]:
    first = jax.tree.map(lambda m, g: MOMENTUM * m - rate * g, state["first"], gradients)
    return {"weights": jax.tree.map(jnp.add, state["weights"], first), "first": first}


def _adam(state: Any, gradients: Any, rate: float) -> dict[str, Any]:
    t = (state["step"] + 1).astype(jnp.float32)
    first = jax.tree.map(lambda m, g: m + 0.1 * (g - m), state["first"], gradients)
    second = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), state["second"], gradients)
    scale = rate * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    weights = jax.tree.map(
        lambda w, m, v: w - scale * m / (jnp.sqrt(v) + 1e-7), state["weights"], first, second
    )
    return {"weights": weights, "first": first, "second": second}


def _forward(network: Network, weights: Any, statistics: Any, x: Any, key: Any) -> tuple[Any, Any]:
    """Logits, and the statistics after this batch; a key of None is inference."""
    after = list(statistics)

    def apply(place: int, layer: Layer, *values: Any) -> Any:
        own, x = weights[place], values[0]
        match layer:
            case Dense():
                return _ACTIVATIONS[layer.activation](x @ own["kernel"] + own["bias"])
            case Conv():
                y = lax.conv_general_dilated(
                    x,
                    own["kernel"],
                    (layer.strides, layer.strides),
                    layer.padding.upper(),
                    dimension_numbers=("NHWC", "HWIO", "NHWC"),
                )
                return _ACTIVATIONS[layer.activation](y + own["bias"] if layer.bias else y)
            case DepthwiseConv():
                return _ACTIVATIONS[layer.activation](jax_bricks.depthwise(layer, own, x))
            case ConvTranspose():
                return _ACTIVATIONS[layer.activation](jax_bricks.transposed(layer, own, x))
            case Recurrent():
                return jax_bricks.recurrence(layer, own, x)
            case SelfAttention():
                return jax_bricks.attention(layer, own, x)
            case Augment():
                return x if key is None else jax_bricks.augmented(layer, x, jax.random.fold_in(key, place))
            case MaxPool():
                return _max_pool(layer, x)
            case Dropout():
                if key is None:
                    return x
                kept = jax.random.bernoulli(jax.random.fold_in(key, place), 1 - layer.rate, x.shape)
                return jnp.where(kept, x / (1 - layer.rate), 0)
            case BatchNorm():
                y, after[place] = _batch_norm(x, own, statistics[place], key is not None)
                return y
            case GlobalAverage():
                return x.mean((1, 2) if x.ndim == 4 else 1)
            case Flatten():
                return x.reshape(x.shape[0], -1)
            case ReLU():
                return jnp.maximum(x, 0)
            case Add():
                return x + values[1]
            case Concat():
                return jnp.concatenate(values, axis=-1)
        raise TypeError(f"a node of {type(layer).__name__} has no translation")

    return network.run(x, apply), after


def _max_pool(layer: MaxPool, x: Any) -> Any:
    n, height, width, channels = x.shape
    size = layer.size
    if layer.strides == size and not height % size and not width % size:
        return x.reshape(n, height // size, size, width // size, size, channels).max((2, 4))
    return lax.reduce_window(
        x,
        -jnp.inf,
        lax.max,
        (1, size, size, 1),
        (1, layer.strides, layer.strides, 1),
        layer.padding.upper(),
    )


def _batch_norm(x: Any, own: Any, running: Any, training: bool) -> tuple[Any, Any]:
    mean, variance = running
    if training:
        mean = x.mean((0, 1, 2))
        variance = jnp.square(x - mean).mean((0, 1, 2))
        running = tuple(old + 0.01 * (new - old) for old, new in zip(running, (mean, variance), strict=True))
    scale = own["gamma"] * lax.rsqrt(variance + 1e-3)
    return x * scale + (own["beta"] - mean * scale), tuple(running)
