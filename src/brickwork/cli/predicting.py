"""Predictions as rows: for people, for programs, for tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, FormatError
from ..files import replacing
from ..inspect.text_table import text_table
from .runs import Run
from .scores import BATCH
from .sources import Inputs

SHOWN = 20
"""Rows that are shown on a terminal."""

Answer = dict[str, Any]
Array = npt.NDArray[Any]


class Answers(Sequence[Answer]):
    """For each row its file, its number from 1 (None for an image), and what the network says.

    Of classes: label, probability, and probabilities by class. Of numbers: prediction, a number or a list.
    Each is put together when it is asked for: a large file has millions.
    """

    def __init__(self, inputs: Inputs, y: Array, names: Sequence[str]) -> None:
        self._inputs = inputs
        self._y = y
        self._names = names

    def __len__(self) -> int:
        return len(self._y)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        values: list[float] = self._y[index].tolist()
        one: Answer = {"file": self._inputs.files[index], "row": self._inputs.rows[index]}
        if not self._names:
            return {**one, "prediction": values[0] if len(values) == 1 else values}
        best = values.index(max(values))
        one |= {"label": self._names[best], "probability": values[best]}
        return {**one, "probabilities": dict(zip(self._names, values, strict=True))}


def answers(run: Run, inputs: Inputs) -> Answers:
    """What the network says of the rows. DataError where that is no row of finite numbers for each."""
    y = np.asarray(run.model.predict(inputs.x, batch_size=BATCH, verbose=0))
    if y.ndim != 2:
        raise DataError(f"predict takes networks that give rows of numbers; this one gives shape {y.shape}.")
    if not np.isfinite(y).all():
        row = int(np.argmin(np.isfinite(y).all(axis=1)))
        raise DataError(
            f"The network must give finite numbers; for {inputs.files[row]} it gives {y[row].tolist()}. "
            f"Are its numbers far larger than those of the training?"
        )
    return Answers(inputs, y, run.class_names)


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
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(_lines(found, names))


def _lines(found: Sequence[Answer], names: Sequence[str]) -> Iterator[list[Any]]:
    """The header and the rows of the table."""
    first = found[0]
    if names:
        yield ["file", "row", "label", "probability", *(f"p_{name}" for name in names)]
    else:
        count = len(first["prediction"]) if isinstance(first["prediction"], list) else 1
        numbered = [f"prediction_{k + 1}" for k in range(count)] if count > 1 else ["prediction"]
        yield ["file", "row", *numbered]
    for one in found:
        begin = [one["file"], "" if one["row"] is None else one["row"]]
        if names:
            chances = [f"{one['probabilities'][name]:.6g}" for name in names]
            yield [*begin, one["label"], f"{one['probability']:.6g}", *chances]
        else:
            values = one["prediction"] if isinstance(one["prediction"], list) else [one["prediction"]]
            yield [*begin, *(f"{value:.8g}" for value in values)]
