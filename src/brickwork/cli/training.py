"""What `brickwork train` does with a job: load, show, train, test, tell."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from .. import optimizers, zoo
from ..data import Dataset
from ..data.tasks import CLASSIFICATION
from ..errors import DivergenceError, ShapeError
from ..layers.serialization import layer_to_config
from ..optimizers.schedules import CosineDecay
from ..seeds import set_random_seed
from ..threads import limited_threads
from ..training.callback import Callback, Logs
from ..training.progress import ProgressDisplay
from ..training.rates import ReduceLROnPlateau
from ..training.resuming import read_training
from ..training.run_folder import LAST, RunFolder, new_folder, numbered_folder
from ..training.stopping import EarlyStopping
from ..training.tensorboard import TensorBoard
from .again import Earlier, require_same
from .job import Job
from .keeping import KeepEpochs
from .own_model import is_own, own_model
from .recipes import COSINE, RECIPES, WARM_UP, default_model, own_model_name
from .report import Screen
from .scores import score
from .sources import load


def run(job: Job, stream: IO[str], earlier: Earlier | None = None) -> dict[str, Any]:
    """Do the job; tell the user on `stream`. Gives the result for programs.

    `earlier` is the run that goes on, in its own folder, or that is repeated in another one.
    """
    resumed = earlier is not None and earlier.done == "resumed"
    screen = Screen(stream)
    begun = time.perf_counter()
    with ExitStack() as stack:
        if resumed:
            place = Path(str(job.out)).expanduser()
        elif job.out is not None:
            place = stack.enter_context(folder_of(job))
        dataset = load(job, lambda line: screen.say(line, style="yellow"))
        job = job.fitted(dataset)
        if earlier is not None:
            require_same(job, dataset, earlier)
        if job.out is None:
            place = stack.enter_context(folder_of(job))
        screen.data(dataset)
        model = build(job, dataset)
        screen.model(model)
        screen.plan(job, len(dataset.x_train))
        config = job.config(dataset, model.count_params())
        last = place / LAST if resumed and (place / LAST).exists() else None
        if last is not None:
            screen.say(where(last, job), style="bold")
        folder = RunFolder(
            str(place), config, job.monitor, title=f"{dataset.title}: {job.model}", smooth=job.smooth
        )
        try:
            with limited_threads(job.threads):
                stopping = fit(job, model, dataset, folder, stream, last)
                tested = score(model, dataset.x_test, dataset.y_test)
        except KeyboardInterrupt as error:
            raise KeyboardInterrupt(f"Stopped by Ctrl-C. {kept(folder)}") from error
        except DivergenceError as error:
            error.add_note(f"Try --learning-rate {job.recipe.learning_rate:g}.")
            error.add_note(kept(folder, diverged=True))
            raise
    result = {
        "data": job.data,
        "model": job.model,
        "engine": job.engine,
        "seed": job.seed,
        "parameters": model.count_params(),
        "epochs": len(folder.rows),
        "best_epoch": stopping.best_epoch + 1 if stopping else len(folder.rows),
        "seconds": round(time.perf_counter() - begun, 3),
        "task": job.task,
        **{f"test_{name}": value for name, value in tested.items()},
        "run": str(place),
    }
    folder.conclude(result)
    screen.result(job, result, stopped=bool(stopping and stopping.stopped_epoch))
    return result


@contextmanager
def folder_of(job: Job) -> Iterator[Path]:
    """The folder of the run; it vanishes again where nothing came to be written into it."""
    was_there = job.out is not None and Path(job.out).exists()
    if job.out is not None:
        place = new_folder(job.out)
    else:
        place = numbered_folder(f"runs/{job.place}-{time.strftime('%Y%m%d-%H%M%S')}")
    try:
        yield place
    except BaseException:
        if not was_there:
            with suppress(OSError):  # refused where there are files
                place.rmdir()
                if job.out is None:
                    place.parent.rmdir()
        raise


def build(job: Job, dataset: Dataset) -> Any:
    """The network, compiled; the same one for the same seed."""
    set_random_seed(job.seed)
    try:
        if is_own(job.model):
            outputs = len(dataset.class_names) or math.prod(dataset.y_train.shape[1:])
            classes = dataset.task == CLASSIFICATION
            model: Any = own_model(job.model, dataset.x_train.shape[1:], outputs, classes=classes)
            layer_to_config(model)  # what cannot be saved is refused before anything is written
        else:
            model = zoo.build(job.model, dataset, **job.recipe.options)
    except ShapeError as error:
        if not is_own(job.model):
            known = any(data == job.data for data, _ in RECIPES)
            usual = default_model(job.data) if known else own_model_name(dataset)
            error.add_note(f"For {job.data}, try --model {usual}.")
        raise
    model.preprocessing, model.class_names = dataset.preprocessing, dataset.class_names
    optimizer = optimizers.deserialize(job.optimizer)
    if job.schedule == COSINE:
        steps = steps_in_all(job, dataset)
        first = steps // WARM_UP
        optimizer.learning_rate = CosineDecay(
            0.0 if first else job.learning_rate,
            decay_steps=steps - first,
            warmup_target=job.learning_rate if first else None,
            warmup_steps=first,
        )
    model.compile(optimizer, job.loss, metrics=job.metrics, engine=job.engine)
    return model


def steps_in_all(job: Job, dataset: Dataset) -> int:
    """Updates of a training that runs all its epochs."""
    rows = int(len(dataset.x_train) * (1.0 - job.validation_split))
    return job.epochs * math.ceil(rows / job.batch_size)


def where(last: Path, job: Job) -> str:
    """At which place a run goes on, in a sentence."""
    position = read_training(last).position
    if position.stopped or position.epoch >= job.epochs:
        more = "" if position.stopped else f" Ask for more with --epochs {2 * position.epoch}."
        return f"This run is finished: epoch {position.epoch} was its last. It is only tested again.{more}"
    return f"Going on in epoch {position.epoch + 1}, after {position.step} steps of it."


def fit(
    job: Job,
    model: Any,
    dataset: Dataset,
    folder: RunFolder,
    stream: IO[str],
    resume_from: Path | None = None,
) -> EarlyStopping | None:
    """Train; the files of the run are written after every epoch."""
    callbacks: list[Callback] = [Guessing(chance_loss(dataset))]
    stopping = None
    if job.decay:
        callbacks.append(ReduceLROnPlateau(**job.decay))
    if job.validation_split:
        patience = job.epochs if job.schedule == COSINE else job.patience
        stopping = EarlyStopping(job.monitor, patience=patience, restore_best_weights=True)
        callbacks.append(stopping)
    # after those that decide something: what is shown and kept is what they decided
    callbacks.append(ProgressDisplay(stream=stream))
    if job.tensorboard:
        callbacks.append(TensorBoard(job.tensorboard, histogram_freq=1))
    callbacks.append(folder)
    if job.keep:
        callbacks.append(KeepEpochs(Path(folder.folder), job.keep))
    model.fit(
        dataset.x_train,
        dataset.y_train,
        batch_size=job.batch_size,
        epochs=job.epochs,
        validation_split=job.validation_split,
        callbacks=callbacks,
        resume_from=resume_from,
    )
    return stopping


class Guessing(Callback):
    """Stops a training whose loss has left that of guessing far behind without becoming infinite."""

    FACTOR = 1000.0

    def __init__(self, chance: float) -> None:
        self.chance = chance

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare with the loss of a network that has learned nothing."""
        loss = (logs or {}).get("loss", 0.0)
        if loss > self.FACTOR * self.chance:
            raise DivergenceError(
                f"Training must lower the loss below that of guessing, {self.chance:.3g}; in epoch "
                f"{epoch + 1} it is {loss:.3g}: it diverges. Lower the learning rate of "
                f"{self.model.optimizer.learning_rate:g}."
            )


def chance_loss(dataset: Dataset) -> float:
    """The loss of a network that gives every class the same probability, or every row the mean target."""
    if dataset.task == CLASSIFICATION:
        return math.log(len(dataset.class_names))
    return float(dataset.y_train.var(axis=0, dtype="float64").mean()) or 1.0


def kept(folder: RunFolder, *, diverged: bool = False) -> str:
    """What an interrupted training leaves behind, in a sentence; one that diverged would do so again."""
    count = len(folder.rows)
    if not folder.path(LAST).exists():
        return "Nothing was trained yet."
    resume = f" Go on with: brickwork train --resume --out {shlex.quote(folder.folder)}"
    resume = "" if diverged else resume
    if not count:
        return (
            f"No epoch was finished; {folder.folder} holds the network of the step that was reached.{resume}"
        )
    epochs = "epoch 1" if count == 1 else f"{count} epochs"
    return (
        f"Kept in {folder.folder}: the network after {epochs} in last.safetensors, the best one (epoch "
        f"{folder.best_epoch}) in best.safetensors, history.csv and curves.png.{resume}"
    )
