"""What is the JAX engine's own: what it traces, compiles and copies."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from brickwork.data.source import ArraySource
from brickwork.engines import get_engine
from brickwork.errors import ParameterError
from brickwork.optimizers import Adam
from engines.programs import arrays_of, convnet, data, line, mlp

jax = pytest.importorskip("jax")


def plan_of(program, seed=7):
    return get_engine("jax").plan(program, *arrays_of(program), seed)


def test_nothing_compiles_twice_for_rate_step_or_key():
    program = mlp(Adam())
    plan = plan_of(program)
    source = data(program, 24)
    for step in range(4):
        plan.step(source.gather(slice(0, 8)), 0.1 / (step + 1))
    assert plan._advance._cache_size() == 1
    plan.seed = 8
    for epoch in range(3):
        plan.epoch(source, np.arange(24)[::-1], [0.1, 0.2, 0.3], 3 * epoch, batch_size=8)
    assert plan._run._cache_size() == 1
    plan.step({**source.gather(slice(0, 8)), "x": np.ones((8, 5), np.float64)}, 1)
    assert plan._advance._cache_size() == 1, "other dtypes are cast at the door"


def test_a_remainder_is_a_second_program():
    program = mlp()
    plan = plan_of(program)
    for epoch in range(2):
        plan.epoch(data(program, 30), np.arange(30), [0.1] * 4, 4 * epoch, batch_size=8)
    assert plan._run._cache_size() == 2


def test_an_epoch_goes_on_from_between_its_programs(monkeypatch):
    """Of 15 steps, 4 in a program and 3 in the last; the interrupted one goes on with the same programs."""
    monkeypatch.setattr("brickwork.engines.jax_engine._PROGRAM", 4)
    program = mlp(Adam())
    source, order, rates = data(program, 30), np.arange(30)[::-1].copy(), np.linspace(0.1, 0.01, 15)
    whole, seen = plan_of(program), []
    logs = whole.epoch(source, order, rates, 0, batch_size=2, report=lambda step, totals: seen.append(step))
    assert seen == [4, 8, 12, 15]
    assert whole._run._cache_size() == 1, "the last program is the same one"
    assert whole.step_number == 15

    def stop(step, totals):
        cut.settle()
        assert cut.step_number == step, "a moment can be kept between two programs"
        if step == 8:
            raise KeyboardInterrupt

    cut = plan_of(program)
    with pytest.raises(KeyboardInterrupt):
        cut.epoch(source, order, rates, 0, batch_size=2, report=stop)
    again = plan_of(program)
    again.load(cut.state())
    assert again.epoch(source, order, rates, 0, batch_size=2, start=8, totals=cut.totals) == logs
    for key, value in whole.state().items():
        np.testing.assert_array_equal(again.state()[key], value, err_msg=key)
    monkeypatch.setattr("brickwork.engines.jax_engine._PROGRAM", 256)
    at_once = plan_of(program)
    at_once.epoch(source, order, rates, 0, batch_size=2)
    for key, value in whole.state().items():
        np.testing.assert_allclose(at_once.state()[key], value, rtol=1e-5, atol=1e-6, err_msg=key)


def test_convolutions_are_not_run_inside_a_loop(monkeypatch):
    scanned = []
    scan = jax.lax.scan
    monkeypatch.setattr(jax.lax, "scan", lambda *args: scanned.append(1) or scan(*args))
    for make, expected in ((mlp, 1), (convnet, 0)):
        scanned.clear()
        program = make()
        plan_of(program).epoch(data(program, 24), np.arange(24), [0.1] * 3, 0, batch_size=8)
        assert len(scanned) == expected


def test_data_stay_bytes_until_they_are_gathered():
    program = convnet()
    plan = plan_of(program)
    source = data(program, 16)
    seen = []
    run = plan._run
    plan._run = lambda held, held_data, *rest, **options: (
        seen.append({name: array.dtype.name for name, array in held_data.items()})
        or run(held, held_data, *rest, **options)
    )
    plan.epoch(source, np.arange(16), [0.1, 0.1], 0, batch_size=8)
    assert seen[0] == {"x": "uint8", "t": "int32"}, "and a column of ones needs no memory"


def test_files_are_not_taken_to_the_device_whole(tmp_path, monkeypatch):
    program = mlp()
    source = data(program, 16)
    on_disk = np.memmap(tmp_path / "x", np.float64, "w+", shape=(16, 5))
    on_disk[:] = source.arrays["x"]
    mapped = ArraySource({**source.arrays, "x": on_disk}, source.dtypes, 16)
    one, other = plan_of(program), plan_of(program)
    monkeypatch.setattr(one, "_run", None)
    logs = one.epoch(mapped, np.arange(16), [0.1, 0.1], 0, batch_size=8)
    assert logs == pytest.approx(other.epoch(source, np.arange(16), [0.1, 0.1], 0, batch_size=8), rel=1e-5)
    np.testing.assert_allclose(one.parameters["top/W"], other.parameters["top/W"], rtol=1e-4, atol=1e-6)


def test_a_seed_has_64_bits():
    program = mlp()
    batch = data(program, 8).gather(slice(0, 8))
    totals = {plan_of(program, seed).gradients(batch).total for seed in (1, 1 + 2**32, 2**64 - 1)}
    assert len(totals) == 3


def test_arrays_that_are_handed_out_are_copies():
    program = mlp(Adam())
    plan = plan_of(program)
    batch = data(program, 8).gather(slice(0, 8))
    plan.step(batch, 0.1)
    state, found = plan.state(), plan.gradients(batch)
    kept = {key: value.copy() for key, value in state.items()}
    gradients = {key: value.copy() for key, value in found.gradients.items()}
    (outputs,) = plan.predict_batch(batch)
    predicted = outputs.copy()
    for array in (*found.gradients.values(), outputs, *state.values()):
        assert array.flags.writeable and array.flags.owndata
    plan.parameters["top/W"][...] = 5.0
    plan.step(batch, 0.1)
    for key, value in kept.items():
        np.testing.assert_array_equal(state[key], value)
    for key, value in gradients.items():
        np.testing.assert_array_equal(found.gradients[key], value)
    np.testing.assert_array_equal(outputs, predicted)


def test_float64_needs_jax_told():
    program = mlp()
    message = (
        r"engine='jax' computes in float32 unless JAX is told otherwise; 'dense/W' is float64. "
        r"Call jax.config.update\('jax_enable_x64', True\) first, or use engine='reference'."
    )
    with pytest.raises(ParameterError, match=message):
        get_engine("jax").plan(program, *arrays_of(program, dtype="float64"))


def test_a_program_that_only_predicts():
    program = line()
    only = type(program)(program.predictor, program.predictor, "line")
    plan = get_engine("jax").plan(only, {"line/W": np.array([[1.0], [2.0]], np.float32)}, {}, 0)
    (y,) = plan.predict_batch({"x": np.array([[3, 4]], np.float32)})
    assert y.tolist() == [[11]]


def test_brickwork_does_not_import_jax_and_the_engine_asks_for_little_memory():
    code = (
        "import os, sys; os.environ.pop('XLA_PYTHON_CLIENT_PREALLOCATE', None)\n"
        "import brickwork.engines as e; e.get_engine('reference'); assert 'jax' not in sys.modules\n"
        "e.get_engine('jax'); assert 'jax' in sys.modules\n"
        "print(os.environ['XLA_PYTHON_CLIENT_PREALLOCATE'])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "false"
