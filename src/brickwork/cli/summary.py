"""`brickwork summary`: what a network is made of."""

from __future__ import annotations

from typing import Any

import click

from .evaluate import EPOCH
from .values import json_option, report_line


@click.command()
@click.argument("model")
@click.option("--bricks", is_flag=True, help="The bricks in each layer too, with their formulas.")
@click.option("--data", metavar="DATA", help="Fit a network by name, or your own, to these data.")
@click.option("--target", metavar="COLUMN", help="Where DATA is a table: the column to learn.")
@click.option("--epoch", **EPOCH, help="Of a run the network of epoch K, where --keep has kept it.")
@json_option
def summary(
    model: str, bricks: bool, data: str | None, target: str | None, epoch: int | None, as_json: bool
) -> None:
    """Show the layers of MODEL, their shapes and parameters.

    MODEL is a run folder, a .safetensors file, a network by name (mlp, lenet5, convnet), FILE.py:FUNCTION,
    or a graph as FILE.json. Networks by name take images of 28 x 28 in 10 classes unless --data says
    otherwise.

    \b
    Examples:
      brickwork summary runs/digits
      brickwork summary lenet5 --data mnist --bricks
      brickwork summary nets.py:small --data iris
    """
    from .looking import network
    from .report import screen

    made = network(model, data, target, epoch, report_line)
    shapes: dict[str, Any] = {"input_shape": made.input_shape[1:], "output_shape": made.output_shape[1:]}
    result = {
        "model": model,
        "name": made.name,
        "parameters": made.count_params(),
        **shapes,
        "classes": list(made.class_names),
        "layers": [{"name": layer.name, "type": type(layer).__name__} for layer in made.layers],
        "preprocessing": made.preprocessing.describe() if made.preprocessing else None,
    }
    with screen(as_json, result) as told:
        told.verbatim(made.summary_text(told.width, bricks=bricks))
