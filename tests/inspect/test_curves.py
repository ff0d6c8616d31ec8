"""Curves as a picture, histories as tables."""

from __future__ import annotations

import errno
import math
import os
import sys

import pytest

from brickwork import files
from brickwork.errors import DataError, FormatError, ParameterError
from brickwork.files import FileError
from brickwork.inspect import curves
from brickwork.inspect.curves import best_epoch, draw_curves, panels_of, read_history, write_history

HISTORY = {
    "epoch": [1, 2, 3, 4],
    "loss": [0.9, 0.5, 0.3, 0.2],
    "accuracy": [0.6, 0.8, 0.9, 0.95],
    "val_loss": [0.8, 0.5, 0.4, 0.45],
    "val_accuracy": [0.7, 0.8, 0.88, 0.87],
    "learning_rate": [0.1, 0.1, 0.01, 0.01],
    "seconds": [1.0, 1.1, 1.0, 1.0],
}
EPOCHS = [dict(zip(HISTORY, values, strict=True)) for values in zip(*HISTORY.values(), strict=True)]


def png_size(path):
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def figure(history, title=None, best=None):
    series = {name: [float(value) for value in values] for name, values in history.items()}
    return curves._figure(series, panels_of(series), title, best)


def texts(axes):
    return [text.get_text() for text in axes.texts]


# The picture.


def test_draws_a_png(tmp_path):
    draw_curves(HISTORY, tmp_path / "runs" / "curves.png", title="digits, mlp")
    width, height = png_size(tmp_path / "runs" / "curves.png")
    assert (width, height) == (1440, 705)


def test_other_formats_by_their_ending(tmp_path):
    draw_curves(HISTORY, tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").read_text().startswith("<?xml")


def test_loss_left_metrics_right_learning_rate_below():
    left, right, below = figure(HISTORY).axes
    assert [axes.get_title(loc="left") for axes in (left, right, below)] == [
        "loss",
        "accuracy",
        "learning rate",
    ]
    assert left.get_position().x0 < right.get_position().x0
    assert below.get_position().y1 < left.get_position().y0


def test_curves_bear_their_names_and_numbers():
    left, right, _ = figure(HISTORY).axes
    assert sorted(texts(left)) == sorted(texts(right)) == ["training", "validation"]
    training, validation = left.lines[:2]
    assert list(training.get_xdata()) == [1, 2, 3, 4]
    assert list(training.get_ydata()) == HISTORY["loss"]
    assert list(validation.get_ydata()) == HISTORY["val_loss"]
    assert {text.get_text(): text.get_color() for text in left.texts} == {
        "training": training.get_color(),
        "validation": validation.get_color(),
    }


def test_the_best_epoch_is_marked():
    left, right, _ = figure(HISTORY).axes
    assert left.get_title(loc="right") == "best epoch 3: 0.4"
    assert right.get_title(loc="right") == "best epoch 3: 0.88"
    assert any(list(line.get_xdata()) == [3] and list(line.get_ydata()) == [0.4] for line in left.lines)


def test_another_epoch_may_be_the_best():
    _, right, _ = figure(HISTORY, best=3).axes
    assert right.get_title(loc="right") == "best epoch 4: 0.87"


@pytest.mark.parametrize("best", [-1, 4])
def test_the_best_is_one_of_the_epochs(best, tmp_path):
    with pytest.raises(ParameterError, match=rf"place of one of the 4 epochs, from 0; got best={best}\."):
        draw_curves(HISTORY, tmp_path / "curves.png", best=best)


def test_names_do_not_cover_each_other_where_curves_meet():
    history = {"loss": [0.9, 0.5], "val_loss": [0.9, 0.5]}
    (axes,) = figure(history).axes
    axes.figure.canvas.draw()
    first, second = (text.get_window_extent() for text in axes.texts)
    assert not first.overlaps(second)
    far = figure({"loss": [0.9, 0.1], "val_loss": [0.9, 0.8]}).axes[0]
    assert [text.xyann[1] for text in far.texts] == [0, 0]


def test_a_constant_learning_rate_is_not_drawn():
    assert len(figure({**HISTORY, "learning_rate": [0.1] * 4}).axes) == 2


def test_the_learning_rates_stand_beside_their_panel():
    below = figure(HISTORY).axes[-1]
    below.figure.canvas.draw()
    assert [label.get_text() for label in below.get_yticklabels()] == ["0.01", "0.1"]
    many = figure({"loss": [1.0] * 6, "learning_rate": [0.1, 0.05, 0.02, 0.01, 0.005, 0.0]}).axes[-1]
    assert list(many.get_yticks()) == [0.0, 0.1]


@pytest.mark.parametrize("count, grid", [(1, (1, 1)), (2, (1, 2)), (3, (1, 3)), (4, (2, 2)), (5, (2, 3))])
def test_as_many_panels_as_there_are_metrics(count, grid):
    names = ["loss", "accuracy", "a", "b", "c"][:count]
    made = figure({name: [1.0, 2.0] for name in names})
    assert len(made.axes) == count
    spec = made.axes[0].get_gridspec()
    assert (spec.nrows, spec.ncols) == grid


@pytest.mark.parametrize(
    "values, scale",
    [([5.0, 0.5, 0.05], "log"), ([5.0, 0.5], "linear"), ([5.0, 0.0], "linear"), ([5.0, -1.0], "linear")],
)
def test_losses_over_decades_get_a_logarithmic_axis(values, scale):
    assert figure({"loss": values}).axes[0].get_yscale() == scale


@pytest.mark.parametrize(
    "history",
    [
        {"loss": [0.5]},
        {"loss": [math.nan, 0.5], "val_loss": [math.nan, math.nan]},
        {"loss": [math.inf, 0.5]},
        {"loss": [0.5, 0.4], "val_loss": [None, 0.3]},
        {"accuracy": [0.5, 0.6]},
        {"loss": [0.0, 0.0], "learning_rate": [0.0, math.nan]},
    ],
)
def test_odd_histories(tmp_path, history):
    draw_curves(history, tmp_path / "curves.png")
    png_size(tmp_path / "curves.png")


def test_pyplot_stays_out_of_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    draw_curves(HISTORY, tmp_path / "curves.png")


@pytest.mark.parametrize("history", [{}, {"loss": []}, {"seconds": [1.0]}, {"learning_rate": [0.1]}])
def test_nothing_to_draw(tmp_path, history):
    with pytest.raises(
        DataError, match="needs a history with a loss or a metric and at least one epoch; it received"
    ):
        draw_curves(history, tmp_path / "curves.png")


def test_uneven_histories(tmp_path):
    expected = (
        "needs one value for each epoch under every name; it received loss 2, val_loss 1. Write NaN where"
    )
    with pytest.raises(DataError, match=expected):
        draw_curves({"loss": [1.0, 2.0], "val_loss": [1.0]}, tmp_path / "curves.png")


def test_the_previous_picture_survives(tmp_path, monkeypatch):
    draw_curves(HISTORY, tmp_path / "curves.png")
    before = (tmp_path / "curves.png").read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(FileError, match="The disk is full"):
        draw_curves({"loss": [1.0]}, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]


@pytest.mark.parametrize(
    "history, best",
    [
        ({"loss": [3, 1, 2]}, 1),
        ({"loss": [3, 1, 2], "val_loss": [3, 2, 1]}, 2),
        ({"loss": [3, 1], "val_loss": [2, 2]}, 0),
        ({"val_loss": [math.nan, 2, 3]}, 1),
        ({"val_loss": [math.nan]}, None),
        ({"accuracy": [1]}, None),
    ],
)
def test_best_epoch(history, best):
    assert best_epoch(history) == best


# The table.


def test_history_comes_back_as_it_was(tmp_path):
    path = tmp_path / "run" / "history.csv"
    rows = [{**row, "loss": row["loss"] + 1e-16} for row in EPOCHS]
    write_history(path, rows)
    assert path.read_text().splitlines()[0] == ",".join(curves.COLUMNS)
    assert read_history(path) == {name: [row[name] for row in rows] for name in curves.COLUMNS}


def test_history_has_the_columns_that_exist_in_their_order(tmp_path):
    path = tmp_path / "history.csv"
    write_history(path, [{"seconds": 1.5, "mean_absolute_error": 0.25, "loss": 0.5, "epoch": 1}])
    assert path.read_text() == "epoch,loss,mean_absolute_error,seconds\n1,0.5,0.25,1.5\n"


def test_what_a_row_lacks_is_left_empty(tmp_path):
    path = tmp_path / "history.csv"
    write_history(path, [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": None, "val_loss": 0.25}])
    assert path.read_text() == "epoch,loss,val_loss\n1,0.5,\n2,,0.25\n"
    history = read_history(path)
    assert history["epoch"] == [1, 2]
    assert history["loss"][0] == 0.5 and math.isnan(history["loss"][1])


def test_a_run_without_an_epoch_has_a_header(tmp_path):
    write_history(tmp_path / "history.csv", [])
    assert read_history(tmp_path / "history.csv") == {name: [] for name in curves.COLUMNS}


def test_reads_what_the_logger_writes(tmp_path):
    (tmp_path / "log.csv").write_bytes(b"epoch,loss,val_loss\r\n0,0.5,NA\r\n1,0.25,1.0\r\n")
    history = read_history(tmp_path / "log.csv")
    assert history["loss"] == [0.5, 0.25] and history["val_loss"][1] == 1.0


@pytest.mark.parametrize(
    "text, told",
    [
        (
            "",
            "line 1: the header of a history names 'epoch', 'loss' and so on; it is empty. Pass the",
        ),
        (
            "a,b\n1,2\n",
            "line 1: the header of a history names .* it is 'a', 'b'. Pass the history.csv of a run.",
        ),
        (
            "epoch,loss\n1,0.5\n2\n",
            "line 3: a row has 2 values, as the header; this one has 1. The file may have been cut",
        ),
        (
            "epoch,loss\n1,high\n",
            "line 2: 'loss' must be a number; it is 'high'. Mend the file, or delete the line.",
        ),
    ],
)
def test_files_that_are_no_history(tmp_path, text, told):
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(FormatError, match=told):
        read_history(tmp_path / "history.csv")


def test_a_picture_is_no_history(tmp_path):
    (tmp_path / "history.csv").write_bytes(b"\x89PNG\xff\x00")
    with pytest.raises(
        FormatError, match="a history is a table of comma-separated values; .*codec can't decode"
    ):
        read_history(tmp_path / "history.csv")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileError, match="There is no such file. Check its name and its folder."):
        read_history(tmp_path / "history.csv")
