"""Optimizers of every kind, as tests on all engines take them."""

from __future__ import annotations

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
    RMSprop,
)
from brickwork.optimizers.schedules import GrowingMomentum, OneCycleMomentum


def without_biases(optimizer):
    """With decay for all but the biases."""
    optimizer.exclude_from_weight_decay(var_names=["bias", "^b$"])
    return optimizer


NATIVE = {
    "sgd": lambda: SGD(0.05, weight_decay=0.1),
    "momentum": lambda: SGD(0.05, momentum=0.9),
    "nesterov": lambda: SGD(0.05, momentum=0.9, nesterov=True, clipvalue=0.05),
    "growing momentum": lambda: SGD(0.05, momentum=GrowingMomentum(growth_steps=2)),
    "cycle of momentum": lambda: SGD(0.05, momentum=OneCycleMomentum(9), nesterov=True),
    "adam": lambda: Adam(0.01, epsilon=1e-3),
    "amsgrad": lambda: Adam(0.01, epsilon=1e-3, amsgrad=True, use_ema=True, ema_momentum=0.5),
    "adamw": lambda: without_biases(AdamW(0.01, weight_decay=0.3, epsilon=1e-3)),
    "adamax": lambda: Adamax(0.01, epsilon=1e-3),
    "nadam": lambda: Nadam(0.01, epsilon=1e-3),
    "adagrad": lambda: Adagrad(0.05),
    "adadelta": lambda: Adadelta(1.0, epsilon=1e-3),
    "rmsprop": lambda: RMSprop(0.01, epsilon=1e-3),
    "rmsprop with momentum": lambda: RMSprop(0.01, momentum=0.5, epsilon=1e-3),
    "rmsprop centered": lambda: RMSprop(0.01, centered=True, epsilon=1e-2),
    "rmsprop with all": lambda: RMSprop(
        0.01, momentum=GrowingMomentum(growth_steps=2), centered=True, epsilon=1e-2, use_ema=True
    ),
    "lion": lambda: Lion(0.001),
    "ftrl": lambda: Ftrl(0.05, l1_regularization_strength=0.01, beta=0.1),
    "clip by value": lambda: Adam(0.01, epsilon=1e-3, clipvalue=0.01),
    "clip by norm": lambda: SGD(0.1, momentum=0.5, clipnorm=0.05, weight_decay=0.1),
    "clip by global norm": lambda: RMSprop(0.01, epsilon=1e-3, global_clipnorm=0.05),
    "sums of two": lambda: SGD(0.05, momentum=0.9, nesterov=True, gradient_accumulation_steps=2),
    "sums of three": lambda: AdamW(
        0.01, epsilon=1e-3, weight_decay=0.3, clipvalue=0.01, gradient_accumulation_steps=3
    ),
    "sums with all": lambda: Adam(
        0.01,
        epsilon=1e-3,
        amsgrad=True,
        use_ema=True,
        ema_momentum=0.5,
        ema_overwrite_frequency=2,
        gradient_accumulation_steps=2,
    ),
    "average": lambda: SGD(0.05, use_ema=True, ema_momentum=0.8),
    "average that overwrites": lambda: Adam(
        0.01, epsilon=1e-3, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3
    ),
}
"""Optimizers that the native engine has a pass for."""
