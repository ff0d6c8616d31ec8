"""Three networks, their first weights and their batches, from which every library makes the same loss curves.

Weights and data come from NumPy's PCG64 generator, seeded by the network's name, through `Generator.random`
alone, so that the golden files need to hold nothing but what the libraries answered.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

GOLDEN = Path(__file__).parents[1] / "golden"
STEPS = 50
BATCHES = 5
ROWS = 16
CLASSES = 5

OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
    "nesterov": ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {"learning_rate": 0.005}),
}
PEERS = {"keras": ("sgd", "nesterov", "adam"), "torch": ("sgd", "nesterov")}
"""Which optimizers are compared with whom: Keras and PyTorch state Adam differently, see optimizers.Adam."""


@dataclass(frozen=True)
class Curve:
    """A network: how it is built in a library with Keras's names, its inputs, and what it is to learn."""

    name: str
    inputs: tuple[tuple[int, ...], ...]
    build: Callable[[Any], Any]
    compiled: Callable[[Any], dict[str, Any]]
    targets: tuple[str, ...]

    @property
    def rng(self) -> np.random.Generator:
        """A generator, started anew."""
        digest = hashlib.sha256(self.name.encode()).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little")))

    def batches(self) -> list[tuple[list[Any], list[Any]]]:
        """(inputs, targets) of every step: a few batches in turn, targets a fixed map of the inputs."""
        rng = self.rng
        width = sum(int(np.prod(shape)) for shape in self.inputs)
        maps = [uniform(rng, (width, CLASSES if kind == "class" else 2)) for kind in self.targets]
        made = []
        for _ in range(BATCHES):
            x = [uniform(rng, (ROWS, *shape)).astype(np.float32) for shape in self.inputs]
            flat = np.concatenate([one.reshape(ROWS, -1) for one in x], axis=1)
            y = [
                np.argmax(flat @ one, axis=1).astype(np.int32)
                if kind == "class"
                else np.tanh(flat @ one / np.sqrt(width)).astype(np.float32)
                for kind, one in zip(self.targets, maps, strict=True)
            ]
            made.append((x, y))
        return [made[step % BATCHES] for step in range(STEPS)]

    def weights(self, shapes: list[tuple[int, ...]]) -> list[Any]:
        """First weights: kernels of variance 1 / inputs, gains and variances around 1, biases around 0."""
        rng = self.rng
        rng.random(1000)  # away from the numbers of the data
        made = []
        for index, shape in enumerate(shapes):
            if len(shape) > 1:
                made.append(uniform(rng, shape) / np.sqrt(np.prod(shape[:-1])))
            else:
                made.append(0.1 * uniform(rng, shape) + self.offsets.get(index, 0.0))
        return [one.astype(np.float32) for one in made]

    @property
    def offsets(self) -> dict[int, float]:
        """Where gains and variances stand in the list of weights: they start near 1."""
        return {1: 1.0, 4: 1.0} if self.name == "convnet" else {}


def uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Numbers of mean 0 and variance 1 that no release of NumPy makes otherwise."""
    return np.sqrt(12.0) * (rng.random(shape) - 0.5)


def mlp(library: Any) -> Any:
    layers = library.layers
    return library.Sequential([
        library.Input((20,)),
        layers.Dense(32, activation="tanh"),
        layers.Dense(16, activation="relu"),
        layers.Dense(CLASSES, activation="softmax"),
    ])  # fmt: skip


def convnet(library: Any) -> Any:
    layers = library.layers
    return library.Sequential([
        library.Input((10, 10, 2)),
        layers.Conv2D(4, 3, padding="same", use_bias=False),  # batch normalization undoes a bias
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(6, 3, activation="tanh"),
        layers.AveragePooling2D(2, strides=1),
        layers.Flatten(),
        layers.Dense(CLASSES),
    ])  # fmt: skip


def two_by_two(library: Any) -> Any:
    """Two inputs, two outputs; one Dense layer is used twice."""
    layers = library.layers
    a, b = library.Input((6,), name="a"), library.Input((3, 2, 1), name="b")
    shared = layers.Dense(8, activation="tanh", name="shared")
    left, right = shared(a), shared(layers.Flatten(name="flat")(b))
    both = layers.Concatenate(name="both")([layers.Multiply(name="product")([left, right]), left])
    hidden = layers.Dense(10, activation="elu", name="hidden")(both)
    number = layers.Dense(2, name="number")(layers.Add(name="sum")([left, right]))
    return library.Model([a, b], [layers.Dense(CLASSES, name="kind")(hidden), number])


def one_class(library: Any, from_logits: bool) -> dict[str, Any]:
    return {"loss": library.losses.SparseCategoricalCrossentropy(from_logits=from_logits)}


def class_and_number(library: Any) -> dict[str, Any]:
    losses = library.losses
    return {
        "loss": [losses.SparseCategoricalCrossentropy(from_logits=True), losses.MeanSquaredError()],
        "loss_weights": [1.0, 0.3],
    }


CURVES = (
    Curve("mlp", ((20,),), mlp, lambda library: one_class(library, False), ("class",)),
    Curve("convnet", ((10, 10, 2),), convnet, lambda library: one_class(library, True), ("class",)),
    Curve("two_by_two", ((6,), (3, 2, 1)), two_by_two, class_and_number, ("class", "number")),
)


def follow(curve: Curve, library: Any, optimizer: str, **compile_arguments: Any) -> dict[str, Any]:
    """Fifty steps in a library with Keras's names: the loss of every step and what became of the weights."""
    model = curve.build(library)
    model.set_weights(curve.weights([one.shape for one in model.get_weights()]))
    kind, arguments = OPTIMIZERS[optimizer]
    model.compile(
        getattr(library.optimizers, kind)(**arguments), **curve.compiled(library), **compile_arguments
    )
    losses = []
    for x, y in curve.batches():
        if hasattr(model, "reset_metrics"):
            model.reset_metrics()  # Keras hands out running means
        told = model.train_on_batch(x if len(x) > 1 else x[0], y if len(y) > 1 else y[0], return_dict=True)
        losses.append(float(told["loss"]))
    return {"loss": losses, "weights": digest(model.get_weights())}


def digest(weights: list[Any]) -> list[dict[str, Any]]:
    """Shape, norm and a weighted sum of each array, in which every number and its place counts."""
    told = []
    for one in weights:
        flat = np.asarray(one, np.float64).reshape(-1)
        place = np.cos(np.arange(flat.size))
        told.append({
            "shape": list(np.shape(one)),
            "norm": float(np.sqrt(flat @ flat)),
            "sum": float(flat @ place),
        })  # fmt: skip
    return told


def fingerprint(curve: Curve) -> str:
    """Of the data, so that a change in NumPy's generator is told from a mistake."""
    sha = hashlib.sha256()
    for x, y in curve.batches():
        for one in (*x, *y):
            sha.update(np.round(one, 4).tobytes())
    return sha.hexdigest()[:16]


def golden(curve: Curve, peer: str) -> dict[str, Any]:
    """The file that tools/make_golden.py wrote."""
    told: dict[str, Any] = json.loads((GOLDEN / f"{curve.name}_{peer}.json").read_text(encoding="utf-8"))
    return told


def machine() -> dict[str, str]:
    """What a golden file was made on."""
    return {"python": platform.python_version(), "numpy": np.__version__, "machine": platform.machine()}
