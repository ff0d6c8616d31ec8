"""`model.plan` shows what the native engine does."""

from __future__ import annotations

import numpy as np
import pytest

import brickwork as bw
from brickwork import layers
from brickwork.engines.native_module import load_native
from brickwork.errors import NotFittedError, ParameterError

native = pytest.mark.skipif(load_native() is None, reason="the native module is not built")


def network(**compiled):
    model = bw.Sequential(
        [
            bw.Input((20,)),
            layers.Dense(17, activation="relu", name="hidden"),
            layers.Dropout(0.2, name="thinned"),
            layers.Dense(3, name="scores"),
        ]
    )
    if compiled:
        loss = bw.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, **compiled)
    return model


def lines(text, operation):
    return [line.split() for line in text.splitlines() if line.startswith(operation + " ")]


@native
def test_a_training_step(monkeypatch):
    monkeypatch.setenv("BRICKWORK_NUM_THREADS", "2")
    text = network(engine="native").plan(batch_size=40)
    assert text.startswith("A training step on 40 rows, 2 threads\n")
    forward, to_scores, *_ = lines(text, "matmul")
    assert forward[1:8] == "hidden Linear + Bias + ReLU 20 17".split()[:7] and forward[-1] == "13,600"
    assert to_scores[1] == "scores"
    assert [words[1] for words in lines(text, "matmul_gradient")] == ["scores", "hidden"]
    # 20*17 + 17*3 forward and for the gradients of the kernels, 17*3 for that of the hidden values.
    assert f"{40 * (2 * (20 * 17 + 17 * 3) + 17 * 3):,}" in text
    phases = [line for line in text.splitlines() if line.startswith("-- phase")]
    assert len(phases) > 1 and "40 rows at a time" in phases[0]
    assert all(len(line) <= len(phases[0]) for line in text.splitlines()[2:-1])


@native
def test_a_prediction_needs_no_gradient():
    for text in (network().plan(1), network(engine="native").plan(1, training=False)):
        assert text.startswith("A prediction on 1 row, ")
        assert "gradient" not in text and "dropout" not in text.split("Buffers")[0]


@native
def test_what_is_computed_in_python_is_told():
    class Doubled(bw.bricks.Identity):
        def forward(self, params, x, *, ctx):
            return x * 2, ()

    x = bw.Input((4,))
    text = bw.Model(x, Doubled()(x)).plan(2)
    assert "in Python, on the whole batch" in text and "Computed in Python: Doubled (" in text


def test_other_engines_have_no_plan():
    with pytest.raises(
        ParameterError, match=r"^A plan is what the native engine makes of a network; .*'native'"
    ):
        network(engine="reference").plan()
    with pytest.raises(ParameterError, match="batch_size"):
        network(engine="reference").plan(0)
    with pytest.raises(NotFittedError, match="must be compiled"):
        network().plan(training=True)


@native
def test_planning_changes_nothing():
    model = network(engine="native", seed=1)
    before = [weight.copy() for weight in model.get_weights()]
    model.plan(7)
    assert all(np.array_equal(one, other) for one, other in zip(before, model.get_weights(), strict=True))
