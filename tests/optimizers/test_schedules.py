"""Learning rates that follow the step."""

from __future__ import annotations

import pytest

from brickwork.errors import ParameterError, ParameterTypeError
from brickwork.optimizers import SGD, RMSprop, schedules
from brickwork.optimizers.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    GrowingMomentum,
    InverseTimeDecay,
    LearningRateSchedule,
    LinearDecay,
    OneCycle,
    OneCycleMomentum,
    PiecewiseConstantDecay,
    PolynomialDecay,
)


def test_exponential_decay():
    schedule = ExponentialDecay(0.8, decay_steps=2, decay_rate=0.25)
    assert [schedule(step) for step in range(5)] == pytest.approx([0.8, 0.4, 0.2, 0.1, 0.05])


def test_staircase():
    schedule = ExponentialDecay(0.8, decay_steps=2, decay_rate=0.25, staircase=True)
    assert [schedule(step) for step in range(5)] == pytest.approx([0.8, 0.8, 0.2, 0.2, 0.05])


def test_cosine_decay():
    schedule = CosineDecay(0.1, decay_steps=100)
    rates = [schedule(step) for step in (0, 25, 50, 100, 101)]
    assert rates == pytest.approx([0.1, 0.1 * (2 + 2**0.5) / 4, 0.05, 0.0, 0.0], abs=1e-12)


def test_cosine_decay_with_warm_up_is_that_of_keras():
    schedule = CosineDecay(0.1, 100, alpha=0.1, warmup_target=0.5, warmup_steps=10)
    found = [schedule(step) for step in (0, 5, 9, 10, 11, 60, 109, 110, 200)]
    keras = [0.1, 0.3, 0.46, 0.5, 0.499889, 0.275, 0.050111, 0.05, 0.05]  # Keras 3.15.1, rounded
    assert found == pytest.approx(keras, abs=1e-6)


def test_configuration_has_keras_names():
    assert ExponentialDecay(0.8, 2, 0.25).get_config() == {
        "initial_learning_rate": 0.8,
        "decay_steps": 2,
        "decay_rate": 0.25,
        "staircase": False,
        "name": "ExponentialDecay",
    }


def test_names_what_is_missing():
    with pytest.raises(
        ParameterTypeError, match="ExponentialDecay needs `decay_rate`; it received nothing for it"
    ):
        ExponentialDecay(0.1, 10)


def test_a_schedule_of_the_users_own():
    class Halves(LearningRateSchedule):
        def __call__(self, step):
            return 0.5**step

    assert SGD(Halves()).rates(0, 3).tolist() == [1, 0.5, 0.25]


NEEDED = {
    CosineDecayRestarts: {"initial_learning_rate": 1, "first_decay_steps": 2},
    GrowingMomentum: {},
    InverseTimeDecay: {"initial_learning_rate": 1, "decay_steps": 2, "decay_rate": 0.5},
    LinearDecay: {"initial_learning_rate": 1, "decay_steps": 2},
    OneCycle: {"max_learning_rate": 1, "total_steps": 5},
    OneCycleMomentum: {"total_steps": 5},
    PiecewiseConstantDecay: {"boundaries": [1], "values": [1, 2]},
    PolynomialDecay: {"initial_learning_rate": 1, "decay_steps": 2},
}


@pytest.mark.parametrize("cls", NEEDED)
def test_every_schedule_goes_there_and_back(cls):
    made = cls(**NEEDED[cls])
    again = schedules.deserialize(schedules.serialize(made))
    assert type(again) is cls
    assert again.get_config() == made.get_config()
    assert [again(step) for step in range(9)] == [made(step) for step in range(9)]


def test_linear_decay_is_that_of_the_textbook():
    """(1 - a) eta_0 + a eta_tau, a = k / tau; then constant."""
    schedule = LinearDecay(0.5, decay_steps=4, end_learning_rate=0.1)
    assert [schedule(k) for k in (0, 1, 2, 4, 5, 100)] == pytest.approx([0.5, 0.4, 0.3, 0.1, 0.1, 0.1])
    assert LinearDecay(0.5, 4)(4) == pytest.approx(0.005)


def test_restarts_stand_where_the_periods_end():
    schedule = CosineDecayRestarts(1.0, 10, t_mul=2.0, m_mul=0.5)
    assert [schedule(step) for step in (0, 10, 30, 70)] == pytest.approx([1.0, 0.5, 0.25, 0.125])
    assert [schedule(step) for step in (5, 20, 50)] == pytest.approx([0.5, 0.25, 0.125])
    assert schedule(9) < 0.03 and schedule(29) < 0.01


def test_momentum_grows_from_a_half_to_nearly_one():
    schedule = GrowingMomentum()
    steps = range(0, 13_000, 50)
    momenta = [schedule(step) for step in steps]
    assert momenta[0] == 0.5 and momenta[-1] == 0.99
    assert momenta == sorted(momenta)
    # Sutskever's formula: 1 - 2^(-1 - log2(floor(t / 250) + 1)), at most 0.99.
    from math import log2

    assert momenta == pytest.approx([min(1 - 2 ** (-1 - log2(t // 250 + 1)), 0.99) for t in steps])


def test_a_cycle_whose_first_phase_is_shorter_than_a_step():
    assert [OneCycle(1.0, 3, pct_start=0.2)(step) for step in (0, 2, 9)] == pytest.approx([1.0, 4e-6, 4e-6])


@pytest.mark.parametrize("cls", [OneCycle, OneCycleMomentum])
def test_three_phases_need_half_of_the_steps(cls):
    with pytest.raises(ParameterError, match=r"`pct_start` must be in \(0, 0.5\].*got pct_start=0.6"):
        cls(**NEEDED[cls], pct_start=0.6, three_phase=True)


@pytest.mark.parametrize(
    "boundaries, values, message",
    [
        ([], [1], "`boundaries` must be increasing numbers, at least one"),
        ([3, 3], [1, 2, 3], "`boundaries` must be increasing numbers"),
        ([3, 5], [1, 2], "`values` must be one more than the 2 boundaries; got .* 2 of them"),
    ],
)
def test_boundaries_and_values_must_fit(boundaries, values, message):
    with pytest.raises(ParameterError, match=message):
        PiecewiseConstantDecay(boundaries, values)


@pytest.mark.parametrize("cls", [SGD, RMSprop])
def test_momentum_takes_a_schedule(cls):
    optimizer = cls(momentum=GrowingMomentum(growth_steps=2))
    assert "momentum" in optimizer.slot_names
    assert optimizer.settings(0) == {"momentum": 0.5}
    assert optimizer.all_settings(1, 3)["momentum"].tolist() == [0.5, 0.75, 0.75]
    again = type(optimizer).from_config(optimizer.get_config())
    assert again.settings(2) == {"momentum": 0.75}
    assert cls(momentum=lambda step: 0.25).settings(7) == {"momentum": 0.25}
    with pytest.raises(ParameterTypeError, match=f"{cls.__name__}: `momentum` must stay a schedule"):
        optimizer.momentum = 0.5
    with pytest.raises(ParameterError, match=r"a schedule must give in \[0, 1\]; .* gave 1.5 at step 3"):
        cls(momentum=lambda step: 1.5).settings(3)


def test_a_growing_momentum_by_hand():
    """m: -0.2, then 0.75 * -0.2 - 0.4 = -0.55."""
    import numpy as np

    optimizer = SGD(0.1, momentum=GrowingMomentum(growth_steps=1))
    params = {"w": np.array(1.0)}
    slots = optimizer.slots(params)
    for t, g in enumerate([2.0, 4.0], 1):
        params, slots = optimizer.update(params, {"w": np.array(g)}, slots, t, 0.1)
    assert float(params["w"]) == pytest.approx(1 - 0.2 - 0.55)
