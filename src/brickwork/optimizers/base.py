"""What all optimizers share: schedules, clipping, weight decay, a running mean of the weights, one update.

Parameters, gradients and slots are flat dicts of arrays; an update makes new ones and changes nothing it was
given. Augmented assignments act on arrays made just before them only: in place in NumPy, rebound in JAX.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from ..arguments import Configured, Flag, Maybe, Real, Text, Whole, argument, configured
from ..arrays import Array, namespace
from ..errors import ParameterError, ParameterTypeError, did_you_mean, known_names
from .clipping import clipped
from .schedules import LearningRateSchedule
from .schedules import serialize as schedule_to_config
from .settings import RATE, Scheduled, like

Arrays = dict[str, Array]
"""Parameter key -> array."""
Slots = dict[str, Arrays]
"""Slot name -> parameter key -> array."""

LIMIT = Maybe(Real(0.0, low_open=True))
DECAY = Maybe(Real(0.0))
NAME = Maybe(Text())

AVERAGE = "average"
"""The slot of the running mean of the parameters."""

SUM = "gradient_sum"
"""The slot of the gradients that no update has used yet."""

_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
_EXCLUDED = "excluded_from_weight_decay"
_KERAS_NAMES = {"W": "kernel", "b": "bias"}


@configured()
class Optimizer(Configured):
    """Base of all optimizers.

    A subclass is a `configured` dataclass with fields of its own; it writes `step` and, where it remembers
    something from step to step, names its `slot_names`. Its hyper-parameters may be changed between two
    updates, where that asks for no other slots.

    Parameters
    ----------
    learning_rate : number of at least 0, or a schedule (see `optimizers.schedules`); default 0.001
    weight_decay : None (default) or number of at least 0. Decoupled from the gradient: w is replaced by
        w - lr * weight_decay * w before the step (Loshchilov, Hutter 2019); see `exclude_from_weight_decay`.
    clipnorm : None (default) or number above 0: bound on the 2-norm of each parameter's gradient
    clipvalue : None (default) or number above 0: bound on the magnitude of each entry of the gradients
    global_clipnorm : None (default) or number above 0: bound on the 2-norm of all gradients together
        (Pascanu, Mikolov, Bengio 2013). At most one of the three clips is given.
    use_ema : whether a running mean of the weights is kept, default False: mean <- ema_momentum * mean +
        (1 - ema_momentum) * w after each step; the weights themselves after the first one. When `fit` ends,
        it puts the mean in the place of the weights (Polyak, Juditsky 1992; as in Keras 3).
    ema_momentum : in [0, 1], default 0.99
    ema_overwrite_frequency : None (default), or after how many steps the mean takes the place of the weights
    gradient_accumulation_steps : None (default), or k of at least 2: each k-th step updates with the mean of
        the last k gradients, the steps between only add theirs up. Clips and decay see the mean; t counts
        the updates, schedules count all steps, as in Keras 3.
    name : str; default the class's name in lower case

    All but the learning rate are given by name.
    """

    former_names: ClassVar[Mapping[str, str]] = {"lr": "learning_rate"}

    scheduled: ClassVar[Mapping[str, Scheduled]] = {"learning_rate": RATE}
    """The arguments that may be schedules, with what their numbers may be."""

    whole_data: ClassVar[bool] = False
    """Whether a step looks at E more than once, which must therefore be that of all rows."""

    learning_rate: Any = argument(RATE, default=0.001)
    weight_decay: float | None = argument(DECAY, default=None, kw_only=True)
    clipnorm: float | None = argument(LIMIT, default=None, kw_only=True)
    clipvalue: float | None = argument(LIMIT, default=None, kw_only=True)
    global_clipnorm: float | None = argument(LIMIT, default=None, kw_only=True)
    use_ema: bool = argument(Flag(), default=False, kw_only=True)
    ema_momentum: float = argument(Real(0.0, 1.0), default=0.99, kw_only=True)
    ema_overwrite_frequency: int | None = argument(Maybe(Whole(1)), default=None, kw_only=True)
    gradient_accumulation_steps: int | None = argument(Maybe(Whole(2)), default=None, kw_only=True)
    name: str | None = argument(NAME, default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._excluded: tuple[str, ...] = ()
        if self.name is None:
            self.name = type(self).__name__.lower()
        given = [f"{name}={getattr(self, name)}" for name in _CLIPS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ParameterError(
                f"{type(self).__name__}: at most one of `clipnorm`, `clipvalue` and `global_clipnorm` may be "
                f"given; got {' and '.join(given)}. Keep one of them."
            )

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.scheduled:
            owner = type(self).__name__
            value = self.scheduled[name](owner, name, value)
            before = self.__dict__.get(name)
            if isinstance(before, LearningRateSchedule) and not callable(value):
                raise ParameterTypeError(
                    f"{owner}: `{name}` must stay a schedule, since it is {before!r}; got "
                    f"{name}={value!r}. Make the optimizer with a number to set it during training."
                )
        super().__setattr__(name, value)

    # -- what a subclass states -----------------------------------------------------------------------

    @property
    def slot_names(self) -> tuple[str, ...]:
        """What is remembered of each parameter from step to step."""
        return ()

    def step(self, w: Array, g: Array, slots: Mapping[str, Array], t: Any, lr: Any) -> tuple[Array, Arrays]:
        """One parameter after step t, and its slots; g is clipped and w has decayed already.

        Arguments that follow schedules are numbers here, those of this step.
        """
        raise NotImplementedError(f"{type(self).__name__} states no step(w, g, slots, t, lr)")

    def first_slot(self, slot: str, w: Array) -> Array:
        """What a slot of a parameter holds before the first step: zeros."""
        return namespace(w).zeros_like(w)

    # -- updates --------------------------------------------------------------------------------------

    def slots(self, params: Mapping[str, Array]) -> Slots:
        """Slot name -> parameter key -> array, before the first step."""
        made = {
            slot: {key: self.first_slot(slot, w) for key, w in params.items()} for slot in self.slot_names
        }
        if self.use_ema:
            made[AVERAGE] = {key: namespace(w).asarray(w, copy=True) for key, w in params.items()}
        if self.gradient_accumulation_steps:
            made[SUM] = {key: namespace(w).zeros_like(w) for key, w in params.items()}
        return made

    def update_number(self, t: Any) -> Any:
        """Which update step t makes, or is on the way to: t itself, unless gradients are accumulated."""
        every = self.gradient_accumulation_steps
        return t if every is None else (t - 1) // every + 1

    def update(
        self,
        params: Mapping[str, Array],
        grads: Mapping[str, Array],
        slots: Mapping[str, Mapping[str, Array]],
        t: Any,
        lr: Any,
        settings: Mapping[str, Any] | None = None,
    ) -> tuple[Arrays, Slots]:
        """(parameters, slots) after one step; nothing that was given is changed.

        t is 1 at the first step. Parameters without a gradient, or with None for it, stay as they are.
        `settings` are the numbers of this step of the arguments that follow schedules, the learning rate
        aside; they are asked of the schedules where they are not given.
        """
        grads = {key: g for key, g in grads.items() if g is not None}
        self._require_keys(params, grads, slots)
        settings = self.settings(int(t) - 1) if settings is None else settings
        count = self.update_number(t)
        if self.gradient_accumulation_steps:
            new_params, new_slots = self._gathered(params, grads, slots, t, lr, settings)
        else:
            new_params, new_slots = self._updated(params, grads, slots, count, lr, settings)
        if self.use_ema:
            for key, w in new_params.items():
                average, w = self._averaged(slots[AVERAGE][key], w, count)
                new_slots[AVERAGE][key], new_params[key] = average, w
        return new_params, new_slots

    def _gathered(
        self,
        params: Mapping[str, Array],
        grads: Mapping[str, Array],
        slots: Mapping[str, Mapping[str, Array]],
        t: Any,
        lr: Any,
        settings: Mapping[str, Any],
    ) -> tuple[Arrays, Slots]:
        """An update with the mean of the gradients at each k-th step; at the others they are added up."""
        every = self.gradient_accumulation_steps or 1
        kept: Slots = {slot: dict(arrays) for slot, arrays in slots.items()}
        kept[SUM].update({key: kept[SUM][key] + g for key, g in grads.items()})
        known = isinstance(t, (int, float, np.number))
        if known and int(t) % every:
            return dict(params), kept
        mean = {key: kept[SUM][key] * (1.0 / every) for key in grads}
        made, new = self._updated(params, mean, slots, self.update_number(t), lr, settings)
        new[SUM].update({key: namespace(g).zeros_like(g) for key, g in grads.items()})
        if known:
            return made, new
        ready = t % every == 0
        for key, w in made.items():
            made[key] = namespace(w).where(ready, w, params[key])
        for slot, arrays in new.items():
            for key, array in arrays.items():
                arrays[key] = namespace(array).where(ready, array, kept[slot][key])
        return made, new

    def _updated(
        self,
        params: Mapping[str, Array],
        grads: Mapping[str, Array],
        slots: Mapping[str, Mapping[str, Array]],
        t: Any,
        lr: Any,
        settings: Mapping[str, Any],
    ) -> tuple[Arrays, Slots]:
        """Clips, weight decay and the step of each parameter."""
        grads, rule = self.clip(grads), self._with(settings)
        new_params: Arrays = dict(params)
        new_slots: Slots = {slot: dict(arrays) for slot, arrays in slots.items()}
        for key, g in grads.items():
            w = params[key]
            rate = like(lr, w)
            if self.weight_decay and self.decays(key):
                w = w - w * (rate * self.weight_decay)
            kept = {slot: slots[slot][key] for slot in self.slot_names}
            stepped, remembered = rule.step(w, g, kept, like(t, w), rate)
            # NumPy makes scalars of arrays without axes.
            new_params[key] = stepped if w.ndim else namespace(w).asarray(stepped)
            for slot, array in remembered.items():
                new_slots[slot][key] = array if w.ndim else namespace(w).asarray(array)
        return new_params, new_slots

    def clip(self, grads: Mapping[str, Array]) -> Mapping[str, Array]:
        """The gradients within the bound that the constructor named."""
        return clipped(self, grads)

    def _averaged(self, average: Array, w: Array, t: Any) -> tuple[Array, Array]:
        """(running mean, parameter) after step t."""
        xp, every = namespace(w), self.ema_overwrite_frequency
        known = isinstance(t, (int, float, np.number))
        momentum = self.ema_momentum
        keep = (0.0 if t == 1 else momentum) if known else xp.where(t == 1, 0.0, momentum).astype(w.dtype)
        new = xp.asarray(average * keep + w * (1.0 - keep))
        if every is None:
            return new, w
        if known:
            return new, (new if int(t) % every == 0 else w)
        return new, xp.where(t % every == 0, new, w)

    def finished(
        self, params: Mapping[str, Array], slots: Mapping[str, Mapping[str, Array]]
    ) -> dict[str, Array]:
        """The parameters when training ends: their running means, where these are kept."""
        return {**params, **slots.get(AVERAGE, {})} if self.use_ema else dict(params)

    def _require_keys(
        self,
        params: Mapping[str, Array],
        grads: Mapping[str, Array],
        slots: Mapping[str, Mapping[str, Array]],
    ) -> None:
        owner = type(self).__name__
        names = (*self.slot_names, *((AVERAGE,) if self.use_ema else ()))
        names += (SUM,) if self.gradient_accumulation_steps else ()
        for key in grads:
            if key not in params:
                raise ParameterError(
                    f"{owner}: every gradient must belong to a parameter, one of {known_names(params)}; "
                    f"got a gradient of {key!r}.{did_you_mean(key, params)}"
                )
        for key in params if self.use_ema else grads:
            for slot in names:
                if key not in slots.get(slot, {}):
                    raise ParameterError(
                        f"{owner}: `slots` must hold {slot!r} of every parameter; it holds none of {key!r}. "
                        f"Start from {owner}.slots(params)."
                    )

    # -- numbers that follow the step -------------------------------------------------------------------

    def rate(self, step: int) -> float:
        """The learning rate after `step` updates (0 before the first)."""
        return float(self.rates(step, 1)[0])

    def rates(self, first_step: int, count: int) -> npt.NDArray[np.float64]:
        """The learning rates of `count` steps, the first of them after `first_step` updates."""
        return self._values("learning_rate", first_step, count)

    def settings(self, step: int) -> dict[str, float]:
        """The other arguments that follow schedules, after `step` updates."""
        return {name: float(values[0]) for name, values in self.all_settings(step, 1).items()}

    def all_settings(self, first_step: int, count: int) -> dict[str, npt.NDArray[np.float64]]:
        """The numbers for `count` steps of the other arguments that follow schedules."""
        return {
            name: self._values(name, first_step, count)
            for name in self.scheduled
            if name != "learning_rate" and callable(getattr(self, name))
        }

    def _values(self, name: str, first_step: int, count: int) -> npt.NDArray[np.float64]:
        rule: Callable[[int], Any] | float = getattr(self, name)
        if not callable(rule):
            return np.full(count, rule, np.float64)
        values = np.array([float(rule(step)) for step in range(first_step, first_step + count)], np.float64)
        number = self.scheduled[name].number
        wrong = ~(np.isfinite(values) & (values >= number.low) & (values <= number.high))
        if wrong.any():
            at = int(np.argmax(wrong))
            range_of = "finite numbers of at least 0" if name == "learning_rate" else number.describe()
            raise ParameterError(
                f"{type(self).__name__}: a schedule must give {range_of}; {rule!r} gave "
                f"{values[at]} at step {first_step + at}. Mend the schedule."
            )
        return values

    def _with(self, settings: Mapping[str, Any]) -> Self:
        """This optimizer with numbers, which may be traced, in the place of schedules."""
        if not settings:
            return self
        made = copy.copy(self)
        made.__dict__.update(settings)
        return made

    # -- weight decay -----------------------------------------------------------------------------------

    def exclude_from_weight_decay(
        self, var_list: Iterable[Any] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Let the weight decay pass some parameters by. To be called before training begins.

        Parameters
        ----------
        var_list : variables of layers, such as `layer.trainable_variables` holds, or None.
        var_names : words, or regular expressions; a parameter in whose Keras name one is found is excluded:
            "bias", "gamma". One with a slash is looked for in the whole path: "dense_2/". None: none.

        What an earlier call excluded decays again. (As in Keras 3; here it is saved with the optimizer.)

        >>> adam = Optimizer(weight_decay=0.1)
        >>> adam.exclude_from_weight_decay(var_names=["bias"])
        >>> adam.decays("dense/bias/b"), adam.decays("dense/linear/W")
        (False, True)
        """
        owner = type(self).__name__
        patterns = []
        for variable in var_list or ():
            path = getattr(variable, "path", None)
            if not isinstance(path, str):
                raise ParameterTypeError(
                    f"{owner}: `var_list` must hold variables of layers; got {variable!r} of type "
                    f"{type(variable).__name__}. Pass layer.trainable_variables, or names by var_names."
                )
            patterns.append(f"(^|/){re.escape(path)}$")
        if isinstance(var_names, str):
            raise ParameterTypeError(
                f"{owner}: `var_names` must be a list of words; got var_names={var_names!r} of type str. "
                f"Write [{var_names!r}]."
            )
        for word in var_names or ():
            try:
                re.compile(word)
            except (re.error, TypeError) as error:
                raise ParameterError(
                    f"{owner}: `var_names` must be words or regular expressions; got {word!r} ({error})."
                ) from None
            patterns.append(word)
        self._excluded = tuple(patterns)

    def decays(self, key: str) -> bool:
        """Whether weight decay, where there is any, acts on the parameter of that key."""
        path = keras_path(key)
        name = path.rpartition("/")[2]
        return not any(re.search(one, path if "/" in one else name) for one in self._excluded)

    # -- configuration ----------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, by name; schedules as their configurations."""
        config = super().get_config()
        for name in self.scheduled:
            rule = config[name]
            if isinstance(rule, LearningRateSchedule):
                config[name] = schedule_to_config(rule)
            elif callable(rule):
                raise ParameterTypeError(
                    f"{type(self).__name__}: only schedules that are classes can be saved; got the function "
                    f"{rule!r}. Make it a subclass of brickwork.optimizers.schedules.LearningRateSchedule."
                )
        if self._excluded:
            config[_EXCLUDED] = list(self._excluded)
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """An optimizer as `get_config` told it."""
        made = cls(**{name: value for name, value in config.items() if name != _EXCLUDED})
        made.exclude_from_weight_decay(var_names=config.get(_EXCLUDED))
        return made


def keras_path(key: str) -> str:
    """The path of a parameter as Keras spells it.

    >>> keras_path("dense/linear/W")
    'dense/kernel'
    """
    owner, _, name = key.rpartition("/")
    return f"{owner.rpartition('/')[0] or owner}/{_KERAS_NAMES.get(name, name)}"
