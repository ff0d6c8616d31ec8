"""The float type and the fuzz factor."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from brickwork import config
from brickwork.errors import ParameterError, ParameterTypeError
from brickwork.initializers import Ones


@pytest.fixture(autouse=True)
def restore():
    yield
    config.set_floatx("float32")
    config.set_epsilon(1e-7)


def test_starts_with_float32_and_1e_7():
    assert config.floatx() == "float32"
    assert config.epsilon() == 1e-7


def test_floatx_is_the_type_of_new_parameters():
    config.set_floatx("float64")
    assert config.floatx() == "float64"
    assert Ones()((2,)).dtype == np.float64


def test_a_scope_has_a_float_type_of_its_own():
    with config.scoped_floatx("float64"):
        assert Ones()((2,)).dtype == np.float64
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(config.floatx).result() == "float32"
        config.set_floatx("float32")  # until the scope ends
        assert config.floatx() == "float32"
        with config.scoped_floatx():
            config.set_floatx("float64")
        assert config.floatx() == "float32"
        config.set_floatx("float64")
    assert config.floatx() == "float32"
    with pytest.raises(ParameterError, match="scoped_floatx: `value` must be one of"):
        config.scoped_floatx("float46").__enter__()


def test_epsilon_can_be_set():
    config.set_epsilon(1e-5)
    assert config.epsilon() == 1e-5


def test_refuses_other_types_of_float():
    with pytest.raises(ParameterError, match="must be one of 'float32', 'float64'; got value='float46'. Did"):
        config.set_floatx("float46")


@pytest.mark.parametrize("value", [0, 1, -1e-7, float("nan")])
def test_refuses_an_epsilon_outside_its_range(value):
    with pytest.raises(ParameterError, match=r"set_epsilon: `value` must be in \(0, 1\)"):
        config.set_epsilon(value)


def test_refuses_an_epsilon_that_is_no_number():
    with pytest.raises(ParameterTypeError, match="got value='small' of type str"):
        config.set_epsilon("small")
