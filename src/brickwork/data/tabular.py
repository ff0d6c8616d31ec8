"""A data set from a table: the target is found, rows are split, columns are encoded, all in passes over
blocks.

A few numbers are kept for each row, and the encoded rows; the cells are never all in memory.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, ParameterTypeError, known_names
from .cells import is_missing, number_text, to_numbers
from .columns import (
    CategoricalColumn,
    Column,
    NumericColumn,
    TargetColumn,
    class_texts,
    missing_target,
)
from .dataset import Dataset
from .encoding import TableEncoder
from .facts import (
    CATEGORICAL,
    IGNORED,
    NUMERIC,
    Facts,
    Plan,
    categories,
    describe_left_out,
    find_facts,
    most_frequent,
    plan_columns,
)
from .splits import TEST_SPLIT, Split, split_rows
from .tables import Block, Table, as_table
from .tasks import CLASSIFICATION, Target, table_target

Array = npt.NDArray[Any]

_MEDIAN_ROWS = 200_000
"""Training rows from which medians are taken, evenly spread, where there are more."""

_USUAL_TARGETS = ("target", "label", "labels", "class", "y", "species", "category", "outcome")


def read_table(
    data: Any,
    *,
    target: str | int | None,
    task: str = "auto",
    columns: Mapping[str, str] | None = None,
    test_split: float | None = None,
    seed: int = 0,
    name: str | None = None,
    **options: Any,
) -> Dataset:
    """A data set from a table, its cells encoded as numbers.

    Parameters
    ----------
    data : a .csv or .parquet path, a pandas frame, a list of dicts.
    target : the column to be learned: its name, or its number from 1 (−1 is the last one).
    task : "classification", "regression", or "auto" (default): classification where the target holds text, or
        at most 20 different whole numbers with on average 5 rows of each; else regression.
    columns : column -> "numeric", "categorical" or "ignored", where the rules are to be overruled. By them a
        column of numbers is numeric and one of texts categorical; left out, with a warning, are columns
        without or with one value, and texts that are different in every row, or in most.
    test_split : the share of the rows in [0, 1) for testing, of each class alike; default 0.2.
    seed : of that split; default 0.
    name : of the data set; default: the file's.
    options : header and delimiter of a CSV file.

    Numbers are brought to mean 0 and deviation 1, missing ones become the median, both of the training rows.
    Texts become a 1 in the place of their category; missing ones are a category, where the table has some.

    Raises DataError where a column, a row or a cell is not what it should be, naming it.
    """
    table = as_table(data, **options)
    target_name = find_target(table, target)
    cells = _TargetCells(table, target_name)
    features = [one for one in table.columns if one != target_name]
    facts = find_facts(table, features, target_name, cells.add)
    learned = table_target(cells.values(), task, f"{table.name}: the target {target_name!r}", cells.place)
    plans = plan_columns(table, facts, columns)
    if all(plan.kind == IGNORED for plan in plans):
        raise DataError(
            f"{table.name}: expected columns to learn {target_name!r} from; none is left: "
            f"{'; '.join(f'{plan.name!r}: {plan.reason}' for plan in plans) or 'it is the only one'}. Add "
            "columns, or say what they are by `columns`."
        )
    by_class = learned.task == CLASSIFICATION
    split = split_rows(
        len(learned.y),
        test=TEST_SPLIT if test_split is None else test_split,
        seed=seed,
        labels=learned.y if by_class else None,
        class_names=learned.class_names if by_class else None,
    )
    encoder = TableEncoder(
        tuple(_fit_columns(table, plans, facts, split)),
        TargetColumn(target_name, learned.task, learned.class_names, cells.decimal),
        tuple((plan.name, plan.reason or "it is not asked for") for plan in plans if plan.kind == IGNORED),
    )
    x_train, x_test = _encode(table, encoder, split)
    return Dataset(
        name=name or Path(table.name).stem,
        title=table.name,
        x_train=x_train,
        y_train=learned.y[split.train],
        x_test=x_test,
        y_test=learned.y[split.test],
        class_names=learned.class_names,
        scale=None,
        task=learned.task,
        feature_names=encoder.feature_names,
        preprocessing=encoder,
        notes=tuple(_notes(learned, table)),
        warnings=tuple(_warnings(plans, table, columns)),
        origin=_origin(data),
    )


def find_target(table: Table, target: str | int | None) -> str:
    """The name of the target's column. Raises DataError where it is not told, or is no column."""
    if target is None:
        usual = [name for name in table.columns if name.lower() in _USUAL_TARGETS]
        hint = f" Perhaps {usual[0]!r}?" if usual else ""
        raise DataError(
            f"{table.name}: expected the name of the column that is to be learned; received none. Give "
            f"target (--target NAME), one of {known_names(table.columns)}.{hint}"
        )
    if isinstance(target, bool) or not isinstance(target, (str, int, np.integer)):
        raise ParameterTypeError(
            f"`target` must be the name of a column, or its number from 1; got {target!r} of type "
            f"{type(target).__name__}."
        )
    if isinstance(target, str) and (target in table.columns or not target.strip().lstrip("-").isdecimal()):
        table.require(target, "the target, a column")
        return target
    number = int(target)
    count = len(table.columns)
    if not (1 <= number <= count or -count <= number <= -1):
        raise DataError(
            f"{table.name}: columns are numbered 1 … {count} (or −1, the last, … −{count}); the target was "
            f"{number}. The columns are {known_names(table.columns)}."
        )
    return table.columns[number - 1 if number > 0 else number]


class _TargetCells:
    """The target's cells, from all blocks: float64 numbers; texts, from the first block that has one."""

    def __init__(self, table: Table, name: str) -> None:
        self.table = table
        self.name = name
        self.decimal = "."
        self._numbers: list[Array] = []
        self._texts: list[str] | None = None
        self._known: dict[str, str] = {}
        self._blocks: list[Block] = []

    def add(self, block: Block) -> None:
        """Take in the target's cells of a block. Raises DataError for a missing one and an infinite one."""
        cells = block.cells[self.name]
        if isinstance(cells, np.ndarray):
            gone = np.flatnonzero(np.isnan(cells)).tolist()
        else:
            words = {cell for cell in set(cells) if is_missing(cell)}
            gone = [row for row, cell in enumerate(cells) if cell in words] if words else []
        if gone:
            raise missing_target(self.table, block, gone[0], self.name)
        self._blocks.append(Block({}, block.first, block.count, block.lines))
        if self._texts is None:
            numbers = self._parsed(block)
            if numbers is not None:
                self._numbers.append(numbers)
                return
            self._texts = [number_text(number) for part in self._numbers for number in part.tolist()]
        self._texts += [self._known.setdefault(text, text) for text in class_texts(cells)]

    def _parsed(self, block: Block) -> Array | None:
        cells = block.cells[self.name]
        for decimal in self.table.decimals:
            numbers, stop = to_numbers(cells, decimal)
            if stop is None:
                if not np.isfinite(numbers).all():
                    row = int(np.argmin(np.isfinite(numbers)))
                    raise DataError(
                        f"{self.table.name}, {block.place(row)}: the target {self.name!r} must be a finite "
                        f"number; it is {numbers[row]:g}. Correct or drop the row."
                    )
                if decimal == "," and any("," in cell for cell in cells):
                    self.decimal = ","
                return numbers
        return None

    def values(self) -> Array:
        """All cells."""
        if self._texts is not None:
            return np.array(self._texts, object)
        return np.concatenate(self._numbers)

    def place(self, row: int) -> str:
        """Where a row stands."""
        block = next(block for block in self._blocks if row < block.first + block.count)
        return block.place(row - block.first)


def _fit_columns(
    table: Table, plans: Sequence[Plan], facts: Mapping[str, Facts], split: Split
) -> Iterator[Column]:
    """What becomes of each column, with the statistics of the training rows."""
    numeric = [plan.name for plan in plans if plan.kind == NUMERIC]
    decimals = {name: facts[name].decimals[0] for name in numeric}
    statistics = _statistics(table, decimals, split.train) if numeric else {}
    for plan in plans:
        fact = facts[plan.name]
        if plan.kind == NUMERIC:
            yield NumericColumn(plan.name, *statistics[plan.name], decimal=decimals[plan.name])
        elif plan.kind == CATEGORICAL:
            names, other = categories(fact)
            yield CategoricalColumn(plan.name, names, most_frequent(fact), fact.missing > 0, other)


def _statistics(
    table: Table, decimals: Mapping[str, str], train: Array
) -> dict[str, tuple[float, float, float]]:
    """Median, mean and deviation of each column over the training rows, without missing cells."""
    rows = np.sort(train)
    step = math.ceil(len(rows) / _MEDIAN_ROWS)
    sampled: dict[str, list[Array]] = {name: [] for name in decimals}
    counts = dict.fromkeys(decimals, 0)
    means = dict.fromkeys(decimals, 0.0)
    squares = dict.fromkeys(decimals, 0.0)
    for block in table.blocks(list(decimals)):
        start, stop = np.searchsorted(rows, [block.first, block.first + block.count])
        inside = rows[start:stop] - block.first
        for name, decimal in decimals.items():
            numbers = to_numbers(block.cells[name], decimal)[0][inside]
            sampled[name].append(numbers[(-start) % step :: step])
            present = numbers[~np.isnan(numbers)]
            if len(present):
                # joined as Chan, Golub and LeVeque do, which keeps small deviations of large numbers
                total = counts[name] + len(present)
                mean = float(present.mean())
                gap = mean - means[name]
                squares[name] += (
                    float(np.square(present - mean).sum()) + gap**2 * counts[name] * len(present) / total
                )
                means[name] += gap * len(present) / total
                counts[name] = total
    found = {}
    for name in decimals:
        values = np.concatenate(sampled[name])
        values = values[~np.isnan(values)]
        median = float(np.median(values)) if len(values) else means[name]
        deviation = math.sqrt(squares[name] / counts[name]) if counts[name] else 0.0
        # rounding alone makes a deviation of about 1e-16 of the mean
        scale = deviation if deviation > 1e-12 * abs(means[name]) and deviation > 1e-30 else 1.0
        found[name] = (median, means[name], scale)
    return found


def _encode(table: Table, encoder: TableEncoder, split: Split) -> tuple[Array, Array]:
    """The rows of numbers of both parts, each in the split's order."""
    width = len(encoder.feature_names)
    parts = []
    for rows in (split.train, split.test):
        order = np.argsort(rows, kind="stable")
        parts.append((rows[order], order, np.empty((len(rows), width), np.float32)))
    for block, x in encoder.blocks(table):
        for rows, order, out in parts:
            start, stop = np.searchsorted(rows, [block.first, block.first + block.count])
            out[order[start:stop]] = x[rows[start:stop] - block.first]
    return parts[0][2], parts[1][2]


def _notes(learned: Target, table: Table) -> Iterator[str]:
    if learned.reason:
        yield f"The task is {learned.task}, since {learned.reason}."
    has_header = getattr(getattr(table, "file", None), "has_header", True)
    if not has_header:
        yield f"{table.name}: its first line is read as data, since it holds numbers; columns are column_1, …"


def _warnings(plans: list[Plan], table: Table, columns: Mapping[str, str] | None) -> list[str]:
    skipped = [
        f"{table.name}: column {name!r} is left out: it holds lists or records."
        for name in getattr(table, "skipped", ())
    ]
    return describe_left_out(plans, table, columns) + skipped


def _origin(data: Any) -> str:
    if not isinstance(data, (str, os.PathLike)):
        return ""
    status = Path(data).stat()
    return f"{Path(data).name} {status.st_size} {status.st_mtime_ns}"
