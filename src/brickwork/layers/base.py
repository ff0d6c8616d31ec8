"""Layers: blocks with Keras's names that lay bricks.

A layer is a table of arguments and a `lay` that puts bricks on symbols. It holds the owners of its bricks'
parameters, so calling it twice shares them.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, ClassVar

import numpy as np

from .. import bricks, seeds
from ..arguments import Configured, Converted, Flag, Many, Maybe, Text, Whole, argument, configured
from ..arrays import Array, Shape
from ..bricks.base import RECORDER, Brick
from ..catalogue import snake_case
from ..config import floatx
from ..errors import (
    GraphError,
    NotFittedError,
    ParameterError,
    ParameterTypeError,
    did_you_mean,
    known_names,
)
from ..graph.symbol import Owner, Symbol, input_symbol, lay, scope
from ..graph.tape import Tape
from ..structs import struct
from .masks import hand_on, masks_for
from .naming import automatic_name as automatic_name
from .naming import reset_names as reset_names
from .variables import KERAS_NAMES
from .variables import Variable as Variable
from .variables import set_variables as set_variables


@struct(eq=False)
class LayerCall:
    """One use of a layer: what went in, what came out, and the penalties (N,) on what came out.

    The last of the inputs may have been given by name: `keywords`. `options` is what was said beside them.
    """

    layer: Layer
    inputs: tuple[Symbol, ...]
    outputs: tuple[Symbol, ...] = ()
    single: bool = True
    penalties: list[Symbol] = field(default_factory=list)
    keywords: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    def arguments(self, symbols: tuple[Symbol, ...]) -> tuple[tuple[Symbol, ...], dict[str, Any]]:
        """What `lay` takes by place and by name, for these symbols in the places of the inputs."""
        count = len(symbols) - len(self.keywords)
        named = dict(zip(self.keywords, symbols[count:], strict=True))
        return symbols[:count], {**named, **self.options}

    def again(self, symbols: tuple[Symbol, ...]) -> Any:
        """The same layer called in the same way on other symbols."""
        return self.layer._lay_call(symbols, self.keywords, self.options)


def _dtype(value: Any) -> str:
    name = getattr(value, "__name__", None) or str(value)
    if name != floatx():
        repair = f"Call brickwork.config.set_floatx({name!r}) before the first layer."
        raise ParameterError(
            f"A layer's dtype must be None or the session's, {floatx()!r}; got {value!r}. "
            f"{repair if name in ('float32', 'float64') else 'Leave it out.'}"
        )
    return name


@configured()
class Layer(Configured):
    """Base of all layers. Subclasses are `configured` and write `lay`.

    Parameters common to all layers (by keyword)
    ----------
    name : the layer's name in its network; default: its class in snake_case, numbered.
    trainable : False leaves its parameters as they are, and batch normalization in inference mode.
    dtype : None, or the session's float type.
    input_shape : shape without the batch axis, for the first layer of a Sequential.
    activity_regularizer : penalty on the layer's output, divided by the batch size.
    """

    name: Any = argument(Maybe(Text()), default=None, kw_only=True)
    trainable: bool = argument(Flag(), default=True, kw_only=True)
    dtype: Any = argument(Converted(_dtype, "'float32' or 'float64'"), default=None, kw_only=True)
    input_shape: Any = argument(Maybe(Many(Maybe(Whole(1)))), default=None, kw_only=True)
    activity_regularizer: Any = argument(
        Converted(lambda value: _penalty(value), "L1, L2 or L1L2"), default=None, kw_only=True
    )

    former_names: ClassVar[dict[str, str]] = {
        "batch_input_shape": "input_shape",
        "batch_shape": "input_shape",
        "input_dim": "input_shape",
        "activity_l1": "activity_regularizer",
        "activity_l2": "activity_regularizer",
        "W_regularizer": "kernel_regularizer",
        "b_regularizer": "bias_regularizer",
        "W_constraint": "kernel_constraint",
        "b_constraint": "bias_constraint",
        "init": "kernel_initializer",
        "bias": "use_bias",
        "output_dim": "units",
        "nb_filter": "filters",
        "nb_row": "kernel_size",
        "nb_col": "kernel_size",
        "border_mode": "padding",
        "subsample": "strides",
        "atrous_rate": "dilation_rate",
        "dim_ordering": "data_format",
        "gamma_init": "gamma_initializer",
        "beta_init": "beta_initializer",
        "dims": "target_shape",
        "p": "rate",
        "alpha": "negative_slope",
        "concat_axis": "axis",
    }
    variable_names: ClassVar[dict[str, str]] = {}
    """Role and name of a parameter, as "role/W" -> Keras's name, where that differs from layer to layer."""
    takes_list: ClassVar[bool] = False
    """True where a list is always a list of inputs, as in `Add()([a, b])`."""
    supports_masking: ClassVar[bool] = False
    """Whether the layer knows what to do with a mask of its input; else the mask ends here and it warns."""
    passes_mask: ClassVar[bool] = True
    """Where masks are supported: whether the outputs get the first input's, rather than what `lay` says."""

    def __post_init__(self) -> None:
        self._owners: dict[str, Owner] = {}
        self._roles: list[str] = []
        self._calls: list[LayerCall] = []
        self._built = False
        super().__post_init__()
        self._explicit_name = self.name
        if self.name is None:
            self.name = automatic_name(type(self).__name__)
        elif "/" in self.name or "@" in self.name or ":" in self.name:
            raise ParameterError(
                f"{type(self).__name__}: `name` must be without '/', '@' and ':', which mark places in a "
                f"network; got name={self.name!r}."
            )

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name == "trainable":
            for owner in self.__dict__.get("_owners", {}).values():
                owner.trainable = bool(value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name!r}>"

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments by name, in a form that JSON can hold."""
        from .serialization import plain

        return {key: plain(value) for key, value in super().get_config().items()}

    # -- laying bricks ------------------------------------------------------------------------------

    def lay(self, *xs: Symbol) -> Any:
        """Put this layer's bricks on symbols. Returns a symbol, or a tuple of them."""
        raise NotImplementedError

    def put(
        self,
        brick: Brick,
        *xs: Symbol,
        role: str | None = None,
        values: Mapping[str, Array] | None = None,
        **attributes: Any,
    ) -> Any:
        """Lay one brick inside `lay`.

        `role` names it within the layer, so that a later call of the layer shares its parameters;
        `attributes` are an Attributes for each parameter of which the layer has something to say, `values`
        the numbers with which some begin that their initializers do not give.
        """
        role = role or snake_case(type(brick).__name__)
        if role in self._roles:
            raise ParameterError(
                f"{type(self).__name__} lays two bricks as {role!r}; give the second one another `role`."
            )
        self._roles.append(role)
        owner = self._owners.get(role)
        if owner is not None:
            return lay(brick, xs, tape=_tape_of(xs), name=role, owner=owner)
        y = lay(
            brick,
            xs,
            tape=_tape_of(xs),
            name=role,
            attributes=attributes,
            parameters=values,
            trainable=self.trainable,
        )
        made = (y[0] if isinstance(y, tuple) else y).call.owner
        if made.values or made.state:
            self._owners[role] = made
        return y

    def __call__(self, *inputs: Any, training: bool | None = None, **more: Any) -> Any:
        """Lay this layer on symbols; on arrays, compute.

        Merging layers take a list: `Add()([a, b])`. `training` (default False) belongs to arrays: dropout and
        batch statistics are then on, and running statistics move, as in a training step. `more` is what the
        layer's `lay` takes by name: further inputs, and options that the network keeps.
        """
        named = {name: value for name, value in more.items() if _is_value(value)}
        options = {name: value for name, value in more.items() if value is not None and name not in named}
        xs = [*self._listed(inputs, {**named, **options}), *named.values()]
        recorder = RECORDER.get()
        if recorder is None and not any(isinstance(x, Symbol) for x in xs):
            return self._compute(xs, bool(training), tuple(named), options)
        if training is not None:
            raise ParameterError(
                f"{type(self).__name__} {self.name!r}: `training` is for arrays; got training={training} on "
                f"a symbol. In a network, fit trains and predict does not; set trainable=False to keep batch "
                f"statistics as they are. While recording, say record(training=True)."
            )
        tape = _tape_of(xs) or recorder
        if tape is None and not all(isinstance(x, Symbol) for x in xs):
            raise GraphError(
                f"{type(self).__name__} {self.name!r} takes symbols or arrays; it received both. Make the "
                f"array an Input of the network, or compute on arrays alone."
            )
        symbols = tuple(x if isinstance(x, Symbol) else tape.input(x) for x in xs)
        return self._lay_call(symbols, tuple(named), options)

    def _listed(self, inputs: Sequence[Any], more: Mapping[str, Any]) -> list[Any]:
        """`layer(a)`, `layer(a, b)` and `layer([a, b])` mean what they look like."""
        xs = list(inputs)
        if len(xs) == 1 and isinstance(xs[0], (list, tuple)):
            if self.takes_list or any(isinstance(x, Symbol) or hasattr(x, "shape") for x in xs[0]):
                xs = list(xs[0])
        signature = inspect.signature(self.lay)
        known = [name for name, each in signature.parameters.items() if each.kind is not each.VAR_POSITIONAL]
        for name in more:
            if name not in known:
                raise ParameterTypeError(
                    f"{type(self).__name__} {self.name!r} is called with {known_names(known)} by name; it "
                    f"received {name!r}.{did_you_mean(name, known)}"
                )
        try:
            signature.bind(*xs, **more)
        except TypeError:
            wanted = sum(each.default is each.empty for each in signature.parameters.values())
            raise ParameterTypeError(
                f"{type(self).__name__} {self.name!r} is called on {wanted} input{'s' * (wanted != 1)}; it "
                f"received {len(xs)}. Merge several into one before it, for instance by Concatenate."
            ) from None
        return xs

    def _lay_call(
        self,
        symbols: tuple[Symbol, ...],
        keywords: tuple[str, ...] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        call = LayerCall(self, symbols, keywords=keywords, options=dict(options or {}))
        roles, owners = self._roles, dict(self._owners)
        self._roles = []
        try:
            with scope(self.name, self.kind, call):
                places, named = call.arguments(symbols)
                y = self.lay(*places, **masks_for(self.lay, places, named))
                call.single = not isinstance(y, tuple)
                call.outputs = y if isinstance(y, tuple) else (y,)
                hand_on(self, call.inputs, call.outputs)
                self._lay_penalties(call)
        except BaseException:
            self._owners = owners  # so that a call that fits can follow one that did not
            raise
        finally:
            self._roles = roles
        self._built = True
        if _tape_of(symbols) is None:  # a layer must not keep the numbers of every recording
            self._calls.append(call)
        return y

    def _lay_penalties(self, call: LayerCall) -> None:
        """Hang the activity penalty on each output; the training graph finds it in the call."""
        known = self.activity_regularizer
        if known is None:
            return
        brick = bricks.ActivityPenalty(getattr(known, "l1", 0.0), getattr(known, "l2", 0.0))
        for index, y in enumerate(call.outputs):
            call.penalties.append(self.put(brick, y, role=f"activity_penalty_{index}" if index else None))

    def _compute(
        self, xs: Sequence[Any], training: bool, keywords: tuple[str, ...], options: Mapping[str, Any]
    ) -> Any:
        tape = Tape(training=training, seed=seeds.next_seed() if training else 0)
        symbols = tuple(tape.input(np.asarray(x, floatx()), f"input_{index}") for index, x in enumerate(xs))
        y = self._lay_unrecorded(symbols, keywords, options)
        if training:
            tape.update_statistics()
        return tuple(one.value for one in y) if isinstance(y, tuple) else y.value

    def _lay_unrecorded(
        self,
        symbols: tuple[Symbol, ...],
        keywords: tuple[str, ...] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        """Lay without a trace in `input` and `output`: numbers and trials are no part of a wiring."""
        calls = list(self._calls)
        try:
            return self._lay_call(symbols, keywords, options)
        finally:
            self._calls = calls

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Which moments of the output count, (N, T), for an array or a list of them; None where all do.

        `mask` is that of the first input.
        """
        tape = Tape()
        xs = [tape.input(np.asarray(x, floatx())) for x in self._listed((inputs,), {})]
        xs[0].mask = None if mask is None else tape.input(np.asarray(mask, floatx()))
        y = self._lay_unrecorded(tuple(xs))
        found = (y[0] if isinstance(y, tuple) else y).mask
        return None if found is None else found.value

    def build(self, input_shape: Shape | Sequence[Shape]) -> None:
        """Make the parameters for an input shape (with the batch axis, None) before any call."""
        self._lay_unrecorded(_inputs_of(input_shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output's shape for an input shape, both with the batch axis; the layer stays as it is."""
        with seeds.scoped(0):  # the twin's parameters must not move those that come after
            twin = type(self).from_config(self.get_config())
            y = twin._lay_call(_inputs_of(input_shape))
        return tuple(one.shape for one in y) if isinstance(y, tuple) else y.shape

    # -- numbers ------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        """The word for this layer in summaries: its class."""
        return type(self).__name__

    @property
    def built(self) -> bool:
        """Whether the layer was laid and so has its parameters."""
        return self._built

    @property
    def weights(self) -> list[Variable]:
        """Parameters, then running statistics, in Keras's order and layout."""
        learned = [
            self._variable(role, key, value, self.trainable and owner.attributes[key].trainable)
            for role, owner in self._owners.items()
            for key, value in owner.values.items()
        ]
        running = [
            self._variable(role, key, value, False)
            for role, owner in self._owners.items()
            for key, value in owner.state.items()
        ]
        return learned + running

    def _variable(self, role: str, key: str, value: Array, trainable: bool) -> Variable:
        """An array of the brick that was laid as `role`, under its Keras name."""
        name = self.variable_names.get(f"{role}/{key}") or KERAS_NAMES.get(key, key)
        return Variable(name, f"{self.name}/{name}", value, trainable)

    @property
    def variables(self) -> list[Variable]:
        """The same as `weights`."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The parameters that training changes."""
        return [variable for variable in self.weights if variable.trainable]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Running statistics, and the parameters of a frozen layer."""
        return [variable for variable in self.weights if not variable.trainable]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The same as `non_trainable_weights`."""
        return self.non_trainable_weights

    def get_weights(self) -> list[Array]:
        """Copies of the arrays, in Keras 3's order and layout."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write arrays in the order of `get_weights`; nothing is written unless all fit."""
        set_variables(self.weights, weights, f"{type(self).__name__} {self.name!r}")

    def count_params(self) -> int:
        """How many numbers the layer holds."""
        return sum(variable.value.size for variable in self.weights)

    def __getattr__(self, name: str) -> Any:
        """`layer.kernel`, `layer.bias`, `layer.gamma`, …: the layer's variables by their Keras names."""
        told = getattr(type(self), name, None)
        if isinstance(told, property) and told.fget is not None:
            # Python comes here when a property has raised; its own message is the better one
            return told.fget(self)
        if not name.startswith("_"):
            for variable in self.weights:
                if variable.name == name:
                    return variable
            if name in (*KERAS_NAMES.values(), *self.variable_names.values(), "gamma", "beta"):
                raise AttributeError(
                    f"{type(self).__name__} {self.name!r} has no {name!r} (yet). "
                    f"Call it on an input, or build it."
                )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # -- wiring -------------------------------------------------------------------------------------

    @property
    def input(self) -> Any:
        """What the layer was called on."""
        return _one_or_all(self._only_call().inputs)

    @property
    def output(self) -> Any:
        """What the layer gave when it was called."""
        call = self._only_call()
        return call.outputs[0] if call.single else call.outputs

    def _only_call(self) -> LayerCall:
        if not self._calls:
            raise NotFittedError(
                f"{type(self).__name__} {self.name!r} was never called, so it has neither input nor output. "
                f"Call it on an Input, or add it to a Sequential."
            )
        return self._calls[0]


def _inputs_of(input_shape: Any) -> tuple[Symbol, ...]:
    """A symbol for a shape, or for each of several shapes."""
    several = bool(input_shape) and isinstance(input_shape[0], (tuple, list))
    return tuple(input_symbol(tuple(shape)) for shape in (input_shape if several else [input_shape]))


def _is_value(given: Any) -> bool:
    """Whether this is an input, a symbol or an array, and no option."""
    return isinstance(given, Symbol) or bool(getattr(given, "shape", ()))


def _tape_of(xs: Sequence[Any]) -> Any:
    return next((x.call.tape for x in xs if isinstance(x, Symbol) and x.call.tape is not None), None)


def _one_or_all(symbols: tuple[Symbol, ...]) -> Any:
    return symbols[0] if len(symbols) == 1 else symbols


def _penalty(value: Any) -> Any:
    """A regularizer that is said by l1 and l2, which the brick ActivityPenalty computes for each sample."""
    from .. import regularizers

    known = regularizers.get(value)
    if isinstance(known, (regularizers.L1, regularizers.L2, regularizers.L1L2)):
        return known
    raise ParameterError(
        f"activity_regularizer must be L1, L2 or L1L2 of brickwork.regularizers; got {value!r}. "
        f"Lay a penalty of another kind as a brick and make it an output with a loss of its own."
    )
