"""The benchmarks: the arithmetic they count, the rule by which rounds are judged, the command."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import brickwork
from brickwork.engines.native_module import load_native

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:keras")
ENGINE = "reference" if load_native() is None else "native"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    yield
    brickwork.utils.set_threads(None)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def test_operations_of_a_dense_network_by_hand():
    from benchmarks.workloads import dense

    network = dense(3, 4, 2)()
    assert network.parameter_count == (3 * 4 + 4) + (4 * 2 + 2)
    assert network.forward_operations() == 2 * (12 + 8)
    # y and dW of both layers, dX of the second only
    assert network.training_operations() == 2 * (2 * 12 + 3 * 8)


def test_operations_of_a_convolutional_network_by_hand():
    from benchmarks.networks import Conv, Dense, Flatten, MaxPool, Network

    network = Network((6, 6, 2))
    network.chain(Conv(3, 3), MaxPool(), Conv(5, 3, padding="valid"), Flatten(), Dense(7))
    first, second, last = 36 * 9 * 2 * 3, 1 * 9 * 3 * 5, 5 * 7
    assert [node.shape for node in network.nodes] == [(6, 6, 3), (3, 3, 3), (1, 1, 5), (5,), (7,)]
    assert network.forward_operations() == 2 * (first + second + last)
    assert network.training_operations() == 2 * (2 * first + 3 * second + 3 * last)


def test_operations_of_recurrence_and_attention_by_hand():
    from benchmarks.networks import ConvTranspose, DepthwiseConv, Network, Recurrent, SelfAttention

    sequence = Network((3, 4))
    sequence.chain(SelfAttention(2, 5), Recurrent(7, "lstm"))
    projected, attended, joined = 3 * 3 * 4 * 10, 2 * 3 * 3 * 10, 3 * 10 * 4
    from_x, from_h = 3 * 4 * 28, 3 * 7 * 28
    assert sequence.nodes[-1].shape == (7,)
    assert sequence.forward_operations() == 2 * (projected + attended + joined + from_x + from_h)
    # the projections of the input need no gradient of it; all else is between values that learn
    everything = 3 * (attended + joined + from_x + from_h)
    assert sequence.training_operations() == 2 * (2 * projected + everything)

    images = Network((5, 5, 2))
    images.chain(DepthwiseConv(3, 2), ConvTranspose(4, 2, 2))
    assert [node.shape for node in images.nodes] == [(3, 3, 2), (6, 6, 4)]
    assert images.forward_operations() == 2 * (9 * 9 * 2 + 9 * 4 * 2 * 4)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mlp", 418_060),
        ("lenet5", 61_706),
        ("fashion_convnet", 421_642),
        ("resnet20", 272_474),
        ("alexnet", 61_100_840),
        ("vgg_a", 132_863_336),
    ],
)
def test_networks_have_the_parameters_that_are_known_of_them(name, parameters):
    from benchmarks.workloads import BY_NAME

    assert BY_NAME[name].build().parameter_count == parameters


@pytest.mark.parametrize("name", ["jax", "torch", "keras"])
@pytest.mark.parametrize(
    "workload",
    ["mlp", "lenet5", "resnet20", "depthwise", "depthwise_strided", "transposed", "lstm", "gru", "attention"],
)
def test_contestants_train_the_same_network(name, workload):
    """Three steps from the same weights, on the same rows; where strides are 2, PyTorch pads its own way."""
    pytest.importorskip(name)
    from benchmarks.contestants import contestant
    from benchmarks.workloads import BY_NAME

    task = replace(BY_NAME[workload], batch=4 if workload.startswith("depthwise") else 16)
    if name == "torch":  # its Adam has epsilon elsewhere, which tells where gradients are tiny
        task = replace(task, optimizer="sgd", learning_rate=0.01)
    x, y = task.data(3)
    ours = contestant("unshuffled", 1, "reference")
    own = ours.trainer(task, "fit", x, y, task.build().weights())
    own.run(3)
    other = contestant(name, 1, "")
    peer = other.trainer(task, other.training_variants(task)[0], x, y, task.build().weights())
    assert peer.parameter_count == own.parameter_count == task.build().parameter_count
    if name == "torch" and workload in ("resnet20", "depthwise_strided"):
        return
    peer.run(3)
    compared = 0
    for mine, theirs, first in zip(own.weights(), peer.weights(), task.build().weights(), strict=True):
        for key, before in first.items():
            if key == "key_bias":  # softmax does not see it: its gradient is rounding alone
                continue
            moved = np.linalg.norm(mine[key] - before)
            assert moved > 0
            assert np.linalg.norm(mine[key] - theirs[key]) < 0.05 * moved, key
            compared += 1
    assert compared >= 6


@pytest.mark.parametrize("name", ["jax", "torch", "keras", "onnxruntime"])
@pytest.mark.parametrize("workload", ["mlp", "lenet5", "fashion_convnet"])
def test_contestants_predict_the_same(name, workload):
    pytest.importorskip(name)
    pytest.importorskip("onnx" if name == "onnxruntime" else name)
    from benchmarks.contestants import contestant
    from benchmarks.workloads import BY_NAME

    task = BY_NAME[workload]
    x, _ = task.data(2, 4)
    weights = task.build().weights()
    own, peer = (
        made.predictor(task, made.inference_variants(task, 4)[0], x, 4, weights).outputs()
        for made in (contestant("brickwork", 1, "reference"), contestant(name, 1, ""))
    )
    assert own.shape == (8, 10)
    np.testing.assert_allclose(peer, own, rtol=1e-3, atol=1e-5)


def test_disturbed_rounds_are_dropped_and_ratios_taken_within_rounds():
    from benchmarks.measuring import evaluate

    rounds = [
        {"brickwork": 1.0, "torch": 3.0},
        {"brickwork": 2.0, "torch": 8.0},
        {"brickwork": 1.0, "torch": 5.0},
        {"brickwork": 90.0, "torch": 90.0},
    ]
    told = {"brickwork": {"variant": "fit"}, "torch": {"variant": "fused"}, "jax": {"error": "none"}}
    found = evaluate(told, rounds, [100.0, 91.0, 95.0, 89.0], 100.0, operations=0.05)
    assert found["rounds"] | {"probes_gflops": 0} == {
        "made": 4,
        "kept": 3,
        "noisy": False,
        "probes_gflops": 0,
    }
    assert found["contestants"]["torch"]["ratio"] == 4.0
    assert found["contestants"]["brickwork"]["ms"] == 1.0
    assert found["contestants"]["brickwork"]["share_of_peak"] == pytest.approx(0.5)
    assert found["contestants"]["jax"] == {"error": "none"}

    noisy = evaluate(told, rounds, [100.0, 10.0, 10.0, 10.0], 100.0, operations=0.05)
    assert noisy["rounds"]["noisy"] and noisy["contestants"]["torch"]["ratio"] == 3.5


class Acting:
    """Answers orders as a contestant's process does, from a list for each kind of order."""

    def __init__(self, name, **answers):
        self.name = name
        self.answers = {do: iter(answer) for do, answer in answers.items()}

    def ask(self, do, **order):
        return next(self.answers[do])


def test_who_fails_or_diverges_is_told_in_words_and_has_no_times():
    from types import SimpleNamespace

    from benchmarks.measuring import Rule, measure

    from benchmarks import report

    ready = {"variant": "step", "trial_ms": {"step": 1.0}, "steps": 1, "parameters": 3}
    told = "DivergenceError: step 5 met one that is not finite. Lower the rate."
    processes = [
        Acting("brickwork", prepare=[ready], round=[{"ms": 1.0}] * 3, sound=[{}]),
        Acting("torch", prepare=[ready], round=[{"ms": 2.0}, {"error": told}]),
        Acting("jax", prepare=[ready], round=[{"ms": 3.0}] * 3, sound=[{"error": "the training diverged"}]),
    ]
    peak = SimpleNamespace(probe=lambda: 100.0, best=100.0)
    measured = measure(processes, peak, Rule(3), "training", "tiny", 10, 1.0)
    found = measured.evaluated(100.0)
    assert found["rounds"]["made"] == 3
    assert found["contestants"]["brickwork"]["ms"] == 1.0
    assert found["contestants"]["torch"] == {"error": told}
    assert found["contestants"]["jax"] == {"error": "the training diverged"}
    work = {"title": "tiny", "batch": 10, "optimizer": "SGD", "aims": {}, "aim_share": None, **found}
    page = "\n".join([*report._steps([work]), *report._notes([work])])
    assert "nan" not in page
    assert "torch: DivergenceError: step 5 met one that is not finite." in page


def test_weights_that_are_not_finite_are_found():
    from benchmarks.contestants import Made
    from benchmarks.worker import Worker

    worker = Worker("unshuffled", 1, "reference")
    weights = [{"kernel": np.ones(3)}, {"bias": np.zeros(2)}]
    worker._made = Made(lambda steps: steps, lambda: weights)
    assert worker.sound() == {}
    weights[1]["bias"][1] = np.nan
    assert worker.sound() == {"error": "the training diverged: bias is not finite any more"}


def test_quick_run_of_the_tiny_workload_writes_its_numbers_and_the_page(tmp_path):
    kept, page = tmp_path / "kept.json", tmp_path / "page.md"
    suite = ["--suite", "training", "--workloads", "tiny", "--peers", "", "--engine", ENGINE, "--quick"]
    done = command(*suite, "--json", str(kept), "--write-docs", str(page))
    assert done.returncode == 0, done.stderr
    told = json.loads(kept.read_text())["suites"]["training"]
    assert {"date", "machine", "settings", "probe", "versions", "workloads"} <= set(told)
    assert told["versions"]["engine"] == ENGINE
    assert told["probe"]["peak_gflops"] > 0.1
    tiny = told["workloads"]["tiny"]
    assert tiny["operations"] == 10 * 2 * (2 * 8 + 3 * 8 + 3 * 4)
    assert tiny["rounds"]["made"] >= 2
    own = tiny["contestants"]["brickwork"]
    assert own["parameters"] == tiny["parameters"] == 28
    assert own["ratio"] == 1.0
    for name in ("ms", "first_step_ms", "peak_mb", "share_of_peak"):
        assert math.isfinite(own[name]) and own[name] > 0, name
    assert len(own["rounds_ms"]) == tiny["rounds"]["made"]
    assert "| tiny: 2-4-2-2 (tanh), batch 10" in page.read_text()
    assert "these numbers mean nothing" in page.read_text()
    assert "--suite training --peers '' --workloads tiny" in page.read_text()


def test_augmentation_is_told_as_a_share_of_a_step(tmp_path):
    kept, page = tmp_path / "kept.json", tmp_path / "page.md"
    suite = [
        "--suite",
        "bricks",
        "--workloads",
        "augment_colours",
        "--peers",
        "",
        "--engine",
        ENGINE,
        "--quick",
    ]
    done = command(*suite, "--json", str(kept), "--write-docs", str(page))
    assert done.returncode == 0, done.stderr
    told = json.loads(kept.read_text())["suites"]["bricks"]
    assert list(told["workloads"]) == ["augment_colours"]
    share = told["workloads"]["augment_colours"]["contestants"]["brickwork"]["share_of_step"]
    assert 0 < share < 1
    assert f"| brightness, contrast | {share:.1%} (≤ 20%) |" in page.read_text()
    assert "## Bricks" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--suite", "training", "--workloads", "tinny"], "--workloads takes some of tiny, softmax"),
        (["--suite", "training", "--peers", "theano"], "--peers takes some of unshuffled, torch"),
        ([], "nothing to do"),
    ],
)
def test_wrong_arguments_are_told(arguments, told, tmp_path):
    done = command(*arguments, "--json", str(tmp_path / "kept.json"))
    assert done.returncode == 2
    assert told in done.stderr
    assert not (tmp_path / "kept.json").exists()


def test_a_missing_folder_is_told_before_anything_is_measured(tmp_path):
    done = command("--suite", "training", "--quick", "--json", str(tmp_path / "missing" / "kept.json"))
    assert done.returncode == 2
    assert "is not." in done.stderr


def test_foreign_files_are_left_alone(tmp_path):
    foreign = tmp_path / "foreign.json"
    foreign.write_text("[1]")
    done = command("--suite", "training", "--quick", "--json", str(foreign))
    assert done.returncode == 2
    assert "--json takes a new file" in done.stderr
    assert foreign.read_text() == "[1]"
