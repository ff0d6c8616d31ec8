"""The table that grows by a row for each epoch: which columns, how wide, how numbers are written.

Widths are settled before the first row, so that nothing moves sideways while numbers change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

GAP = "  "
BAR_LEAST, BAR_MOST = 6, 24
NUMBER = 8
"""Width of a number as `number` writes it."""


def number(value: float) -> str:
    """A loss or metric in at most 8 characters.

    >>> number(0.123456), number(0.000123), number(12345.678), number(1e9)
    ('0.1235', '1.23e-04', '12345.7', '1.00e+09')
    """
    forms = (".2e", ".1e", ".0e") if 0 < abs(value) < 1e-3 else (".4f", ".1f", ".2e", ".1e", ".0e")
    return next(text for form in forms if len(text := format(value, form)) <= NUMBER)


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(1.24), duration(59.7), duration(75), duration(3725)
    ('1.2 s', '1:00', '1:15', '1.0 h')
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{seconds / 3600:.1f} h"


def speed(per_second: float) -> str:
    """Samples or steps per second, with thousands separators; "1.2M" from a million.

    >>> speed(7.25), speed(12345.6), speed(2.5e6)
    ('7.2', '12,346', '2.5M')
    """
    if per_second < 99.95:
        return f"{per_second:.1f}"
    return f"{per_second:,.0f}" if per_second < 999_999.5 else f"{per_second / 1e6:,.1f}M"


def cell(name: str, value: float) -> str:
    """What stands in the column `name`."""
    short = f"{value:.3g}"
    return short if name == "learning_rate" and len(short) <= NUMBER else number(value)


def bar(share: float, width: int, *, plain: bool = False) -> tuple[str, str]:
    """The done and the open part of a bar.

    >>> bar(0.25, 10)
    ('━━╸', '───────')
    """
    full, half, rest = ("#", "", "-") if plain else ("━", "╸", "─")
    halves = int(min(max(share, 0.0), 1.0) * 2 * width)
    done = full * (halves // 2) + (half if halves % 2 else "")
    return done, rest * (width - len(done))


@dataclass(frozen=True)
class Column:
    """One column of numbers: the log it shows, the group it belongs to, its title word by word."""

    name: str
    group: str
    title: tuple[str, ...]
    width: int


def column(name: str) -> Column:
    """The column of a log."""
    if name == "learning_rate":
        return Column(name, "", ("learning", "rate"), NUMBER)
    group = "validation" if name.startswith("val_") else "training"
    words = tuple(word for word in name.removeprefix("val_").split("_") if word)
    return Column(name, group, words, max(NUMBER, *map(len, words)))


@dataclass(frozen=True)
class Table:
    """The columns that fit the width of the terminal."""

    epoch: int
    bar: int
    steps: int
    metrics: tuple[Column, ...]
    rate: tuple[str, ...]
    """The title of the speed, ("samples", "per s"); empty where there is no room for it."""

    TIME = 5
    RATE = 7

    @property
    def width(self) -> int:
        """Characters in a row."""
        widths = [self.epoch, self.bar, self.steps, *(one.width for one in self.metrics), self.TIME]
        widths.append(self.RATE if self.rate else 0)
        return sum(widths) + len(GAP) * (sum(width > 0 for width in widths) - 1)

    def header(self) -> list[str]:
        """The lines above the rows: the groups, then the titles word by word, down to the last line."""
        grouped = any(one.group == "validation" for one in self.metrics)
        words = max((len(one.title) for one in self.metrics if one.group), default=1)
        height = max(words + grouped, len(self.rate), *(len(one.title) for one in self.metrics))
        lines = []
        for level in range(height):
            above = height - level - 1  # the last line
            line = self._lead("Epoch" if above == 0 else "")
            under_groups = [one for one in self.metrics if one.group and grouped]
            if under_groups and above == words:
                line += self._groups()
            else:
                line += "".join(GAP + _word(one.title, above).rjust(one.width) for one in under_groups)
            others = self.metrics[len(under_groups) :]
            line += "".join(GAP + _word(one.title, above).rjust(one.width) for one in others)
            line += GAP + _word(self.rate, above).rjust(self.RATE) if self.rate else ""
            lines.append(line + GAP + _word(("time",), above).rjust(self.TIME))
        return lines

    def _lead(self, epoch: str, bar: str = "", steps: str = "") -> str:
        parts = [epoch.ljust(self.epoch)]
        parts += [bar.ljust(self.bar)] if self.bar else []
        parts += [steps.rjust(self.steps)] if self.steps else []
        return GAP.join(parts)

    def _groups(self) -> str:
        """Which columns are of training and which of validation."""
        line = ""
        for group in ("training", "validation"):
            widths = [one.width for one in self.metrics if one.group == group]
            if widths:
                span = sum(widths) + len(GAP) * (len(widths) - 1)
                title = f" {group} " if span > len(group) + 2 else group
                line += GAP + title.center(span, "─")
        return line

    def row(
        self,
        epoch: str,
        share: float,
        steps: str,
        logs: Mapping[str, float],
        rate: str,
        time: str,
        *,
        plain: bool,
    ) -> list[tuple[str, str]]:
        """The row of an epoch as pieces with a style: "done", "open", "steps", "number", "aside" or none."""
        done, rest = bar(share, self.bar, plain=plain)
        pieces = [(epoch.rjust(self.epoch), "epoch")]
        if self.bar:
            pieces += [(GAP + done, "done"), (rest, "open")]
        if self.steps:
            pieces.append((GAP + steps.rjust(self.steps), "aside"))
        for one in self.metrics:
            text = cell(one.name, logs[one.name]) if one.name in logs else ""
            pieces.append((GAP + text.rjust(one.width), one.name))
        if self.rate:
            pieces.append((GAP + rate.rjust(self.RATE), "aside"))
        pieces.append((GAP + time.rjust(self.TIME), "aside"))
        return pieces


def _word(title: Sequence[str], above: int) -> str:
    """The word of a title that stands so many lines above the last one."""
    return title[-1 - above] if above < len(title) else ""


def table(names: Sequence[str], epochs: int, steps: int | None, unit: str, width: int) -> Table:
    """The table for these logs in `width` characters.

    Where there is not room for all, the steps go first, then the speed, the bar, and metrics from the last
    on; the losses stay.
    """
    order = {"training": 0, "validation": 1, "": 2}
    metrics = sorted(map(column, names), key=lambda one: order[one.group])
    epoch = max(len("Epoch"), len(f"{epochs}/{epochs}"))
    count = 2 * len(str(steps)) + 1 if steps else 6
    title = (unit, "per s")
    choices = ((count, title), (0, title), (0, ()))
    for steps_width, rate in choices:
        made = Table(epoch, BAR_LEAST, steps_width, _titled(metrics), rate)
        if made.width <= width:
            return replace(made, bar=min(BAR_LEAST + width - made.width, BAR_MOST))
    kept = list(metrics)
    for one in reversed(metrics):
        if Table(epoch, 0, 0, _titled(kept), ()).width > width and one.name not in ("loss", "val_loss"):
            kept.remove(one)
    return Table(epoch, 0, 0, _titled(kept), ())


def _titled(metrics: Sequence[Column]) -> tuple[Column, ...]:
    """A group of one column is as wide as the group's title."""
    groups = [one.group for one in metrics]
    return tuple(
        replace(one, width=max(one.width, len(one.group) if groups.count(one.group) == 1 else 0))
        for one in metrics
    )
