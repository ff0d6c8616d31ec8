"""The networks of estimators: dense layers from a list of sizes, or what a user's function makes."""

from __future__ import annotations

from typing import Any

from .. import bricks, config, seeds
from ..errors import ParameterError, ParameterTypeError, ShapeError
from ..graph.symbol import Symbol
from ..initializers import GlorotUniform
from ..layers import Activation, BatchNormalization, Dense, Dropout, Input
from ..regularizers import L2
from ..training.model import Model
from .targets import Target

OTHER_NAMES = {"logistic": "sigmoid", "identity": "linear"}
"""scikit-learn's names of activations -> Keras's, where they differ."""


def make_network(settings: Any, features: int, target: Target, seed: int, batch_size: int) -> Model:
    """The network that the parameters of an estimator describe, with initial weights that follow `seed`."""
    if settings.network is not None:
        return _from_function(settings.network, features, target, seed)
    return _dense(settings, features, target, seed, batch_size)


def _dense(settings: Any, features: int, target: Target, seed: int, batch_size: int) -> Model:
    """For each hidden layer: dense → (batch normalization) → activation → (dropout); then a dense output."""
    own = seeds.SeedSequence(seed)
    # scikit-learn's alpha: alpha / 2 Σ w² is divided by the rows of a batch
    penalty = L2(settings.alpha / (2 * batch_size)) if settings.alpha else None
    activation = settings.activation
    if isinstance(activation, str):
        activation = OTHER_NAMES.get(activation, activation)

    def dense(units: int, activation: Any, name: str) -> Any:
        start = GlorotUniform(seed=own.next())
        return Dense(units, activation, kernel_initializer=start, kernel_regularizer=penalty, name=name)

    x = inputs = Input((features,), name="features")
    for number, units in enumerate(settings.hidden_layer_sizes, 1):
        name = f"hidden_{number}"
        if settings.batch_normalization:
            x = dense(units, None, name)(x)
            x = BatchNormalization(name=f"{name}_normalized")(x)
            x = Activation(activation, name=f"{name}_activation")(x)
        else:
            x = dense(units, activation, name)(x)
        if settings.dropout:
            x = Dropout(settings.dropout, name=f"{name}_dropout")(x)
    return Model(inputs, dense(target.units, target.activation, "output")(x), name="network")


def _from_function(function: Any, features: int, target: Target, seed: int) -> Model:
    """What the function makes, under seeds that follow `seed`; other threads and the session have theirs."""
    with seeds.scoped(seed), config.scoped_floatx():
        model = function(features, target.units)
        if isinstance(model, Model) and not model.built:
            model.build((None, features))
    if not isinstance(model, Model):
        raise ParameterTypeError(
            f"`network` must be a function (n_features, n_outputs) -> Model; it gave {model!r} of type "
            f"{type(model).__name__}. Return a Model or Sequential."
        )
    _require_shapes(model, features, target)
    _require_probabilities(model.outputs[0], target)
    return model


def _require_shapes(model: Model, features: int, target: Target) -> None:
    shapes = [symbol.shape for symbol in model.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 2 or shapes[0][1] not in (None, features):
        raise ShapeError(
            f"`network` must make a Model with one input of shape (None, {features}), the features; its "
            f"inputs have the shapes {shapes}. Begin with Input((n_features,)); for images, put Reshape "
            f"after it."
        )
    units = target.unit_choices()
    made = [symbol.shape for symbol in model.outputs]
    if len(made) != 1 or len(made[0]) != 2 or made[0][1] not in units:
        raise ShapeError(
            f"`network` must make a Model with one output of shape (None, {' or '.join(map(str, units))}); "
            f"its outputs have the shapes {made}. End with Dense(n_outputs, "
            f"activation={target.activation!r})."
        )


def _require_probabilities(output: Symbol, target: Target) -> None:
    """Logits where probabilities are due would train on nonsense without a word."""
    needed = target.activation
    if needed != "linear" and output.shape[-1] == 2 and target.units == 1:
        needed = "softmax"
    unbounded = (bricks.Linear, bricks.Bias, bricks.ReLU, bricks.BatchNormalization, bricks.Tanh)
    if needed != "linear" and isinstance(output.call.brick, unbounded):
        raise ParameterError(
            f"`network` must make a Model whose output is probabilities; its last brick is "
            f"{type(output.call.brick).__name__}. End with Dense(n_outputs, activation={needed!r})."
        )


def last_hidden(model: Model) -> Symbol:
    """What goes into the last layer that has weights: the activations of the last hidden layer."""
    for layer in reversed(model.layers):
        if layer.weights:
            symbol = layer.input
            if not isinstance(symbol, Symbol) or any(symbol is one for one in model.inputs):
                break
            return symbol
    raise ParameterError(
        f"`layer`=None stands for the last hidden layer; the network {model.name!r} has none before its "
        f"output. Give it hidden layers, or name a layer of {[layer.name for layer in model.layers]}."
    )
