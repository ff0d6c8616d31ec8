"""First values: formulas, seeds, types, messages."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brickwork import initializers, seeds
from brickwork.catalogue import snake_case
from brickwork.errors import ParameterError, ParameterTypeError
from brickwork.initializers import fans

SCALED = {
    "GlorotUniform": (math.sqrt(6 / (40 + 60)), "uniform"),
    "GlorotNormal": (math.sqrt(2 / (40 + 60)), "normal"),
    "HeUniform": (math.sqrt(6 / 40), "uniform"),
    "HeNormal": (math.sqrt(2 / 40), "normal"),
    "LecunUniform": (math.sqrt(3 / 40), "uniform"),
    "LecunNormal": (math.sqrt(1 / 40), "normal"),
}
CONSTANT = [initializers.Zeros, initializers.Ones, initializers.Constant]
RANDOM = [
    initializers.RandomNormal,
    initializers.TruncatedNormal,
    initializers.RandomUniform,
    initializers.VarianceScaling,
    *(getattr(initializers, name) for name in SCALED),
]
EVERY = pytest.mark.parametrize("cls", CONSTANT + RANDOM)
EVERY_RANDOM = pytest.mark.parametrize("cls", RANDOM)


@pytest.mark.parametrize("name", SCALED)
def test_spread_follows_from_the_fans(name):
    size, kind = SCALED[name]
    w = getattr(initializers, name)(seed=1)((40, 60), "float64")
    assert abs(w.mean()) < 0.1 * size
    if kind == "uniform":
        assert 0.99 * size < abs(w).max() <= size
        assert w.std() == pytest.approx(size / math.sqrt(3), rel=0.05)
    else:
        assert w.std() == pytest.approx(size, rel=0.05)
        assert abs(w).max() <= 2 * size / 0.87962566103423978


@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6), (2, 3, 4)])
def test_orthogonal_matrices(shape):
    """The rows or the columns, whichever are fewer, are orthonormal; `gain` is their length."""
    w = initializers.Orthogonal(gain=2.0, seed=1)(shape, "float64").reshape(-1, shape[-1])
    product = w @ w.T if len(w) <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(product, 4.0 * np.eye(len(product)), atol=1e-12)
    assert not np.array_equal(w.reshape(shape), initializers.Orthogonal(gain=2.0, seed=2)(shape, "float64"))


def test_orthogonal_matrices_point_anywhere():
    """Without care for signs, QR would prefer some: the mean over many would not be 0."""
    mean = np.mean([initializers.Orthogonal(seed=seed)((2, 2), "float64") for seed in range(400)], axis=0)
    assert np.abs(mean).max() < 0.15


def test_identity_by_hand():
    assert initializers.Identity(2.0)((3, 2)).tolist() == [[2, 0], [0, 2], [0, 0]]
    assert initializers.identity is initializers.Identity is initializers.IdentityInitializer
    with pytest.raises(ParameterError, match=r"Identity takes a shape of 2 axes; it received \(3,\)"):
        initializers.Identity()((3,))


def test_orthogonal_takes_matrices():
    with pytest.raises(ParameterError, match=r"at least 2 axes; it received \(3,\)"):
        initializers.Orthogonal()((3,))


@pytest.mark.parametrize(
    "shape, expected",
    [
        ((), (1, 1)),
        ((7,), (7, 7)),
        ((784, 100), (784, 100)),
        ((3, 3, 16, 32), (144, 288)),
        ((5, 16, 32), (80, 160)),
    ],
)
def test_fans(shape, expected):
    assert fans(shape) == expected


@pytest.mark.parametrize("mode, n", [("fan_in", 40), ("fan_out", 160), ("fan_avg", 100)])
@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
def test_variance_is_scale_over_n(mode, n, distribution):
    w = initializers.VarianceScaling(3.0, mode, distribution, seed=2)((2, 2, 10, 40), "float64")
    assert w.var() == pytest.approx(3.0 / n, rel=0.1)


def test_the_earlier_word_normal_means_truncated():
    assert initializers.VarianceScaling(distribution="normal").distribution == "truncated_normal"


def test_simple_distributions():
    shape = (100, 100)
    normal = initializers.RandomNormal(1.0, 0.5, seed=1)(shape)
    assert normal.mean() == pytest.approx(1, abs=0.02)
    assert normal.std() == pytest.approx(0.5, rel=0.02)
    truncated = initializers.TruncatedNormal(1.0, 0.5, seed=1)(shape)
    assert 0.98 < abs(truncated - 1).max() <= 1
    assert truncated.std() == pytest.approx(0.5 * 0.8796, rel=0.02)
    uniform = initializers.RandomUniform(2.0, 4.0, seed=1)(shape)
    assert uniform.min() >= 2
    assert uniform.max() <= 4
    assert uniform.mean() == pytest.approx(3, abs=0.02)


def test_defaults_are_keras_ones():
    assert initializers.RandomNormal().get_config() == {"mean": 0.0, "stddev": 0.05, "seed": None}
    assert initializers.TruncatedNormal().get_config() == {"mean": 0.0, "stddev": 0.05, "seed": None}
    assert initializers.RandomUniform().get_config() == {"minval": -0.05, "maxval": 0.05, "seed": None}
    assert initializers.VarianceScaling().get_config() == {
        "scale": 1.0,
        "mode": "fan_in",
        "distribution": "truncated_normal",
        "seed": None,
    }
    assert initializers.GlorotUniform(3).get_config() == {"seed": 3}
    assert initializers.Constant().get_config() == {"value": 0.0}


def test_constants():
    assert initializers.Zeros()((2, 3)).tolist() == [[0] * 3] * 2
    assert initializers.Ones()((2,), "int32").dtype == np.int32
    assert initializers.Constant(2.5)((2,)).tolist() == [2.5, 2.5]


def test_numbers_are_the_same_on_every_machine():
    w = initializers.GlorotUniform(seed=1)((2, 2))
    np.testing.assert_allclose(w, [[-0.48115809, 0.85415851], [-0.84229433, -1.14854997]], rtol=1e-6)


@EVERY
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (3, 3, 2, 4), (0, 2)])
def test_shape_and_type(cls, dtype, shape):
    w = cls()(shape, dtype)
    assert isinstance(w, np.ndarray)
    assert (w.shape, w.dtype) == (shape, dtype)
    assert cls()(list(shape)).dtype == np.float32


@EVERY_RANDOM
def test_a_seed_gives_the_same_numbers_at_every_call(cls):
    initializer = cls(seed=5)
    first = initializer((3, 4))
    assert (initializer((3, 4)) == first).all()
    assert (cls(seed=5)((3, 4)) == first).all()
    assert (cls(seed=6)((3, 4)) != first).any()


@EVERY_RANDOM
def test_float_types_start_alike(cls):
    initializer = cls(seed=5)
    assert (initializer((3, 4), "float64").astype(np.float32) == initializer((3, 4), "float32")).all()


@EVERY_RANDOM
def test_without_a_seed_the_global_sequence_decides(cls):
    initializer = cls()
    seeds.set_random_seed(1)
    first, second = initializer((3, 4)), initializer((3, 4))
    assert (first != second).any()
    seeds.set_random_seed(1)
    assert (cls()((3, 4)) == first).all()


@pytest.mark.parametrize("cls", CONSTANT)
def test_constants_spend_no_seed(cls):
    state = seeds.get_state()
    cls()((2,))
    assert seeds.get_state() == state


@EVERY
def test_draw_takes_the_callers_generator(cls):
    first = cls(**({"seed": 1} if cls in RANDOM else {})).draw(
        (3, 2), "float32", initializers.generator_of(8)
    )
    second = cls().draw((3, 2), "float32", initializers.generator_of(8))
    assert (first == second).all()


@EVERY
def test_configuration_goes_there_and_back(cls):
    one = cls(**({"seed": 4} if cls in RANDOM else {}))
    again = initializers.deserialize(initializers.serialize(one))
    assert type(again) is cls
    assert again.get_config() == one.get_config()
    assert repr(again) == repr(one)


@pytest.mark.parametrize(
    "word, cls", [("normal", "RandomNormal"), ("uniform", "RandomUniform"), ("zero", "Zeros")]
)
def test_short_words_of_keras(word, cls):
    assert type(initializers.get(word)).__name__ == cls


def test_lower_case_names_are_the_classes():
    for cls in CONSTANT + RANDOM:
        assert getattr(initializers, snake_case(cls.__name__)) is cls


def test_a_function_is_an_initializer():
    ramp = initializers.get(lambda shape, dtype=None: np.arange(math.prod(shape), dtype=dtype).reshape(shape))
    assert ramp((2, 2)).tolist() == [[0, 1], [2, 3]]
    assert ramp((2, 2)).dtype == np.float32


def test_a_function_must_keep_the_shape():
    wrong = initializers.get(lambda shape, dtype=None: np.zeros(3))
    with pytest.raises(ParameterError, match=r"the shape asked for, \(2, 2\); <function .* gave \(3,\)"):
        wrong((2, 2))


def test_a_function_cannot_be_saved():
    with pytest.raises(
        ParameterTypeError, match="Only initializers that are classes can be saved; got the function"
    ):
        initializers.serialize(initializers.get(lambda shape, dtype=None: np.zeros(shape)))


def test_a_class_written_for_keras_works():
    class Twos(initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return np.full(shape, 2.0, dtype)

    assert Twos().draw((2,), "float32", initializers.generator_of(0)).tolist() == [2, 2]


def test_a_subclass_writes_draw():
    class Eye(initializers.Initializer):
        def draw(self, shape, dtype, generator):
            return np.eye(*shape, dtype=dtype)

    assert Eye()((2, 2)).tolist() == [[1, 0], [0, 1]]


def test_random_numbers_are_floats():
    with pytest.raises(
        ParameterTypeError, match="HeNormal: `dtype` must be a float type, .* got dtype='int32'"
    ):
        initializers.HeNormal()((2, 2), "int32")


@pytest.mark.parametrize("shape", [(2, -1), (2.5,), "ab", None])
def test_refuses_what_is_no_shape(shape):
    with pytest.raises(
        (ParameterError, ParameterTypeError), match="Zeros: `shape` must be a tuple whose items are"
    ):
        initializers.Zeros()(shape)


def test_bounds_stand_in_order():
    with pytest.raises(
        ParameterError, match=r"`maxval` must be at least minval=1.0; got maxval=0.0. Exchange"
    ):
        initializers.RandomUniform(1.0, 0.0)


def test_names_an_unknown_argument():
    with pytest.raises(
        ParameterTypeError, match="takes the arguments 'seed'; it received `sed`. Did you mean 'seed'"
    ):
        initializers.GlorotUniform(sed=1)
