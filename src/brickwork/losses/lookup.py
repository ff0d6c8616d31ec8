"""Losses by name, object, class, configuration, or function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..catalogue import snake_case
from ..errors import ParameterError, ParameterTypeError, did_you_mean, known_names
from .base import FunctionLoss, Loss
from .crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from .distributions import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    KLDivergence,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    kl_divergence,
)
from .margins import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from .overlap import (
    CategoricalGeneralizedCrossEntropy,
    Dice,
    Tversky,
    categorical_generalized_cross_entropy,
    dice,
    tversky,
)
from .regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Poisson,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_logarithmic_error,
    poisson,
)
from .squared import HalfSquaredError, MeanSquaredError, mean_squared_error

_FUNCTIONS: dict[Any, type[Loss]] = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    huber: Huber,
    log_cosh: LogCosh,
    poisson: Poisson,
    cosine_similarity: CosineSimilarity,
    hinge: Hinge,
    squared_hinge: SquaredHinge,
    categorical_hinge: CategoricalHinge,
    kl_divergence: KLDivergence,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    binary_crossentropy: BinaryCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_generalized_cross_entropy: CategoricalGeneralizedCrossEntropy,
    dice: Dice,
    tversky: Tversky,
}
_CLASSES: tuple[type[Loss], ...] = (MeanSquaredError, HalfSquaredError, *_FUNCTIONS.values())
NAMES: dict[str, type[Loss]] = {snake_case(cls.__name__): cls for cls in _CLASSES}
_SHORT: dict[str, type[Loss]] = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
    "kld": KLDivergence,
}
KNOWN: dict[str, type[Loss]] = {
    **_SHORT,
    **{name.upper(): cls for name, cls in _SHORT.items()},
    **NAMES,
    **{cls.__name__: cls for cls in NAMES.values()},
}


def get(identifier: Any) -> Loss:
    """A loss given by name, object, class, configuration, or function of symbols."""
    if isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return get_class(identifier)()
    if callable(identifier) and not isinstance(identifier, type):
        known = _FUNCTIONS.get(identifier)
        return known() if known else FunctionLoss(identifier, name=getattr(identifier, "__name__", None))
    raise ParameterTypeError(
        f"A loss must be a name, a Loss or a function that lays bricks; got {identifier!r} "
        f"of type {type(identifier).__name__}."
    )


def get_class(name: Any) -> type[Loss]:
    """The class of a loss by its name. Raises ParameterError with the known names."""
    if name not in KNOWN:
        raise ParameterError(
            f"A loss must be one of {known_names(NAMES)}, or a function that lays bricks; got {name!r}."
            f"{did_you_mean(name, KNOWN)}"
        )
    return KNOWN[name]


def serialize(loss: Loss) -> dict[str, Any]:
    """{"class_name", "config"} of the loss."""
    if isinstance(loss, FunctionLoss):
        raise ParameterTypeError(
            f"Only losses that are classes can be saved; got the function {loss.name!r}. Make it a subclass "
            f"of brickwork.losses.Loss."
        )
    return {"class_name": type(loss).__name__, "config": loss.get_config()}


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, type[Loss]] | None = None) -> Loss:
    """The loss that `serialize` told; `custom_objects` names classes of your own."""
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise ParameterError(
            f"The configuration of a loss must be a dict with 'class_name' and 'config'; got {config!r}. "
            f"Write what serialize() gave."
        )
    name = config["class_name"]
    cls = (custom_objects or {}).get(name) or get_class(name)
    return cls.from_config(config.get("config") or {})
