"""SwapEMAWeights: validations see the running means, training goes on with the weights."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.callbacks import Callback, SwapEMAWeights
from brickwork.engines.native_module import load_native
from brickwork.errors import ParameterError
from brickwork.optimizers import SGD, Adam
from brickwork.training.run_folder import RunFolder
from training.small_models import classifier, digits, same

ENGINES = ["reference", "jax", *(["native"] if load_native() else [])]


def averaged(engine):
    if engine == "jax":
        pytest.importorskip("jax")
    return classifier(optimizer=SGD(0.3, use_ema=True, ema_momentum=0.5), engine=engine)


def trained(engine, rows, *callbacks, epochs=3, **more):
    model = averaged(engine)
    history = model.fit(
        *rows,
        batch_size=5,
        epochs=epochs,
        shuffle=False,
        validation_data=rows,
        verbose=0,
        callbacks=callbacks,
        **more,
    )
    return model, history.history


@pytest.mark.parametrize("engine", ENGINES)
def test_validation_sees_the_means_and_training_the_weights(engine, rng):
    """An epoch's means are the weights with which a training of so many epochs ends."""
    rows = digits(rng)
    model, history = trained(engine, rows, SwapEMAWeights())
    plain, unswapped = trained(engine, rows)
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert history["loss"] == unswapped["loss"]
    assert history["val_loss"] != unswapped["val_loss"]
    for epochs in (1, 2, 3):
        ended, _ = trained(engine, rows, epochs=epochs)
        assert ended.evaluate(*rows, verbose=0) == pytest.approx(history["val_loss"][epochs - 1], rel=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_callbacks_behind_it_meet_the_means(engine, rng):
    rows, seen = digits(rng), []

    class See(Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.get_weights())

    model, history = trained(engine, rows, SwapEMAWeights(swap_on_epoch=True), See())
    plain, unswapped = trained(engine, rows)
    assert history["loss"] == unswapped["loss"]
    for epochs in (1, 3):
        ended, _ = trained(engine, rows, epochs=epochs)
        for one, other in zip(seen[epochs - 1], ended.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6)
    assert same(model, plain)


def test_an_evaluation_by_itself(rng):
    rows = digits(rng)
    model, _ = trained(None, rows)
    before = model.get_weights()
    alone = model.evaluate(*rows, verbose=0)
    assert model.evaluate(*rows, verbose=0, callbacks=[SwapEMAWeights()]) == pytest.approx(alone)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_training_that_is_resumed_finds_the_weights(engine, rng, tmp_path):
    """The file of an epoch's end holds the means in their places, and the weights beside them."""
    rows = digits(rng)

    def fit(folder, epochs, resume=None):
        model = averaged(engine)
        swap, folder = SwapEMAWeights(swap_on_epoch=True), RunFolder(str(folder), monitor="loss")
        model.fit(*rows, batch_size=5, epochs=epochs, verbose=0, callbacks=[swap, folder], resume_from=resume)
        return model

    through = fit(tmp_path / "whole", 4)
    fit(tmp_path / "part", 2)
    assert same(fit(tmp_path / "part", 4, tmp_path / "part" / "last.safetensors"), through)


def test_an_optimizer_without_means_is_told(rng):
    x, y = digits(rng)
    model = classifier(optimizer=Adam(0.01))
    with pytest.raises(
        ParameterError, match=r"SwapEMAWeights needs an optimizer .* Compile with use_ema=True"
    ):
        model.fit(x, y, validation_split=0.5, verbose=0, callbacks=[SwapEMAWeights()])
