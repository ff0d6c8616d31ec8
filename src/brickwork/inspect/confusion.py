"""The confusion matrix: which classes a network takes for which, as numbers, text and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ShapeError
from ..files import AnyPath, replacing
from .text_table import text_table

Array = npt.NDArray[Any]

MOST_IN_TEXT = 12
"""Classes up to which the whole matrix is a table of text."""

_MOST_NUMBERS = 20
"""Classes up to which the cells of the picture carry numbers."""


def confusion_matrix(y_true: Any, y_pred: Any, classes: int) -> Array:
    """Counts (K, K): row the true class, column the predicted one.

    Parameters
    ----------
    y_true, y_pred : class numbers in 0 … K − 1, (N,) each.
    classes : K.

    >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    true, pred = np.asarray(y_true, np.int64), np.asarray(y_pred, np.int64)
    both = np.concatenate([true.reshape(-1), pred.reshape(-1)])
    if (
        true.shape != pred.shape
        or true.ndim != 1
        or (len(both) and not 0 <= both.min() <= both.max() < classes)
    ):
        raise ShapeError(
            f"confusion_matrix takes two arrays (N,) of class numbers in 0 … {classes - 1}; it received "
            f"{true.shape} and {pred.shape}."
        )
    return np.bincount(true * classes + pred, minlength=classes * classes).reshape(classes, classes)


def confusions(matrix: Array, names: Sequence[str], count: int = 5) -> list[str]:
    """The most frequent mistakes, a line each.

    >>> confusions(np.array([[8, 2], [0, 9]]), ["cat", "dog"])
    ["2 of 10 'cat' are taken for 'dog'"]
    """
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    pairs = [divmod(int(place), len(names)) for place in order]
    return [
        f"{wrong[row, column]:,} of {matrix[row].sum():,} {names[row]!r} are taken for {names[column]!r}"
        for row, column in pairs
        if wrong[row, column]
    ]


def confusion_text(matrix: Array, names: Sequence[str], width: int = 100) -> str:
    """The matrix as a table, up to 12 classes, with what is right of each; then the commonest mistakes."""
    total = matrix.sum(axis=1)
    right = [f"{100 * matrix[k, k] / total[k]:.1f} %" if total[k] else "" for k in range(len(names))]
    if len(names) <= MOST_IN_TEXT:
        header = ["true \\ predicted", *names, "right"]
        rows = [[name, *(f"{n:,}" for n in matrix[k]), right[k]] for k, name in enumerate(names)]
    else:
        header = ["class", "rows", "right"]
        rows = [[name, f"{total[k]:,}", right[k]] for k, name in enumerate(names)]
    table = text_table(header, list(rows), width, right=list(range(1, len(header))))
    worst = confusions(matrix, names)
    return "\n".join(
        [table, *(["Most frequent mistakes:", *(f"  {line}" for line in worst)] if worst else [])]
    )


def draw_confusion(matrix: Array, names: Sequence[str], path: AnyPath, *, title: str | None = None) -> None:
    """Draw the matrix into a PNG file: cells are shaded by the share of their true class.

    Parameters
    ----------
    matrix : counts (K, K), as `confusion_matrix` gives them.
    names : of the K classes.
    path : where to write, ending in .png (or .svg, .pdf).
    title : a line above, default none.

    Raises FileError where the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = len(names)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = min(3.2 + 0.55 * count, 14.0)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    size = 9 if count <= 30 else 5
    short = [name if len(name) <= 18 else name[:17] + "…" for name in names]
    long = max(map(len, short)) > 3
    axes.set_xticks(
        range(count), short, rotation=45 if long else 0, ha="right" if long else "center", fontsize=size
    )
    axes.set_yticks(range(count), short, fontsize=size)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(count + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(count + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    if count <= _MOST_NUMBERS:
        for row, column in np.argwhere(matrix > 0).tolist():
            dark = share[row, column] > 0.5
            text = f"{matrix[row, column]:,}"
            axes.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=size,
                color="white" if dark else "#222222",
            )
    bar = figure.colorbar(image, ax=axes, shrink=0.7, label="share of the true class")
    bar.outline.set_visible(False)
    if title:
        figure.suptitle(title, fontsize=12, x=0.01, ha="left", fontweight="bold")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)
