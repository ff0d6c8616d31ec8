"""The progress display: what stands on the screen, what goes into a file, and that nothing moves sideways."""

from __future__ import annotations

import io
import re
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickwork.errors import ParameterError, ParameterTypeError
from brickwork.training import progress
from brickwork.training.callbacks import CallbackList
from brickwork.training.functions import LambdaCallback
from brickwork.training.progress import ProgressDisplay
from brickwork.training.progress_table import bar, cell, duration, number, speed, table

PARAMS = {"epochs": 12, "steps": 938, "samples": 60_000, "batch_size": 64}
METRICS = ["loss", "accuracy", "val_loss", "val_accuracy"]


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True

    def screen(self):
        """The lines that a person sees: what was written, with the cursor's moves carried out."""
        lines, row = [""], 0
        text = re.sub(r"\x1b\[[0-9;]*m|\x1b\[\?25[hl]", "", self.getvalue())
        for piece in re.findall(r"\x1b\[\d*[AK]|\r|\n|[^\x1b\r\n]+", text):
            if piece == "\n":
                row += 1
                lines += [""] * (row + 1 - len(lines))
            elif piece.endswith("A") and piece[0] == "\x1b":
                row -= int(piece[2:-1] or 1)
            elif piece.endswith("K") and piece[0] == "\x1b":
                lines[row] = ""
            elif piece != "\r":
                lines[row] = piece
        return [line.rstrip() for line in lines if line.strip()]


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when the test says so."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(progress, "perf_counter", lambda: Clock.now)
    return Clock


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def logs(epoch, validation=True):
    made = {"loss": 0.6 / (epoch + 1), "accuracy": 0.8 + epoch / 20}
    return {**made, "val_loss": 0.5 / (epoch + 1), "val_accuracy": 0.8} if validation else made


def begin(stream, verbose="auto", **params):
    display = ProgressDisplay(verbose, stream=stream)
    display.set_params({**PARAMS, **params})
    display.on_train_begin()
    return display


def play(display, clock, epochs=2):
    for epoch in range(epochs):
        display.on_epoch_begin(epoch)
        for step in (1, 469, 938):
            clock.now += 0.5
            display.on_progress(step, logs(epoch, validation=False))
        display.on_test_begin()
        clock.now += 0.5
        display.on_epoch_end(epoch, logs(epoch))


# On a terminal.


def test_finished_epochs_stay_as_rows(terminal, clock):
    display = begin(terminal)
    play(display, clock)
    display.on_train_end()
    assert terminal.screen() == [
        "                          ──── training ────  ─── validation ───  samples",
        "Epoch                         loss  accuracy      loss  accuracy    per s   time",
        " 1/12  ━━━━━━━━  938/938    0.6000    0.8000    0.5000    0.8000   40,000  2.0 s",
        " 2/12  ━━━━━━━━  938/938    0.3000    0.8500    0.2500    0.8000   40,000  2.0 s",
    ]


def test_the_running_epoch_moves(terminal, clock):
    display = begin(terminal)
    display.on_epoch_begin(0)
    clock.now += 1.0
    display.on_progress(469, {"loss": 0.5})
    assert terminal.screen() == [
        "                                                    samples",
        "Epoch                                         loss    per s   time",
        " 1/12  ━━━━━━━━━━━━────────────  469/938    0.5000   30,016  1.0 s",
        "  1.0 s left in this epoch, 23 s to the end of epoch 12",
    ]
    clock.now += 0.5
    display.on_progress(703, {"loss": 0.25})
    assert " 1/12  ━━━━━━━━━━━━━━━━━╸──────  703/938    0.2500   29,995  1.5 s" in terminal.screen()
    assert len(terminal.screen()) == 4
    display.close()


def test_known_names_give_the_header_at_once(terminal, clock):
    display = begin(terminal, metrics=METRICS)
    display.on_epoch_begin(0)
    assert terminal.screen()[1:] == [
        "Epoch                         loss  accuracy      loss  accuracy    per s   time",
        " 1/12  ────────    0/938                                                   0.0 s",
    ]
    display.on_progress(1, logs(0, validation=False))
    display.on_epoch_end(0, logs(0))
    display.on_epoch_begin(1)
    assert sum("Epoch" in line for line in terminal.screen()) == 1
    display.close()


def test_says_that_it_validates(terminal, clock):
    display = begin(terminal, metrics=METRICS)
    display.on_epoch_begin(0)
    display.on_progress(938, logs(0, validation=False))
    display.on_test_begin()
    assert terminal.screen()[-1] == "  validating"
    display.close()


def test_the_last_epoch_tells_its_own_time_left_only(terminal, clock):
    display = begin(terminal, epochs=1)
    display.on_epoch_begin(0)
    clock.now += 30
    display.on_progress(469, {"loss": 0.5})
    assert terminal.screen()[-1] == "  30 s left"
    display.close()


def test_later_epochs_go_by_the_earlier_ones(terminal, clock):
    display = begin(terminal, epochs=3)
    display.on_epoch_begin(0)
    clock.now += 30
    display.on_epoch_end(0, logs(0))
    display.on_epoch_begin(1)
    clock.now += 10
    display.on_progress(469, logs(1, validation=False))
    assert terminal.screen()[-1] == "  10 s left in this epoch, 40 s to the end of epoch 3"
    display.close()


def test_the_best_validation_stands_out(terminal, clock):
    display = begin(terminal)
    for epoch, loss in enumerate([0.5, 0.7, 0.4]):
        display.on_epoch_begin(epoch)
        display.on_epoch_end(epoch, {"loss": 0.5, "val_loss": loss})
    display.close()
    bold = re.findall(r"\x1b\[1;32m +(\S+)\x1b\[0m", terminal.getvalue())
    assert bold == ["0.5000", "0.4000"]


def test_unknown_number_of_steps(terminal, clock):
    """Batches from a generator: the first epoch counts them, the others know."""
    display = begin(terminal, steps=None, samples=None, batch_size=None)
    display.on_epoch_begin(0)
    clock.now += 1.0
    display.on_progress(40, {"loss": 0.5})
    assert " 1/12  ────────────────────────      40    0.5000     40.0  1.0 s" in terminal.screen()
    display.on_epoch_end(0, {"loss": 0.5})
    display.on_epoch_begin(1)
    display.on_progress(20, {"loss": 0.5})
    assert terminal.screen()[-2].split()[:3] == ["2/12", "━━━━━━━━━━━━────────────", "20/40"]
    display.close()


def test_another_column_gets_another_header(terminal, clock):
    display = begin(terminal)
    for epoch, more in enumerate([{}, {"learning_rate": 0.001}]):
        display.on_epoch_begin(epoch)
        display.on_epoch_end(epoch, {"loss": 0.5, **more})
    display.close()
    assert terminal.screen()[-3:] == [
        "                                                    learning  samples",
        "Epoch                                         loss      rate    per s   time",
        " 2/12  ━━━━━━━━━━━━━━━━━━━━━━━━  938/938    0.5000     0.001           0.0 s",
    ]


def test_groups_stand_right_above_their_columns():
    made = table([*METRICS, "learning_rate"], 9, 41, "samples", 100)
    assert [line[-64:] for line in made.header()] == [
        "──── training ────  ─── validation ───  learning  samples       ",
        "    loss  accuracy      loss  accuracy      rate    per s   time",
    ]


def test_what_others_print_stands_above(terminal, clock, monkeypatch):
    monkeypatch.setattr(sys, "stdout", terminal)
    display = ProgressDisplay()
    callbacks = CallbackList(
        [LambdaCallback(on_epoch_end=lambda epoch, logs: print("saved to best.safetensors")), display],
        **PARAMS,
    )
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    callbacks.on_progress(938, {"loss": 0.5})
    callbacks.on_epoch_end(0, {"loss": 0.5})
    callbacks.on_train_end()
    assert [line.split()[0] for line in terminal.screen()] == ["saved", "samples", "Epoch", "1/12"]
    assert sys.stdout is terminal


def test_standard_output_stays_free_when_the_display_writes_elsewhere(terminal, clock, capsys):
    display = begin(terminal)
    display.on_epoch_begin(0)
    print('{"accuracy": 0.97}')
    display.on_epoch_end(0, {"loss": 0.5})
    display.close()
    assert capsys.readouterr().out == '{"accuracy": 0.97}\n'
    assert "accuracy" not in terminal.getvalue()


def test_an_error_leaves_the_terminal_in_order(terminal, clock):
    before = sys.stdout, sys.stderr
    display = begin(terminal)
    display.on_epoch_begin(0)
    display.on_progress(469, {"loss": 0.5})
    assert terminal.getvalue().count("\x1b[?25l") == 1
    display.close()
    display.close()
    assert terminal.getvalue().count("\x1b[?25h") == 1
    assert terminal.screen() == []
    assert (sys.stdout, sys.stderr) == before


def test_a_terminal_that_knows_ascii_only(terminal, clock):
    terminal.encoding = "ascii"
    display = begin(terminal)
    display.on_epoch_begin(0)
    display.on_progress(469, {"loss": 0.5})
    assert terminal.screen()[-2].split()[1] == "############------------"
    display.close()


def test_costs_little(terminal):
    display = begin(terminal, metrics=METRICS)
    display.on_epoch_begin(0)
    start = time.perf_counter()
    for step in range(20):
        display.on_progress(step, logs(0))
    display.close()
    assert (time.perf_counter() - start) / 20 < 0.02


# Elsewhere.


@pytest.mark.parametrize("verbose", ["auto", 1, 2, True])
def test_plain_lines_in_a_file(verbose, clock):
    stream = io.StringIO()
    display = begin(stream, verbose)
    play(display, clock)
    display.on_train_end()
    first = "Epoch  1/12  loss 0.6000  accuracy 0.8000  val_loss 0.5000  val_accuracy 0.8000"
    second = "Epoch  2/12  loss 0.3000  accuracy 0.8500  val_loss 0.2500  val_accuracy 0.8000"
    aside = "   40,000 samples/s  2.0 s\n"
    assert stream.getvalue() == first + aside + second + aside


def test_plain_lines_on_a_terminal(terminal, clock):
    display = begin(terminal, 2)
    play(display, clock, 1)
    assert "\x1b" not in terminal.getvalue() and terminal.getvalue().count("\n") == 1


def test_plain_lines_on_a_dumb_terminal(terminal, clock, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    display = begin(terminal)
    play(display, clock, 1)
    assert "\x1b" not in terminal.getvalue() and terminal.getvalue().count("\n") == 1


@pytest.mark.parametrize("verbose", [0, False])
def test_silence(verbose, terminal, clock, capsys):
    display = begin(terminal, verbose)
    play(display, clock)
    display.on_train_end()
    display.on_test_begin()
    display.on_test_end({"loss": 0.5})
    assert terminal.getvalue() == capsys.readouterr().out == ""


def test_rich_is_not_needed_for_plain_lines(clock, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    stream = io.StringIO()
    play(begin(stream), clock, 1)
    assert stream.getvalue()


def test_evaluation_is_one_line(clock):
    stream = io.StringIO()
    display = ProgressDisplay(stream=stream)
    display.on_test_begin()
    clock.now += 1.5
    display.on_test_end({"loss": 0.25, "accuracy": 0.9375})
    assert stream.getvalue() == "Evaluation  loss 0.2500  accuracy 0.9375  1.5 s\n"


def test_evaluation_moves_on_a_terminal(terminal, clock):
    display = ProgressDisplay(stream=terminal)
    display.set_params({"steps": 313})
    display.on_test_begin()
    display.on_progress(7, {"loss": 0.25})
    assert terminal.screen() == ["Evaluation   7/313  loss 0.2500"]
    display.on_progress(120, {"loss": 0.125})
    assert terminal.screen() == ["Evaluation 120/313  loss 0.1250"]
    clock.now += 1.5
    display.on_test_end({"loss": 0.5})
    assert terminal.screen() == ["Evaluation  loss 0.5000  1.5 s"]
    assert terminal.getvalue().endswith("\n")


def test_speed_without_an_even_last_batch(clock):
    stream = io.StringIO()
    display = begin(stream, steps=3, samples=70, batch_size=32)
    display.on_epoch_begin(0)
    clock.now += 1.0
    display.on_epoch_end(0, {"loss": 0.5})
    assert "  70.0 samples/s  " in stream.getvalue()


def test_added_by_the_list_with_its_verbosity():
    (display,) = CallbackList([], add_progbar=True, verbose=2)
    assert isinstance(display, ProgressDisplay) and display.verbose == 2
    mine = ProgressDisplay()
    assert list(CallbackList([mine], add_progbar=True)) == [mine]
    assert not CallbackList([mine]).needs_steps


@pytest.mark.parametrize("value", [3, -1, "loud", None, 1.5])
def test_wrong_verbosity(value):
    with pytest.raises((ParameterError, ParameterTypeError), match="ProgressDisplay: `verbose` must be"):
        ProgressDisplay(value)


# The table.


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_have_at_most_8_characters(value):
    assert len(number(value)) <= 8
    if abs(value) < 1e300:
        assert float(number(value)) == pytest.approx(value, rel=0.5, abs=1e-3)


@pytest.mark.parametrize(
    "value, text",
    [
        (0.0, "0.0000"),
        (2.5, "2.5000"),
        (999.0, "999.0000"),
        (1000.0, "1000.0"),
        (-0.5, "-0.5000"),
        (5e-4, "5.00e-04"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


@given(st.floats(0, 3e5))
def test_times_have_at_most_6_characters(seconds):
    assert len(duration(seconds)) <= (5 if seconds < 9.9 * 3600 else 6)


@given(st.floats(1e-3, 9.9e8))
def test_speeds_have_at_most_7_characters(value):
    assert len(speed(value)) <= 7


@given(st.floats(0, 1), st.integers(1, 30), st.booleans())
def test_bars_have_their_width(share, width, plain):
    assert len("".join(bar(share, width, plain=plain))) == width


@given(
    st.sampled_from(
        [METRICS, METRICS[:1], ["loss", "mean_absolute_error", "val_loss"], [*METRICS, "learning_rate"]]
    ),
    st.integers(1, 1000),
    st.integers(1, 100_000),
    st.integers(60, 150),
    st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5),
)
def test_rows_are_as_wide_as_their_header(names, epochs, steps, width, values):
    made = table(names, epochs, steps, "samples", width)
    logs = dict(zip(names, values, strict=False))
    logs = {name: abs(value) if name == "learning_rate" else value for name, value in logs.items()}
    row = made.row("1/1", 0.5, "1/2", logs, speed(12345.0), duration(1.0), plain=False)
    lines = [*made.header(), "".join(text for text, _ in row)]
    assert {len(line) for line in lines} == {made.width}
    assert made.width <= width


def test_narrow_terminals_lose_the_less_important_first():
    def parts(width):
        made = table(METRICS, 12, 938, "samples", width)
        return bool(made.rate), bool(made.steps), bool(made.bar), [one.name for one in made.metrics]

    assert parts(80) == (True, True, True, METRICS)
    assert parts(70) == (True, False, True, METRICS)
    assert parts(60) == (False, False, True, METRICS)
    assert parts(52) == (False, False, False, METRICS)
    assert parts(45) == (False, False, False, ["loss", "accuracy", "val_loss"])
    assert parts(20) == (False, False, False, ["loss", "val_loss"])


def test_learning_rates_are_written_short():
    assert [cell("learning_rate", value) for value in (0.001, 1e-5, 0.1)] == ["0.001", "1e-05", "0.1"]
