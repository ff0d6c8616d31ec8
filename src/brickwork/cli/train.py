"""`brickwork train`: its options. `job` and `training` do the work, and are loaded when it begins."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click
from click.core import ParameterSource

from ..arguments import Real, Whole
from .recipes import SMALL, table
from .values import checked

_COUNT: dict[str, Any] = {"metavar": "NUMBER", "callback": checked(Whole(1), int)}
_RATE: dict[str, Any] = {"metavar": "NUMBER", "callback": checked(Real(0.0, low_open=True), float)}
_PATIENCE: dict[str, Any] = {"metavar": "EPOCHS", "callback": checked(Whole(0), int)}
_SHARE: dict[str, Any] = {"metavar": "SHARE", "callback": checked(Real(0.0, 1.0, high_open=True), float)}
_SEED: dict[str, Any] = {"metavar": "NUMBER", "callback": checked(Whole(0, 2**32 - 1), int)}

_EPILOG = "\n".join(["\b", "Without options (* marks the default model):", *table()])

_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@click.command(epilog=_EPILOG)
@click.argument("data", required=False)
@click.option("--target", metavar="COLUMN", help="Of a table the column to learn; of x.npy the file of y.")
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
@click.option("--optimizer", metavar="NAME", help="adam or sgd.")
@click.option("--learning-rate", **_RATE, help="Length of the steps; above 0.")
@click.option(
    "--patience", **_PATIENCE, help="Stop after so many epochs without progress on the validation rows."
)
@click.option(
    "--validation-split",
    **_SHARE,
    help="Share of the training rows that is kept for validation; 0 for none: then all epochs are run.",
)
@click.option("--engine", default="reference", show_default=True, metavar="NAME", help="reference or jax.")
@click.option("--seed", **_SEED, default="0", show_default=True, help="The same seed gives the same run.")
@click.option("--keep", **_PATIENCE, default="0", help="Keep the networks of the last so many epochs.")
@click.option("--smooth", **_SHARE, default="0", help="Smooth the curves: the weight of what was, as 0.6.")
@click.option("--out", metavar="DIR", help="The run folder, new or empty.  [default: runs/DATA-MODEL-TIME]")
@click.option("--resume", is_flag=True, help="Go on with the run in --out DIR, which was interrupted.")
@click.option("--from", "from_", metavar="CONFIG", help="Repeat the run of this config.json.")
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
      brickwork train houses.csv --target price
      brickwork train digits --model nets.py:small --keep 5
      brickwork train --resume --out runs/slow
      brickwork train --from runs/slow/config.json
      brickwork train digits --json | python -m json.tool
    """
    named = _named_before(out if resume else from_) if resume or from_ is not None else data
    if named in SMALL and "numpy" not in sys.modules and not any(name in os.environ for name in _THREADS):
        # BLAS threads wait for each other longer than they compute on matrices so small, above all on a
        # machine that is busy. NumPy reads these when it is loaded, which is below.
        os.environ.update(dict.fromkeys(_THREADS, "1"))
    from .again import job_to_repeat, job_to_resume
    from .job import settle
    from .training import run

    stream = sys.stderr if as_json else sys.stdout
    if resume or from_ is not None:
        given = {name for name in ctx.params if ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE}
        if resume:
            job, config = job_to_resume(out, given, options["epochs"], data)
            result = run(job, stream, config)
        else:
            result = run(job_to_repeat(str(from_), out), stream)
    else:
        result = run(settle(data, out=out, **options), stream)
    if as_json:
        import json

        click.echo(json.dumps(result))


def _named_before(path: Any) -> str | None:
    """The data of an earlier run, read without NumPy: it must go on with as many threads as it began with."""
    file = os.path.join(path, "config.json") if path is not None and os.path.isdir(path) else path
    try:
        with open(file, encoding="utf-8") as config:
            name = json.load(config)["data"]["name"]
    except (OSError, ValueError, TypeError, KeyError):
        return None  # what is wrong with it is said where it is read for good
    return name if isinstance(name, str) else None
