"""Predictions as rows: for people, for programs, for tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, FormatError
from ..files import write_atomically
from ..inspect.text_table import text_table
from .runs import Run
from .scores import BATCH
from .sources import Inputs

SHOWN = 20
"""Rows that are shown on a terminal."""

Answer = dict[str, Any]


def answers(run: Run, inputs: Inputs) -> list[Answer]:
    """For each row its file, its number from 1 (None for an image), and what the network says.

    Of classes: label, probability, and probabilities by class. Of numbers: prediction, a number or a list.
    """
    y = np.asarray(run.model.predict(inputs.x, batch_size=BATCH, verbose=0))
    if y.ndim != 2:
        raise DataError(f"predict takes networks that give rows of numbers; this one gives shape {y.shape}.")
    if not np.isfinite(y).all():
        row = int(np.argmin(np.isfinite(y).all(axis=1)))
        raise DataError(
            f"The network must give finite numbers; for {inputs.files[row]} it gives {y[row].tolist()}. "
            f"Are its numbers far larger than those of the training?"
        )
    found = []
    names = run.class_names
    for file, number, values in zip(inputs.files, inputs.rows, y.tolist(), strict=True):
        one: Answer = {"file": file, "row": number}
        if names:
            best = int(np.argmax(values))
            one |= {"label": names[best], "probability": values[best]}
            one["probabilities"] = dict(zip(names, values, strict=True))
        else:
            one["prediction"] = values[0] if len(values) == 1 else values
        found.append(one)
    return found


def shown(found: Sequence[Answer], width: int) -> str:
    """The first rows as a table; one row in full."""
    if len(found) == 1 and "label" in found[0]:
        one = found[0]
        likely = sorted(one["probabilities"].items(), key=lambda pair: -pair[1])[:5]
        return "\n".join([f"{one['file']}: {one['label']}", *(f"  {p:7.2%}  {name}" for name, p in likely)])
    rows = [
        [one["file"], "" if one["row"] is None else str(one["row"]), *_told(one)] for one in found[:SHOWN]
    ]
    header = ["file", "row", *(("label", "probability") if "label" in found[0] else ("prediction",))]
    table = text_table(header, list(rows), width, right=[1, len(header) - 1])
    more = len(found) - SHOWN
    return table + (f"\n{more:,} more rows; --out FILE.csv writes all of them." if more > 0 else "")


def _told(one: Answer) -> list[str]:
    if "label" in one:
        return [one["label"], f"{one['probability']:.2%}"]
    values = one["prediction"] if isinstance(one["prediction"], list) else [one["prediction"]]
    return [", ".join(f"{value:.6g}" for value in values)]


def write_answers(path: str, found: Sequence[Answer], names: Sequence[str]) -> None:
    """Write a table: file, row, label, probability, "p_<class>" for each class; or file, row, prediction."""
    if Path(path).suffix.lower() != ".csv":
        raise FormatError(f"--out names a table, FILE.csv; got {path!r}. Write {Path(path).stem}.csv.")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    first = found[0]
    if names:
        writer.writerow(["file", "row", "label", "probability", *(f"p_{name}" for name in names)])
    else:
        count = len(first["prediction"]) if isinstance(first["prediction"], list) else 1
        numbered = [f"prediction_{k + 1}" for k in range(count)] if count > 1 else ["prediction"]
        writer.writerow(["file", "row", *numbered])
    for one in found:
        begin = [one["file"], "" if one["row"] is None else one["row"]]
        if names:
            chances = [f"{one['probabilities'][name]:.6g}" for name in names]
            writer.writerow([*begin, one["label"], f"{one['probability']:.6g}", *chances])
        else:
            values = one["prediction"] if isinstance(one["prediction"], list) else [one["prediction"]]
            writer.writerow([*begin, *(f"{value:.8g}" for value in values)])
    write_atomically(path, text.getvalue())
