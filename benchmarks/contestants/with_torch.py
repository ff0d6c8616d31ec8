"""PyTorch, eager or compiled, in the memory layout and with the optimizer's loop that are fastest."""

from __future__ import annotations

import os
import shutil
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

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
    Node,
    Recurrent,
    ReLU,
    SelfAttention,
    from_channels_first,
    padding_of,
    to_channels_first,
)
from ..workloads import MOMENTUM, Workload
from . import torch_bricks
from .base import Contestant, Made, Unsupported, Weights, in_turn, slices

_ACTIVATIONS = {None: nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh}
_LOOPS = ("fused", "foreach", "for-loop")


class Torch(Contestant):
    """Eager PyTorch."""

    compiled = False

    def __init__(self, threads: int, engine: str) -> None:
        super().__init__(threads, engine)
        torch.set_num_threads(threads)
        torch.manual_seed(0)

    def versions(self) -> dict[str, str]:
        return {"torch": torch.__version__}

    def training_variants(self, workload: Workload) -> tuple[str, ...]:
        if not _has_images(workload):
            return _LOOPS
        return tuple(f"{layout}, {loop}" for layout in ("NCHW", "channels_last") for loop in _LOOPS[:2])

    def trainer(
        self,
        workload: Workload,
        variant: str,
        x: np.ndarray,
        y: np.ndarray,
        weights: Weights | None = None,
    ) -> Made:
        layout, _, loop = variant.rpartition(", ")
        network = _Network(workload.build())
        if weights is not None:
            network.put(weights)
        inputs = _placed(network, x, layout)
        labels = torch.from_numpy(y)
        optimizer = _optimizer(workload, network, loop)

        loss = self._compiled(lambda x, y: functional.cross_entropy(network(x), y))

        def step(rows: slice) -> None:
            optimizer.zero_grad(set_to_none=True)
            loss(inputs[rows], labels[rows]).backward()
            optimizer.step()

        network.train()
        count = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
        return Made(
            in_turn(slices(len(x), workload.batch), step),
            network.get,
            parameter_count=count,
        )

    def _compiled(self, function: Any) -> Any:
        """Eager PyTorch runs it as it stands."""
        return function

    def inference_variants(self, workload: Workload, batch: int) -> tuple[str, ...]:
        return ("NCHW", "channels_last") if _has_images(workload) else ("eager",)

    def predictor(
        self, workload: Workload, variant: str, x: np.ndarray, batch: int, weights: Weights
    ) -> Made:
        network = _Network(workload.build()).eval()
        network.put(weights)
        inputs = _placed(network, x, variant)
        answer = self._compiled(lambda x: torch.softmax(network(x), dim=-1))

        def predict(rows: slice) -> Any:
            with torch.inference_mode():
                return answer(inputs[rows])

        batches = slices(len(x), batch)
        return Made(
            in_turn(batches, predict),
            outputs=lambda: np.concatenate([predict(rows).numpy() for rows in batches]),
        )


class TorchCompiled(Torch):
    """PyTorch through torch.compile, where there is a C++ compiler for it."""

    def training_variants(self, workload: Workload) -> tuple[str, ...]:
        return ("NCHW, fused", "channels_last, fused") if _has_images(workload) else ("fused",)

    def _compiled(self, function: Any) -> Any:
        if not any(map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++"))):
            raise Unsupported("torch.compile needs a C++ compiler")
        return torch.compile(function, dynamic=False)


class _Network(nn.Module):
    """The nodes as modules; images are channels first inside, as PyTorch wants them."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.places = nn.ModuleList(_module(node) for node in network.nodes)

    def forward(self, x: Any) -> Any:
        return self.network.run(x, lambda place, layer, *values: self.places[place](*values))

    def put(self, weights: Weights) -> None:
        """Weights in the benchmark's layout into PyTorch's."""
        with torch.no_grad():
            for place, own in enumerate(weights):
                module = self.places[place]
                if isinstance(module, torch_bricks.Recurrence):
                    module.put(own)
                    continue
                for name, held in self._held(place).items():
                    held.copy_(torch.from_numpy(self._turned(place, name, own[name], back=False)))

    def get(self) -> list[dict[str, np.ndarray]]:
        """PyTorch's weights in the benchmark's layout."""
        return [
            module.get()
            if isinstance(module, torch_bricks.Recurrence)
            else {
                name: self._turned(place, name, held.detach().numpy(), back=True)
                for name, held in self._held(place).items()
            }
            for place, module in enumerate(self.places)
        ]

    def _held(self, place: int) -> dict[str, Any]:
        module: Any = self.places[place]
        module = module[0] if isinstance(module, nn.Sequential) else module
        if isinstance(module, torch_bricks.Attention):
            return module.held()
        names = list(self.network.nodes[place].parameters)
        return {name: getattr(module, own) for name, own in zip(names, ("weight", "bias"), strict=False)}

    def _turned(self, place: int, name: str, array: np.ndarray, back: bool) -> np.ndarray:
        layer = self.network.nodes[place].layer
        if not name.endswith("kernel"):
            return array
        if isinstance(layer, Conv | ConvTranspose | DepthwiseConv):
            return np.ascontiguousarray(array.transpose((2, 3, 1, 0) if back else (3, 2, 0, 1)))
        image = self.network.flattened(place)
        if back:
            return from_channels_first(array.T, image)
        return np.ascontiguousarray(to_channels_first(array, image).T)


class _Sum(nn.Module):
    def forward(self, first: Any, second: Any) -> Any:
        return first + second


class _Joined(nn.Module):
    def forward(self, *values: Any) -> Any:
        return torch.cat(values, dim=1)


class _Mean(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.mean((2, 3) if x.ndim == 4 else 1)


def _module(node: Node) -> nn.Module:
    layer = node.layer
    shape = node.input_shapes[0]
    match layer:
        case Dense():
            return _activated(nn.Linear(shape[-1], layer.units), layer.activation)
        case Conv():
            padding = _padding(layer, shape)
            made = nn.Conv2d(shape[-1], layer.filters, layer.size, layer.strides, padding, bias=layer.bias)
            return _activated(made, layer.activation)
        case DepthwiseConv():
            channels, padding = shape[-1], layer.size // 2
            made = nn.Conv2d(channels, channels, layer.size, layer.strides, padding, groups=channels)
            return _activated(made, layer.activation)
        case ConvTranspose():
            padding = (layer.size - layer.strides) // 2
            made = nn.ConvTranspose2d(shape[-1], layer.filters, layer.size, layer.strides, padding)
            return _activated(made, layer.activation)
        case Recurrent():
            return torch_bricks.Recurrence(layer, shape[-1])
        case SelfAttention():
            return torch_bricks.Attention(layer, shape[-1])
        case Augment():
            return torch_bricks.Augmentation(layer)
        case MaxPool():
            padding = _padding(layer, shape)
            return nn.MaxPool2d(layer.size, layer.strides, padding, ceil_mode=layer.padding == "same")
        case BatchNorm():
            return nn.BatchNorm2d(shape[-1], eps=1e-3, momentum=0.01)
        case Dropout():
            return nn.Dropout(layer.rate)
    plain: dict[type[Layer], type[nn.Module]] = {
        GlobalAverage: _Mean,
        Flatten: nn.Flatten,
        ReLU: nn.ReLU,
        Add: _Sum,
        Concat: _Joined,
    }
    return plain[type(layer)]()


def _padding(layer: Conv | MaxPool, shape: tuple[int, ...]) -> int:
    """PyTorch pads both sides alike; where Keras has one more behind, PyTorch's usual form stands for it."""
    if layer.padding == "valid":
        return 0
    before, after = padding_of(shape[0], layer.size, layer.strides)
    return before if isinstance(layer, MaxPool) else max(before, after)


def _activated(module: nn.Module, activation: str | None) -> nn.Module:
    return nn.Sequential(module, _ACTIVATIONS[activation]()) if activation else module


def _has_images(workload: Workload) -> bool:
    return len(workload.build().input_shape) == 3


def _placed(network: nn.Module, x: np.ndarray, layout: str) -> Any:
    """The inputs as a tensor in that layout, and the network's weights likewise."""
    if x.ndim != 4:
        return torch.from_numpy(x)
    if layout == "channels_last":
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return torch.from_numpy(x).permute(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


def _optimizer(workload: Workload, network: nn.Module, loop: str) -> torch.optim.Optimizer:
    how: dict[str, Any] = {"foreach": loop == "foreach", "fused": loop == "fused"}
    if workload.optimizer == "adam":
        return torch.optim.Adam(network.parameters(), lr=workload.learning_rate, **how)
    return torch.optim.SGD(network.parameters(), lr=workload.learning_rate, momentum=MOMENTUM, **how)
