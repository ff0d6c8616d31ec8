"""What the estimators share: fitting, going on, predicting, pickling, saving."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..arrays import Array
from ..engines.registry import get_engine
from ..errors import DataError, FormatError, ParameterError, ShapeError
from ..seeds import SeedSequence
from ..threads import limited_threads
from ..training.feeds import rows_of_a_batch
from .fitting import Course, one_epoch, train
from .learner import Learner, Part
from .networks import make_network
from .persistence import learner_from_bytes, network_bytes, read_estimator, write_estimator
from .rows import Rows, SparseRows, check_weights, split_rows, training_rows
from .scikit_learn import (
    BaseEstimator,
    RegressorMixin,
    check_is_fitted,
    check_random_state,
    validate_data,
)
from .settings import read_settings
from .targets import Classes, Target, Values

_LARGEST_BATCH = 200
"""What batch_size="auto" stands for where there are more rows, as in scikit-learn's MLP."""


class BrickEstimator(BaseEstimator):  # type: ignore[misc]
    """Base of the estimators; see BrickClassifier for the parameters they share."""

    hidden_layer_sizes: Any
    activation: Any
    network: Any
    dropout: Any
    batch_normalization: Any
    optimizer: Any
    learning_rate: Any
    alpha: Any
    batch_size: Any
    max_iter: Any
    shuffle: Any
    random_state: Any
    tol: Any
    verbose: Any
    warm_start: Any
    early_stopping: Any
    validation_fraction: Any
    n_iter_no_change: Any
    engine: Any
    n_threads: Any

    n_features_in_: int
    n_outputs_: int
    t_: int
    loss_curve_: list[float]
    _learner: Learner
    _whole: Part

    def _keep(self, given: dict[str, Any]) -> None:
        """Keep the arguments of a constructor as they are; they are checked when they are used."""
        self.__dict__.update({name: value for name, value in given.items() if name != "self"})

    def _target(self, y: Any, classes: Any = None) -> Target:
        """What is learned from targets like these, at the first fit."""
        raise NotImplementedError

    def _known_target(self) -> Target:
        """What is learned, after a fit."""
        learned = vars(self)
        if "classes_" in learned:
            return Classes(learned["classes_"], learned["_several"])
        return Values(self.n_outputs_, learned["_flat"], learned.get("loss", "squared_error"))

    # -- fitting ------------------------------------------------------------------------------------

    def _fit(self, x: Any, y: Any, sample_weight: Any) -> Self:
        """Train from the start, or with `warm_start` from where the last fit ended."""
        settings = read_settings(self)
        going_on = settings.warm_start and self.__sklearn_is_fitted__()
        x, y = self._checked(x, y, reset=not going_on)
        target = self._known_target() if going_on else self._target(y)
        encoded = target.encode(y)
        rows = self._rows(settings, target, x, encoded, sample_weight)
        seen = self.t_ if going_on else 0
        own = _own_seeds(settings.random_state, seen)
        network_seed, learner_seed, split_seed = own.next(), own.next(), own.next()
        places, held_out = rows.places, None
        if settings.early_stopping:
            least = 1 if isinstance(target, Classes) else 2
            fraction = settings.validation_fraction
            places, held_out = split_rows(rows, target.strata(encoded), fraction, split_seed, least)
        batch_size = _batch_size(settings, len(places))
        with limited_threads(settings.n_threads):
            model = make_network(settings, x.shape[1], target, network_seed, batch_size)
            learner = Learner(model, settings.optimizer, target.loss, settings.engine, learner_seed)
            if going_on:
                _take_weights(learner, self._learner)
            _require_range(x, encoded, learner.float_type)
            source = learner.source(x, target.network_target(encoded, learner.units), rows.factors)
            validate = None
            if held_out is not None:
                validate = _Validation(learner, target, x, encoded, rows.factors, held_out)
            course = train(learner, source, places, batch_size, settings, validate, type(self).__name__)
        self._take_learner(learner)
        self._remember(target, course, going_on, seen + len(course.losses) * len(places))
        return self

    def _partial_fit(self, x: Any, y: Any, sample_weight: Any, classes: Any = None) -> Self:
        """One epoch over these rows, going on from where the network and its optimizer are."""
        settings = read_settings(self)
        going_on = self.__sklearn_is_fitted__()
        x, y = self._checked(x, y, reset=not going_on)
        target = self._known_target() if going_on else self._target(y, classes)
        encoded = target.encode(y)
        rows = self._rows(settings, target, x, encoded, sample_weight)
        batch_size = _batch_size(settings, len(rows.places))
        with limited_threads(settings.n_threads):
            if going_on:
                learner = self._learner
            else:
                own = _own_seeds(settings.random_state, 0)
                model = make_network(settings, x.shape[1], target, own.next(), batch_size)
                learner = Learner(model, settings.optimizer, target.loss, settings.engine, own.next())
            _require_range(x, encoded, learner.float_type)
            source = learner.source(x, target.network_target(encoded, learner.units), rows.factors)
            loss = one_epoch(learner, source, rows.places, batch_size, settings.shuffle, type(self).__name__)
        if settings.verbose:
            print(f"{type(self).__name__}: partial_fit, loss {loss:.6f}")
        self._take_learner(learner)
        self._remember(target, Course([loss]), going_on, len(rows.places) + (self.t_ if going_on else 0))
        return self

    def _checked(self, x: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        x, y = validate_data(
            self,
            x,
            y,
            reset=reset,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            multi_output=True,
            y_numeric=isinstance(self, RegressorMixin),
        )
        return _gatherable(x), y

    def _rows(self, settings: Any, target: Target, x: Any, encoded: Array, sample_weight: Any) -> Rows:
        weights = check_weights(sample_weight, len(x))
        factors = target.factors(getattr(settings, "class_weight", None), encoded, weights)
        return training_rows(x, encoded, weights, factors, keep_order=not settings.shuffle)

    def _remember(self, target: Target, course: Course, going_on: bool, seen: int) -> None:
        """The learned attributes."""
        for name in ("classes_", "_several", "_flat"):
            self.__dict__.pop(name, None)  # another fit may have learned another kind of targets
        curve = self.loss_curve_ if going_on else []
        curve.extend(course.losses)
        if isinstance(target, Classes):
            self.classes_, self._several = target.labels, target.several
        else:
            self._flat = target.flat
        self.n_outputs_ = target.units
        self.n_iter_ = len(course.losses)
        self.t_ = seen
        self.loss_ = course.losses[-1]
        self.loss_curve_ = curve
        self.best_loss_ = None if course.scores else course.best_loss
        self.validation_scores_ = course.scores or None
        self.best_validation_score_ = course.best_score

    @property
    def model_(self) -> Any:
        """The fitted network, a brickwork Model."""
        check_is_fitted(self)
        return self._learner.model

    def __sklearn_is_fitted__(self) -> bool:
        return "_learner" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # -- predicting ---------------------------------------------------------------------------------

    def _outputs(self, x: Any, part: Any = None) -> Array:
        """What the network, or a part of it, gives for every row."""
        check_is_fitted(self)
        x = validate_data(self, x, reset=False, accept_sparse="csr", dtype=[np.float64, np.float32])
        with limited_threads(self.n_threads):
            outputs = (part or self._whole).predict(_gatherable(x))
        return outputs.astype(x.dtype, copy=False)

    # -- keeping ------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        learner = state.pop("_learner", None)
        state.pop("_whole", None)
        if learner is not None:
            state["_network"] = (network_bytes(learner), learner.optimizer, learner.loss)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        network, optimizer, loss = state.pop("_network", (None, None, None))
        super().__setstate__(state)
        if network is not None:
            self._take_learner(learner_from_bytes(network, optimizer, loss, get_engine(self.engine)))

    def _take_learner(self, learner: Learner) -> None:
        """Have this network from now on."""
        self._learner = learner
        self._whole = Part(learner)

    def save(self, path: Any, *, overwrite: bool = True) -> None:
        """Write the fitted estimator to a .safetensors file: network, optimizer state, parameters and all.

        The file holds no code: a function given as `network` is named in it, and needed again only to fit
        anew. `brickwork.models.load_model` reads the network alone.

        Raises ParameterError for a parameter that JSON cannot hold, such as a RandomState; FormatError for
        another ending; FileError where the system refuses, or the file is there and `overwrite` is False.
        """
        check_is_fitted(self)
        params = self.get_params(deep=False)
        hidden = {*params, "_learner", "_whole", "_part", "_sklearn_output_config", "_metadata_request"}
        learned = {key: value for key, value in vars(self).items() if key not in hidden}
        write_estimator(path, self._learner, type(self).__name__, params, learned, overwrite)

    @classmethod
    def load(cls, path: Any, *, engine: Any = None) -> Self:
        """The estimator from a file written by `save`. No pickle is read and nothing is run.

        `engine` stands for the saved one, for a machine that has not got that.

        Raises FormatError where the file is foreign, damaged, of another class or of a newer version.
        """
        known = cls._get_param_names()
        params, learned, learner = read_estimator(path, cls.__name__, known)
        made = cls(**params)
        if engine is not None:
            made.engine = engine
        made.__dict__.update(learned)
        made._take_learner(learner(get_engine(made.engine)))
        made._require_consistent(path)
        return made

    def _require_consistent(self, path: Any) -> None:
        """FormatError where a file's attributes do not belong to its network."""
        model = self._learner.model
        try:
            told = (self.n_features_in_, self._learner.units in self._known_target().unit_choices())
            fits = told == (model.inputs[0].shape[1], True) and len(self.loss_curve_) > 0 and self.t_ > 0
        except (KeyError, AttributeError, TypeError):
            fits = False
        if not fits:
            raise FormatError(
                f"{path} must hold a fitted {type(self).__name__}; its attributes do not belong to its "
                f"network. It is damaged; take another copy of it."
            )


def goes_on_by_parts(estimator: Any) -> bool:
    """Whether there is a partial_fit. Raises AttributeError where the parameters speak against it."""
    if estimator.early_stopping:
        raise AttributeError(
            "partial_fit keeps no rows for validation, so there is none with early_stopping=True. Set "
            "early_stopping=False, or call fit."
        )
    if isinstance(getattr(estimator, "class_weight", None), str):
        raise AttributeError(
            f"partial_fit sees a part of the rows and cannot balance classes, so there is none with "
            f"class_weight={estimator.class_weight!r}. Pass a dict class -> weight, or call fit."
        )
    return True


class _Validation:
    """The score on rows kept out of training, each weighing as in the loss."""

    def __init__(
        self, learner: Learner, target: Target, x: Any, encoded: Array, weights: Array | None, places: Array
    ) -> None:
        self._learner, self._target = learner, target
        self._x, self._encoded = x[places], encoded[places]
        self._weights = None if weights is None else weights[places]

    def __call__(self) -> float:
        """Accuracy or R² now."""
        return self._target.score(self._encoded, self._learner.predict(self._x), self._weights)


def _own_seeds(random_state: Any, seen: int) -> SeedSequence:
    """Seeds that follow random_state; after a warm start other ones than before it."""
    first = int(check_random_state(random_state).randint(0, 2**62, dtype=np.int64))
    return SeedSequence(first + seen)


def _batch_size(settings: Any, count: int) -> int:
    if settings.batch_size == "auto":
        return count if settings.optimizer.whole_data else min(_LARGEST_BATCH, count)
    return rows_of_a_batch(settings.optimizer, min(settings.batch_size, count), count, None)


def _gatherable(x: Any) -> Any:
    return SparseRows(x) if hasattr(x, "tocsr") else x


def _take_weights(new: Learner, old: Learner) -> None:
    try:
        new.model.set_weights(old.model.get_weights())
    except ShapeError as error:
        raise ParameterError(
            f"warm_start goes on with the network of the last fit; the parameters now describe another one "
            f"({error}) Set warm_start=False, or the parameters of the network as they were."
        ) from error


def _require_range(x: Any, encoded: Array, float_type: Any) -> None:
    """DataError for numbers that become infinite in the network's float type."""
    largest = float(np.finfo(float_type).max)
    for name, array in (("X", x.matrix.data if isinstance(x, SparseRows) else x), ("y", encoded)):
        if array.dtype.kind == "f" and array.dtype.itemsize > float_type.itemsize and array.size:
            found = max(float(array.max()), -float(array.min()))
            if found > largest:
                raise DataError(
                    f"{name} must hold numbers that fit into {float_type.name}; the largest is {found:g}. "
                    f"Scale it, for instance by StandardScaler(), or call "
                    f"brickwork.config.set_floatx('float64')."
                )
