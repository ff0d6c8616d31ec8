"""The list that calls all callbacks, and the history that `fit` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..arguments import Flag
from ..arrays import Array
from ..errors import ParameterError, ParameterTypeError, known_names
from .callback import HOOKS, Callback, Logs, numbers_in


class History(Callback):
    """Records the logs of every epoch; `fit` returns it.

    `history` maps each name to its values, `epoch` lists the epochs.

    >>> history = History()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.history["loss"]
    [0.5]
    """

    kept = ("epoch", "history")

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def __repr__(self) -> str:
        latest = numbers_in({name: values[-1] for name, values in self.history.items() if values})
        last = ", ".join(f"{name} {value:.4g}" for name, value in latest.items())
        return f"<History of {len(self.epoch)} epochs{': ' + last if last else ''}>"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Number the epochs anew."""
        if not self._take_up():
            self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """One more value for each name."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self

    def get_state(self) -> dict[str, Any]:
        """Epochs and values, copied."""
        return {
            "epoch": list(self.epoch),
            "history": {name: list(values) for name, values in self.history.items()},
        }


class CallbackList(Callback):
    """Several callbacks as one: each call goes to all of them, in their order.

    Parameters
    ----------
    callbacks : callbacks, or lists of them; None for none.
    add_history : whether a History is added where none is among them.
    add_progbar : whether a ProgressDisplay is added where none is among them.
    model : the model in training.
    params : what each callback receives as `params`, by keyword, such as epochs=5, verbose=1.

    >>> CallbackList([], add_history=True).history.history
    {}
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks: list[Callback] = list(_flat(callbacks))
        flags = {"add_history": add_history, "add_progbar": add_progbar}
        for name, flag in flags.items():
            Flag()("CallbackList", name, flag)
        if add_history and self._first(History) is None:
            self.callbacks.append(History())
        if add_progbar:
            from .progress import ProgressDisplay

            if self._first(ProgressDisplay) is None:
                self.callbacks.append(ProgressDisplay(params.get("verbose", "auto")))
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def _first(self, kind: type[Callback]) -> Any:
        return next((callback for callback in self.callbacks if isinstance(callback, kind)), None)

    @property
    def history(self) -> History | None:
        """The History among the callbacks."""
        found: History | None = self._first(History)
        return found

    def append(self, callback: Callback) -> None:
        """Add one more callback at the end."""
        self.callbacks.extend(_flat(callback))

    def __iter__(self) -> Any:
        return iter(self.callbacks)

    def __len__(self) -> int:
        return len(self.callbacks)

    def __bool__(self) -> bool:
        return True

    def set_params(self, params: dict[str, Any]) -> None:
        """Hand the parameters of the run to all; to `metrics`, the names of the logs, theirs are added."""
        if "metrics" in params:
            added = [name for callback in self.callbacks for name in callback.adds]
            params = {**params, "metrics": list(dict.fromkeys([*params["metrics"], *added]))}
        self.params = params
        for callback in self.callbacks if params else ():
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Hand the model to all; the model gets the history."""
        self.model = model
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    def on_gradients(self, step: int, gradients: dict[str, Array]) -> dict[str, Array]:
        """Each callback receives what the one before it left; gives what the last one left."""
        for callback in self.callbacks:
            changed = callback.on_gradients(step, gradients)
            if changed is None:
                continue
            if not isinstance(changed, Mapping) or set(changed) != set(gradients):
                raise ParameterError(
                    f"{type(callback).__name__}.on_gradients must return None or a dict with the keys it was "
                    f"given, {known_names(gradients)}; it returned {_keys_or_type(changed)}."
                )
            gradients = dict(changed)
        return gradients

    def close(self) -> None:
        """To all."""
        for callback in self.callbacks:
            callback.close()

    def commit(self, moment: Any, *, must: bool) -> None:
        """To all."""
        for callback in self.callbacks:
            callback.commit(moment, must=must)

    # -- what they need -----------------------------------------------------------------------------

    @property
    def needs_steps(self) -> bool:
        """Whether one of them must be called at each batch."""
        return any(callback.needs_steps for callback in self.callbacks)

    @property
    def needs_gradients(self) -> bool:
        """Whether one of them looks at the gradients."""
        return any(callback.needs_gradients for callback in self.callbacks)

    def get_state(self) -> dict[str, Any]:
        """The states of all callbacks that have one, under "0 History", "1 EarlyStopping", …"""
        return {name: state for name, callback in self.named() if (state := callback.get_state())}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Hand each callback its state."""
        if set(state) != set(self.get_state()):
            raise ParameterError(
                f"The callbacks with a state are {known_names(self.get_state()) or 'none'}; the state is of "
                f"{known_names(state) or 'none'}. Resume with the callbacks of the first run."
            )
        for name, callback in self.named():
            if name in state:
                callback.set_state(state[name])

    def get_arrays(self) -> dict[str, Array]:
        """The arrays of all callbacks, under their names in `get_state`."""
        return {
            f"{name}/{key}": array
            for name, callback in self.named()
            for key, array in callback.get_arrays().items()
        }

    def set_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Hand each callback its arrays."""
        for name, callback in self.named():
            start = f"{name}/"
            callback.set_arrays(
                {key.removeprefix(start): array for key, array in arrays.items() if key.startswith(start)}
            )

    def named(self) -> list[tuple[str, Callback]]:
        """The callbacks under their names in `get_state`."""
        return [
            (f"{place} {type(callback).__name__}", callback) for place, callback in enumerate(self.callbacks)
        ]


def _forward(name: str, numbered: bool) -> Callable[..., None]:
    """The method `name` of a list: the same call to all, who share one `logs`."""

    def method(self: CallbackList, logs: Logs | None = None) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, name)(logs)

    def numbered_method(self: CallbackList, number: int, logs: Logs | None = None) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, name)(number, logs=logs)

    made = numbered_method if numbered else method
    made.__name__, made.__doc__ = name, f"{getattr(Callback, name).__doc__} To all, in their order."
    return made


for _name in (name for name in HOOKS if name != "on_gradients"):
    _numbered = "epoch" in _name or "batch" in _name or "progress" in _name
    setattr(CallbackList, _name, _forward(_name, _numbered))


def _flat(callbacks: Any) -> Iterable[Callback]:
    """The callbacks in nested lists. Raises ParameterTypeError for what is none."""
    if callbacks is None:
        return
    if isinstance(callbacks, CallbackList):
        yield from callbacks.callbacks
    elif isinstance(callbacks, (list, tuple)):
        for part in callbacks:
            yield from _flat(part)
    elif isinstance(callbacks, Callback):
        yield callbacks
    else:
        raise ParameterTypeError(
            f"`callbacks` holds callbacks, such as EarlyStopping(); it received {_what(callbacks)}"
        )


def _what(thing: Any) -> str:
    """What stands in the place of a callback, and what to do about it."""
    if isinstance(thing, type) and issubclass(thing, Callback):
        return f"the class {thing.__name__}. Make an instance: {thing.__name__}()."
    if type(thing).__module__.partition(".")[0] in ("keras", "tensorflow", "tf_keras"):
        return (
            f"{type(thing).__name__} of Keras. Import the one of that name from brickwork.callbacks, "
            f"or derive your own from brickwork.callbacks.Callback."
        )
    if callable(thing):
        name = getattr(thing, "__name__", type(thing).__name__)
        return f"{name!r}, a function. Say when to call it, as in LambdaCallback(on_epoch_end={name})."
    return f"{thing!r} of type {type(thing).__name__}. Derive your own from brickwork.callbacks.Callback."


def _keys_or_type(value: Any) -> str:
    return known_names(value) or "an empty dict" if isinstance(value, Mapping) else type(value).__name__
