"""Optimizers step by step against PyTorch's, in float64; epsilon so small that its place does not matter."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Nadam, RMSprop, schedules

TINY = 1e-24
"""Epsilon under the root of ours, whose root stands beside that of PyTorch's."""

CASES = {
    "sgd": (SGD(0.1), "SGD", {}),
    "momentum": (SGD(0.1, momentum=0.9), "SGD", {"momentum": 0.9}),
    "nesterov": (SGD(0.1, momentum=0.9, nesterov=True), "SGD", {"momentum": 0.9, "nesterov": True}),
    "adam": (Adam(0.1, epsilon=TINY), "Adam", {"eps": TINY}),
    "amsgrad": (
        Adam(0.1, 0.8, 0.9, epsilon=TINY, amsgrad=True),
        "Adam",
        {"betas": (0.8, 0.9), "eps": TINY, "amsgrad": True},
    ),
    "adamw": (AdamW(0.1, 0.3, epsilon=TINY), "AdamW", {"weight_decay": 0.3, "eps": TINY}),
    "adamax": (Adamax(0.1, epsilon=TINY), "Adamax", {"eps": TINY}),
    "nadam": (Nadam(0.1, epsilon=TINY), "NAdam", {"eps": TINY, "momentum_decay": 1.0}),
    "adagrad": (
        Adagrad(0.1, initial_accumulator_value=0.2, epsilon=TINY),
        "Adagrad",
        {"initial_accumulator_value": 0.2, "eps": TINY},
    ),
    "adadelta": (Adadelta(0.1, rho=0.8, epsilon=1e-3), "Adadelta", {"rho": 0.8, "eps": 1e-3}),
    "rmsprop": (RMSprop(0.1, rho=0.8, epsilon=TINY), "RMSprop", {"alpha": 0.8, "eps": 1e-12}),
    "rmsprop centered": (
        RMSprop(0.1, rho=0.8, momentum=0.5, centered=True, epsilon=TINY),
        "RMSprop",
        {"alpha": 0.8, "momentum": 0.5, "centered": True, "eps": 1e-12},
    ),
}


@pytest.mark.parametrize("ours, name, config", CASES.values(), ids=CASES)
def test_twenty_steps(ours, name, config, rng):
    """PyTorch holds Nadam's product of momenta in float32."""
    torch = pytest.importorskip("torch")
    shapes = {"W": (4, 3), "b": (3,)}
    params = {key: rng.normal(size=shape) for key, shape in shapes.items()}
    variables = [torch.tensor(w, requires_grad=True) for w in params.values()]
    theirs = getattr(torch.optim, name)(variables, lr=0.1, **config)
    slots = ours.slots(params)
    for t in range(1, 21):
        grads = {key: rng.normal(size=shape) for key, shape in shapes.items()}
        for variable, g in zip(variables, grads.values(), strict=True):
            variable.grad = torch.tensor(g)
        theirs.step()
        params, slots = ours.update(params, grads, slots, t, 0.1)
        for variable, w in zip(variables, params.values(), strict=True):
            np.testing.assert_allclose(w, variable.detach().numpy(), rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("clip", ["value", "norm"])
def test_clips(clip, rng):
    torch = pytest.importorskip("torch")
    grads = {key: rng.normal(size=shape) for key, shape in {"W": (4, 3), "b": (3,)}.items()}
    variables = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in grads.values()]
    for variable, g in zip(variables, grads.values(), strict=True):
        variable.grad = torch.tensor(g)
    if clip == "value":
        torch.nn.utils.clip_grad_value_(variables, 0.3)
        ours = SGD(clipvalue=0.3).clip(grads)
    else:
        torch.nn.utils.clip_grad_norm_(variables, 0.3)
        ours = SGD(global_clipnorm=0.3).clip(grads)
    for variable, g in zip(variables, ours.values(), strict=True):
        np.testing.assert_allclose(g, variable.grad.numpy(), rtol=1e-5)  # PyTorch adds 1e-6 to the norm


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"pct_start": 0.4, "anneal_strategy": "linear"},
        {"three_phase": True},
        {"pct_start": 0.45, "three_phase": True, "div_factor": 10.0, "final_div_factor": 100.0},
    ],
    ids=str,
)
def test_one_cycle(config):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2.0, total_steps=53, **config)
    rate = schedules.OneCycle(2.0, 53, **config)
    momentum = schedules.OneCycleMomentum(
        53, **{name: value for name, value in config.items() if "div" not in name}
    )
    for step in range(53):
        (group,) = optimizer.param_groups
        assert rate(step) == pytest.approx(group["lr"], rel=1e-12)
        assert momentum(step) == pytest.approx(group["momentum"], rel=1e-12)
        optimizer.step()
        if step < 52:
            theirs.step()
