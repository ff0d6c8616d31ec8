"""Trainings in processes of their own, which tests interrupt and kill.

`Trainings` starts this file as a server, which has imported everything already and makes a process for each
training by `fork`: so twenty of them cost seconds. A training has all that depends on chance or on what was
before: shuffling, dropout, a user's own brick that turns samples round at random, batch normalization, a
schedule of the learning rate or callbacks that change it, early stopping, checkpoints, and callbacks with
numbers and arrays of their own.
"""

from __future__ import annotations

import importlib
import json
import mmap
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brickwork import Input, Model, bricks, files
from brickwork.arguments import configured
from brickwork.bricks import Brick
from brickwork.callbacks import Callback, CSVLogger, EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from brickwork.data.source import ArraySource
from brickwork.layers import BatchNormalization, Dense, Dropout
from brickwork.optimizers import Adam
from brickwork.optimizers.schedules import ExponentialDecay
from brickwork.seeds import set_random_seed
from brickwork.training import measuring, run_folder
from brickwork.training.run_folder import RunFolder

PAUSE = 0.004
"""Seconds between two steps; a signal comes at any time in them, in Python or not."""

ROWS, VALIDATION, BATCH, EPOCHS = 250, 0.2, 16, 6
STEPS = -(-int(ROWS * (1 - VALIDATION)) // BATCH)


@bricks.register_brick("tests/Turned")
@configured(frozen=True, eq=True)
class Turned(Brick):
    """Each sample, with probability 1/2, in the reverse order while training: augmentation.

    Forward    y  = x[:, ::-1] where bits >= 2³¹, else x
    Backward   dx = dy[:, ::-1] there, else dy
    """

    random = True

    def output_shape(self, x):
        return x

    def forward(self, params, x, *, ctx):
        if not ctx.training:
            return x, (None,)
        xp = x.__array_namespace__()
        turned = ctx.bits(x, (1,)) >= xp.asarray(2**31, dtype=xp.uint32)
        return xp.where(turned, x[:, ::-1], x), (turned,)

    def backward(self, params, saved, dy):
        (turned,) = saved
        xp = dy.__array_namespace__()
        return (dy if turned is None else xp.where(turned, dy[:, ::-1], dy),), {}


class Averages(Callback):
    """A mean of the weights over the steps, and gradients that depend on how often it was called."""

    kept = ("begun", "seen", "looked")

    def __init__(self):
        self.begun = self.seen = self.looked = 0
        self.means = None

    def on_train_batch_begin(self, batch, logs=None):
        self.begun += 1

    def on_gradients(self, step, gradients):
        self.looked += 1
        return {key: array * np.float32(1 + 0.01 * (self.looked % 5)) for key, array in gradients.items()}

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        weights = self.model.get_weights()
        self.means = self.means or [np.zeros_like(one) for one in weights]
        for mean, weight in zip(self.means, weights, strict=True):
            mean += (weight - mean) * np.float32(0.1)

    def get_arrays(self):
        return {str(index): mean for index, mean in enumerate(self.means or [])}

    def set_arrays(self, arrays):
        self.means = [arrays[str(index)].copy() for index in range(len(arrays))]


class Warmth(Callback):
    """Changes the rate at each step by what it was, as a warm-up does."""

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) * 0.995


class Told(Callback):
    """Says when training has begun, for good, as JAX compiles before its first step; counts reports."""

    def __init__(self, pause, counts):
        self.pause, self.counts = pause, counts
        self.said = False

    def on_progress(self, step, logs=None):
        self.counts.numbers[1] += 1
        time.sleep(self.pause)

    def commit(self, moment, *, must):
        if not self.said and (moment.position.step or not self.pause):
            self.said = True
            print("begun", flush=True)


def data():
    x = np.random.default_rng(0).normal(size=(ROWS, 6)).astype("float32")
    return x, (x[:, 0] * x[:, 5] + x[:, 1] > 0).astype("int64")


def network(rate, engine, seed):
    set_random_seed(seed)
    x = y = Input((6,))
    y = Turned()(Dense(12, activation="relu")(y))
    y = Dropout(0.3)(BatchNormalization()(y))
    model = Model(x, Dense(2, activation="softmax")(y))
    model.compile(
        Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"], seed=seed, engine=engine
    )
    return model


def train(folder, *, kind="epochs", engine="reference", more=()):
    """`kind` "epochs": whole epochs at once, the rate falls on plateaus; "steps": callbacks at every step, a
    schedule; "rates": callbacks that set the rate at every step."""
    rate = ExponentialDecay(0.02, 20, 0.9) if kind == "steps" else 0.02
    last = folder / "last.safetensors"
    resume = last if last.exists() else None
    model = network(rate, engine, 77 if resume else 1)
    own = {
        "epochs": [ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.05)],
        "steps": [Averages(), ModelCheckpoint(str(folder / "often.safetensors"), save_freq=5)],
        "rates": [Warmth(), Averages()],
    }
    listed = [
        EarlyStopping("val_loss", patience=4, restore_best_weights=True),
        *own[kind],
        ModelCheckpoint(str(folder / "checked.safetensors"), save_best_only=True),
        CSVLogger(str(folder / "log.csv")),
        RunFolder(str(folder)),
        *more,
    ]
    x, y = data()
    model.fit(
        x,
        y,
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_split=VALIDATION,
        verbose=0,
        callbacks=listed,
        resume_from=resume,
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # one that comes too late
    model.save_weights(folder / "final.safetensors")


# -- the server -------------------------------------------------------------------------------------


class Counts:
    """Two numbers in a file, which outlives the process: steps that were begun, and reports of steps done."""

    def __init__(self, path, new=False):
        if new:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(16))
        with open(path, "r+b") as file:
            self.numbers = np.frombuffer(mmap.mmap(file.fileno(), 16), np.int64)

    @property
    def begun(self):
        return int(self.numbers[0])

    @property
    def reported(self):
        return int(self.numbers[1])


def prepare(job):
    """Slow steps that are counted; commits after each step where `often`; a death where `fault` says."""
    run_folder.draw_curves = lambda *args, **options: None
    measuring._REPORT_SECONDS = -1.0
    if job.get("often"):
        run_folder.COMMIT_SECONDS, run_folder.COMMIT_SHARE = 0.0, 1e9
    if job["engine"] == "jax":
        sys.modules["brickwork.engines.jax_engine"]._PROGRAM = 4
    counts = Counts(Path(job["folder"] + ".count"))
    gather = ArraySource.gather

    def slow(self, rows):
        if not isinstance(rows, slice):
            counts.numbers[0] += 1
            time.sleep(PAUSE)
        return gather(self, rows)

    ArraySource.gather = slow
    if "fault" in job:
        plant(**job["fault"])
    return counts


class Written:
    """A file whose `write` is another one."""

    def __init__(self, file, write):
        self.file, self.write = file, write

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


def plant(place, number):
    """Kill the process while it writes last.safetensors for the `number`-th time, at `place`."""
    written = [0]

    def die(path):
        if Path(path).name.lstrip(".").startswith("last."):
            written[0] += 1
            if written[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)

    fsync, replace = os.fsync, os.replace

    def halves(path, mode="r"):
        file = open(path, mode)
        write = file.write

        def written_in_halves(data):
            write(data[: len(data) // 2])
            file.flush()
            die(path)
            write(data[len(data) // 2 :])

        return Written(file, written_in_halves) if mode == "wb" else file

    if place == "writing":
        files.open = halves
    elif place == "before fsync":
        files.os.fsync = lambda number: (die(os.readlink(f"/proc/self/fd/{number}")), fsync(number))
    elif place == "before rename":
        files.os.replace = lambda source, target: (die(target), replace(source, target))
    elif place == "after rename":
        files.os.replace = lambda source, target: (replace(source, target), die(target))
    else:
        raise ValueError(place)


def serve():
    if "jax" in sys.argv:
        importlib.import_module("brickwork.engines.jax_engine")
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                counts = prepare(job)
                folder, kind, engine = Path(job["folder"]), job["kind"], job["engine"]
                told = Told(5 * PAUSE if engine == "jax" else 0.0, counts)
                train(folder, kind=kind, engine=engine, more=[told])
                code = 0
            except KeyboardInterrupt:
                code = 130
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(f"ended {os.waitstatus_to_exitcode(status)}", flush=True)


# -- the tests' side --------------------------------------------------------------------------------


@dataclass
class End:
    """How a training ended: its exit code, the steps it had begun, the reports it had made."""

    code: int
    begun: int
    reported: int


class Trainings:
    """The server, as a context manager."""

    def __init__(self, *libraries, cache=None):
        self._command = [sys.executable, "-W", "ignore", __file__, *libraries]
        self._environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        if cache is not None:  # of what JAX compiles, for the processes to come
            self._environment |= {
                "JAX_COMPILATION_CACHE_DIR": str(cache),
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            }

    def __enter__(self):
        self._server = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self._environment,
        )
        return self

    def __exit__(self, *_):
        self._server.stdin.close()
        self._server.wait(timeout=60)
        self._server.stdout.close()

    def run(self, folder, kind, engine="reference", *, sign=None, after=(0, 0.0), **job):
        """One training, from its beginning or from where it was interrupted; `sign` is sent to it `after` so
        many reports and seconds."""
        counts = Counts(Path(f"{folder}.count"), new=True)
        print(
            json.dumps({"folder": str(folder), "kind": kind, "engine": engine, **job}),
            file=self._server.stdin,
        )
        self._server.stdin.flush()
        process = int(self._server.stdout.readline())
        told = self._server.stdout.readline()
        if told == "begun\n":
            if sign is not None:
                limit = time.monotonic() + 60
                while counts.reported < after[0] and time.monotonic() < limit:
                    time.sleep(0.001)
                time.sleep(after[1])
                os.kill(process, sign)  # the server waits for it: the number is not another's
            told = self._server.stdout.readline()
        return End(int(told.removeprefix("ended ")), counts.begun, counts.reported)


if __name__ == "__main__":
    sys.modules["own_trainings"] = sys.modules["__main__"]
    serve()
