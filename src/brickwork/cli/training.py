"""What `brickwork train` does with a job: load, show, train, test, tell."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from .. import optimizers, zoo
from ..data import Dataset, load
from ..errors import DivergenceError, ShapeError
from ..seeds import set_random_seed
from ..training.callback import Callback, Logs
from ..training.progress import ProgressDisplay
from ..training.rates import ReduceLROnPlateau
from ..training.run_folder import LAST, RunFolder, new_folder, numbered_folder
from ..training.stopping import EarlyStopping
from .job import LOSS, Job
from .recipes import default_model, recipe_of
from .report import Screen

TEST_BATCH = 256


def run(job: Job, stream: IO[str]) -> dict[str, Any]:
    """Do the job; tell the user on `stream`. Gives the result for programs."""
    screen = Screen(stream)
    begun = time.perf_counter()
    with folder_of(job) as place:
        dataset = load(job.data)
        screen.data(dataset)
        model = build(job, dataset)
        screen.model(model)
        screen.plan(job, len(dataset.x_train))
        config = job.config(dataset, model.count_params())
        folder = RunFolder(str(place), config, job.monitor, title=f"{dataset.title}: {job.model}")
        try:
            stopping = fit(job, model, dataset, folder, stream)
            tested = model.evaluate(
                dataset.x_test, dataset.y_test, batch_size=TEST_BATCH, verbose=0, return_dict=True
            )
        except KeyboardInterrupt as error:
            raise KeyboardInterrupt(f"Stopped by Ctrl-C. {kept(folder)}") from error
        except DivergenceError as error:
            error.add_note(f"Try --learning-rate {recipe_of(job.data, job.model).learning_rate:g}.")
            error.add_note(kept(folder))
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
        "test_loss": tested["loss"],
        "test_accuracy": tested["accuracy"],
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
        place = numbered_folder(f"runs/{job.data}-{job.model}-{time.strftime('%Y%m%d-%H%M%S')}")
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
        model = zoo.build(job.model, dataset, **job.recipe.options)
    except ShapeError as error:
        error.add_note(f"For {job.data}, try --model {default_model(job.data)}.")
        raise
    model.compile(optimizers.deserialize(job.optimizer), LOSS, metrics=["accuracy"], engine=job.engine)
    return model


def fit(job: Job, model: Any, dataset: Dataset, folder: RunFolder, stream: IO[str]) -> EarlyStopping | None:
    """Train; the files of the run are written after every epoch."""
    callbacks: list[Callback] = [Guessing(len(dataset.class_names))]
    stopping = None
    if job.decay:
        callbacks.append(ReduceLROnPlateau(**job.decay))
    if job.validation_split:
        stopping = EarlyStopping(job.monitor, patience=job.patience, restore_best_weights=True)
        callbacks.append(stopping)
    # after those that decide something: what is shown and kept is what they decided
    callbacks += [ProgressDisplay(stream=stream), folder]
    model.fit(
        dataset.x_train,
        dataset.y_train,
        batch_size=job.batch_size,
        epochs=job.epochs,
        validation_split=job.validation_split,
        callbacks=callbacks,
    )
    return stopping


class Guessing(Callback):
    """Stops a training whose loss has left that of guessing far behind without becoming infinite."""

    FACTOR = 1000.0

    def __init__(self, classes: int) -> None:
        self.chance = math.log(classes)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare with the cross-entropy of a network that gives every class the same probability."""
        loss = (logs or {}).get("loss", 0.0)
        if loss > self.FACTOR * self.chance:
            raise DivergenceError(
                f"Training must lower the loss below that of guessing, {self.chance:.2f}; in epoch "
                f"{epoch + 1} it is {loss:.3g}: it diverges. Lower the learning rate of "
                f"{self.model.optimizer.learning_rate:g}."
            )


def kept(folder: RunFolder) -> str:
    """What an interrupted training leaves behind, in a sentence."""
    count = len(folder.rows)
    if not folder.path(LAST).exists():
        return "Nothing was trained yet."
    if not count:
        return f"No epoch was finished; {folder.folder} holds the network as it began."
    epochs = "epoch 1" if count == 1 else f"{count} epochs"
    return (
        f"Kept in {folder.folder}: the network after {epochs} in last.safetensors, the best one (epoch "
        f"{folder.best_epoch}) in best.safetensors, history.csv and curves.png."
    )
