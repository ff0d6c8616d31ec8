"""The history of a training: as a picture of its curves, and as a table on disk."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..arguments import Real
from ..errors import DataError, FormatError, ParameterError, known_names
from ..files import AnyPath, explained, replacing, write_atomically

_SMOOTH = Real(0.0, 1.0, high_open=True)

Series = Mapping[str, list[float]]

FEW = 12
"""Up to so many epochs, each is a dot."""
LINE = 13.0
"""Height of a label, in points."""

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")
"""The order of a history's columns; others stand before `learning_rate`."""

TRAINING, VALIDATION, GREY = "#0072B2", "#D55E00", "#6B6B6B"
"""Blue and vermilion: colours that the colour-blind tell apart (Okabe and Ito, 2008)."""


def draw_curves(
    history: Mapping[str, Sequence[float]],
    path: AnyPath,
    *,
    title: str | None = None,
    best: int | None = None,
    smooth: float = 0.0,
) -> None:
    """Draw loss and metrics over the epochs into a PNG file.

    A panel for the loss and one for each metric show training and validation; the best epoch is marked. A
    thin panel below shows the learning rate if it changes.

    Parameters
    ----------
    history : name -> value for each epoch, as in `History.history` or from `read_history`. NaN leaves a gap,
        and what has arrays for values is left out.
        `epoch`, where it is there, gives the numbers of the epochs, counted from 1; `seconds` is not drawn.
    path : where to write, ending in .png (or .svg, .pdf).
    title : a line above the panels.
    best : place of the best epoch, from 0; None (default) for that of the lowest validation loss, or of the
        lowest loss where there is no validation.
    smooth : weight in [0, 1) of what was before in a running mean, which is drawn over the pale values;
        default 0: none.

    Raises
    ------
    DataError where there is nothing to draw, FileError where the file cannot be written.
    """
    series = {
        name: [math.nan if value is None else float(value) for value in values]
        for name, values in history.items()
        if not any(getattr(value, "ndim", 0) for value in values)
    }
    panels = panels_of(series)
    if not panels:
        raise DataError(
            f"draw_curves needs a history with a loss or a metric and at least one epoch; it received "
            f"{known_names(history) or 'nothing'}. Pass model.history.history, or what read_history gave."
        )
    lengths = {name: len(values) for name, values in series.items() if values}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DataError(
            f"draw_curves needs one value for each epoch under every name; it received {told}. "
            f"Write NaN where an epoch has no value."
        )
    if best is not None and not 0 <= best < max(lengths.values()):
        raise ParameterError(
            f"draw_curves: `best` must be the place of one of the {max(lengths.values())} epochs, from 0; "
            f"got best={best!r}."
        )
    figure = _figure(series, panels, title, best, _SMOOTH("draw_curves", "smooth", smooth))
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)


def panels_of(history: Mapping[str, Sequence[float]]) -> list[str]:
    """What gets a panel: the loss, then the metrics, each with its validation.

    >>> panels_of({"loss": [1.0], "accuracy": [0.5], "val_loss": [2.0], "seconds": [0.1]})
    ['loss', 'accuracy']
    """
    aside = {"epoch", "learning_rate", "seconds"}
    names = [
        name.removeprefix("val_") for name, values in history.items() if name not in aside and len(values)
    ]
    return sorted(dict.fromkeys(names), key=lambda name: name != "loss")


def best_epoch(history: Mapping[str, Sequence[float]]) -> int | None:
    """The place of the lowest validation loss, or loss; None where neither has a number.

    >>> best_epoch({"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 2.0, 2.5]})
    1
    """
    values = history.get("val_loss") or history.get("loss") or []
    numbers = [(value, place) for place, value in enumerate(values) if math.isfinite(value)]
    return min(numbers)[1] if numbers else None


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """The running mean m = weight · m + (1 − weight) · value, corrected for its beginning; NaN stays a gap.

    >>> smoothed([1.0, 3.0], 0.5)
    [1.0, 2.3333333333333335]
    """
    found, mean, mass = [], 0.0, 0.0
    for value in values:
        if math.isfinite(value):
            mean, mass = weight * mean + (1 - weight) * value, weight * mass + (1 - weight)
        found.append(mean / mass if math.isfinite(value) else math.nan)
    return found


# -- drawing ----------------------------------------------------------------------------------------


def _figure(
    series: Series, panels: list[str], title: str | None, best: int | None = None, smooth: float = 0.0
) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rates = series.get("learning_rate", [])
    with_rate = len({rate for rate in rates if math.isfinite(rate)}) > 1
    columns = min(len(panels), 2 if len(panels) in (2, 4) else 3)
    rows = math.ceil(len(panels) / columns)
    height = 3.4 * rows + (1.0 if with_rate else 0.0) + (0.3 if title else 0.0)
    size = (4.8 * columns + (0.6 if columns == 1 else 0.0), height)
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1, wspace=0.06))
    FigureCanvasAgg(figure)
    ratios = [3.4] * rows + ([1.0] if with_rate else [])
    grid = figure.add_gridspec(len(ratios), columns, height_ratios=ratios)
    length = max(len(values) for values in series.values())
    epochs = [int(number) for number in series.get("epoch", [])] or list(range(1, length + 1))
    best = best_epoch(series) if best is None else best
    for place, name in enumerate(panels):
        axes = figure.add_subplot(grid[place // columns, place % columns])
        _panel(axes, name, epochs, series, best, smooth)
    if with_rate:
        _rate_panel(figure.add_subplot(grid[rows, :]), epochs, rates)
    if title:
        figure.suptitle(title, fontsize=13, x=0.01, ha="left", fontweight="bold")
    return figure


def _panel(axes: Any, name: str, epochs: list[int], series: Series, best: int | None, smooth: float) -> None:
    _dress(axes, epochs)
    axes.set_title(name.replace("_", " "), loc="left", fontsize=12)
    axes.set_xlabel("epoch")
    ends = []
    for key, label, colour in ((name, "training", TRAINING), (f"val_{name}", "validation", VALIDATION)):
        values = series.get(key) or []
        if values:
            dots = {"marker": "o", "markersize": 4} if len(epochs) <= FEW else {}
            if smooth:
                axes.plot(epochs, values, color=colour, linewidth=1.2, alpha=0.35)
                values, dots = smoothed(values, smooth), {}
            axes.plot(epochs, values, color=colour, linewidth=2, **dots)
        last = [value for value in values if math.isfinite(value)][-1:]
        ends += [(value, label, colour) for value in last]
    if name == "loss" and _spans_decades([*series.get("loss", []), *series.get("val_loss", [])]):
        _make_logarithmic(axes)
    if best is not None:
        _mark_best(axes, name, epochs, series, best)
    _label_ends(axes, epochs[-1], ends)


def _spans_decades(values: list[float]) -> bool:
    numbers = [value for value in values if math.isfinite(value)]
    return bool(numbers) and min(numbers) > 0 and max(numbers) / min(numbers) > 50


def _dress(axes: Any, epochs: list[int]) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#B0B0B0")
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=GREY, labelsize=9)
    axes.xaxis.label.set_color(GREY)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, steps=[1, 2, 5, 10], min_n_ticks=1))
    margin = 0.03 * (epochs[-1] - epochs[0]) or 0.5
    axes.set_xlim(epochs[0] - margin, epochs[-1] + margin)


def _mark_best(axes: Any, name: str, epochs: list[int], series: Series, best: int) -> None:
    key = f"val_{name}" if series.get(f"val_{name}") else name
    value = series[key][best]
    axes.axvline(epochs[best], color=GREY, linewidth=1, linestyle=(0, (2, 3)), zorder=1)
    if math.isfinite(value):
        colour = TRAINING if key == name else VALIDATION
        ring = {"color": "white", "markeredgecolor": colour, "markeredgewidth": 2, "markersize": 8}
        axes.plot([epochs[best]], [value], "o", zorder=5, **ring)
        text = f"best epoch {epochs[best]}: {value:.4g}"
        axes.set_title(text, loc="right", fontsize=9, color=GREY)


def _label_ends(axes: Any, last: int, ends: list[tuple[float, str, str]]) -> None:
    """Write the names of the curves at their right ends, apart from each other where the curves meet."""
    axes.autoscale_view()
    height = axes.bbox.height / axes.figure.dpi * 72
    places = [
        axes.transAxes.inverted().transform(axes.transData.transform((last, end[0])))[1] for end in ends
    ]
    shifts = [0.0] * len(ends)
    if len(ends) == 2:
        apart = (places[0] - places[1]) * height
        if abs(apart) < LINE:
            push = (LINE - abs(apart)) / 2
            shifts = [push, -push] if apart >= 0 else [-push, push]
    for (value, label, colour), shift in zip(ends, shifts, strict=True):
        axes.annotate(
            label,
            (last, value),
            xytext=(8, shift),
            textcoords="offset points",
            color=colour,
            fontsize=10,
            va="center",
            annotation_clip=False,
        )


def _make_logarithmic(axes: Any) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", left=False)


def _rate_panel(axes: Any, epochs: list[int], rates: list[float]) -> None:
    from matplotlib.ticker import FixedLocator

    _dress(axes, epochs)
    axes.set_title("learning rate", loc="left", fontsize=10)
    axes.step(epochs, rates, where="mid", color=GREY, linewidth=1.5)
    numbers = sorted({rate for rate in rates if math.isfinite(rate)})
    if numbers[0] > 0:
        _make_logarithmic(axes)
    axes.yaxis.set_major_locator(FixedLocator(numbers if len(numbers) <= 4 else [numbers[0], numbers[-1]]))
    axes.margins(y=0.2)


# -- tables -----------------------------------------------------------------------------------------


def write_history(path: AnyPath, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a row for each epoch as comma-separated values, whole or not at all.

    The columns are those of `COLUMNS` that some row has, in that order, and others before `learning_rate`.
    Numbers are written so that `float()` gives them back; what a row lacks is left empty.
    """
    rows = list(rows)
    names = dict.fromkeys(name for row in rows for name in row)
    first = [name for name in COLUMNS[:5] if name in names]
    last = [name for name in COLUMNS[5:] if name in names]
    header = [*first, *(name for name in names if name not in COLUMNS), *last] if rows else list(COLUMNS)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_written(row.get(name)) for name in header])
    write_atomically(path, text.getvalue())


def _written(value: Any) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else repr(float(value))


_ARRAY, _ARRAY_END = '"[', ']"'
"""How CSVLogger writes what is no single number."""


def read_history(path: AnyPath) -> dict[str, list[float]]:
    """Name -> values of the epochs, from a file that `write_history` or CSVLogger wrote.

    Raises FormatError, with the line, where the file is no such table; FileError where it cannot be read.
    Values that are not there are NaN; columns of arrays, such as a confusion matrix, are left out.
    """
    with explained(path, "read"), open(path, newline="", encoding="utf-8-sig") as file:
        try:
            lines = list(csv.reader(file))
        except (csv.Error, UnicodeDecodeError) as error:
            raise FormatError(f"{path}: a history is a table of comma-separated values; {error}.") from None
    header = lines[0] if lines else []
    if "epoch" not in header:
        raise FormatError(
            f"{path}, line 1: the header of a history names 'epoch', 'loss' and so on; it is "
            f"{known_names(header) or 'empty'}. Pass the history.csv of a run."
        )
    arrays = {
        name
        for line in lines[1:]
        for name, text in zip(header, line, strict=False)
        if text.startswith(_ARRAY) and text.endswith(_ARRAY_END)
    }
    history: dict[str, list[float]] = {name: [] for name in header if name not in arrays}
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(header):
            raise FormatError(
                f"{path}, line {number}: a row has {len(header)} values, as the header; this one has "
                f"{len(line)}. The file may have been cut short: restore it, or delete the line."
            )
        for name, text in zip(header, line, strict=True):
            if name in arrays:
                continue
            history[name].append(_number(text, name, path, number))
    return history


def _number(text: str, name: str, path: AnyPath, line: int) -> float:
    try:
        return math.nan if text in ("", "NA") else float(text)
    except ValueError:
        raise FormatError(
            f"{path}, line {line}: {name!r} must be a number; it is {text!r}. "
            f"Mend the file, or delete the line."
        ) from None
