"""Structs beside what `dataclasses.dataclass` makes of the same text."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from typing import Any, ClassVar

import pytest

from brickwork.errors import ParameterTypeError
from brickwork.structs import struct

DECORATORS = {"struct": struct, "dataclass": dataclasses.dataclass}
both = pytest.mark.parametrize("decorate", DECORATORS.values(), ids=DECORATORS)


@struct(frozen=True)
class Point:
    x: float
    y: float = 0.0


def made(decorate: Any, **options: Any) -> Any:
    @decorate(**options)
    class Thing:
        """A thing."""

        size: int
        name: str = "thing"
        parts: list[int] = dataclasses.field(default_factory=list)
        hidden: int = dataclasses.field(default=3, repr=False, compare=False)
        inner: int = dataclasses.field(default=7, init=False)
        weight: float = dataclasses.field(default=1.0, kw_only=True)
        kind: ClassVar[str] = "none"

    return Thing


@both
def test_it_is_a_dataclass(decorate):
    cls = made(decorate)
    thing = cls(2, parts=[1])
    assert [field.name for field in dataclasses.fields(cls)] == [
        *("size", "name", "parts", "hidden", "inner", "weight")
    ]
    assert vars(thing) == {"size": 2, "name": "thing", "parts": [1], "hidden": 3, "weight": 1.0}
    assert thing.inner == 7
    assert repr(thing).endswith(".Thing(size=2, name='thing', parts=[1], inner=7, weight=1.0)")
    assert dataclasses.replace(thing, name="b") == cls(2, "b", [1])
    assert dataclasses.asdict(thing)["parts"] == [1]
    assert cls(2).parts is not cls(2).parts
    assert str(inspect.signature(cls)).startswith(
        "(size: 'int', name: 'str' = 'thing', parts: 'list[int]' = <factory>, hidden: 'int' = 3, *, "
        "weight: 'float' = 1.0)"
    )


@both
def test_equality_is_of_the_compared_fields(decorate):
    cls, other = made(decorate), made(decorate)
    assert cls(2, hidden=1) == cls(2, hidden=2)
    assert cls(2) != cls(2, weight=2.0)
    assert cls(2) != other(2)
    assert cls.__hash__ is None


@both
def test_frozen_ones_have_a_hash_and_stay_as_they_are(decorate):
    cls = made(decorate, frozen=True)
    thing = cls(2, parts=())
    assert hash(thing) == hash(cls(2, parts=(), hidden=5))
    for change in (lambda: setattr(thing, "size", 3), lambda: delattr(thing, "size")):
        with pytest.raises(dataclasses.FrozenInstanceError, match=r"cannot .* field 'size'"):
            change()
    assert thing.size == 2


@both
def test_without_equality_each_object_is_its_own(decorate):
    cls = made(decorate, eq=False)
    assert cls(2) != cls(2)
    assert len({cls(2), cls(2)}) == 2


@both
def test_what_the_class_states_itself_stays(decorate):
    @decorate(frozen=True)
    class Own:
        x: int

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 5

    assert (repr(Own(1)), Own(1) == 3, hash(Own(1))) == ("own", True, 5)


@both
def test_fields_are_inherited_and_finished(decorate):
    told = []

    @decorate()
    class Base:
        a: int
        b: int = 2

        def __post_init__(self) -> None:
            told.append((self.a, self.b))

    @decorate()
    class Derived(Base):
        a: int = 1
        c: int = 3

    class Written(Base):
        def __init__(self, number: int) -> None:
            super().__init__(number, number)

    assert vars(Derived()) == {"a": 1, "b": 2, "c": 3}
    assert vars(Written(4)) == {"a": 4, "b": 4}
    assert told == [(1, 2), (4, 4)]
    assert list(inspect.signature(Written).parameters) == ["number"]
    assert [p.name for p in inspect.signature(Derived).parameters.values()] == ["a", "b", "c"]


@both
def test_setting_goes_through_the_class_s_own_way(decorate):
    @decorate()
    class Doubling:
        x: int

        def __setattr__(self, name: str, value: int) -> None:
            super().__setattr__(name, 2 * value)

    assert Doubling(2).x == 4


@both
def test_one_that_holds_itself_can_be_shown(decorate):
    cls = made(decorate)
    thing = cls(1)
    thing.parts.append(thing)
    assert "parts=[...]" in repr(thing)


def test_copies_and_pickles():
    assert copy.deepcopy(Point(1.0)) == pickle.loads(pickle.dumps(Point(1.0))) == Point(1.0)


@pytest.mark.parametrize(
    "args, kwargs, words",
    [
        ((), {"y": 2.0}, r"^Point needs `x`; it received nothing for it. Write Point\(x=…\).$"),
        (
            *((1.0, 2.0, 3.0), {}),
            r"^Point takes at most 2 positional arguments \(x, y\); it received 3. Name the others.$",
        ),
        ((1.0,), {"x": 2.0}, "^Point takes `x` once; it received it by position and by name. Drop one"),
        ((1.0,), {"yy": 2.0}, "^Point takes the arguments 'x', 'y'; it received `yy`. Did you mean 'y'?"),
        ((1.0, 2.0, 3.0), {"x": 2.0}, "takes at most 2"),
    ],
)
def test_arguments_that_do_not_fit(args, kwargs, words):
    with pytest.raises(ParameterTypeError, match=words):
        Point(*args, **kwargs)


def test_no_code_is_compiled(monkeypatch):
    """The reason why structs exist: `dataclass` compiles each method's text."""
    import builtins

    def refused(*what: Any) -> None:
        raise AssertionError("compiled")

    monkeypatch.setattr(builtins, "exec", refused)
    assert made(struct, frozen=True)(2).size == 2
    with pytest.raises(AssertionError, match="compiled"):
        made(dataclasses.dataclass, frozen=True)
