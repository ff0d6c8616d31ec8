"""Updates: formulas by hand, purity, types, agreement of NumPy with jit, messages."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brickwork import optimizers
from brickwork.errors import ParameterError, ParameterTypeError
from brickwork.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lion,
    Nadam,
    Optimizer,
    RMSprop,
    schedules,
)
from brickwork.optimizers.settings import one_minus_power

VARIANTS = [
    SGD(0.1),
    SGD(0.1, momentum=0.9),
    SGD(0.1, 0.9, nesterov=True),
    SGD(0.1, 0.9, weight_decay=0.01),
    SGD(0.1, clipnorm=0.5),
    SGD(0.1, clipvalue=0.1),
    SGD(0.1, 0.9, global_clipnorm=1.0),
    Adam(0.01),
    Adam(0.01, amsgrad=True),
    Adam(0.01, beta_1=0.0, beta_2=0.0),
    Adam(0.01, weight_decay=0.1, global_clipnorm=1.0),
    AdamW(0.01),
    Adamax(0.01),
    Nadam(0.01),
    Nadam(0.01, beta_1=0.0),
    Adagrad(0.01),
    Adadelta(1.0, epsilon=1e-3),
    RMSprop(0.01),
    RMSprop(0.01, momentum=0.5, centered=True),
    RMSprop(0.01, momentum=schedules.GrowingMomentum(growth_steps=2)),
    Lion(0.01),
    optimizers.Lamb(0.01),
    Ftrl(0.01),
    Ftrl(0.01, learning_rate_power=-0.7, l1_regularization_strength=0.01, beta=0.1),
    SGD(0.1, momentum=schedules.GrowingMomentum(final_momentum=0.9, growth_steps=2), nesterov=True),
    SGD(0.1, use_ema=True, ema_momentum=0.9),
    SGD(0.1, 0.9, weight_decay=0.1, gradient_accumulation_steps=2),
    Adam(0.1, global_clipnorm=0.5, use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=3),
    Adam(0.01, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3),
]
ALL = (SGD, RMSprop, Adam, AdamW, Adadelta, Adagrad, Adamax, Nadam, Ftrl, Lion)
EACH = pytest.mark.parametrize("optimizer", VARIANTS, ids=repr)


def arrays(rng, dtype=np.float32):
    shapes = {"dense/linear/W": (4, 3), "dense/bias/b": (3,), "scale/gamma": ()}
    made = {key: np.asarray(rng.normal(size=shape), dtype) for key, shape in shapes.items()}
    for array in made.values():
        array.flags.writeable = False
    return made


def train(optimizer, w, grads, lr):
    """One number through several steps."""
    params, slots = {"w": np.array(w)}, optimizer.slots({"w": np.array(w)})
    for t, g in enumerate(grads, 1):
        params, slots = optimizer.update(params, {"w": np.array(g)}, slots, t, lr)
    return float(params["w"])


# Formulas.


def test_sgd_by_hand():
    assert train(SGD(), 1.0, [2.0, 4.0], lr=0.1) == pytest.approx(1 - 0.2 - 0.4)


def test_momentum_by_hand():
    # m: -0.2, then 0.9 * -0.2 - 0.4 = -0.58.
    assert train(SGD(momentum=0.9), 1.0, [2.0, 4.0], lr=0.1) == pytest.approx(1 - 0.2 - 0.58)


def test_nesterov_by_hand():
    # First step 0.9 * -0.2 - 0.2 = -0.38; second 0.9 * -0.58 - 0.4 = -0.922.
    assert train(SGD(momentum=0.9, nesterov=True), 1.0, [2.0, 4.0], lr=0.1) == pytest.approx(1 - 0.38 - 0.922)


def test_adam_by_hand():
    w, m, v = 1.0, 0.0, 0.0
    for t, g in enumerate([2.0, -1.0, 0.5], 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        alpha = 0.1 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w -= alpha * m / (math.sqrt(v) + 1e-7)
    assert train(Adam(), 1.0, [2.0, -1.0, 0.5], lr=0.1) == pytest.approx(w, rel=1e-12)


def test_amsgrad_keeps_the_largest_second_moment():
    optimizer = Adam(amsgrad=True)
    params = {"w": np.array([1.0])}
    slots = optimizer.slots(params)
    for t, g in enumerate([3.0, 0.0, 0.0], 1):
        params, slots = optimizer.update(params, {"w": np.array([g])}, slots, t, 0.1)
    assert slots["velocity_hat"]["w"].item() == pytest.approx(0.009)
    assert slots["velocity"]["w"].item() == pytest.approx(0.009 * 0.999**2)


def test_weight_decay_shrinks_before_the_step():
    assert train(SGD(weight_decay=0.5), 2.0, [1.0], lr=0.1) == pytest.approx(2.0 - 0.1 * 0.5 * 2.0 - 0.1)
    assert train(Adam(weight_decay=0.5), 2.0, [0.0], lr=0.1) == pytest.approx(2.0 - 0.1 * 0.5 * 2.0)


def clipped(optimizer, *grads):
    made = optimizer.clip({str(i): np.array(g, np.float32) for i, g in enumerate(grads)})
    return [g.tolist() for g in made.values()]


def test_clipvalue():
    assert clipped(SGD(clipvalue=1.0), [3.0, -4.0, 0.5]) == [[1, -1, 0.5]]


def test_clipnorm_is_one_bound_per_parameter():
    short, long, none = clipped(SGD(clipnorm=1.0), [0.3, 0.4], [3.0, 4.0], [0.0, 0.0])
    assert short == pytest.approx([0.3, 0.4])
    assert long == pytest.approx([0.6, 0.8])
    assert none == [0, 0]


def test_global_clipnorm_is_one_bound_for_all():
    first, second = clipped(SGD(global_clipnorm=1.0), [3.0, 0.0], [0.0, 4.0])
    assert first == pytest.approx([0.6, 0])
    assert second == pytest.approx([0, 0.8])
    assert clipped(SGD(global_clipnorm=1.0), [0.3], [0.4])[0] == pytest.approx([0.3])


@pytest.mark.parametrize("bound", ["clipnorm", "global_clipnorm"])
def test_an_infinite_gradient_is_not_hidden_by_the_clip(bound):
    with np.errstate(invalid="ignore"):
        (g,) = clipped(SGD(**{bound: 1.0}), [np.inf, 1.0])
    assert np.isnan(g).all()


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999])
def test_one_minus_power_is_right_in_float32(beta):
    for t in (1, 2, 1000):
        exact = 1 - beta**t
        assert one_minus_power(beta, float(t)) == pytest.approx(exact, rel=1e-12)
        traced = jax.jit(lambda t: one_minus_power(beta, t) * jnp.float32(1))(jnp.float32(t))
        assert float(traced) == pytest.approx(exact, rel=5e-7)


# Arrays.


@EACH
def test_numpy_agrees_with_jit(optimizer, rng):
    params = other = arrays(rng)
    slots = other_slots = optimizer.slots(params)
    traced = jax.jit(optimizer.update)
    for t in range(1, 6):
        grads = arrays(rng)
        params, slots = optimizer.update(params, grads, slots, t, 0.05 / t)
        settings = {name: np.float32(value) for name, value in optimizer.settings(t - 1).items()}
        other, other_slots = traced(other, grads, other_slots, np.int32(t), np.float32(0.05 / t), settings)
    for key in params:
        np.testing.assert_allclose(params[key], other[key], rtol=2e-5, atol=1e-6)
        for slot in slots:
            np.testing.assert_allclose(slots[slot][key], other_slots[slot][key], rtol=2e-5, atol=1e-6)


@EACH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_stay_and_nothing_given_is_changed(optimizer, dtype, rng):
    """`arrays` are read-only: writing into one of them raises."""
    params, grads = arrays(rng, dtype), arrays(rng, dtype)
    slots = optimizer.slots(params)
    for kept in slots.values():
        for array in kept.values():
            array.flags.writeable = False
    before = {key: w.copy() for key, w in params.items()}
    t = np.int64(optimizer.gradient_accumulation_steps or 1)
    new, new_slots = optimizer.update(params, grads, slots, t, np.float64(0.1))
    for key, w in params.items():
        assert (w == before[key]).all()
        assert isinstance(new[key], np.ndarray)
        assert (new[key].dtype, new[key].shape) == (dtype, w.shape)
        for array in (kept[key] for kept in new_slots.values()):
            assert isinstance(array, np.ndarray)
            assert (array.dtype, array.shape) == (dtype, w.shape)
    for slot, again in optimizer.slots(params).items():
        assert all((slots[slot][key] == array).all() for key, array in again.items())


@EACH
def test_a_wider_traced_rate_widens_nothing(optimizer, rng):
    with jax.enable_x64(True):
        params = {key: jnp.asarray(w) for key, w in arrays(rng).items()}
        new, slots = jax.jit(optimizer.update)(
            params,
            params,
            optimizer.slots(params),
            jnp.asarray(1),
            jnp.float64(0.1),
            {name: jnp.float64(value) for name, value in optimizer.settings(0).items()},
        )
        made = jax.tree_util.tree_leaves((new, slots))
    assert {str(array.dtype) for array in made} == {"float32"}


@EACH
def test_parameters_without_a_gradient_stay(optimizer, rng):
    params, grads = arrays(rng), arrays(rng)
    slots = optimizer.slots(params)
    grads["dense/bias/b"] = None
    del grads["scale/gamma"]
    new, _ = optimizer.update(params, grads, slots, optimizer.gradient_accumulation_steps or 1, 0.1)
    assert new["dense/bias/b"] is params["dense/bias/b"]
    assert new["scale/gamma"] is params["scale/gamma"]
    assert (new["dense/linear/W"] != params["dense/linear/W"]).all()
    assert list(new) == list(params)


def test_gradients_are_summed_up_by_hand():
    """Two steps with the means of 2 and 4, and of 1 and 5: 3 and 3; the fifth gradient waits."""
    optimizer = SGD(momentum=0.5, gradient_accumulation_steps=2)
    assert train(optimizer, 1.0, [2.0], lr=0.1) == 1.0
    assert train(optimizer, 1.0, [2.0, 4.0], lr=0.1) == pytest.approx(1.0 - 0.3)
    assert train(optimizer, 1.0, [2.0, 4.0, 1.0, 5.0, 9.0], lr=0.1) == pytest.approx(1.0 - 0.3 - 0.15 - 0.3)
    with pytest.raises(ParameterError, match=r"`gradient_accumulation_steps` must be None or .* at least 2"):
        SGD(gradient_accumulation_steps=1)
    with pytest.raises(ParameterError, match="LBFGS: `gradient_accumulation_steps` must be left out"):
        optimizers.LBFGS(gradient_accumulation_steps=2)


def test_slots_have_keras_names(rng):
    params = arrays(rng)
    assert SGD().slots(params) == {}
    assert list(SGD(momentum=0.9).slots(params)) == ["momentum"]
    assert list(Adam().slots(params)) == ["momentum", "velocity"]
    assert list(Adam(amsgrad=True).slots(params)) == ["momentum", "velocity", "velocity_hat"]
    assert Adam().slots(params)["velocity"]["dense/linear/W"].shape == (4, 3)


def test_a_gradient_of_nothing_is_named(rng):
    with pytest.raises(
        ParameterError, match="one of 'dense/linear/W', .*; got a gradient of 'dense/linear/w'. Did"
    ):
        SGD().update(arrays(rng), {"dense/linear/w": np.ones(3)}, {}, 1, 0.1)


def test_missing_slots_are_named(rng):
    params = arrays(rng)
    with pytest.raises(
        ParameterError, match=r"'momentum' of every parameter; .* Start from Adam.slots\(params\)"
    ):
        Adam().update(params, params, {}, 1, 0.1)


# The learning rate.


def test_defaults_are_keras_ones():
    assert SGD().get_config() == {
        "learning_rate": 0.01,
        "momentum": 0.0,
        "nesterov": False,
        "weight_decay": None,
        "clipnorm": None,
        "clipvalue": None,
        "global_clipnorm": None,
        "use_ema": False,
        "ema_momentum": 0.99,
        "ema_overwrite_frequency": None,
        "gradient_accumulation_steps": None,
        "name": "sgd",
    }
    adam = Adam().get_config()
    assert [adam[key] for key in ("learning_rate", "beta_1", "beta_2", "epsilon", "amsgrad", "name")] == [
        0.001,
        0.9,
        0.999,
        1e-7,
        False,
        "adam",
    ]
    assert Adam(name=None).name == "adam"


def test_rates_of_a_number():
    rates = SGD(0.3).rates(5, 3)
    assert rates.tolist() == [0.3] * 3
    assert rates.dtype == np.float64


def test_rates_of_a_schedule_start_at_the_first_step():
    optimizer = SGD(schedules.ExponentialDecay(1.0, 1, 0.5))
    assert optimizer.rates(0, 3).tolist() == [1, 0.5, 0.25]
    assert optimizer.rates(2, 2).tolist() == [0.25, 0.125]
    assert optimizer.rate(3) == 0.125


def test_rates_of_a_function():
    assert Adam(lambda step: 1 / (step + 1)).rates(0, 2).tolist() == [1, 0.5]


def test_the_rate_can_be_set_during_training():
    optimizer = SGD(0.1)
    optimizer.learning_rate = np.float32(0.5)
    assert optimizer.rates(0, 1).tolist() == [0.5]
    optimizer.learning_rate = 0
    assert optimizer.rate(9) == 0.0
    optimizer.learning_rate = lambda step: 0.25
    assert optimizer.rate(9) == 0.25


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1])
def test_refuses_a_rate_outside_its_range(value):
    optimizer = Adam()
    message = (
        rf"Adam: `learning_rate` must be a finite number of at least 0, or a schedule .*; got .*={value}\."
    )
    with pytest.raises(ParameterError, match=message):
        optimizer.learning_rate = value
    assert optimizer.learning_rate == 0.001
    with pytest.raises(ParameterError, match=message):
        Adam(value)


def test_refuses_a_rate_that_is_no_number():
    with pytest.raises(
        ParameterTypeError, match="`learning_rate` must be .*; got learning_rate='fast' of type str"
    ):
        SGD("fast")
    with pytest.raises(ParameterTypeError, match="of type type"):
        SGD(schedules.ExponentialDecay)


def test_a_schedule_is_not_overwritten_by_a_number():
    optimizer = SGD(schedules.ExponentialDecay(0.1, 10, 0.5))
    with pytest.raises(
        ParameterTypeError, match="must stay a schedule, since it is ExponentialDecay.*=0.5. Make the"
    ):
        optimizer.learning_rate = 0.5
    optimizer.learning_rate = schedules.ExponentialDecay(0.2, 10, 0.5)
    assert optimizer.rate(0) == 0.2


@pytest.mark.parametrize("value", [math.nan, -1.0])
def test_names_the_step_at_which_a_schedule_goes_wrong(value):
    optimizer = SGD(lambda step: value if step == 3 else 0.1)
    with pytest.raises(
        ParameterError, match=rf"finite numbers of at least 0; <function .* gave {value} at step 3"
    ):
        optimizer.rates(2, 4)


# Names, configurations, arguments.


@EACH
def test_configuration_goes_there_and_back(optimizer):
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()


def test_a_schedule_goes_there_and_back():
    config = optimizers.serialize(Adam(schedules.ExponentialDecay(0.1, 10, 0.5)))
    assert config["config"]["learning_rate"]["class_name"] == "ExponentialDecay"
    assert optimizers.get(config).rate(10) == pytest.approx(0.05)


def test_a_function_cannot_be_saved():
    with pytest.raises(
        ParameterTypeError, match="only schedules that are classes can be saved; got the function"
    ):
        optimizers.serialize(SGD(lambda step: 0.1))


def test_at_most_one_clip():
    with pytest.raises(
        ParameterError, match="at most one of .*; got clipnorm=1.0 and clipvalue=2.0. Keep one"
    ):
        SGD(clipnorm=1, clipvalue=2)


def test_arguments_that_keras_has_and_brickwork_not():
    with pytest.raises(
        ParameterTypeError,
        match="SGD takes the arguments 'learning_rate', .* it received `loss_scale_factor`",
    ):
        SGD(loss_scale_factor=2.0)


def test_the_earlier_name_of_the_rate():
    with pytest.raises(
        ParameterTypeError, match="`lr` is a name of an earlier Keras; today it is `learning_rate`"
    ):
        Adam(lr=0.1)


def test_an_optimizer_of_the_users_own(rng):
    from brickwork.arguments import configured

    @configured()
    class SignDescent(Optimizer):
        def step(self, w, g, slots, t, lr):
            return w - lr * np.sign(g), {}

    optimizer = SignDescent()
    assert optimizer.name == "signdescent"
    assert train(optimizer, 1.0, [5.0, 5.0], 0.1) == pytest.approx(0.8)
    config = optimizers.serialize(optimizer)
    assert type(optimizers.deserialize(config, {"SignDescent": SignDescent})) is SignDescent


@EACH
def test_goes_downhill(optimizer):
    """E = w.A w / 2 falls to a small part of its first value."""
    A = np.diag([1.0, 10.0])
    params = {"w": np.array([1.0, 1.0])}
    slots = optimizer.slots(params)
    rate = {Adagrad: 1.0, Adadelta: 0.3, Ftrl: 1.0}.get(type(optimizer), 0.02)
    for t in range(1, 601):
        params, slots = optimizer.update(params, {"w": A @ params["w"]}, slots, t, rate)
    assert params["w"] @ A @ params["w"] < 0.05 * 11
