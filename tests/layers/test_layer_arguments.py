"""Arguments of layers: the names, order and defaults of Keras, and what is said of wrong ones."""

from __future__ import annotations

import dataclasses
import inspect
import re

import numpy as np
import pytest

from brickwork import initializers, layers, regularizers
from brickwork.arguments import Converted
from brickwork.errors import ParameterError, ParameterTypeError
from layers.examples import BEYOND_KERAS, REQUIRED
from layers.test_layer_table import exported
from wrong_arguments import assert_refuses, wrong_arguments

REQUIRED = {**REQUIRED, "InputLayer": {"shape": (3,)}}

KINDS = {cls.__name__: cls for cls in exported()}


@pytest.mark.parametrize(("cls", "name", "value"), wrong_arguments(*KINDS.values()))
def test_wrong_values(cls, name, value):
    needed = REQUIRED[cls.__name__]
    check = next(field for field in dataclasses.fields(cls) if field.name == name).metadata["check"]
    if isinstance(check, Converted):  # says what it is of, and the argument in a note
        with pytest.raises((ParameterError, ParameterTypeError)) as caught:
            cls(**{**needed, name: value})
        assert f"in argument `{name}` of {cls.__name__}" in caught.value.__notes__
        assert repr(value) in str(caught.value)
    else:
        assert_refuses(cls, name, value, **needed)


# Of Keras, and not taken: low-rank adaption, quantization and tensors of other kinds are not here.
NOT_TAKEN = {
    "Bidirectional": {"weights"},  # set_weights takes them
    "Dense": {"lora_rank", "lora_alpha", "quantization_config"},
    "Embedding": {"weights", "lora_rank", "lora_alpha", "quantization_config"},
    "MultiHeadAttention": {"attention_axes", "flash_attention", "sliding_window", "use_gate"},
    "InputLayer": {"sparse", "ragged", "batch_shape", "input_tensor", "optional"},
}

# In Keras these, and all behind `activity_regularizer`, may be given by position; here by keyword only.
BY_KEYWORD = {"activity_regularizer", "embeddings_constraint", "mask_zero", "name", "dtype"}

# These stand behind arguments that are not taken, so their places would differ.
BEHIND = {
    "MultiHeadAttention": {
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
    }
}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - BEYOND_KERAS))
def test_signature_is_that_of_keras(kind):
    keras = pytest.importorskip("keras")
    theirs = {
        name: each.default
        for name, each in inspect.signature(getattr(keras.layers, kind).__init__).parameters.items()
        if name != "self" and each.kind is each.POSITIONAL_OR_KEYWORD and name not in NOT_TAKEN.get(kind, ())
    }
    ours = {
        name: each
        for name, each in inspect.signature(KINDS[kind]).parameters.items()
        if name in theirs or each.kind is each.POSITIONAL_OR_KEYWORD
    }
    order = list(theirs)
    behind = order[order.index("activity_regularizer") :] if "activity_regularizer" in order else []
    behind += ["backward_layer"]
    positional = [name for name, each in ours.items() if each.kind is each.POSITIONAL_OR_KEYWORD]
    assert positional == [
        name for name in theirs if name not in {*BY_KEYWORD, *behind, *BEHIND.get(kind, ())}
    ]
    assert set(ours) == set(theirs)
    for name, each in ours.items():
        if (kind, name) in {("InputLayer", "shape"), ("CategoryEncoding", "num_tokens")}:
            continue  # Keras allows none: for batch_shape, or to say that there must be one
        assert each.default == theirs[name], name


@pytest.mark.parametrize(
    "name", ["add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot"]
)
def test_functions_have_the_signature_of_keras(name):
    keras = pytest.importorskip("keras")
    for ours, theirs in zip(
        inspect.signature(getattr(layers, name)).parameters.values(),
        inspect.signature(getattr(keras.layers, name)).parameters.values(),
        strict=True,
    ):
        assert (ours.name, ours.default, ours.kind) == (theirs.name, theirs.default, theirs.kind)


@pytest.mark.parametrize(
    ("kind", "old", "today"),
    [
        ("Dense", "output_dim", "units"),
        ("Dense", "batch_input_shape", "input_shape"),
        ("Dense", "input_dim", "input_shape"),
        ("Dense", "activity_l2", "activity_regularizer"),
        ("Dense", "W_regularizer", "kernel_regularizer"),
        ("Dense", "init", "kernel_initializer"),
        ("Dense", "bias", "use_bias"),
        ("Conv2D", "nb_filter", "filters"),
        ("Conv2D", "nb_row", "kernel_size"),
        ("Conv2D", "border_mode", "padding"),
        ("Conv2D", "subsample", "strides"),
        ("Conv2D", "dim_ordering", "data_format"),
        ("Conv2D", "atrous_rate", "dilation_rate"),
        ("BatchNormalization", "gamma_init", "gamma_initializer"),
        ("Dropout", "p", "rate"),
        ("LeakyReLU", "alpha", "negative_slope"),
        ("Reshape", "dims", "target_shape"),
        ("Concatenate", "concat_axis", "axis"),
    ],
)
def test_names_of_earlier_versions(kind, old, today):
    message = rf"received `{old}`\. `{old}` is a name of an earlier Keras; today it is `{today}`\."
    with pytest.raises(ParameterTypeError, match=message):
        KINDS[kind](**{old: 3})


def test_an_old_name_of_another_layer_is_only_unknown():
    with pytest.raises(ParameterTypeError, match=r"ReLU takes the arguments .* it received `output_dim`\.$"):
        layers.ReLU(output_dim=3)


def test_unknown_arguments():
    with pytest.raises(ParameterTypeError, match=r"it received `unit`\. Did you mean 'units'\?"):
        layers.Dense(unit=3)
    with pytest.raises(ParameterTypeError, match=r"it received `kernal_size`\. Did you mean 'kernel_size'\?"):
        layers.Conv2D(3, kernal_size=3)


def test_too_many_by_position():
    with pytest.raises(
        ParameterTypeError, match=r"Dense takes at most 7 positional arguments \(units, .*Name"
    ):
        layers.Dense(3, None, True, "zeros", "zeros", None, None, "l2")


def test_missing_argument():
    with pytest.raises(ParameterTypeError, match=r"Conv2D needs `kernel_size`; it received nothing for it"):
        layers.Conv2D(3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: layers.Conv2D(4, 3, groups=3),
            "Conv2D: `filters` must be divisible by `groups`; got filters=4 and groups=3. Take 6 filters.",
        ),
        (
            lambda: layers.Conv2D(4, 3, data_format="channels_first"),
            "Conv2D: `data_format` must be None or 'channels_last', images (N, H, W, C); got "
            "data_format='channels_first'. Move the channels to the last axis, "
            "numpy.moveaxis(images, 1, -1).",
        ),
        (
            lambda: layers.Conv2D(4, 3, padding="same "),
            "Conv2D: `padding` must be one of 'valid', 'same'; got padding='same '. Did you mean 'same'?",
        ),
        (
            lambda: layers.Dense(3, activation="rellu"),
            "Dense: `activation` must be None or an activation's name or a brick; got activation='rellu'. "
            "Did you mean 'relu'?",
        ),
        (
            lambda: layers.Dense(3, kernel_initializer="glorot_unifrm"),
            "Did you mean 'glorot_uniform'?",
        ),
        (
            lambda: layers.Dense(3, name="a/b"),
            "Dense: `name` must be without '/', '@' and ':', which mark places in a network; got name='a/b'.",
        ),
        (
            lambda: layers.Dense(3, dtype="float64"),
            "A layer's dtype must be None or the session's, 'float32'; got 'float64'. "
            "Call brickwork.config.set_floatx('float64') before the first layer.",
        ),
        (
            lambda: layers.Dense(3, dtype="mixed_float16"),
            "A layer's dtype must be None or the session's, 'float32'; got 'mixed_float16'. Leave it out.",
        ),
        (
            lambda: layers.Dense(3, activity_regularizer=Own()),
            "activity_regularizer must be L1, L2 or L1L2 of brickwork.regularizers; got Own(). Lay a "
            "penalty of another kind as a brick and make it an output with a loss of its own.",
        ),
        (
            lambda: layers.Dropout(0.5, noise_shape=(1, 1, 3)),
            "Dropout: `noise_shape` must be None or a tuple of None, for the samples, and None or a size of "
            "at least 1 for each other axis; got noise_shape=(1, 1, 3). Each sample has a mask of its own.",
        ),
        (
            lambda: layers.BatchNormalization(renorm=True),
            "BatchNormalization: `renorm` must be False; got renorm=True. Batch renormalization is not here.",
        ),
        (
            lambda: layers.BatchNormalization(synchronized=True),
            "BatchNormalization: `synchronized` must be False; got synchronized=True. Sharded over devices, "
            "a batch is always normalized as a whole.",
        ),
        (
            lambda: layers.BatchNormalization(moving_mean_initializer="glorot_uniform"),
            "A moving statistic starts from one number: its initializer must be 'zeros', 'ones' or "
            "Constant; got 'glorot_uniform'. To start from an array, use set_weights.",
        ),
        (
            lambda: layers.Normalization(mean=1.0),
            "Normalization takes `mean` and `variance` together; got mean=1.0 and variance=None. Give both, "
            "or none and call adapt.",
        ),
        (
            lambda: layers.Normalization(mean=[1.0], variance=[1.0, 2.0]),
            "Normalization: `mean` and `variance` must have one shape, with at most one axis for each in "
            "axis=-1; got shapes (1,) and (2,). Name all axes.",
        ),
        (
            lambda: layers.Normalization(axis=None, mean=[1.0], variance=[2.0]),
            "with at most one axis for each in axis=None; got shapes (1,) and (1,)",
        ),
        (
            lambda: layers.Input(),
            "Input needs the shape of one sample; it received none. Write Input(shape=(28, 28, 1)).",
        ),
        (
            lambda: layers.Input(784),
            "Input takes a tuple as shape; got shape=784. Write shape=(784,).",
        ),
        (
            lambda: layers.Input((3,), batch_shape=(None, 3)),
            "Input takes `batch_shape`, or `shape` and `batch_size`; got batch_shape=(None, 3) beside "
            "another. Drop one of them.",
        ),
        (
            lambda: layers.Input((3,), dtype="float16"),
            "InputLayer: `dtype` must be None, 'float32', 'float64', 'bool' or an integer type such as "
            "'int32'; got dtype='float16'.",
        ),
    ],
)
def test_messages(make, message):
    with pytest.raises((ParameterError, ParameterTypeError), match=re.escape(message)):
        make()


class Own(regularizers.Regularizer):
    def __repr__(self):
        return "Own()"


def test_numbers_of_numpy_are_numbers():
    layer = layers.Conv2D(np.int64(3), np.array([3, 2]), strides=np.int32(2))
    assert (layer.filters, layer.kernel_size, layer.strides) == (3, (3, 2), (2, 2))


def test_no_initializer_is_the_default():
    layer = layers.Dense(300, kernel_initializer=None)
    layer.build((None, 300))
    kernel = layer.get_weights()[0]
    assert np.abs(kernel).max() <= 0.1
    assert np.abs(kernel).max() > 0.099


def test_initializers_by_object_name_and_configuration():
    for given in (initializers.Constant(2.0), {"class_name": "Constant", "config": {"value": 2.0}}):
        layer = layers.Dense(2, bias_initializer=given)
        layer.build((None, 1))
        assert layer.bias.numpy().tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("given", "brick"),
    [
        (layers.ReLU(), "ReLU()"),
        (layers.ReLU(negative_slope=0.5), "LeakyReLU(negative_slope=0.5)"),
        (layers.ReLU(max_value=6), "Rectifier(max_value=6.0)"),
        (layers.LeakyReLU(0.1), "LeakyReLU(negative_slope=0.1)"),
        (layers.ELU(), "ELU()"),
        (layers.Softmax(), "Softmax()"),
    ],
)
def test_activation_layers_as_activations(given, brick):
    assert repr(layers.Dense(3, activation=given).activation) == brick
