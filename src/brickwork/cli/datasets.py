"""`brickwork data`: which data sets there are by name, and fetching them."""

from __future__ import annotations

import click

from .values import json_option, report_line

ABOUT = {
    "digits": ("images 8 x 8, 10 classes", "part of Brickwork"),
    "iris": ("4 numbers, 3 classes", "part of Brickwork"),
    "mnist": ("images 28 x 28, 10 classes", "downloaded, 12 MB"),
    "fashion-mnist": ("images 28 x 28, 10 classes", "downloaded, 31 MB"),
    "cifar-10": ("images 32 x 32 in colour, 10 classes", "downloaded, 170 MB"),
}


@click.group(name="data")
def data() -> None:
    """Data sets that are known by name.

    \b
    Examples:
      brickwork data list
      brickwork data fetch mnist
    """


@data.command(name="list")
@json_option
def list_data(as_json: bool) -> None:
    """List the data sets that brickwork train knows by name.

    \b
    Example:
      brickwork data list
    """
    from ..data import names
    from ..inspect.text_table import text_table
    from .report import screen

    made = ("2 numbers, classes", "made by a formula")
    rows = [[name, *ABOUT.get(name, made)] for name in names()]
    result = {"data": [dict(zip(("name", "rows", "from"), row, strict=True)) for row in rows]}
    with screen(as_json, result) as told:
        told.verbatim(text_table(["name", "rows are", "from"], list(rows), told.width))
        told.say("Your own: a folder of images, a .csv with --target, .npz, .npy, .parquet.")


@data.command()
@click.argument("name")
@json_option
def fetch(name: str, as_json: bool) -> None:
    """Download the data set NAME, unless it is there, and check what came.

    \b
    Example:
      brickwork data fetch fashion-mnist
    """
    from ..data import load
    from .report import screen

    dataset = load(name)
    result = {
        "data": dataset.name,
        "training_rows": len(dataset.x_train),
        "test_rows": len(dataset.x_test),
        "shape": list(dataset.x_train.shape[1:]),
        "classes": list(dataset.class_names),
        "source": dataset.source,
        "licence": dataset.licence,
    }
    for note in dataset.notes:
        report_line(note)
    with screen(as_json, result) as told:
        told.data(dataset)
        told.fact("Source", dataset.source or "made by a formula")
        told.fact("Licence", dataset.licence or "none is needed")
