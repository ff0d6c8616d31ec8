"""Tables in box characters."""

from __future__ import annotations

import pytest

from brickwork.inspect.text_table import RULE, UNBROKEN, Span, text_table


def test_cells_are_wrapped_and_numbers_stand_to_the_right():
    text = text_table(["Name", "Number"], [["a name of several words", "7"], ["b", "1,000"]], 26, right=[1])
    assert text.splitlines() == [
        "┌───────────────┬────────┐",
        "│ Name          │ Number │",
        "├───────────────┼────────┤",
        "│ a name of     │      7 │",
        "│ several words │        │",
        "│ b             │  1,000 │",
        "└───────────────┴────────┘",
    ]


def test_lines_across_all_columns():
    text = text_table(["aaaa", "bbbb"], [["1", "2"], Span("one two three four", 2), RULE, ["3", "4"]], 40)
    assert text.splitlines()[3:-1] == [
        "│ 1    │ 2    │",
        "│   one two   │",
        "│     three   │",
        "│     four    │",
        "├──────┼──────┤",
        "│ 3    │ 4    │",
    ]


def test_indents_are_kept():
    text = text_table(["a"], [["  one two three"]], 14)
    assert text.splitlines()[3:-1] == ["│   one two  │", "│   three    │"]


def test_unbroken_spaces():
    text = text_table(["a"], [[f"W{UNBROKEN}(3,), beta{UNBROKEN}(3,)"]], 20)
    assert text.splitlines()[3:-1] == ["│ W (3,),          │", "│ beta (3,)        │"]


@pytest.mark.parametrize("width", range(1, 60, 7))
def test_columns_keep_some_room(width):
    lines = text_table(["name of a column"] * 3, [["x" * 30] * 3], width).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) <= max(width, 3 * 11 + 1)
