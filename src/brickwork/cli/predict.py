"""`brickwork predict`: what a trained network says of new images or rows."""

from __future__ import annotations

import click

from ..errors import DataError
from .evaluate import EPOCH
from .values import json_option, report_line, threads_option


@click.command()
@click.argument("run")
@click.argument("files", nargs=-1, metavar="FILE...", required=True)
@click.option("--out", metavar="FILE.csv", help="Write labels and probabilities of all rows.")
@click.option("--epoch", **EPOCH, help="The network of epoch K, where --keep has kept it.")
@click.option("--ignore-unknown", is_flag=True, help="Let categories pass that were not seen in training.")
@threads_option("as many as the training")
@json_option
def predict(
    run: str,
    files: tuple[str, ...],
    out: str | None,
    epoch: int | None,
    ignore_unknown: bool,
    threads: int | None,
    as_json: bool,
) -> None:
    """Ask the network of RUN about FILES: images, .csv, .parquet, .npy or .npz.

    Images of another size are stretched. Of a table the columns of the training are read; the target may be
    missing. Several files may be named, also a folder of images.

    \b
    Examples:
      brickwork predict runs/pictures photo.jpg
      brickwork predict runs/houses new-houses.csv --out prices.csv
    """
    from .predicting import answers, shown, write_answers
    from .report import screen
    from .runs import open_run
    from .sources import rows_to_predict

    opened = open_run(run, epoch, report_line)
    with opened.computing(threads):
        try:
            inputs = rows_to_predict(opened, files, "ignore" if ignore_unknown else "error", report_line)
        except DataError as error:
            if "unknown categories" in str(error):
                error.add_note("--ignore-unknown does so.")
            raise
        found = answers(opened, inputs)
    if out is not None:
        write_answers(out, found, opened.class_names)
    result = {"run": run, "model": opened.file.name, "rows": len(found), "out": out}
    if as_json:
        result["predictions"] = list(found)
    with screen(as_json, result) as told:
        told.say(shown(found, told.width))
        if out is not None:
            told.say(f"{len(found):,} rows are written to {out}.")
