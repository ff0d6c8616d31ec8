"""Objects by name, and what is said about unknown ones."""

from __future__ import annotations

import pytest

from brickwork import constraints, initializers, metrics, optimizers, regularizers
from brickwork.catalogue import snake_case
from brickwork.errors import ParameterError, ParameterTypeError
from brickwork.optimizers import schedules

ROOMS = [
    (initializers, "he_normal", initializers.HeNormal, "he_norml"),
    (regularizers, "l2", regularizers.L2, "l22"),
    (constraints, "max_norm", constraints.MaxNorm, "maxnorm"),
    (metrics, "mean_squared_error", metrics.MeanSquaredError, "mean_sqared_error"),
    (optimizers, "adam", optimizers.Adam, "adm"),
]
EACH_ROOM = pytest.mark.parametrize(
    "room, name, cls, wrong", ROOMS, ids=lambda value: getattr(value, "__name__", "")
)


@EACH_ROOM
def test_get_takes_a_name_a_class_an_object_a_configuration_and_none(room, name, cls, wrong):
    one = cls()
    assert room.get(one) is one
    for identifier in (name, cls.__name__, name.upper(), cls, {"class_name": cls.__name__, "config": {}}):
        assert type(room.get(identifier)) is cls
    assert room.get(None) is None


@EACH_ROOM
def test_get_names_the_nearest(room, name, cls, wrong):
    with pytest.raises(
        ParameterError, match=f"must be one of .*'{name}'.*; got '{wrong}'. Did you mean '{name}'?"
    ):
        room.get(wrong)


@EACH_ROOM
def test_get_refuses_other_things(room, name, cls, wrong):
    with pytest.raises(ParameterTypeError, match=r"must be one of .* or its class; got 3\.5 of type float"):
        room.get(3.5)


@EACH_ROOM
def test_get_refuses_classes_of_another_kind(room, name, cls, wrong):
    with pytest.raises(ParameterTypeError, match="got <class 'int'> of type type"):
        room.get(int)


@EACH_ROOM
def test_configuration_goes_there_and_back(room, name, cls, wrong):
    config = room.serialize(cls())
    assert config == {"class_name": cls.__name__, "config": cls().get_config()}
    assert room.serialize(room.deserialize(config)) == config


@EACH_ROOM
def test_a_configuration_needs_its_class_name(room, name, cls, wrong):
    with pytest.raises(
        ParameterError, match=r"must be a dict with 'class_name' and 'config'; got \{'config'"
    ):
        room.deserialize({"config": {}})


@EACH_ROOM
def test_serialize_refuses_other_things(room, name, cls, wrong):
    with pytest.raises(
        ParameterTypeError, match="can be serialized here; got 'adam' of type str. Pass an instance"
    ):
        room.serialize("adam")


def test_classes_of_the_users_own_are_named():
    class Two(initializers.Constant):
        pass

    config = initializers.serialize(Two(2.0))
    with pytest.raises(ParameterError, match="got 'Two'"):
        initializers.deserialize(config)
    assert type(initializers.deserialize(config, custom_objects={"Two": Two})) is Two


def test_schedules_have_a_catalogue_too():
    schedule = schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True)
    assert schedules.deserialize(schedules.serialize(schedule)).get_config() == schedule.get_config()


@pytest.mark.parametrize(
    "name, snake",
    [
        ("GlorotUniform", "glorot_uniform"),
        ("L1L2", "l1l2"),
        ("SGD", "sgd"),
        ("Adam", "adam"),
        ("NonNeg", "non_neg"),
        ("AUC", "auc"),
        ("MeanSquaredError", "mean_squared_error"),
    ],
)
def test_snake_case(name, snake):
    assert snake_case(name) == snake
