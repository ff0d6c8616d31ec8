"""The pictures of `brickwork show`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ParameterError
from ..inspect.confusion import confusion_matrix, confusion_text, draw_confusion
from ..inspect.curves import draw_curves, read_history
from ..training.run_folder import CURVES, HISTORY
from .runs import open_run, read_config
from .scores import BATCH
from .sources import rows_for_testing

CONFUSION = "confusion.png"


def curves(run: str, out: str | None, smooth: float) -> tuple[str, dict[str, Any]]:
    """Draw history.csv anew."""
    place = Path(run).expanduser()
    config = read_config(place)
    history = read_history(place / HISTORY)
    filled = {name: values for name, values in history.items() if not np.isnan(values).all()}
    file = Path(out) if out else place / CURVES
    title = f"{config['data'].get('name', '')}: {config.get('model', {}).get('name', '')}"
    best = _best(filled, str(config.get("monitor", "")))
    draw_curves(filled, file, title=title, smooth=smooth, best=best)
    epochs = len(next(iter(history.values())))
    lines = [f"{epochs} epochs"]
    lines += [
        f"{name:<14}{values[0]:.4g} at first, {values[-1]:.4g} at last"
        for name, values in filled.items()
        if name not in ("epoch", "seconds", "learning_rate")
    ]
    return "\n".join(lines), {"file": str(file), "epochs": epochs}


def _best(history: dict[str, list[float]], monitor: str) -> int | None:
    """The epoch that the run holds for its best."""
    values = history.get(monitor)
    if not values or np.isnan(values).all():
        return None
    return int(np.nanargmax(values) if monitor.endswith("accuracy") else np.nanargmin(values))


def confusion(
    run: str, data: str | None, epoch: int | None, out: str | None, report: Callable[[str], None]
) -> tuple[str, dict[str, Any]]:
    """Count and draw which classes are taken for which."""
    opened = open_run(run, epoch, report)
    names = opened.class_names
    if not names:
        raise ParameterError(
            f"A confusion matrix is for classes; the network of {run} predicts numbers. Draw its curves."
        )
    with opened.computing():
        title, x, y = rows_for_testing(opened, data, None, report)
        guessed = np.asarray(opened.model.predict(x, batch_size=BATCH, verbose=0)).argmax(axis=1)
    matrix = confusion_matrix(y, guessed, len(names))
    inside = opened.path / CONFUSION if opened.path.is_dir() else Path(CONFUSION)
    file = Path(out) if out else inside
    right = int(np.diag(matrix).sum())
    share = f"{right:,} of {len(y):,} right ({right / len(y):.2%})"
    draw_confusion(matrix, names, file, title=f"{title}: {share}")
    text = f"{title}: {share}\n{confusion_text(matrix, names)}"
    return text, {"file": str(file), "classes": list(names), "matrix": matrix.tolist()}
