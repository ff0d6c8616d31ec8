"""The page docs/benchmarks.md, made of the numbers of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .contestants import OWN

Suite = Mapping[str, Any]

_FIRST_STEP_MS = 50
_MEMORY = 0.6

_INTRODUCTION = """# Benchmarks

Brickwork beside its peers: the same networks, the same data, on the same machine in the same minutes. This
page is written by the commands below; do not edit it.

How it is measured:

- Every contestant has a process of its own and the same threads and cores. A round runs each of them once,
  for about 0.2 s; a ratio is the median over the rounds of the peer's time divided by Brickwork's in the same
  round, so that above 1 Brickwork is faster.
- Before and after each round the multiply-add peak of the machine is probed. Rounds with a probe under 90 %
  of the best one were disturbed and are dropped; below stands how many.
- Peers are taken at their best: of each the fastest variant is chosen beforehand. PyTorch: channels first or
  channels last; the optimizer fused, for all tensors at once, or in a loop; `torch-compiled` is the same by
  `torch.compile`. JAX: one step in a `jit`, eight in one, or `lax.scan` over a pass (without convolutions);
  2x2 pooling by reshaping. ONNX Runtime: arrays or bound inputs. Peers get consecutive slices of the data;
  Brickwork's `fit` also shuffles and gathers rows, but for the column "unshuffled".
- A share of the peak counts the multiply-adds of the plain algorithm, forward and backward, without that of
  inputs' gradients which nobody needs, and no element-wise work. An algorithm that saves multiplications can
  pass 100 %.
- First step: from the description of the network to its first update, compiling included, imports not.
  Memory: the peak of the process minus the training arrays. Both in a fresh process.
"""


def page(suites: Mapping[str, Suite]) -> str:
    """All suites that were run, in Markdown."""
    order = [name for name in _SECTIONS if name in suites]
    return "\n".join([_INTRODUCTION, *(section(name, suites[name]) for name in order)])


def section(name: str, suite: Suite) -> str:
    """One suite, in Markdown."""
    title, tell = _SECTIONS[name]
    lines = [f"## {title}", "", "```sh", suite["settings"]["command"], "```", "", _where(suite), ""]
    return "\n".join([*lines, *tell(suite), ""])


def _where(suite: Suite) -> str:
    machine, settings = suite["machine"], suite["settings"]
    versions = ", ".join(f"{name} {number}" for name, number in suite.get("versions", {}).items())
    told = (
        f"{suite['date']}, {machine['processor']}, {machine['architecture']}, {machine['threads']} of "
        f"{machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, "
        f"Python {machine['python']}"
        f"{'; ' + versions if versions else ''}. Peak: {suite['probe']['peak_gflops']:.1f} GFLOP/s "
        f"({suite['probe']['kind']}). At least {settings['rounds']} rounds were wanted."
    )
    if settings["quick"]:
        told += " **A quick run, to see that it works: these numbers mean nothing.**"
    return told


# -- training ---------------------------------------------------------------------------------------


def _training(suite: Suite) -> list[str]:
    works = suite["workloads"].values()
    aimed = suite["settings"]["engine"] == "native"
    return [
        "Time of a training step, and ratios to the peers (in brackets the aims; ✗ where one is missed):",
        "",
        *_steps(works),
        "",
        "First step" + (f" (aim: Brickwork's at most {_FIRST_STEP_MS} ms):" if aimed else ":"),
        "",
        *_cells(works, lambda work, name: _first_step(work, name, aimed)),
        "",
        "Peak memory" + (f" (aim: at most {_MEMORY} of PyTorch's):" if aimed else ":"),
        "",
        *_cells(works, lambda work, name: _memory(work, name, aimed)),
        "",
        *_notes(works),
    ]


def _bricks(suite: Suite) -> list[str]:
    works = list(suite["workloads"].values())
    step, aim = suite["step"], suite["aim_share_of_step"]
    shares = [
        [work["title"], f"{share:.1%} (≤ {aim:.0%}){'' if share <= aim else ' ✗'}"]
        for work in works
        if (share := work["contestants"][OWN].get("share_of_step")) is not None
    ]
    told = ["", f"Augmentation beside a step of the {step}:", ""]
    return [
        "Two layers of a kind (augmentation: one of each named), then a mean and a dense layer of ten units. "
        "Time of a training step, forward, backward and update; in brackets the aims, ✗ where one is missed:",
        "",
        *_steps(works),
        *([*told, *table(["layers", "share of that step"], shares)] if shares else []),
        "",
        *_notes(works),
    ]


def _steps(works: Any) -> list[str]:
    peers = _peers(works)
    rows = []
    for work in works:
        row = [f"{work['title']}, batch {work['batch']}, {work['optimizer']}", _own_time(work)]
        for peer in peers:
            answer = work["contestants"].get(peer, {})
            row += [_time(answer), _ratio(answer, work["aims"].get(peer))]
        rows.append([*row, _share(work["contestants"][OWN], work["aim_share"]), _rounds(work)])
    head = ["workload", "Brickwork"]
    for peer in peers:
        head += [peer, f"ratio to {peer}"]
    return table([*head, "share of the peak", "rounds kept"], rows)


def _own_time(work: Suite) -> str:
    answer = work["contestants"][OWN]
    if "ms" not in answer or work.get("aim_ms") is None:
        return _time(answer)
    aim = work["aim_ms"]
    return f"{_time(answer)} (≤ {duration(aim)}){'' if answer['ms'] <= aim else ' ✗'}"


def _cells(works: Any, cell: Callable[[Suite, str], str]) -> list[str]:
    """A line for each workload, a column for each contestant."""
    names = [OWN, *_peers(works)]
    rows = [[work["title"], *(cell(work, name) for name in names)] for work in works]
    return table(["workload", *names], rows)


def _first_step(work: Suite, name: str, aimed: bool) -> str:
    first = work["contestants"].get(name, {}).get("first_step_ms")
    if first is None:
        return "–"
    return duration(first) + (" ✗" if name == OWN and aimed and first > _FIRST_STEP_MS else "")


def _memory(work: Suite, name: str, aimed: bool) -> str:
    peak = work["contestants"].get(name, {}).get("peak_mb")
    if peak is None:
        return "–"
    torch = work["contestants"].get("torch", {}).get("peak_mb")
    if name != OWN or torch is None:
        return f"{peak:.0f} MB"
    missed = " ✗" if aimed and peak > _MEMORY * torch else ""
    return f"{peak:.0f} MB ({peak / torch:.2f} of torch's{missed})"


def _share(answer: Suite, aim: float | None) -> str:
    if "share_of_peak" not in answer:
        return "–"
    share = answer["share_of_peak"]
    told = f"{share:.0%}"
    return told if aim is None else f"{told} (≥ {aim:.0%}){'' if share >= aim else ' ✗'}"


# -- inference --------------------------------------------------------------------------------------


def _inference(suite: Suite) -> list[str]:
    works = list(suite["workloads"].values())
    peers = _peers(works)
    rows = []
    for work in works:
        answers = work["contestants"]
        timed = [answers[peer] for peer in peers if "ratio" in answers.get(peer, {})]
        fastest: Suite = min(timed, key=lambda answer: float(answer["ratio"]), default={})
        own = answers[OWN]
        rows.append(
            [
                f"{work['title']}, batch {work['batch']}",
                _time(own),
                f"{work['batch'] / own['ms'] * 1e3:,.0f}" if "ms" in own else "–",
                *(_time(answers.get(peer, {})) for peer in peers),
                _ratio(fastest, work["aims"].get("fastest peer")),
                _share(own, None),
                _rounds(work),
            ]
        )
    head = ["network", "Brickwork", "Brickwork, samples per second", *peers]
    head += ["ratio to the fastest peer", "share of the peak", "rounds kept"]
    return [
        "Time of a prediction, from arrays to probabilities; batch 1 is the latency of single calls:",
        "",
        *table(head, rows),
        "",
        *_notes(works),
    ]


# -- import and convnet -----------------------------------------------------------------------------


def _imports(suite: Suite) -> list[str]:
    rows = [
        [name, f"{facts['import_ms']:.0f} ms", f"{facts['min_ms']:.0f} ms"]
        for name, facts in suite["imports"].items()
    ]
    fits = [
        [name, duration(facts["first_step_ms"]), f"{facts['peak_mb']:.0f} MB"]
        for name, facts in suite["fits"].items()
        if "peak_mb" in facts
    ]
    return [
        "`import` in fresh processes, in turn. `import brickwork` loads its parts when they are asked for:",
        "",
        *table(["library", "median", "fastest"], rows),
        "",
        "A small fit (MLP 784-500-50-10, 4 steps of 128 rows) in a fresh process:",
        "",
        *table(["library", "first step", "peak memory"], fits),
    ]


def _convnet(suite: Suite) -> list[str]:
    works = list(suite["workloads"].values())
    rows = []
    for work in works:
        for name, answer in work["contestants"].items():
            title = f"{work['title']}, batch {work['batch']}"
            if "forward_ms" not in answer:
                rows.append([title, name, *["–"] * 6, _why(answer)])
                continue
            rows.append(
                [
                    title,
                    name,
                    duration(answer["forward_ms"]),
                    duration(answer["backward_ms"]) if answer["backward_ms"] > 0 else "–",
                    duration(answer["ms"]),
                    f"{answer['images_per_day']:,.0f}",
                    "" if name == OWN else f"{answer['ratio']:.2f}",
                    f"{answer['share_of_peak']:.0%}",
                    _rounds(work),
                ]
            )
    head = ["network", "", "forward", "backward", "step", "images per day", "ratio of steps"]
    return [
        "The networks of convnet-benchmarks, without local response normalization. Forward is a prediction, "
        "the step an update with SGD and momentum, backward the difference:",
        "",
        *table([*head, "share of the peak", "rounds kept"], rows),
    ]


_SECTIONS: dict[str, tuple[str, Callable[[Suite], list[str]]]] = {
    "training": ("Training", _training),
    "inference": ("Inference", _inference),
    "import": ("Import", _imports),
    "bricks": ("Bricks", _bricks),
    "convnet": ("Large convolutional networks", _convnet),
}


# -- cells ------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, numbers to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]


def duration(ms: float) -> str:
    """Milliseconds in a unit that fits."""
    if ms < 0.001:
        return f"{ms * 1e3:.2f} µs"
    if ms < 1:
        return f"{ms * 1e3:.3g} µs"
    return f"{ms:.3g} ms" if ms < 1000 else f"{ms / 1e3:.3g} s"


def _peers(works: Any) -> list[str]:
    """Those that could be timed at least once."""
    timed = (name for work in works for name, answer in work["contestants"].items() if "ms" in answer)
    return [name for name in dict.fromkeys(timed) if name != OWN]


def _time(answer: Suite) -> str:
    return duration(answer["ms"]) if "ms" in answer else "–"


def _ratio(answer: Suite, aim: float | None) -> str:
    if "ratio" not in answer:
        return "–"
    told = f"{answer['ratio']:.2f}" if answer["ratio"] < 100 else f"{answer['ratio']:.0f}"
    return told if aim is None else f"{told} (≥ {aim:g}){'' if answer['ratio'] >= aim else ' ✗'}"


def _rounds(work: Suite) -> str:
    rounds = work["rounds"]
    return f"{rounds['kept']} of {rounds['made']}{', noisy: all taken' if rounds['noisy'] else ''}"


def _why(answer: Suite) -> str:
    """The first sentence of the reason."""
    told = str(answer.get("unsupported") or answer.get("error") or "–")
    return told.partition(". ")[0]


def _notes(works: Any) -> list[str]:
    """Chosen variants, and why a cell is empty."""
    names = dict.fromkeys(name for work in works for name in work["contestants"])
    lines = []
    for name in names:
        chosen: dict[str, list[str]] = {}
        for work in works:
            answer = work["contestants"].get(name, {})
            title = f"{work['title'].partition(',')[0].partition(' (')[0]} ({work['batch']})"
            chosen.setdefault(str(answer.get("variant") or _why(answer)), []).append(title)
        told = "; ".join(
            variant if len(chosen) == 1 else f"{variant}: {', '.join(titles)}"
            for variant, titles in chosen.items()
        )
        lines.append(f"- {name}: {told}.")
    return ["Variants taken, with the batch in brackets:", "", *lines]
