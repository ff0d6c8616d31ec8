"""Draws the pictures of the README from a network that really runs: python docs/make_pictures.py"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

import brickwork
from brickwork import datasets, layers
from brickwork.graph import backprop

FOLDER = Path(__file__).parent / "pictures"
INK, BLUE, ORANGE, PAPER = "#22303c", "#0072b2", "#d55e00", "#f4f6f8"


def trained() -> tuple[brickwork.Sequential, np.ndarray, np.ndarray, brickwork.Sequential]:
    (x, y), (x_test, y_test) = datasets.digits.load_data()
    brickwork.utils.set_random_seed(1)
    model = brickwork.Sequential(
        [
            brickwork.Input((8, 8, 1), name="image"),
            layers.Rescaling(1 / 16, name="scale"),
            layers.Flatten(name="flatten"),
            layers.Dense(32, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="output"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=15, validation_split=0.2, verbose=0)
    return model, x_test[:64], y_test[:64], history


def glass_box() -> None:
    """Every brick of the training graph: what flows forward, and the gradient that flows back."""
    model, x, y, history = trained()
    program = model._ready().program
    graph = program.graph
    batch = model._batch(x, y, None)
    passed = graph.forward(model.parameters, model.statistics, batch, training=True)
    energy = passed.values[program.total]
    grads, back = backprop(
        graph,
        model.parameters,
        passed.saved,
        {program.total: np.ones_like(energy)},
        keep=frozenset(graph.shapes),
    )
    figure = Figure(figsize=(11, 6.2), dpi=110, facecolor="white")
    FigureCanvasAgg(figure)
    left = figure.add_axes((0.01, 0.01, 0.62, 0.98))
    left.set_xlim(0, 100)
    left.set_ylim(0, 100)
    left.axis("off")
    nodes = [node for node in graph.nodes if node.layer]
    height = 92 / len(nodes)
    left.text(4, 97, "forward", color=BLUE, weight="bold", fontsize=10)
    left.text(86, 97, "backward", color=ORANGE, weight="bold", fontsize=10)
    for row, node in enumerate(nodes):
        top = 94 - row * height
        left.add_patch(
            FancyBboxPatch(
                (17, top - height * 0.78),
                64,
                height * 0.66,
                boxstyle="round,pad=0.3,rounding_size=1.2",
                facecolor=PAPER,
                edgecolor=INK,
                linewidth=0.9,
            )
        )
        middle = top - height * 0.45
        left.text(19, middle, type(node.brick).__name__, fontsize=10, weight="bold", color=INK, va="center")
        left.text(47, middle, formula(node.brick), fontsize=9, family="monospace", color=INK, va="center")
        value = passed.values[node.name]
        left.text(15, middle, tell(value), fontsize=8.5, color=BLUE, va="center", ha="right")
        gradient = back.get(node.name)
        if gradient is None:
            left.text(
                83.5,
                middle,
                "read by predict;\nthe loss takes\nthe logits",
                fontsize=7,
                color="#8a949e",
                va="center",
            )
        else:
            told = f"|dy| {np.linalg.norm(gradient):.2g}"
            own = [key for key in grads if key.startswith(node.owner + "/")]
            told += "".join(f"\n|d{key.rpartition('/')[2]}| {np.linalg.norm(grads[key]):.2g}" for key in own)
            left.text(83.5, middle, told, fontsize=8.5, color=ORANGE, va="center")
        if row + 1 < len(nodes):
            low = top - height * 0.82
            left.annotate(
                "", (47, low - height * 0.2), (47, low), arrowprops={"arrowstyle": "-|>", "color": BLUE}
            )
            left.annotate(
                "", (51, low), (51, low - height * 0.2), arrowprops={"arrowstyle": "-|>", "color": ORANGE}
            )
    loss_panel(figure, history)
    digits_panel(figure, model, x, y)
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / "glass_box.png")


def formula(brick: object) -> str:
    """The Forward line of a brick's docstring."""
    for line in (type(brick).__doc__ or "").splitlines():
        if line.strip().startswith("Forward"):
            return line.strip().removeprefix("Forward").strip().partition(", then")[0]
    return ""


def tell(value: np.ndarray) -> str:
    shape = "×".join(str(size) for size in value.shape) or "number"
    return f"{shape}" if value.size > 1 else f"E = {float(value):.3f}"


def loss_panel(figure: Figure, history: object) -> None:
    axes = figure.add_axes((0.70, 0.56, 0.28, 0.38))
    told = history.history
    epochs = np.arange(1, len(told["loss"]) + 1)
    for name, colour, label, height in (
        ("loss", BLUE, "training", 0.62),
        ("val_loss", ORANGE, "validation", 0.28),
    ):
        axes.plot(epochs, told[name], color=colour, linewidth=2)
        axes.text(0.55 if name == "loss" else 0.12, height, label, color=colour, transform=axes.transAxes)
    axes.set_ylim(0)
    axes.set_xticks([1, 5, 10, 15])
    axes.set_title("loss per epoch", fontsize=10, color=INK, loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def digits_panel(figure: Figure, model: brickwork.Sequential, x: np.ndarray, y: np.ndarray) -> None:
    shown = [int(np.argmax(y == digit)) for digit in (0, 2, 3, 4, 5, 6, 7, 9)]
    p = model.predict(x[shown], verbose=0)
    for index, row in enumerate(shown):
        axes = figure.add_axes((0.70 + (index % 4) * 0.072, 0.26 - (index // 4) * 0.2, 0.062, 0.11))
        axes.imshow(x[row], cmap="gray_r")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_title(f"{p[index].argmax()}  {p[index].max():.0%}", fontsize=9, color=INK)
    figure.text(0.70, 0.44, "test images, and what it says", fontsize=10, color=INK)


if __name__ == "__main__":
    glass_box()
