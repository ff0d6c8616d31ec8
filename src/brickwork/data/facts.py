"""What the columns of a table hold, found in one pass, and what becomes of each.

A column of numbers stays one number; a column of texts becomes one number for each category. Left out, with a
warning, are columns that tell nothing (empty, or of one value) and texts that name the row (all or most of
them different), which a network would learn by heart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import DataError, ParameterError, did_you_mean, known_names
from .cells import Array, Cells, number_text, to_numbers, to_texts
from .tables import Block, Table

NUMERIC = "numeric"
CATEGORICAL = "categorical"
IGNORED = "ignored"
KINDS = (NUMERIC, CATEGORICAL, IGNORED)

MOST_CATEGORIES = 100
"""Categories of a column that get a number each; rarer ones share one."""

_MOST_COUNTED = 10_000
_FEW = 50
_LARGEST = float(np.finfo(np.float32).max)
_INDEX = re.compile(r"(unnamed: ?\d+|id|index|idx|no\.?|nr\.?|row|row_?id|row_?number|#)", re.IGNORECASE)


@dataclass
class Facts:
    """What is known of a column after the blocks that were added.

    rows, missing : cells, and those that say nothing.
    decimals : the decimal marks with which all cells so far are numbers; none where a text was met.
    text_place : where the first cell stands that is no number.
    counts : texts and how often they stand there; `overflow` where there are too many to be counted.
    """

    decimals: tuple[str, ...] = (".",)
    rows: int = 0
    missing: int = 0
    text_place: str = ""
    text: str = ""
    low: float = np.inf
    high: float = -np.inf
    runs: bool = True
    too_large: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    overflow: bool = False

    def add(self, cells: Cells, block: Block) -> None:
        """Take in a part of the column."""
        numbers = self._add_numbers(cells, block) if self.decimals else None
        if not self.overflow:
            self.counts.update(to_texts(cells))
            self.overflow = len(self.counts) > _MOST_COUNTED
        if numbers is None:
            self.missing += sum(not text for text in to_texts(cells))
        else:
            self.missing += int(np.isnan(numbers).sum())
        self.rows += block.count

    def _add_numbers(self, cells: Cells, block: Block) -> Array | None:
        good = []
        for decimal in self.decimals:
            numbers, stop = to_numbers(cells, decimal)
            if stop is None:
                good.append((decimal, numbers))
            elif not self.text_place or len(self.decimals) == 1:
                self.text_place, self.text = block.place(stop), str(cells[stop])
        self.decimals = tuple(decimal for decimal, _ in good)
        if not good:
            return None
        numbers = good[0][1]
        wrong = np.abs(numbers) > _LARGEST
        if wrong.any() and not self.too_large:
            row = int(np.argmax(wrong))
            self.too_large = f"{block.place(row)}, the number {numbers[row]:g}"
        present = numbers[~np.isnan(numbers)]
        if len(present):
            self.low, self.high = min(self.low, float(present.min())), max(self.high, float(present.max()))
        expected = np.arange(self.rows, self.rows + len(numbers)) + (
            self.low if self.low in (0.0, 1.0) else np.nan
        )
        self.runs = self.runs and bool(np.array_equal(numbers, expected))
        return numbers

    @property
    def numeric(self) -> bool:
        """Whether every cell that says something is a number."""
        return bool(self.decimals) and self.missing < self.rows

    @property
    def distinct(self) -> int:
        """Different texts that are not missing."""
        return len(self.counts) - (1 if self.counts.get("") else 0)


@dataclass(frozen=True)
class Plan:
    """What becomes of a column: its kind, and why it is ignored if it is."""

    name: str
    kind: str
    reason: str = ""


def find_facts(
    table: Table, columns: Sequence[str], target: str, watch: Callable[[Block], None]
) -> dict[str, Facts]:
    """The facts of these columns; `watch` sees the blocks. DataError where there are no rows."""
    facts = {name: Facts(table.decimals) for name in columns}
    rows = 0
    for block in table.blocks([*columns, target]):
        rows += block.count
        watch(block)
        for name, fact in facts.items():
            fact.add(block.cells[name], block)
    if rows == 0:
        raise DataError(
            f"{table.name}: expected rows beneath the header; there are none. Is it the right file?"
        )
    return facts


def plan_columns(
    table: Table, facts: Mapping[str, Facts], kinds: Mapping[str, str] | None = None
) -> list[Plan]:
    """What becomes of each column, where the user's `kinds` do not say it.

    Raises DataError for an infinite number, and for a text in a column that is to be numeric; ParameterError
    for kinds and columns that do not exist.
    """
    kinds = dict(kinds or {})
    for name, kind in kinds.items():
        table.require(name)
        if kind not in KINDS:
            raise ParameterError(
                f"`columns` gives each column one of {known_names(KINDS)}; got {kind!r} for {name!r}."
                f"{did_you_mean(kind, KINDS)}"
            )
    plans = []
    for name, fact in facts.items():
        plan = Plan(name, kinds[name]) if name in kinds else _plan(name, fact, name in table.unnamed)
        if plan.kind == NUMERIC and not fact.decimals:
            raise DataError(
                f"{table.name}, {fact.text_place}, column {name!r}: expected a number; received "
                f"{fact.text!r}. Correct the cell, or take the column for 'categorical' or 'ignored'."
            )
        if plan.kind == NUMERIC and fact.missing == fact.rows:
            raise DataError(
                f"{table.name}: column {name!r} is to be numeric; every cell of it is missing. Drop it."
            )
        if plan.kind == NUMERIC and fact.too_large:
            raise DataError(
                f"{table.name}, {fact.too_large} in column {name!r}: expected finite numbers of at most "
                "3.4e38. Correct the cell, or leave it empty: then it counts as missing."
            )
        plans.append(plan)
    return plans


def _plan(name: str, fact: Facts, unnamed: bool) -> Plan:
    present = fact.rows - fact.missing
    if present == 0:
        return Plan(name, IGNORED, "every cell is missing")
    if fact.numeric:
        if fact.low == fact.high:
            return Plan(name, IGNORED, f"it has one value, {number_text(fact.low)}")
        if fact.runs and fact.rows > 1 and (unnamed or _INDEX.fullmatch(name)):
            return Plan(name, IGNORED, "it numbers the rows")
        return Plan(name, NUMERIC)
    if fact.overflow:
        return Plan(name, IGNORED, f"it holds more than {_MOST_COUNTED:,} different texts")
    if fact.distinct == 1 and fact.missing == 0:
        return Plan(name, IGNORED, f"it has one value, {next(iter(fact.counts))!r}")
    if fact.distinct == present and present >= 10:
        return Plan(name, IGNORED, "its text is another in every row, as a name or an identifier is")
    if fact.distinct > _FEW and fact.distinct > present / 2:
        return Plan(name, IGNORED, f"most of its texts are different ({fact.distinct:,} in {present:,} rows)")
    return Plan(name, CATEGORICAL)


def categories(fact: Facts) -> tuple[tuple[str, ...], bool]:
    """The categories of a column, sorted, and whether rarer ones were left to share one."""
    known = [(text, count) for text, count in fact.counts.items() if text]
    if len(known) > MOST_CATEGORIES:
        known = sorted(known, key=lambda pair: (-pair[1], pair[0]))[:MOST_CATEGORIES]
        return tuple(sorted(text for text, _ in known)), True
    return tuple(sorted(text for text, _ in known)), fact.overflow


def most_frequent(fact: Facts) -> str:
    """The category that stands in most rows; of equals the first by name."""
    known: list[tuple[int, str]] = [(-count, text) for text, count in fact.counts.items() if text]
    return min(known)[1] if known else ""


def describe_left_out(plans: list[Plan], table: Table, kinds: Mapping[str, Any] | None) -> list[str]:
    """A warning for each column that is left out without having been told to."""
    return [
        f"{table.name}: column {plan.name!r} is left out: {plan.reason}."
        for plan in plans
        if plan.kind == IGNORED and plan.name not in (kinds or {})
    ]
