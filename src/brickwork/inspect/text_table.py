"""A table in box characters that keeps to a width: long cells are wrapped, some lines cross all columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A line across all columns, wrapped behind its indent."""

    text: str
    indent: int = 0


RULE = Span("")
"""A horizontal line."""

UNBROKEN = "\N{NO-BREAK SPACE}"

Row = Sequence[str] | Span


def text_table(header: Sequence[str], rows: Iterable[Row], width: int, right: Sequence[int] = ()) -> str:
    """The table in lines of at most `width` characters; the columns numbered in `right` stand to the right.

    A cell's leading spaces are kept where it is wrapped; it is not wrapped at UNBROKEN spaces, if possible.

    >>> print(text_table(["Layer", "Param #"], [["dense", "10"]], 30, right=[1]))
    ┌───────┬─────────┐
    │ Layer │ Param # │
    ├───────┼─────────┤
    │ dense │      10 │
    └───────┴─────────┘
    """
    rows = list(rows)
    cells = [row for row in rows if not isinstance(row, Span)]
    widths = _fit([max(map(len, column)) for column in zip(header, *cells, strict=True)], width, right)

    def rule(left: str, middle: str, end: str) -> str:
        return left + middle.join("─" * (size + 2) for size in widths) + end

    lines = [rule("┌", "┬", "┐"), *_lines(header, widths, right), rule("├", "┼", "┤")]
    for row in rows:
        if row is RULE:
            lines.append(rule("├", "┼", "┤"))
        elif isinstance(row, Span):
            whole = sum(widths) + 3 * (len(widths) - 1)
            lines += [
                f"│ {line.ljust(whole)} │" for line in _wrap(" " * row.indent + row.text, whole, hang=2)
            ]
        else:
            lines += _lines(row, widths, right)
    return "\n".join([*lines, rule("└", "┴", "┘")])


def _fit(natural: list[int], width: int, fixed: Sequence[int]) -> list[int]:
    """Take from the widest column until the table fits; a column keeps at least 8 characters."""
    widths = list(natural)
    free = width - 3 * len(widths) - 1
    while sum(widths) > free:
        widest = max(
            (place for place in range(len(widths)) if place not in fixed), key=lambda place: widths[place]
        )
        if widths[widest] <= 8:
            break
        widths[widest] -= 1
    return widths


def _lines(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> list[str]:
    wrapped = [_wrap(cell, size) for cell, size in zip(cells, widths, strict=True)]
    height = max(map(len, wrapped))
    lines = []
    for level in range(height):
        parts = [column[level] if level < len(column) else "" for column in wrapped]
        placed = [
            part.rjust(size) if place in right else part.ljust(size)
            for place, (part, size) in enumerate(zip(parts, widths, strict=True))
        ]
        lines.append(f"│ {' │ '.join(placed)} │")
    return lines


def _wrap(text: str, width: int, hang: int = 0) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip()))
    lines = [text]
    if len(text) > width:
        lines = textwrap.wrap(
            text.strip(),
            width,
            initial_indent=indent,
            subsequent_indent=indent + " " * hang,
            break_on_hyphens=False,
        )
    return [line.replace(UNBROKEN, " ") for line in lines]
