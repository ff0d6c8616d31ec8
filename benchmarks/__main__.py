"""Measure Brickwork beside its peers; `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import importlib.util
import json
import shlex
import sys
from datetime import date
from pathlib import Path
from typing import Any

from . import report
from .contestants import PACKAGES, PEERS
from .machine import ROOT, cores, describe, limit_cores
from .measuring import Rule, say
from .peak import Peak
from .suites import SUITES, NotStarted, Session
from .workers import Setup
from .workloads import BRICKS, CONVNETS, INFERENCE, TRAINING

_DEFAULT_PEERS = {
    "training": ("unshuffled", "torch", "torch-compiled", "jax"),
    "inference": ("torch", "onnxruntime"),
    "import": ("torch", "jax", "keras", "sklearn"),
    "bricks": ("torch", "jax"),
    "convnet": ("torch",),
}
_WORKLOADS = {
    "training": tuple(task.name for task in TRAINING),
    "inference": INFERENCE,
    "import": (),
    "bricks": tuple(task.name for task in BRICKS),
    "convnet": tuple(task.name for task in CONVNETS),
}
_EXAMPLES = """examples:
  python -m benchmarks --suite training --json training.json
  python -m benchmarks --suite training --workloads mlp,lenet5 --peers torch,torch-compiled --json some.json
  python -m benchmarks --json training.json --write-docs        only writes docs/benchmarks.md
"""


def main() -> int:
    """Run a suite, keep its numbers, write the page."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.suite is None and not arguments.write_docs:
        parser.error("nothing to do: give --suite, or --write-docs with the --json file of earlier runs.")
    path = Path(arguments.json)
    kept = _read(parser, path)
    if arguments.suite is not None:
        _measure(parser, arguments, path, kept)
    if arguments.write_docs:
        page = Path(arguments.write_docs)
        page.write_text(report.page(kept["suites"]), encoding="utf-8")
        say(f"wrote {page}")
    elif arguments.suite is not None:
        print(report.section(arguments.suite, kept["suites"][arguments.suite]))
    return 0


def _measure(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace, path: Path, kept: dict[str, Any]
) -> None:
    suite = arguments.suite
    chosen = _listed(parser, "--workloads", arguments.workloads, _WORKLOADS[suite])
    threads = arguments.threads or cores()
    machine = describe(threads)
    limit_cores(threads)
    rule = Rule(2, 0.01, True) if arguments.quick else Rule(arguments.rounds)
    peak = Peak(threads)
    begun = {
        "date": date.today().isoformat(),
        "machine": machine,
        "settings": {
            "rounds": rule.rounds,
            "seconds": rule.seconds,
            "quick": rule.quick,
            "engine": arguments.engine,
            "command": _command(parser, arguments),
        },
    }

    def keep(found: dict[str, Any]) -> None:
        probe = {"kind": peak.kind, "peak_gflops": peak.best / 1e9}
        kept["suites"][suite] = {**begun, "probe": probe, "versions": session.versions, **found}
        partial = path.with_name(path.name + ".part")
        partial.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)

    setup = Setup(threads, arguments.engine, arguments.verbose)
    session = Session(_peers(parser, arguments), chosen, rule, setup, peak, keep)
    say(f"suite {suite}: peak {peak.probe() / 1e9:.1f} GFLOP/s on {threads} threads, {peak.kind}")
    keep(SUITES[suite](session))


def _command(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> str:
    """The command that measures this again, with a file of its own in this folder."""
    words = ["python", "-m", "benchmarks", "--suite", arguments.suite]
    for name in ("peers", "workloads", "rounds", "threads", "engine"):
        given = getattr(arguments, name)
        if given != parser.get_default(name):
            words += [f"--{name}", str(given)]
    quick = ["--quick"] if arguments.quick else []
    return shlex.join([*words, *quick, "--json", f"{arguments.suite}.json"])


def _peers(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> tuple[str, ...]:
    if arguments.peers is None:
        named = _DEFAULT_PEERS[arguments.suite]
        missing = [name for name in named if importlib.util.find_spec(PACKAGES[name]) is None]
        for name in missing:
            say(f"{name} is not installed and left out")
        return tuple(name for name in named if name not in missing)
    named = _listed(parser, "--peers", arguments.peers, PEERS)
    for name in named:
        if importlib.util.find_spec(PACKAGES[name]) is None:
            parser.error(f"--peers {name} needs the package {PACKAGES[name]}, which is not installed.")
    return named


def _listed(
    parser: argparse.ArgumentParser, option: str, given: str | None, known: tuple[str, ...]
) -> tuple[str, ...]:
    found = tuple(word.strip() for word in (given or "").split(",") if word.strip())
    for word in found:
        if word not in known:
            parser.error(f"{option} takes some of {', '.join(known) or 'nothing here'}; got {word!r}.")
    return found


def _read(parser: argparse.ArgumentParser, path: Path) -> dict[str, Any]:
    """Suites of earlier runs in that file; the one that runs now replaces its own."""
    if not path.parent.is_dir():
        parser.error(f"--json takes a file in a folder that is there; {path.parent} is not.")
    if not path.exists():
        return {"suites": {}}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        suites = kept["suites"]
    except (ValueError, KeyError, TypeError):
        parser.error(f"--json takes a new file or one that this command wrote; {path} is neither.")
    return {"suites": suites}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description="Brickwork beside its peers: interleaved rounds, medians of per-round ratios.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--suite", choices=list(SUITES), help="what to measure")
    add("--peers", metavar="A,B", help=f"some of {', '.join(PEERS)}; '' for none; default: by suite")
    add("--workloads", metavar="A,B", help="some of the suite's; default all")
    add("--rounds", type=_count, default=9, help="undisturbed rounds that are wanted (default 9)")
    add("--threads", type=_count, help="threads of every contestant (default: the cores of this process)")
    add("--engine", default="native", choices=["native", "reference", "jax"], help="Brickwork's engine")
    add("--quick", action="store_true", help="two short rounds on little data: to see that it runs")
    add("--json", required=True, metavar="FILE", help="numbers are kept here, those of other suites stay")
    add(
        "--write-docs",
        nargs="?",
        const=str(ROOT / "docs" / "benchmarks.md"),
        metavar="FILE",
        help="make the page of all suites in the JSON file (default docs/benchmarks.md)",
    )
    add("--verbose", action="store_true", help="show what the contestants print to standard error")
    return parser


def _count(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"takes a number of at least 1; got {word}")
    return number


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotStarted as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
