"""Ctrl-C in any line of the loop, the callbacks and the reference engine: what was under way is undone.

A step or an end of an epoch that is abandoned happens again when the training goes on; callbacks that
remember something must not count it twice.
"""

import sys

import numpy as np
import pytest

import brickwork
from brickwork import Input, Sequential
from brickwork.callbacks import Callback, CSVLogger, EarlyStopping, ModelCheckpoint
from brickwork.engines import interrupts
from brickwork.inspect.curves import read_history
from brickwork.layers import Dense, Dropout
from brickwork.optimizers import Adam
from brickwork.seeds import set_random_seed
from brickwork.training import model_file, run_folder
from brickwork.training.callback import HOOKS
from brickwork.training.run_folder import RunFolder

OTHERS = ("on_train_begin", "on_train_end", "on_batch_begin", "on_batch_end", "on_progress")
COUNTED = [name for name in HOOKS if "predict" not in name and name not in OTHERS]


class Counter(Callback):
    """Counts its calls and remembers it; each of them changes the rate a little."""

    kept = ("calls",)

    def __init__(self):
        self.calls = dict.fromkeys(COUNTED, 0)

    def get_arrays(self):
        return {"calls": np.array(list(self.calls.values()))}

    def set_arrays(self, arrays):
        assert [*self.calls.values()] == [*arrays["calls"]]


class Interrupter(Callback):
    """Ctrl-C in the `number`-th call of the method `hook`."""

    def __init__(self, hook=None, number=0):
        self.hook, self.number = hook, number

    def called(self, name):
        if name == self.hook:
            self.number -= 1
            if self.number == 0:
                raise KeyboardInterrupt


def _define(name):
    def counted(self, *args, **options):
        self.calls[name] += 1
        self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) * 0.999

    def interrupting(self, *args, **options):
        self.called(name)

    setattr(Counter, name, counted)
    setattr(Interrupter, name, interrupting)


for _name in COUNTED:
    _define(_name)


class StopsInTheMidst(Callback):
    """Ends the training by a batch in the third epoch."""

    kept = ("seen",)

    def __init__(self):
        self.seen = 0

    def on_batch_end(self, batch, logs=None):
        self.seen += 1
        self.model.stop_training = self.seen == 15


def train(folder, *more, front=(), epochs=3, steps=True):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)).astype("float32")
    y = (x.sum(axis=1) > 0).astype("int64")
    last = folder / "last.safetensors"
    resume = last if last.exists() else None
    set_random_seed(9 if resume else 1)
    model = Sequential(
        [Input((3,)), Dense(5, activation="relu"), Dropout(0.3), Dense(2, activation="softmax")]
    )
    model.compile(Adam(0.01), "sparse_categorical_crossentropy", seed=5 if resume else 3)
    own = [Counter()] if steps else []
    model.fit(
        x,
        y,
        batch_size=8,
        epochs=epochs,
        validation_split=0.2,
        verbose=0,
        callbacks=[
            *front,
            EarlyStopping(patience=3, restore_best_weights=True),
            *own,
            CSVLogger(str(folder / "log.csv")),
            ModelCheckpoint(str(folder / "{epoch}.safetensors"), save_best_only=True),
            RunFolder(str(folder)),
            *more,
        ],
        resume_from=resume,
    )
    return model, own


@pytest.fixture(autouse=True)
def no_picture(monkeypatch):
    monkeypatch.setattr(run_folder, "draw_curves", lambda *args, **options: None)


def require_same(found, expected, folder, other):
    (model, own), (other_model, other_own) = found, expected
    assert [one.calls for one in own] == [one.calls for one in other_own]
    assert float(model.optimizer.learning_rate) == float(other_model.optimizer.learning_rate)
    for a, b in zip(model.get_weights(), other_model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    arrays, other_arrays = (model_file.read(place / "last.safetensors")[1] for place in (folder, other))
    assert arrays.keys() == other_arrays.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(array, other_arrays[key], err_msg=key)
    assert (folder / "log.csv").read_text() == (other / "log.csv").read_text()
    tables = [read_history(place / "history.csv") for place in (folder, other)]
    assert tables[0].pop("seconds") and tables[1].pop("seconds")
    assert tables[0] == tables[1]


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("hook", COUNTED)
def test_ctrl_c_in_a_callback(hook, place, tmp_path):
    def run(folder, interrupter):
        more = [interrupter] if place == "last" else []
        return train(folder, *more, front=[] if more else [interrupter])

    expected = run(tmp_path / "whole", Interrupter())
    number = 2 if "epoch" in hook or hook in ("on_test_begin", "on_test_end") else 4
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", Interrupter(hook, number))
    require_same(run(tmp_path / "cut", Interrupter()), expected, tmp_path / "cut", tmp_path / "whole")


@pytest.mark.parametrize("number", [14, 15, 16])
def test_ctrl_c_about_when_a_batch_ends_the_training(number, tmp_path):
    def run(folder, *interrupter):
        return train(folder, StopsInTheMidst(), *interrupter)

    expected = run(tmp_path / "whole", Interrupter())
    hook = "on_train_batch_end" if number < 16 else "on_epoch_end"
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", Interrupter(hook, number if number < 16 else 3))
    require_same(run(tmp_path / "cut", Interrupter()), expected, tmp_path / "cut", tmp_path / "whole")
    assert len((tmp_path / "cut" / "log.csv").read_text().splitlines()) == 4


# Any line.

PACKAGE = brickwork.__path__[0]
WATCHED = tuple(
    f"{PACKAGE}/{name}.py"
    for name in (
        *(f"training/{name}" for name in ("loop", "undoing", "callbacks", "callback", "run_folder")),
        *(f"training/{name}" for name in ("stopping", "checkpoints", "logs", "resuming", "saving")),
        *("engines/base", "engines/reference"),
    )
)


class Lines:
    """Counts the lines that run in the watched files, where Ctrl-C is heard; raises it at one of them."""

    def __init__(self, at=None):
        self.at = at
        self.count = 0
        self.where = None

    def __enter__(self):
        self._before = sys.gettrace()
        sys.settrace(self._called)
        return self

    def __exit__(self, *_):
        sys.settrace(self._before)

    def _called(self, frame, event, argument):
        return self._line if frame.f_code.co_filename in WATCHED else None

    def _line(self, frame, event, argument):
        if event == "line" and not interrupts._inside:
            self.count += 1
            if self.count == self.at:
                self.where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return self._line


@pytest.mark.parametrize("steps", [True, False], ids=["stepwise", "by epochs"])
def test_ctrl_c_in_any_line(steps, tmp_path, pytestconfig):
    expected = train(tmp_path / "whole", epochs=2, steps=steps)
    with Lines() as lines:
        train(tmp_path / "counted", epochs=2, steps=steps)
    assert lines.count > 1000
    moments = 1000 if pytestconfig.getoption("--full") else 30
    rng = np.random.default_rng(4)
    for number in rng.choice(lines.count, min(moments, lines.count), replace=False).tolist():
        cut = tmp_path / f"cut{number}"
        with Lines(number + 1) as stopped:
            try:
                train(cut, epochs=2, steps=steps)
            except KeyboardInterrupt:
                pass
        assert stopped.where is not None
        try:
            require_same(train(cut, epochs=2, steps=steps), expected, cut, tmp_path / "whole")
        except BaseException as error:
            error.add_note(f"after Ctrl-C in {stopped.where}, the {number + 1}th line")
            raise
