"""`brickwork train`: its options. `job` and `training` do the work, and are loaded when it begins."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from click.core import ParameterSource

from ..arguments import Real, Text, Whole
from ..errors import ParameterError
from ..threads import limited_threads
from .recipes import table
from .values import checked, column_kinds, threads_option

_COUNT: dict[str, Any] = {"metavar": "NUMBER", "callback": checked(Whole(1), int)}
_RATE: dict[str, Any] = {"metavar": "NUMBER", "callback": checked(Real(0.0, low_open=True), float)}
_PATIENCE: dict[str, Any] = {"metavar": "EPOCHS", "callback": checked(Whole(0), int)}
_SHARE: dict[str, Any] = {"metavar": "SHARE", "callback": checked(Real(0.0, 1.0, high_open=True), float)}
_DIR: dict[str, Any] = {"metavar": "DIR", "callback": checked(Text(), str)}
_SEED: dict[str, Any] = {"metavar": "NUMBER", "callback": checked(Whole(0, 2**32 - 1), int)}

_EPILOG = "\n".join(["\b", "Without options (* marks the default model):", *table()])


@click.command(epilog=_EPILOG)
@click.argument("data", required=False)
@click.option("--target", metavar="COLUMN", help="Of a table the column to learn; of x.npy the file of y.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=KIND",
    callback=column_kinds,
    help="What a column of a table is, where its cells tell it wrongly: ignored, numeric or categorical. "
    "May be given for several columns.",
)
@click.option("--task", metavar="NAME", help="classification, regression, or auto: by the target.")
@click.option("--image-size", metavar="HxW", help="Stretch images to so many pixels.")
@click.option("--test-split", **_SHARE, help="Share of the rows that is kept for testing; 0.2 if not given.")
@click.option(
    "--model",
    metavar="NAME",
    help="mlp, lenet5, convnet; FILE.py:FUNCTION, called with (input_shape, outputs); or FILE.json, a graph.",
)
@click.option("--epochs", **_COUNT, help="Epochs at most.")
@click.option("--batch-size", **_COUNT, help="Samples per update.")
@click.option("--optimizer", metavar="NAME", help="adam, sgd, rmsprop …: any in brickwork.optimizers.")
@click.option("--learning-rate", **_RATE, help="Length of the steps; above 0.")
@click.option(
    "--schedule",
    metavar="NAME",
    help="How the learning rate goes on: constant, plateau (smaller when the loss stalls) or cosine (up "
    "for a moment, then down to 0; fewer epochs are enough).",
)
@click.option(
    "--patience", **_PATIENCE, help="Stop after so many epochs without progress on the validation rows."
)
@click.option(
    "--validation-split",
    **_SHARE,
    help="Share of the training rows that is kept for validation; 0 for none: then all epochs are run.",
)
@click.option(
    "--engine",
    metavar="NAME",
    help="native, reference or jax.  [default: native where it was built, else reference]",
)
@click.option("--seed", **_SEED, default="0", show_default=True, help="The same seed gives the same run.")
@threads_option("1")
@click.option("--keep", **_PATIENCE, default="0", help="Keep the networks of the last so many epochs.")
@click.option("--smooth", **_SHARE, default="0", help="Smooth the curves: the weight of what was, as 0.6.")
@click.option("--tensorboard", **_DIR, help="Write event files for TensorBoard there: a folder for each run.")
@click.option("--out", metavar="DIR", help="The run folder, new or empty.  [default: runs/DATA-MODEL-TIME]")
@click.option("--resume", is_flag=True, help="Go on with the run in --out DIR, which was interrupted.")
@click.option("--from", "from_", metavar="CONFIG", help="Repeat the run of this config.json, or run folder.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object; all else goes to standard error."
)
@click.pass_context
def train(
    ctx: click.Context,
    /,
    data: str | None,
    as_json: bool,
    out: str | None,
    resume: bool,
    from_: str | None,
    **options: Any,
) -> None:
    """Train a network on DATA: a data set by name, or your own.

    Names are digits, iris, mnist, fashion-mnist, cifar-10 and those that `brickwork data list` tells. Your
    own data are a folder with a folder of images for each class, a .csv or .parquet with --target, or arrays
    in .npz or .npy. A network that suits them is chosen where --model names none.

    The network that does best on the validation rows is tested. It is kept in the run folder, together with
    the curves, the history and all that is needed to repeat the run.

    \b
    Examples:
      brickwork train digits
      brickwork train mnist --model mlp --epochs 5 --seed 3
      brickwork train fashion-mnist --learning-rate 5e-4 --out runs/slow
      brickwork train pictures/ --image-size 64x64
      brickwork train houses.csv --target price --column id=ignored
      brickwork train digits --model nets.py:small --keep 5
      brickwork train digits --tensorboard logs/digits
      brickwork train --resume --out runs/slow
      brickwork train --from runs/slow/config.json
      brickwork train digits --json | python -m json.tool
    """
    from .again import job_to_repeat, job_to_resume
    from .job import settle
    from .training import run

    stream = sys.stderr if as_json else sys.stdout
    given = {
        name: value
        for name, value in ctx.params.items()
        if ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE and name not in ("resume", "from_")
    }
    if resume and from_ is not None:
        raise ParameterError(
            "brickwork train takes --resume, which goes on with a run, or --from, which repeats one; it "
            "received both. Leave one of them out."
        )
    earlier = None
    if resume:
        job, earlier = job_to_resume(out, given)
    elif from_ is not None:
        job, earlier = job_to_repeat(from_, out, given)
    else:
        job = settle(data, out=out, **options)
    with limited_threads(options["threads"]):  # those that decode images too
        result = run(job, stream, earlier)
    if as_json:
        click.echo(json.dumps(result))
