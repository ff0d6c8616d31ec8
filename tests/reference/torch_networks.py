"""The networks of curves.py in PyTorch, with the weights of the others, and their loss curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from reference.curves import CLASSES, OPTIMIZERS, Curve, digest


class Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(20, 32), nn.Linear(32, 16), nn.Linear(16, CLASSES)])

    def forward(self, x):
        first, second, last = self.layers
        return (last(torch.relu(second(torch.tanh(first(x))))),)


class Convnet(nn.Module):
    """Channels first inside; the pixels are flattened in the others' order."""

    def __init__(self) -> None:
        super().__init__()
        norm = nn.BatchNorm2d(4, eps=1e-3, momentum=0.01)  # Keras's momentum 0.99
        conv, second = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.Conv2d(4, 6, 3)
        self.layers = nn.ModuleList([conv, norm, second, nn.Linear(24, CLASSES)])

    def forward(self, x):
        conv, norm, second, last = self.layers
        y = functional.max_pool2d(torch.relu(norm(conv(x.permute(0, 3, 1, 2)))), 2)
        y = functional.avg_pool2d(torch.tanh(second(y)), 2, stride=1)
        return (last(y.permute(0, 2, 3, 1).flatten(1)),)


class TwoByTwo(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Linear(6, 8), nn.Linear(16, 10), nn.Linear(10, CLASSES), nn.Linear(8, 2)]
        )

    def forward(self, a, b):
        shared, hidden, kind, number = self.layers
        left, right = torch.tanh(shared(a)), torch.tanh(shared(b.flatten(1)))
        y = functional.elu(hidden(torch.cat([left * right, left], dim=1)))
        return kind(y), number(left + right)


NETWORKS = {"mlp": Mlp, "convnet": Convnet, "two_by_two": TwoByTwo}


def arrays(model: nn.Module) -> list[tuple[torch.Tensor, str]]:
    """Parameters and running statistics in Keras's order, each with its kind."""
    found = []
    for layer in model.layers:
        kind = {nn.Conv2d: "conv", nn.Linear: "linear", nn.BatchNorm2d: "norm"}[type(layer)]
        found += [(layer.weight, kind)] + ([(layer.bias, "bias")] if layer.bias is not None else [])
        if kind == "norm":
            found += [(layer.running_mean, "bias"), (layer.running_var, "variance")]
    return found


def to_keras(tensor: torch.Tensor, kind: str) -> Any:
    value = tensor.detach().numpy()
    return value.transpose(2, 3, 1, 0) if kind == "conv" else value.T if kind == "linear" else value


def from_keras(array: Any, kind: str) -> torch.Tensor:
    value = array.transpose(3, 2, 0, 1) if kind == "conv" else array.T if kind == "linear" else array
    return torch.from_numpy(np.array(value))


def follow(curve: Curve, optimizer: str) -> dict[str, Any]:
    """Fifty steps: the loss of every step and what became of the weights."""
    model = NETWORKS[curve.name]()
    held = arrays(model)
    first = curve.weights([to_keras(tensor, kind).shape for tensor, kind in held])
    with torch.no_grad():
        for (tensor, kind), value in zip(held, first, strict=True):
            tensor.copy_(from_keras(value, kind))
    name, arguments = OPTIMIZERS[optimizer]
    arguments = {("lr" if key == "learning_rate" else key): value for key, value in arguments.items()}
    rule = getattr(torch.optim, name)(model.parameters(), **arguments)
    losses = []
    for x, y in curve.batches():
        outputs = model(*(torch.from_numpy(one) for one in x))
        terms = [
            functional.cross_entropy(output, torch.from_numpy(target).long())
            if kind == "class"
            else 0.3 * functional.mse_loss(output, torch.from_numpy(target))
            for kind, output, target in zip(curve.targets, outputs, y, strict=True)
        ]
        loss = sum(terms)
        rule.zero_grad()
        loss.backward()
        rule.step()
        losses.append(loss.item())
    # PyTorch's running variance divides by n - 1, Keras's by n: it is left out
    return {
        "loss": losses,
        "weights": [
            None if kind == "variance" else one
            for one, (_, kind) in zip(digest([to_keras(*pair) for pair in held]), held, strict=True)
        ],
    }
