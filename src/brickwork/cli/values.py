"""What may stand behind an option, said with the checks that every constructor uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from click.decorators import FC

from ..arguments import Check, Whole
from ..errors import ParameterError

Callback = Callable[[click.Context, click.Parameter, str | None], Any]


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object; all else goes to standard error."
)


def threads_option(default: str) -> Callable[[FC], FC]:
    """--threads, with what is taken where it is not given."""
    return click.option(
        "--threads",
        metavar="NUMBER",
        callback=checked(Whole(1), int),
        help=f"Threads that compute; if not given, {default}.",
    )


def report_line(line: str) -> None:
    """Tell something on the way, where it disturbs no result."""
    click.echo(line, err=True)


def column_kinds(ctx: click.Context, param: click.Parameter, words: tuple[str, ...]) -> dict[str, str] | None:
    """The callback of --column NAME=KIND, which may be given several times."""
    found = {}
    for word in words:
        name, equals, kind = word.rpartition("=")
        if not equals or not name:
            raise ParameterError(
                f"{ctx.command_path}: {param.opts[0]} takes NAME=KIND, such as id=ignored; got {word!r}."
            )
        found[name] = kind
    return found or None


def checked(check: Check, number: Callable[[str], Any]) -> Callback:
    """A callback for an option with a number; the message of its check names the option."""

    def convert(ctx: click.Context, param: click.Parameter, text: str | None) -> Any:
        if text is None:
            return None
        try:
            value = number(text)
        except ValueError:
            raise check.refuse(ctx.command_path, param.opts[0], text) from None
        return check(ctx.command_path, param.opts[0], value)

    return convert
