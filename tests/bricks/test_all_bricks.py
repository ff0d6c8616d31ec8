"""What every brick must do, in every configuration of the table."""

from __future__ import annotations

import dataclasses
import doctest
import json
import re

import numpy as np
import pytest

from bricks.cases import CASES, ROWS, Case
from bricks.numeric import is_float, wrong_slopes
from brickwork import bricks
from brickwork.bricks import Brick, Context
from brickwork.bricks.registry import brick_from_config, brick_to_config
from brickwork.errors import ParameterError, ParameterTypeError

jax = pytest.importorskip("jax")

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


def exported() -> list[type[Brick]]:
    found = [getattr(bricks, name) for name in bricks.__all__]
    return [cls for cls in found if isinstance(cls, type) and issubclass(cls, Brick) and cls is not Brick]


every_class = pytest.mark.parametrize("cls", exported(), ids=lambda cls: cls.__name__)


def leaves(tree) -> list:
    if tree is None:
        return []
    if isinstance(tree, tuple):
        return [leaf for item in tree for leaf in leaves(item)]
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    return [tree]


def run(case: Case, point, seed: int = 1):
    """(y, saved, dy, dxs, dparams)"""
    y, saved = case.brick.forward(point.params, *point.xs, ctx=point.ctx)
    dy = np.asarray(np.random.default_rng(seed).standard_normal(y.shape), dtype=y.dtype)
    dxs, dparams = case.brick.backward(point.params, saved, dy)
    return y, saved, dy, dxs, dparams


def assert_close(one, other, tolerance: float) -> None:
    one, other = leaves(one), leaves(other)
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape
        scale = max(1.0, float(np.max(np.abs(a[np.isfinite(a)]), initial=0.0)))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)


def test_every_brick_is_in_the_table():
    assert {cls.__name__ for cls in exported()} == {type(case.brick).__name__ for case in CASES}


@every_case
def test_gradients_are_the_slopes(case):
    point = case.draw()
    assert case.brick.distance_to_kink(*point.xs) >= 1e-3
    assert wrong_slopes(case.brick, point.params, point.xs, point.ctx) == []


@every_case
def test_output_shape_is_the_shape_of_the_output(case):
    point = case.draw()
    y = run(case, point)[0]
    told = case.brick.output_shape(*case.shapes(point.xs))
    assert tuple(ROWS if size is None else size for size in told) == y.shape
    assert case.brick.output_shape(*(x.shape for x in point.xs)) == y.shape


@every_case
def test_parameters_and_state_are_told(case):
    shapes = case.shapes(case.draw().xs)
    for name, spec in case.brick.parameters(*shapes).items():
        assert spec.initializer(spec.shape, "float32").shape == spec.shape, name
    point = case.draw()
    saved = run(case, point)[1]
    state = case.brick.next_state(point.ctx.state, saved)
    specs = case.brick.state(*shapes)
    assert {name: value.shape for name, value in state.items()} == {n: s.shape for n, s in specs.items()}
    changed = any(not np.array_equal(state[name], point.ctx.state[name]) for name in specs)
    assert changed == (case.training and bool(specs))


@every_case
def test_inputs_are_left_alone(case):
    run(case, case.draw().read_only())


@every_case
def test_the_same_result_twice(case):
    one, other = run(case, case.draw()), run(case, case.draw())
    for a, b in zip(leaves(one), leaves(other), strict=True):
        np.testing.assert_array_equal(a, b)


@every_case
def test_a_second_backward_gives_the_same(case):
    point = case.draw()
    _, saved, dy, dxs, dparams = run(case, point)
    again = case.brick.backward(point.params, saved, dy)
    for a, b in zip(leaves((dxs, dparams)), leaves(again), strict=True):
        np.testing.assert_array_equal(a, b)


@every_case
def test_batched_is_one_by_one(case):
    if case.brick.mixes_samples and (case.training or not case.brick.state(*case.shapes(case.draw().xs))):
        pytest.skip("samples depend on one another")
    point = case.draw()
    y, _, dy, dxs, dparams = run(case, point)
    if y.ndim == 0:
        pytest.skip("no batch")
    batched = [x.ndim > 0 and x.shape[0] == ROWS for x in point.xs]
    total = {name: 0.0 for name in dparams}
    shared = [0.0 for _ in point.xs]
    for row in range(ROWS):
        xs = tuple(x[row : row + 1] if own else x for x, own in zip(point.xs, batched, strict=True))
        ctx = dataclasses.replace(point.ctx, row=row)
        y_row, saved = case.brick.forward(point.params, *xs, ctx=ctx)
        assert_close(y_row, y[row : row + 1], 1e-13)
        dxs_row, dparams_row = case.brick.backward(point.params, saved, dy[row : row + 1])
        total = {name: total[name] + dparams_row[name] for name in total}
        for index, (dx, dx_row) in enumerate(zip(dxs, dxs_row, strict=True)):
            if dx is not None and batched[index]:
                assert_close(dx_row, dx[row : row + 1], 1e-13)
            elif dx is not None:
                shared[index] = shared[index] + dx_row
    assert_close(total, dparams, 1e-12)
    for dx, own, found in zip(dxs, batched, shared, strict=True):
        assert own or dx is None or np.allclose(dx, found, rtol=1e-12, atol=1e-12)


@every_case
def test_float32_stays_float32(case):
    point = case.draw().astype(np.float32)
    y, saved, _, dxs, dparams = run(case, point)
    state = case.brick.next_state(point.ctx.state, saved)
    for array in leaves((y, saved, dxs, dparams, dict(state))):
        assert array.dtype == np.float32 or not is_float(array), array.dtype


@every_case
def test_float32_stays_float32_on_jax(case):
    point = case.draw().astype(np.float32)

    def everything(params, xs, state):
        ctx = dataclasses.replace(point.ctx, state=state)
        y, saved = case.brick.forward(params, *xs, ctx=ctx)
        return y, saved, case.brick.backward(params, saved, y), dict(case.brick.next_state(state, saved))

    found = jax.eval_shape(everything, point.params, point.xs, dict(point.ctx.state))
    for array in jax.tree_util.tree_leaves(found):
        assert array.dtype == np.float32 or not np.issubdtype(array.dtype, np.floating), array


@every_case
def test_saved_holds_arrays_or_none_only(case):
    saved = run(case, case.draw())[1]

    def check(item):
        if isinstance(item, tuple):
            for one in item:
                check(one)
        else:
            assert item is None or isinstance(item, (np.ndarray, np.generic)), type(item)

    assert isinstance(saved, tuple)
    check(saved)


@every_case
def test_numpy_and_jitted_jax_agree(case):
    """Forward, backward and next_state are jitted apart, so that `saved` crosses the border of jit."""
    point = case.draw()
    y, saved, dy, dxs, dparams = run(case, point)
    state = dict(case.brick.next_state(point.ctx.state, saved))

    def forward(params, xs, state, key, step):
        ctx = Context(point.ctx.training, state, key, step, point.ctx.stream, point.ctx.row)
        return case.brick.forward(params, *xs, ctx=ctx)

    def after(state, saved):
        return dict(case.brick.next_state(state, saved))

    with jax.enable_x64(True):
        key = np.array([point.ctx.key, 0], np.uint32)
        y_jax, saved_jax = jax.jit(forward)(
            point.params, point.xs, dict(point.ctx.state), key, np.uint32(point.ctx.step)
        )
        dxs_jax, dparams_jax = jax.jit(case.brick.backward)(point.params, saved_jax, dy)
        state_jax = jax.jit(after)(dict(point.ctx.state), saved_jax)
    assert_close(y, y_jax, 1e-12)
    assert_close((dxs, dparams), (dxs_jax, dparams_jax), 1e-12)
    assert_close(state, state_jax, 1e-12)


@every_case
def test_backward_is_the_derivative_that_jax_finds(case):
    point = case.draw()
    _, _, dy, dxs, dparams = run(case, point)
    wanted = [index for index, x in enumerate(point.xs) if is_float(x)]

    def value(params, chosen):
        xs = list(point.xs)
        for index, x in zip(wanted, chosen, strict=True):
            xs[index] = x
        xs = [jax.numpy.asarray(x) for x in xs]
        if case.brick.surrogate is not None:
            return case.brick.surrogate_forward(params, *xs)
        return case.brick.forward(params, *xs, ctx=point.ctx)[0]

    def pull(params, chosen, dy):
        return jax.vjp(value, params, chosen)[1](dy)

    with jax.enable_x64(True):
        params_jax, xs_jax = jax.jit(pull)(point.params, [point.xs[index] for index in wanted], dy)
    assert_close(tuple(dxs[index] for index in wanted), tuple(xs_jax), 1e-11)
    assert_close(dparams, params_jax, 1e-11)


@every_case
def test_the_halves_are_the_whole(case):
    point = case.draw()
    _, saved, dy, dxs, dparams = run(case, point)
    for a, b in zip(leaves(dxs), leaves(case.brick.input_gradients(point.params, saved, dy)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert_close(dparams, case.brick.parameter_gradients(point.params, saved, dy), 0.0)


@every_case
def test_configuration_makes_the_same_brick(case):
    told = json.loads(json.dumps(brick_to_config(case.brick)))
    again = brick_from_config(told)
    assert again == case.brick
    assert hash(again) == hash(case.brick)
    assert type(case.brick).from_config(case.brick.get_config()) == case.brick
    assert (
        eval(repr(case.brick), vars(bricks) | {n: getattr(bricks, n) for n in bricks.__all__}) == case.brick
    )


@every_case
def test_one_sample_and_none(case):
    """N = 1 and N = 0 need no care of the user's."""
    point = case.draw()
    if case.brick.mixes_samples:
        pytest.skip("statistics of nothing")
    for rows in (1, 0):
        xs = tuple(x[:rows] if x.ndim > 0 and x.shape[0] == ROWS else x for x in point.xs)
        y, saved = case.brick.forward(point.params, *xs, ctx=point.ctx)
        dxs, _ = case.brick.backward(point.params, saved, np.ones_like(y))
        assert y.shape == case.brick.output_shape(*(x.shape for x in xs))
        assert all(dx is None or dx.shape == x.shape for dx, x in zip(dxs, xs, strict=True))


@every_class
def test_the_docstring_names_everything(cls):
    text = cls.__doc__
    for word in ("Forward", "Backward", "Shapes", ">>>"):
        assert re.search(rf"^ +{re.escape(word)}", text, re.MULTILINE), word
    assert re.search(r"\b(19|20)\d\d\b", text.strip().rsplit("\n\n", 1)[-1]), "one source with its year"
    for field in dataclasses.fields(cls):
        assert re.search(rf"^    {field.name} : ", text, re.MULTILINE), field.name
    for case in CASES:
        if type(case.brick) is cls:
            shapes = case.shapes(case.draw().xs)
            for name in case.brick.parameters(*shapes):
                assert re.search(rf"\b{name}\b", text), name
                assert re.search(rf"\bd{name}\b", text), f"d{name}"
            for name in case.brick.state(*shapes):
                assert re.search(rf"^    {name} : ", text, re.MULTILINE), name


@every_class
def test_the_docstring_computes(cls):
    scope = {name: getattr(bricks, name) for name in bricks.__all__}
    (example,) = doctest.DocTestFinder(recurse=False).find(cls, cls.__name__, globs=scope)
    found = doctest.DocTestRunner(verbose=False).run(example)
    assert found.attempted > 0
    assert found.failed == 0


def example(cls: type[Brick]) -> Brick:
    return next(case.brick for case in CASES if type(case.brick) is cls)


def wrong_arguments():
    for cls in exported():
        for field in dataclasses.fields(cls):
            for value in field.metadata["check"].bad():
                yield pytest.param(cls, field, value, id=f"{cls.__name__}-{field.name}={value!r}")


@pytest.mark.parametrize(("cls", "field", "value"), list(wrong_arguments()))
def test_wrong_arguments_are_refused(cls, field, value):
    if value is None and field.default is None:
        pytest.skip("None is the default")
    config = example(cls).get_config()
    with pytest.raises(
        (ParameterError, ParameterTypeError), match=f"{cls.__name__}: `{field.name}` must be .*got"
    ):
        cls(**{**config, field.name: value})


@every_class
def test_every_field_has_a_check(cls):
    assert all("check" in field.metadata for field in dataclasses.fields(cls))


@every_class
def test_unknown_arguments_are_refused(cls):
    with pytest.raises(ParameterTypeError, match=f"{cls.__name__} takes the arguments .*received `nonsense`"):
        cls(**{**example(cls).get_config(), "nonsense": 1})


@every_class
def test_bricks_are_frozen(cls):
    with pytest.raises(dataclasses.FrozenInstanceError):
        example(cls).anything = 1
