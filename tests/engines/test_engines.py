"""What every engine must do; the same tests run over all of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from brickwork import constraints, regularizers
from brickwork.arrays.philox import bits
from brickwork.bricks import Dropout, HalfSquaredError, Linear, Scale, WeightedMean
from brickwork.data.source import ArraySource
from brickwork.engines import Program, get_engine
from brickwork.errors import FormatError, GraphError, ShapeError
from brickwork.graph import Attributes, Graph, Node
from brickwork.optimizers import SGD, Adam
from engines.programs import arrays_of, classifier, convnet, data, line, mlp, two_outputs

PROGRAMS = {"mlp": mlp, "convnet": convnet, "two outputs": two_outputs}
every_program = pytest.mark.parametrize("make", PROGRAMS.values(), ids=PROGRAMS)


def plan_of(engine, program, seed=7, dtype="float32"):
    return engine.plan(program, *arrays_of(program, dtype=dtype), seed)


def copies(plan):
    return {key: value.copy() for key, value in {**plan.parameters, **plan.statistics}.items()}


def assert_close(one, other, tolerance=2e-5):
    assert one.keys() == other.keys()
    for key in one:
        scale = max(1e-3, float(np.max(np.abs(one[key]), initial=0.0)))
        np.testing.assert_allclose(other[key], one[key], rtol=tolerance, atol=tolerance * scale, err_msg=key)


def assert_same(one, other):
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_array_equal(one[key], other[key], err_msg=key)


# -- by hand -----------------------------------------------------------------------------------------


def hand_worked(engine, optimizer=None, attributes=None):
    """W = (1, 2); rows (1, 0) and (0, 2) with targets 3 and 2: y = 1 and 4, y - t = -2 and 2."""
    program = line(optimizer, attributes)
    plan = engine.plan(program, {"line/W": np.array([[1.0], [2.0]], np.float32)}, {}, 0)
    batch = {
        "x": np.array([[1, 0], [0, 2]], np.float32),
        "t": np.array([[3], [2]], np.float32),
        "w": np.array([1, 1], np.float32),
    }
    return plan, batch


def test_losses_and_gradients_by_hand(engine):
    plan, batch = hand_worked(engine)
    found = plan.gradients(batch)
    assert found.total == 2.0 and found.losses == {"loss": 2.0}
    assert found.gradients["line/W"].tolist() == [[-1.0], [2.0]]
    assert plan.parameters["line/W"].tolist() == [[1], [2]] and plan.step_number == 0
    assert isinstance(found.total, float) and isinstance(found.gradients["line/W"], np.ndarray)


def test_a_step_by_hand(engine):
    plan, batch = hand_worked(engine)
    logs = plan.program.results(plan.step(batch, 0.1))
    np.testing.assert_allclose(plan.parameters["line/W"], [[1.1], [1.8]], rtol=1e-6)
    assert logs == {"loss": 2.0} and plan.step_number == 1


def test_momentum_by_hand(engine):
    plan, batch = hand_worked(engine, SGD(0.1, momentum=0.5))
    plan.step(batch, 0.1)
    plan.step(batch, 0.1)
    # m = (0.1, -0.2); then y - t = -1.9 and 1.6, the gradient (-0.95, 1.6), m = (0.145, -0.26)
    np.testing.assert_allclose(plan.parameters["line/W"], [[1.245], [1.54]], rtol=1e-6)


def test_sample_weights_by_hand(engine):
    plan, batch = hand_worked(engine)
    batch["w"] = np.array([0, 3], np.float32)
    found = plan.gradients(batch)
    assert found.total == 3.0 and found.gradients["line/W"].tolist() == [[0.0], [6.0]]


def test_a_regularizer_by_hand(engine):
    plan, batch = hand_worked(engine, attributes=Attributes(regularizer=regularizers.L2(0.5)))
    found = plan.gradients(batch)
    assert found.total == 2 + 0.5 * 5 and found.losses == {"loss": 2.0}
    assert found.gradients["line/W"].tolist() == [[-1 + 1], [2 + 2]]
    assert plan.program.results(plan.evaluate_batch(batch, plan.program.start())) == {"loss": 4.5}


def test_a_constraint_by_hand(engine):
    plan, batch = hand_worked(engine, attributes=Attributes(constraint=constraints.NonNeg()))
    plan.step(batch, 1.5)
    assert plan.parameters["line/W"].tolist() == [[2.5], [0.0]]


def test_a_frozen_parameter_stays_and_its_penalty_leaves(engine):
    attributes = Attributes(trainable=False, regularizer=regularizers.L2(0.5))
    plan, batch = hand_worked(engine, SGD(0.1, momentum=0.9, weight_decay=0.1), attributes)
    found = plan.gradients(batch)
    assert found.total == 2.0 and found.gradients == {}
    plan.step(batch, 0.1)
    assert plan.parameters["line/W"].tolist() == [[1], [2]] and plan.step_number == 1


# -- engines agree with the reference ----------------------------------------------------------------


@every_program
def test_gradients_agree(engine, make):
    program = make()
    batch = data(program, 12).gather(np.arange(12))
    expected = plan_of(get_engine("reference"), program).gradients(batch)
    plan = plan_of(engine, program)
    found = plan.gradients(batch)
    assert found.total == pytest.approx(expected.total, rel=1e-5)
    assert list(found.gradients) == list(expected.gradients) == program.trainable
    assert_close(expected.gradients, found.gradients)
    assert_close(expected.state, found.state)
    assert list(found.losses) == list(expected.losses)
    assert program.results(found.totals) == pytest.approx(program.results(expected.totals), rel=1e-5)
    assert all(gradient.dtype == np.float32 for gradient in found.gradients.values())
    inference = plan.gradients(batch, training=False)
    assert_close(plan.statistics, inference.state)
    assert_same(copies(plan), copies(plan_of(engine, program)))


@pytest.mark.parametrize(
    ("make", "optimizer"),
    [
        (mlp, SGD(0.05, momentum=0.9, nesterov=True, global_clipnorm=0.5)),
        (convnet, Adam(0.01, weight_decay=0.01)),
        (two_outputs, Adam(0.01, amsgrad=True, clipnorm=0.1)),
    ],
    ids=["mlp", "convnet", "two outputs"],
)
def test_five_steps_agree(engine, make, optimizer):
    program = make(optimizer)
    source = data(program, 60)
    results = []
    for one in (get_engine("reference"), engine):
        plan = plan_of(one, program)
        totals = program.start()
        for step in range(5):
            batch = source.gather(slice(12 * step, 12 * step + 12))
            totals = plan.step(batch, 0.05 / (step + 1), totals)
        assert plan.step_number == 5
        results.append((copies(plan), program.results(totals), plan.state()))
    assert_close(results[0][0], results[1][0], 2e-4)
    assert results[1][1] == pytest.approx(results[0][1], rel=1e-4)
    assert results[0][2].keys() == results[1][2].keys()


@pytest.mark.filterwarnings("ignore:The native engine computes in float32")
def test_float64_agrees_closely(engine):
    jax = pytest.importorskip("jax")
    program = mlp(Adam(0.01))
    source = data(program, 30)
    source = ArraySource(
        source.arrays, {name: dtype.replace("32", "64") for name, dtype in source.dtypes.items()}, 30
    )
    with jax.enable_x64(True):
        results = []
        for one in (get_engine("reference"), engine):
            program = _in_float64(program)
            plan = plan_of(one, program, dtype="float64")
            logs = plan.epoch(source, np.arange(30), [0.01] * 4, 0, batch_size=8)
            results.append((copies(plan), logs))
    assert all(value.dtype == np.float64 for value in results[1][0].values())
    assert_close(results[0][0], results[1][0], 1e-11)
    assert results[1][1] == pytest.approx(results[0][1], rel=1e-11)


def _in_float64(program):
    inputs = {
        name: type(spec)(spec.shape, spec.dtype.replace("float32", "float64"))
        for name, spec in program.graph.inputs.items()
    }
    graph = Graph(inputs, program.graph.nodes, program.graph.outputs)
    return replace(program, graph=graph)


# -- statistics and masks ---------------------------------------------------------------------------


def test_running_statistics(engine):
    program = mlp()
    plan = plan_of(engine, program)
    batch = data(program, 12).gather(slice(0, 12))
    y = batch["x"].astype(np.float64) @ plan.parameters["dense/W"]
    plan.step(batch, 0.1)
    np.testing.assert_allclose(plan.statistics["norm/running_mean"], 0.2 * y.mean(0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(plan.statistics["norm/running_var"], 0.8 + 0.2 * y.var(0), rtol=1e-5)


def test_a_frozen_batch_normalization_keeps_its_statistics(engine):
    program = mlp(frozen=True)
    plan = plan_of(engine, program)
    plan.step(data(program, 12).gather(slice(0, 12)), 0.1)
    assert not plan.statistics["norm/running_mean"].any()


def masks(engine, seed, steps):
    """Each step's mask, read off the gradient of a gain behind dropout."""
    nodes = [Node("drop", Dropout(0.5), ("x",)), Node("gain", Scale(), ("drop",))]
    loss = [Node("loss", HalfSquaredError(), ("gain", "t")), Node("mean", WeightedMean(), ("loss",))]
    inputs = {"x": (None, 40)}
    graph = Graph({**inputs, "t": (None, 40)}, [*nodes, *loss], ["mean"])
    program = Program(graph, Graph(inputs, nodes, ["gain"]), "mean", optimizer=SGD(0.0))
    plan = plan_of(engine, program, seed)
    batch = {"x": np.ones((1, 40), np.float32), "t": np.zeros((1, 40), np.float32)}
    found = []
    for _ in range(steps):
        found.append(plan.gradients(batch).gradients["gain/gamma"] != 0)
        plan.step(batch, 0.0)
    return found


def test_dropout_masks_are_philox_bits(engine):
    seed = 2**63 + 2**33 + 5
    for step, mask in enumerate(masks(engine, seed, 3)):
        drawn = bits(seed, step=step, stream=0, row=0, rows=1, shape=(40,))
        np.testing.assert_array_equal(mask, drawn[0] >= 2**31)


def test_seeds_differ(engine):
    assert not np.array_equal(masks(engine, 1, 1), masks(engine, 2, 1))


# -- epochs -----------------------------------------------------------------------------------------


@every_program
def test_an_epoch_is_its_steps(engine, make):
    program = make(Adam())
    source, order = data(program, 30), np.random.default_rng(3).permutation(30)
    rates = [0.01, 0.02, 0.03, 0.04]  # 8 + 8 + 8 and a remainder of 6
    whole, single = plan_of(engine, program), plan_of(engine, program)
    logs = whole.epoch(source, order, rates, 0, batch_size=8)
    totals = program.start()
    for index, rate in enumerate(rates):
        totals = single.step(source.gather(order[8 * index : 8 * index + 8]), rate, totals)
    assert whole.step_number == single.step_number == 4
    compare = assert_same if engine.name == "reference" else assert_close
    compare(whole.state(), single.state())
    assert logs == pytest.approx(program.results(totals), rel=1e-5)
    assert all(isinstance(value, float) for value in logs.values())


def test_logs_are_means_over_rows(engine):
    program = line(SGD(0.0))
    source = data(program, 5)
    plan = plan_of(engine, program)
    logs = plan.epoch(source, np.arange(5), [0.0, 0.0], 0, batch_size=3)
    y = source.arrays["x"] @ plan.parameters["line/W"]
    assert logs["loss"] == pytest.approx(float(np.mean((y - source.arrays["t"]) ** 2 / 2)), rel=1e-6)


def test_fewer_steps_than_rows(engine):
    program = line()
    plan = plan_of(engine, program)
    logs = plan.epoch(data(program, 50), np.arange(50), [0.1, 0.1], 0, batch_size=4)
    assert plan.step_number == 2 and math.isfinite(logs["loss"])


def test_an_epoch_that_is_smaller_than_a_batch(engine):
    program = mlp()
    plan = plan_of(engine, program)
    plan.epoch(data(program, 3), np.arange(3), [0.1], 0, batch_size=32)
    assert plan.step_number == 1


@every_program
def test_report(engine, make):
    program = make()
    seen = []

    def report(step, totals):
        seen.append((step, program.results(totals)))

    logs = plan_of(engine, program).epoch(
        data(program, 30), np.arange(30), [0.01] * 4, 0, batch_size=8, report=report
    )
    steps = [step for step, _ in seen]
    assert steps == sorted(set(steps)) and steps[-1] == 4
    assert seen[-1][1] == pytest.approx(logs, rel=1e-6)


def test_an_interrupt_leaves_whole_steps(engine):
    program = convnet()
    source, order, rates = data(program, 30), np.arange(30), [0.1] * 4
    plan = plan_of(engine, program)

    told = []

    def report(step, totals):
        told.append(step)
        if step >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan.epoch(source, order, rates, 0, batch_size=8, report=report)
    done = told[-1]
    assert plan.step_number == done and (done == 2 or engine.name == "native"), "which tells now and then"
    expected = plan_of(get_engine("reference"), program)
    expected.epoch(source, order[: 8 * done], rates[:done], 0, batch_size=8)
    assert_close(copies(expected), copies(plan), 1e-3)


# -- evaluation and prediction ----------------------------------------------------------------------


@every_program
def test_evaluate(engine, make):
    program = make()
    plan = plan_of(engine, program)
    shift_statistics(plan)
    source = data(program, 30)
    before = copies(plan)
    seen = []
    logs = plan.evaluate(source, 8, report=lambda step, totals: seen.append(step))
    assert seen[-1] == 4 and seen == sorted(set(seen)), "once for each batch, or after several"
    once = plan.evaluate(source, 30)
    assert logs == pytest.approx(once, rel=1e-5)
    reference = get_engine("reference").plan(program, plan.parameters, plan.statistics, 7)
    assert logs == pytest.approx(reference.evaluate(source, 7), rel=1e-5)
    assert_same(before, copies(plan))
    assert plan.step_number == 0
    assert all(isinstance(value, float) for value in logs.values())


def shift_statistics(plan):
    """As after some training: inference must not work with the first values."""
    for value in plan.statistics.values():
        value += np.linspace(0.5, 1.5, len(value), dtype=value.dtype)


@every_program
def test_predict(engine, make):
    program = make()
    plan = plan_of(engine, program)
    shift_statistics(plan)
    source = data(program, 20)
    inputs = {name: source.arrays[name] for name in program.predictor.inputs}
    only = ArraySource(inputs, {name: "float32" for name in inputs})
    outputs = plan.predict(only, 8)
    batch = only.gather(slice(0, 20))
    values = program.predictor.forward(plan.parameters, plan.statistics, batch).values
    assert len(outputs) == len(program.predictor.outputs)
    for name, output in zip(program.predictor.outputs, outputs, strict=True):
        assert type(output) is np.ndarray and output.dtype == np.float32 and len(output) == 20
        np.testing.assert_allclose(output, values[name], rtol=1e-5, atol=1e-6)
    for one, other in zip(plan.predict_batch(batch), outputs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_missing_input(engine):
    plan = plan_of(engine, mlp())
    with pytest.raises(GraphError, match=r"array for each input; there is none for 'x'"):
        plan.predict_batch({"y": np.zeros((1, 5), np.float32)})


# -- state ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "optimizer"),
    [(mlp, Adam(0.01, amsgrad=True)), (convnet, SGD(0.05, momentum=0.9)), (line, SGD(0.1))],
    ids=["mlp", "convnet", "line"],
)
def test_training_goes_on_bit_for_bit(engine, make, optimizer):
    program = make(optimizer)
    source, order = data(program, 30), np.arange(30)
    rates = [0.01, 0.02, 0.03, 0.04]
    through = plan_of(engine, program)
    through.epoch(source, order, rates, 0, batch_size=8)
    kept = through.state()
    snapshot = {key: value.copy() for key, value in kept.items()}
    through.epoch(source, order[::-1], rates, 4, batch_size=8)
    through.step(source.gather(order[:8]), 0.05)
    assert_same(kept, snapshot)  # a state is not changed by what comes after it
    resumed = engine.plan(program, *arrays_of(program, seed=99), 7)
    resumed.load(kept)
    assert resumed.step_number == 4
    assert_same(resumed.state(), kept)
    resumed.epoch(source, order[::-1], rates, 4, batch_size=8)
    resumed.step(source.gather(order[:8]), 0.05)
    assert_same(through.state(), resumed.state())
    assert_same(kept, snapshot)


def test_states_move_between_engines(engine):
    program = mlp(Adam(0.01))
    batch = data(program, 8).gather(slice(0, 8))
    plan = plan_of(get_engine("reference"), program)
    plan.step(batch, 0.01)
    other = plan_of(engine, program)
    other.load(plan.state())
    plan.step(batch, 0.01)
    other.step(batch, 0.01)
    assert_close(plan.state(), other.state())


def test_a_state_of_another_network_changes_nothing(engine):
    program = mlp(Adam(0.01))
    plan = plan_of(engine, program)
    before = plan.state()
    other = plan_of(engine, mlp(SGD(0.1))).state()
    message = (
        r"the same network and optimizer; 'slots/momentum/dense/W' is shape \(5, 8\) here and nothing there"
    )
    with pytest.raises(FormatError, match=message):
        plan.load({**other, "parameters/dense/W": np.ones((5, 8))})
    with pytest.raises(
        FormatError, match=r"'parameters/top/W' is shape \(8, 3\) here and shape \(8, 2\) there"
    ):
        plan.load({**before, "parameters/top/W": np.ones((8, 2))})
    with pytest.raises(
        FormatError, match=r"'slots/velocity/x' is nothing here and shape \(\) there. Compile"
    ):
        plan.load({**before, "slots/velocity/x": np.ones(())})
    assert_same(plan.state(), before)


# -- apply, sharing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [mlp, two_outputs])
def test_gradients_and_apply_are_a_step(engine, make):
    program = make(Adam(0.01))
    batch = data(program, 8).gather(slice(0, 8))
    one, other = plan_of(engine, program), plan_of(engine, program)
    for _ in range(3):
        one.step(batch, 0.01)
        found = other.gradients(batch)
        other.apply(found.gradients, 0.01, found.state)
    assert other.step_number == 3
    compare = assert_same if engine.name == "reference" else assert_close
    compare(one.state(), other.state())


def test_apply_without_statistics_leaves_them(engine):
    plan = plan_of(engine, mlp())
    before = copies(plan)
    plan.apply({key: np.ones_like(plan.parameters[key]) for key in plan.program.trainable}, 0.5)
    assert_same({key: before[key] for key in plan.statistics}, plan.statistics)
    np.testing.assert_allclose(plan.parameters["top/W"], before["top/W"] - 0.5, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.pop("top/W"), r"gradient of shape \(8, 3\) for 'top/W'; it received none. Pass what"),
        (lambda g: g.update({"top/W": np.ones((3, 8))}), r"for 'top/W'; it received shape \(3, 8\)"),
        (
            lambda g: g.update({"top/w": 1.0}),
            r"trainable parameters, .* one of 'top/w'. Did you mean 'top/W'",
        ),
    ],
)
def test_apply_refuses_other_gradients(engine, change, message):
    plan = plan_of(engine, mlp())
    gradients = {key: np.ones_like(plan.parameters[key]) for key in plan.program.trainable}
    change(gradients)
    before = plan.state()
    with pytest.raises(ShapeError, match=message):
        plan.apply(gradients, 0.1)
    assert_same(plan.state(), before)


def test_a_plan_works_on_the_models_own_arrays(engine):
    program = mlp()
    parameters, statistics = arrays_of(program)
    one = engine.plan(program, parameters, statistics, 7)
    other = engine.plan(program, parameters, statistics, 7)
    batch = data(program, 8).gather(slice(0, 8))
    first = parameters["top/W"].copy()
    one.step(batch, 0.1)
    assert not np.array_equal(parameters["top/W"], first)
    seen = parameters["top/W"].copy()
    other.step(batch, 0.1)
    twice = plan_of(engine, program)
    twice.step(batch, 0.1)
    assert_same({"W": seen}, {"W": twice.parameters["top/W"]})
    parameters["top/W"][...] = 0.0  # a user sets weights between two steps
    parameters["scores/b"][...] = 0.0
    assert one.gradients(batch).total == pytest.approx(math.log(3), rel=1e-6)
    assert one.evaluate_batch(batch, program.start())["loss"][0] / 8 == pytest.approx(math.log(3), rel=1e-6)


def test_what_is_given_is_not_changed(engine):
    program = mlp()
    plan = plan_of(engine, program)
    source = data(program, 8)
    for array in source.arrays.values():
        if array is not None:
            array.setflags(write=False)
    batch = source.gather(slice(0, 8))
    for array in batch.values():
        array.setflags(write=False)
    plan.step(batch, 0.1)
    plan.epoch(source, np.arange(8), [0.1], 1, batch_size=8)
    plan.evaluate(source, 8)


# -- penalties and constraints -----------------------------------------------------------------------


def test_a_penalty_counts_once_per_owner(engine):
    """'square' is used twice, 'dense' once: one penalty for each."""
    regularizer = regularizers.L2(0.1)
    batch = data(mlp(), 8).gather(slice(0, 8))
    plain = plan_of(engine, mlp()).gradients(batch)
    plan = plan_of(engine, mlp(attributes=Attributes(regularizer=regularizer)))
    found = plan.gradients(batch)
    paid = sum(0.1 * float(np.sum(plan.parameters[key] ** 2)) for key in ("dense/W", "square/W"))
    assert found.total - plain.total == pytest.approx(paid, rel=1e-4)
    for key, gradient in plain.gradients.items():
        own = 0.2 * plan.parameters[key] if key in ("dense/W", "square/W") else 0.0
        np.testing.assert_allclose(found.gradients[key], gradient + own, rtol=1e-4, atol=1e-6)


def test_constraints_hold_after_each_step(engine):
    plan = plan_of(engine, mlp(attributes=Attributes(constraint=constraints.MaxNorm(0.5))))
    source = data(plan.program, 24)
    plan.epoch(source, np.arange(24), [0.5] * 3, 0, batch_size=8)
    for key in ("dense/W", "square/W"):
        assert np.sqrt((plan.parameters[key] ** 2).sum(0)).max() <= 0.5 + 1e-5
    assert np.sqrt((plan.parameters["top/W"] ** 2).sum(0)).max() > 0.5


def test_weights_in_the_metrics(engine):
    program = mlp(SGD(0.0))
    source = data(program, 10)
    arrays = dict(source.arrays)
    arrays["w"] = np.array([0.0] * 5 + [2.0] * 5)
    weighted = ArraySource(arrays, source.dtypes, 10)
    plan = plan_of(engine, program)
    logs = plan.evaluate(weighted, 4)
    half = plan.evaluate(source.slice(5, 10), 5)
    assert logs["weighted_accuracy"] == pytest.approx(half["accuracy"])
    assert logs["loss"] == pytest.approx(half["loss"], rel=1e-5)


def test_shared_weights_in_a_tiny_training(engine):
    """Loss falls, on every engine alike."""
    nodes = [
        Node("a", Linear(5), ("x",)),
        Node("b", Linear(5), ("a",), owner="a"),
        Node("scores", Linear(3), ("b",)),
    ]
    program = classifier(nodes, {"x": (None, 5)}, SGD(0.2))
    plan = plan_of(engine, program)
    source = data(program, 40)
    losses = [
        plan.epoch(source, np.arange(40), [0.2] * 4, 4 * epoch, batch_size=10)["loss"] for epoch in range(15)
    ]
    assert losses[-1] < 0.8 * losses[0]
