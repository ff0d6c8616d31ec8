"""The command `brickwork`: its sub-commands, and how every error of a user ends.

Exit codes: 0; 2 for mistakes in what was asked, told in one message; 130 after Ctrl-C; 1 for anything else.
"""

from __future__ import annotations

import io
import sys
import textwrap
from typing import Any

import click

from .._version import __version__
from ..errors import BrickworkError, did_you_mean
from .datasets import data
from .evaluate import evaluate
from .predict import predict
from .show import show
from .summary import summary
from .train import train

WIDTH = 100


class Mistake(click.ClickException):
    """What the user can mend: the message of a BrickworkError with its notes."""

    exit_code = 2

    def __init__(self, error: BaseException) -> None:
        super().__init__("\n".join([str(error), *getattr(error, "__notes__", ())]))

    def show(self, file: Any = None) -> None:
        """Print it to standard error, in lines that a terminal does not have to break."""
        click.echo(_lines(f"Error: {self.message}"), file=file, err=True)


class Interrupted(Mistake):
    """Ctrl-C."""

    exit_code = 130

    def show(self, file: Any = None) -> None:
        """Say what was kept."""
        click.echo(_lines(f"\n{self.message or 'Stopped by Ctrl-C.'}"), file=file, err=True)


def _lines(text: str) -> str:
    if not sys.stderr.isatty():
        return text
    import shutil

    width = min(WIDTH, shutil.get_terminal_size().columns)
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    )


class Commands(click.Group):
    """A group of commands that turns errors into messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a log in an old encoding is no reason to stop
        try:
            return super().invoke(ctx)
        except BrickworkError as error:
            raise Mistake(error) from error
        except click.UsageError as error:
            # click breaks no lines
            text = _lines(f"Error: {error.format_message()}").removeprefix("Error: ")
            raise click.UsageError(text, error.ctx) from error
        except KeyboardInterrupt as error:
            raise Interrupted(error) from error

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command; name the nearest one where there is none of that name."""
        name = args[0] if args else ""
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            known = self.list_commands(ctx)
            ctx.fail(f"There is no command {name!r}; there is {', '.join(known)}.{did_you_mean(name, known)}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    name="brickwork",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
)
@click.version_option(__version__, message="brickwork %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Neural networks as graphs of bricks that state their mathematics forward and backward.

    \b
    Example:
      brickwork train digits      learns handwritten digits, in seconds
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


for _command in (train, evaluate, predict, summary, show, data):
    main.add_command(_command)
