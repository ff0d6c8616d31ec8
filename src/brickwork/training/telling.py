"""What a network is made of, told as JSON and arrays, and the network made of it again.

Model files, files of estimators and pickles all hold this: "floatx", the layers and calls, the paths of the
weights; the arrays "weights/0000", … in Keras's order, "optimizer/<slot>/0000", … by the same numbers, and
"optimizer/step". Names of nodes depend on who wired them, so none is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import config, seeds
from ..arrays import Array
from ..engines.base import Plan
from ..errors import BrickworkError, FormatError
from ..graph.room import room_for
from ..layers.serialization import layer_from_config, layer_to_config
from .model_file import weight_name
from .network_config import sharing

if TYPE_CHECKING:
    from .model import Model

_DAMAGE = (
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    ValueError,
    ArithmeticError,
    RecursionError,
    MemoryError,
)

_BESIDE = 1 << 16
"""Numbers that a network may take room for beside those that its file holds."""


def tell_network(model: Model) -> tuple[dict[str, Any], dict[str, Array]]:
    """A network and its weights, as JSON and arrays."""
    weights = tell_weights(model)  # first, since a network without any says what it lacks
    with sharing():
        network = layer_to_config(model)
    return {"floatx": _float_type(model), "network": network, **tell_paths(model)}, weights


def make_network(header: Mapping[str, Any], tensors: Mapping[str, Array]) -> Model:
    """The network that `tell_network` told. Put it inside `reading`, which explains damage."""
    held = sum(array.size for array in told_weights(header, tensors))
    # statistics that were given to a layer are no weights: they stand in the description, two bytes each
    numbers = held + len(json.dumps(header["network"])) + _BESIDE
    with session(header.get("floatx")), sharing(), room_for(numbers):
        model: Model = layer_from_config(header["network"])
    model.set_weights(told_weights(header, tensors))
    return model


def tell_paths(model: Model) -> dict[str, list[str]]:
    """The paths of the weights, in the order of `get_weights`."""
    return {"weights": [variable.path for variable in model.weights]}


def tell_weights(model: Model) -> dict[str, Array]:
    """The weights as arrays, numbered."""
    return {weight_name(index): array for index, array in enumerate(model.get_weights())}


def told_weights(header: Mapping[str, Any], tensors: Mapping[str, Array]) -> list[Array]:
    """The weights again, as `set_weights` takes them."""
    return [tensors[weight_name(index)] for index in range(len(header["weights"]))]


def tell_state(model: Model, plan: Plan) -> dict[str, Array]:
    """What an optimizer remembers in a plan of the model, and the number of its steps."""
    return {tensor: array for tensor, _, array in _slots(model, plan)}


def load_state(model: Model, plan: Plan, tensors: Mapping[str, Array]) -> None:
    """What `tell_state` told, into a plan of the same model.

    Slots that were not told, of parameters that were frozen then, stay as they are.
    """
    state = plan.state()
    told = {name: tensors[tensor] for tensor, name, _ in _slots(model, plan) if tensor in tensors}
    plan.load({**state, **{name: np.asarray(array) for name, array in told.items()}})


def _slots(model: Model, plan: Plan) -> Iterator[tuple[str, str, Array]]:
    """(name in a file, name in the plan, array) of the step's number and the optimizer's slots."""
    place = {id(variable.value): index for index, variable in enumerate(model.weights)}
    places = {key: place[id(array)] for key, array in model.parameters.items()}
    for name, array in plan.state().items():
        kind, _, rest = name.partition("/")
        if name == "step":
            yield "optimizer/step", name, array
        elif kind == "slots":
            slot, _, key = rest.partition("/")
            yield f"optimizer/{slot}/{places[key]:04d}", name, array


@contextmanager
def session(floatx: str | None) -> Iterator[None]:
    """Build in the float type of a file, and draw no seeds from the session's sequence."""
    with config.scoped_floatx(floatx), seeds.scoped(0):
        yield


@contextmanager
def reading(path: Any, whole: str = "network", more: str = "") -> Iterator[None]:
    """Errors of what a file tells name the file; FormatError where it does not tell all of a `whole`."""
    try:
        yield
    except BrickworkError as error:
        error.add_note(f"while reading {path}" + (f"; {more}" if more else ""))
        raise
    except _DAMAGE as error:
        raise FormatError(
            f"{path} must tell a whole {whole}; its description breaks at {error!r}. "
            f"It is damaged; take another copy of it."
        ) from error


def _float_type(model: Model) -> str:
    floats = [symbol.dtype for symbol in (*model.inputs, *model.outputs) if symbol.dtype.startswith("float")]
    return floats[-1] if floats else config.floatx()
