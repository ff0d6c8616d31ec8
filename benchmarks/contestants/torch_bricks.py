"""Recurrence, attention and augmentation in PyTorch's words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ..networks import PIXELS, Augment, Recurrent, SelfAttention


class Recurrence(nn.Module):
    """`nn.LSTM` or `nn.GRU`; of the LSTM's two biases one stays 0, as Keras has only one."""

    def __init__(self, layer: Recurrent, features: int) -> None:
        super().__init__()
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}[layer.kind]
        self.layer = layer
        self.inner: Any = kind(features, layer.units, batch_first=True)
        if layer.kind == "lstm":
            nn.init.zeros_(self.inner.bias_hh_l0).requires_grad_(False)

    def forward(self, x: Any) -> Any:
        y = self.inner(x)[0]
        return y if self.layer.sequences else y[:, -1]

    def put(self, own: dict[str, np.ndarray]) -> None:
        """Weights in the benchmark's layout into PyTorch's."""
        biases = own["bias"].reshape(-1, own["bias"].shape[-1])
        arrays = [own["kernel"].T, own["recurrent_kernel"].T, *biases]
        for to, array in zip(self._parameters_in_order(), arrays, strict=False):
            to.copy_(torch.from_numpy(np.ascontiguousarray(self._exchanged(array.T).T)))

    def get(self) -> dict[str, np.ndarray]:
        """PyTorch's weights in the benchmark's layout."""
        arrays = [self._exchanged(one.detach().numpy().T) for one in self._parameters_in_order()]
        kernel, recurrent, first, second = arrays
        bias = first if self.layer.kind == "lstm" else np.stack([first, second])
        return {"kernel": kernel, "recurrent_kernel": recurrent, "bias": bias}

    def _parameters_in_order(self) -> list[Any]:
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        return [getattr(self.inner, name) for name in names]

    def _exchanged(self, array: np.ndarray) -> np.ndarray:
        """A GRU's gates of update and reset stand the other way around in PyTorch."""
        gates = np.split(array, self.layer.gates, axis=-1)
        if self.layer.kind == "gru":
            gates = [gates[1], gates[0], gates[2]]
        return np.concatenate(gates, axis=-1)


class Attention(nn.Module):
    """One product for query, key and value, then PyTorch's fused attention."""

    def __init__(self, layer: SelfAttention, features: int) -> None:
        super().__init__()
        self.layer = layer
        inner = layer.heads * layer.size
        self.joined = nn.Linear(features, 3 * inner)
        self.output = nn.Linear(inner, features)

    def forward(self, x: Any) -> Any:
        n, t, _ = x.shape
        parts = self.joined(x).view(n, t, 3, self.layer.heads, self.layer.size)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        y = functional.scaled_dot_product_attention(q, k, v)
        return self.output(y.transpose(1, 2).reshape(n, t, -1))

    def held(self) -> dict[str, Any]:
        """PyTorch's parameters by the benchmark's names: three are parts of one."""
        names = ("query", "key", "value")
        weights, biases = self.joined.weight.chunk(3), self.joined.bias.chunk(3)
        found: dict[str, Any] = {}
        for name, weight, bias in zip(names, weights, biases, strict=True):
            found |= {f"{name}_kernel": weight, f"{name}_bias": bias}
        return found | {"output_kernel": self.output.weight, "output_bias": self.output.bias}


class Augmentation(nn.Module):
    """A batch of images changed while training; pixels are moved by affine_grid and grid_sample."""

    def __init__(self, layer: Augment) -> None:
        super().__init__()
        self.kind, self.factor = layer.kind, layer.factor

    def forward(self, x: Any) -> Any:
        if not self.training:
            return x
        n, low, high = len(x), *PIXELS
        if self.kind == "flip":
            return torch.where(torch.rand(n, 1, 1, 1) < 0.5, x.flip(3), x)
        if self.kind == "brightness":
            return (x + self._drawn(n, 1, 1, 1) * (high - low)).clip(low, high)
        if self.kind == "contrast":
            mean = x.mean((2, 3), keepdim=True)
            return ((x - mean) * (1.0 + self._drawn(n, 1, 1, 1)) + mean).clip(low, high)
        grid = functional.affine_grid(self._maps(n), list(x.shape), align_corners=False)
        return functional.grid_sample(x, grid, "bilinear", "reflection", align_corners=False)

    def _drawn(self, *shape: int) -> Any:
        return (torch.rand(shape) * 2.0 - 1.0) * self.factor

    def _maps(self, n: int) -> Any:
        """(N, 2, 3): where each output pixel is read, in half widths and heights."""
        maps = torch.zeros(n, 2, 3)
        maps[:, 0, 0] = maps[:, 1, 1] = 1.0
        if self.kind == "translation":
            maps[:, :, 2] = 2.0 * self._drawn(n, 2)
        elif self.kind == "zoom":
            maps[:, 0, 0], maps[:, 1, 1] = (1.0 + self._drawn(n, 2)).T
        else:
            angle = 2.0 * math.pi * self._drawn(n)
            cosine, sine = angle.cos(), angle.sin()
            maps[:, 0, 0], maps[:, 0, 1], maps[:, 1, 0], maps[:, 1, 1] = cosine, -sine, sine, cosine
        return maps
