"""`brickwork show`: pictures of a run."""

from __future__ import annotations

from typing import Any

import click

from ..arguments import Real
from ..errors import ParameterError, did_you_mean
from .evaluate import EPOCH
from .values import checked, json_option, report_line

KINDS = ("curves", "confusion")
_SMOOTH: dict[str, Any] = {"metavar": "S", "callback": checked(Real(0.0, 1.0, high_open=True), float)}


@click.command()
@click.argument("run")
@click.argument("what", metavar="curves|confusion")
@click.argument("data", required=False)
@click.option("--out", metavar="FILE.png", help="The picture.  [default: curves.png or confusion.png in RUN]")
@click.option("--smooth", **_SMOOTH, default="0", help="Of curves: the weight of what was, as 0.6.")
@click.option("--epoch", **EPOCH, help="Of the confusion: the network of epoch K.")
@json_option
def show(
    run: str, what: str, data: str | None, out: str | None, smooth: float, epoch: int | None, as_json: bool
) -> None:
    """Draw the curves of RUN, or which classes it takes for which.

    The confusion matrix counts the rows for testing, or those of DATA.

    \b
    Examples:
      brickwork show runs/digits curves --smooth 0.6
      brickwork show runs/digits confusion --out mistakes.png
    """
    if what not in KINDS:
        raise ParameterError(
            f"brickwork show draws {' or '.join(KINDS)}; got {what!r}.{did_you_mean(what, KINDS)}"
        )
    if out is not None and not out.lower().endswith((".png", ".svg", ".pdf")):
        raise ParameterError(f"--out names a picture, FILE.png, .svg or .pdf; got {out!r}.")
    from .drawing import confusion, curves
    from .report import screen

    if what == "curves":
        if data is not None or epoch is not None:
            raise ParameterError("brickwork show RUN curves takes neither DATA nor --epoch. Leave them out.")
        text, result = curves(run, out, smooth)
    else:
        text, result = confusion(run, data, epoch, out, report_line)
    with screen(as_json, {"run": run, "what": what, **result}) as told:
        told.verbatim(text)
        told.fact("Picture", result["file"])
