"""One training step of the Fashion-MNIST convnet: the reference engine beside PyTorch, by turns.

    python benchmarks/reference_step.py [--rounds 9] [--json FILE]

Conv 32 3x3, pool, conv 64 3x3, pool, dropout, dense 128, dense 10; batch 128, Adam. PyTorch runs eagerly, in
the better of its two memory layouts. Prints the medians and the median of the per-round ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from datetime import date

import numpy as np

import brickwork
from brickwork import layers

BATCH = 128


def brickwork_step(x: np.ndarray, y: np.ndarray) -> Callable[[], None]:
    brickwork.utils.set_random_seed(0)
    model = brickwork.Sequential(
        [
            brickwork.Input((28, 28, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], engine="reference")
    return lambda: model.train_on_batch(x, y)


def torch_step(x: np.ndarray, y: np.ndarray, channels_last: bool) -> Callable[[], None]:
    import torch
    from torch import nn

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    images = torch.from_numpy(np.moveaxis(x, -1, 1).copy())
    labels = torch.from_numpy(y.astype(np.int64))
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()

    return step


def milliseconds(step: Callable[[], None], repeats: int = 5) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    x = rng.random((BATCH, 28, 28, 1), dtype=np.float32)
    y = rng.integers(0, 10, BATCH)
    steps = {
        "brickwork reference": brickwork_step(x, y),
        "torch channels first": torch_step(x, y, False),
        "torch channels last": torch_step(x, y, True),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        milliseconds(step, 2)
    for _ in range(arguments.rounds):
        for name, step in steps.items():
            times[name].append(milliseconds(step))
    own = times["brickwork reference"]
    best = [
        min(pair) for pair in zip(times["torch channels first"], times["torch channels last"], strict=True)
    ]
    ratio = statistics.median(a / b for a, b in zip(own, best, strict=True))
    told = {
        "date": date.today().isoformat(),
        "machine": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "median_ms": {name: round(statistics.median(values), 2) for name, values in times.items()},
        "median_ratio_to_best_torch": round(ratio, 2),
    }
    print(json.dumps(told, indent=2))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(told, file, indent=2)


if __name__ == "__main__":
    main()
