"""`brickwork evaluate`: how good a trained network is on rows with answers."""

from __future__ import annotations

from typing import Any

import click

from ..arguments import Whole
from .values import checked, json_option, report_line, threads_option

EPOCH: dict[str, Any] = {"metavar": "K", "callback": checked(Whole(1), int)}


@click.command()
@click.argument("run")
@click.argument("data", required=False)
@click.option("--target", metavar="FILE", help="Where DATA is x.npy: the file of y.")
@click.option("--epoch", **EPOCH, help="The network of epoch K, where --keep has kept it.")
@threads_option("as many as the training")
@json_option
def evaluate(
    run: str, data: str | None, target: str | None, epoch: int | None, threads: int | None, as_json: bool
) -> None:
    """Test the network of RUN, a run folder.

    Without DATA these are the rows for testing of the data that it was trained on. With DATA, of any form
    that brickwork train takes, they are all its rows, or its test rows where it has some.

    \b
    Examples:
      brickwork evaluate runs/digits
      brickwork evaluate runs/houses new-houses.csv
      brickwork evaluate runs/digits --epoch 3 --json
    """
    from .report import screen
    from .runs import open_run
    from .scores import score
    from .sources import rows_for_testing

    opened = open_run(run, epoch, report_line)
    with opened.computing(threads):
        title, x, y = rows_for_testing(opened, data, target, report_line)
        found = score(opened.model, x, y, opened.class_names)
    result = {"run": run, "model": opened.file.name, "data": title, "rows": len(x), **found}
    with screen(as_json, result) as told:
        told.fact("Network", str(opened.file))
        told.fact("Data", f"{title}: {len(x):,} rows")
        told.scores(found)
