"""The command itself: help, version, unknown words, how errors end."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from brickwork import __version__
from brickwork.cli import main
from brickwork.cli.app import Commands, _lines
from brickwork.cli.recipes import RECIPES, default_model, recipe_of
from brickwork.data import names
from brickwork.errors import DataError
from brickwork.zoo import names as networks


def run(*arguments):
    return CliRunner().invoke(main, list(arguments), prog_name="brickwork")


def test_alone_it_shows_its_help():
    alone, asked = run(), run("--help")
    assert alone.exit_code == asked.exit_code == 0
    assert alone.stdout == asked.stdout
    assert "brickwork train digits" in alone.stdout


def test_version():
    assert run("--version").stdout == f"brickwork {__version__}\n"


@pytest.mark.parametrize("name", sorted(main.commands))
def test_the_help_of_every_command_shows_an_example(name):
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert f"  brickwork {name} " in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_the_help_of_train_shows_the_recipes():
    text = run("train", "--help").stdout
    assert [line.split()[0] for line in text.splitlines()[-len(RECIPES) :]] == [data for data, _ in RECIPES]


@pytest.mark.parametrize(
    "arguments, told",
    [
        (
            ["tarin", "digits"],
            "'tarin'; there is data, evaluate, predict, show, summary, train. Did you mean 'train'?",
        ),
        (["--verison"], "No such option"),
        (["train", "digits", "--epoch", "3"], "No such option"),
        (["train", "digits", "iris"], "unexpected extra argument"),
    ],
)
def test_unknown_words(arguments, told):
    result = run(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


def failing(error):
    @click.group(cls=Commands)
    def group():
        pass

    @group.command()
    def fail():
        raise error

    return CliRunner().invoke(group, ["fail"])


def test_an_error_of_the_user_is_one_message_with_its_notes():
    error = DataError("Rows must be there; none is.")
    error.add_note("in file x.csv")
    result = failing(error)
    assert (result.exit_code, result.stderr) == (2, "Error: Rows must be there; none is.\nin file x.csv\n")


@pytest.mark.parametrize("error, told", [(KeyboardInterrupt(), ""), (KeyboardInterrupt("Kept."), "Kept.")])
def test_ctrl_c(error, told):
    result = failing(error)
    assert (result.exit_code, result.stderr) == (130, f"\n{told or 'Stopped by Ctrl-C.'}\n")


def test_any_other_error_is_ours_and_keeps_its_traceback():
    result = failing(RuntimeError("a bug"))
    assert result.exit_code == 1
    assert isinstance(result.exception, RuntimeError)


def test_long_messages_are_broken_between_words(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    path = "/a/very/long/path/that/is/longer/than/the/whole/line/of/forty"
    assert _lines(f"Error: there must be a file here: {path}").splitlines() == [
        "Error: there must be a file here:",
        path,
    ]


def test_messages_of_click_are_broken_too(monkeypatch):
    monkeypatch.setattr("brickwork.cli.app._lines", lambda text: text.replace("; ", ";\n"))
    told = run("tarin").stderr
    assert "Error: There is no command 'tarin';\nthere is data, evaluate" in told


def test_the_help_loads_nothing_heavy():
    code = (
        "import sys; from brickwork.cli.app import main\n"
        "try: main(['train', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'rich', 'matplotlib', 'safetensors', 'pooch'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "[]", result.stderr


# The recipes.


def test_every_data_set_has_a_default_network():
    for data in names():
        assert default_model(data) in networks()
    assert default_model("digits") == default_model("fashion-mnist") == "convnet"
    assert default_model("a table of one's own") == "mlp"


def test_every_recipe_is_for_a_known_network_on_a_known_data_set():
    assert {data for data, _ in RECIPES} <= set(names())
    assert {model for _, model in RECIPES} == set(networks())
    assert recipe_of("iris", "convnet").options == {}
