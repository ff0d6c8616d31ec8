"""The summary of a network: its layers with shapes, numbers of parameters and connections."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..arrays import Shape
from ..bricks.base import Brick
from ..config import floatx
from ..graph.graph import Graph, references
from ..graph.loop import Loop
from ..graph.node import Node, Parameter, Statistic
from .cells import cell_lines
from .formula import formula
from .text_table import RULE, UNBROKEN, Row, Span, text_table

WIDEST = 110
SHORT = 20
"""A brick with arguments of at most so many characters is written in one piece."""

Key = tuple[str, str]
"""Name of a group, and whether it is an input, a layer or a brick."""


@dataclass
class Group:
    """The nodes of an outermost layer; an input, or a brick without a layer, is a group of its own."""

    name: str
    kind: str
    nodes: list[Node] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    """Names of the groups that feed this one."""
    parameters: list[str] = field(default_factory=list)
    """Keys of parameters and running statistics that no group before has."""
    shared: bool = False
    """Whether it uses parameters that a group before has."""
    frozen: bool = False
    """Whether it has parameters, none of which is trained."""


@dataclass(frozen=True)
class Count:
    """How many numbers a network holds."""

    trainable: int
    non_trainable: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.trainable + self.non_trainable


def sizes(graph: Graph) -> dict[str, int]:
    """Key -> how many numbers, for parameters and running statistics; each stands once, also where shared."""
    return {key: math.prod(one.shape) for key, one in held(graph).items()}


def held(graph: Graph) -> dict[str, Parameter | Statistic]:
    """Parameters, then running statistics, by key."""
    return {**graph.parameters, **graph.statistics}


def count(graph: Graph) -> Count:
    """How many numbers are trained and how many are not; running statistics are not.

    >>> from brickwork.bricks import Bias, Linear
    >>> count(Graph({"x": (None, 4)}, [("h", Linear(3), ["x"]), ("y", Bias(), ["h"])], ["y"]))
    Count(trainable=15, non_trainable=0)
    """
    numbers = sizes(graph)
    trainable = sum(numbers[key] for key, parameter in graph.parameters.items() if parameter.trainable)
    return Count(trainable, sum(numbers.values()) - trainable)


def groups(graph: Graph, *, show_inputs: bool = True) -> list[Group]:
    """Inputs, then the outermost layers in the order in which they are computed."""
    made = [Group(name, "InputLayer", shapes=[spec.shape]) for name, spec in graph.inputs.items()]
    by_key: dict[Key, Group] = {}
    home: dict[str, Key] = {name: (name, "input") for name in graph.inputs}
    for node in graph.nodes:
        key = (node.layer.partition("/")[0], "layer") if node.layer else (node.name, "brick")
        if key not in by_key:
            kind = node.kind.partition("/")[0] if node.layer else type(node.brick).__name__
            by_key[key] = Group(key[0], kind)
        by_key[key].nodes.append(node)
        home.update(dict.fromkeys((node.name, *references(node)), key))
    _connect(graph, home, by_key)
    seen: set[str] = set()
    for group in by_key.values():
        _take_parameters(group, graph, seen)
    return (made if show_inputs else []) + list(by_key.values())


def _connect(graph: Graph, home: dict[str, Key], by_key: dict[Key, Group]) -> None:
    """Find which groups feed which, and the shapes of what leaves a group."""
    leaving = set(graph.outputs)
    for node in graph.nodes:
        group = by_key[home[node.name]]
        for name in node.inputs:
            if home[name] != home[node.name]:
                leaving.add(name)
                if home[name][0] not in group.sources:
                    group.sources.append(home[name][0])
    for group in by_key.values():
        own = [name for node in group.nodes for name in references(node)]
        for name in [name for name in own if name in leaving] or own:
            if graph.shapes[name] not in group.shapes:
                group.shapes.append(graph.shapes[name])


def _take_parameters(group: Group, graph: Graph, seen: set[str]) -> None:
    used = [key for node in group.nodes for key in keys(graph, node)]
    group.parameters = [key for key in dict.fromkeys(used) if key not in seen]
    group.shared = any(key in seen for key in used)
    seen.update(used)
    learned = [graph.parameters[key] for key in used if key in graph.parameters]
    group.frozen = bool(learned) and not any(parameter.trainable for parameter in learned)


def keys(graph: Graph, node: Node) -> list[str]:
    """Keys of the parameters and running statistics that a node uses."""
    wire = graph.wires[node.index]
    return [full for _, full in (*wire.parameters, *wire.statistics)]


def summary_text(
    graph: Graph,
    *,
    name: str = "graph",
    kind: str = "Functional",
    show_inputs: bool = True,
    bricks: bool = False,
    width: int | None = None,
) -> str:
    """The summary as plain text.

    Parameters
    ----------
    graph : the network.
    name, kind : what to call it.
    show_inputs : whether inputs are rows of their own.
    bricks : whether the bricks of each layer follow it, with their formulas and arrays.
    width : characters in a line; default: the terminal's, at most 110, or 80 where there is none.

    >>> from brickwork.bricks import Bias, Linear
    >>> graph = Graph({"x": (None, 4)}, [("h", Linear(3), ["x"]), ("y", Bias(), ["h"])], ["y"])
    >>> print(summary_text(graph, name="tiny"))
    Model: "tiny" (Functional)
    ┌────────────────┬──────────────┬─────────┬──────────────┐
    │ Layer (type)   │ Output shape │ Param # │ Connected to │
    ├────────────────┼──────────────┼─────────┼──────────────┤
    │ x (InputLayer) │ (None, 4)    │       0 │              │
    │ h (Linear)     │ (None, 3)    │      12 │ x            │
    │ y (Bias)       │ (None, 3)    │       3 │ h            │
    └────────────────┴──────────────┴─────────┴──────────────┘
    Total params:         15 (60 B)
    Trainable params:     15 (60 B)
    Non-trainable params:  0 (0 B)
    """
    if width is None:
        width = min(shutil.get_terminal_size((80, 24)).columns, WIDEST)
    numbers = sizes(graph)
    rows: list[Row] = []
    for group in groups(graph, show_inputs=show_inputs):
        if bricks and rows:
            rows.append(RULE)
        rows.append(_group_row(group, numbers))
        if bricks and (group.nodes and group.nodes[0].layer):
            rows.extend(_brick_rows(group, graph, numbers))
        elif bricks and group.nodes:
            rows.extend(Span(line, 2) for line in formula(group.nodes[0].brick))
            rows.extend(_cell_rows(group.nodes[0].brick, 2))
    header = ["Layer (type)", "Output shape", "Param #", "Connected to" + (", arrays" if bricks else "")]
    table = text_table(header, rows, width, right=[2])
    return "\n".join([f'Model: "{name}" ({kind})', table, *_totals(graph)])


def _group_row(group: Group, numbers: dict[str, int]) -> list[str]:
    total = sum(numbers[key] for key in group.parameters)
    amount = "shared" if group.shared and not group.parameters else f"{total:,}"
    kind = f"({group.kind}{f',{UNBROKEN}frozen' if group.frozen else ''})"
    label = f"{group.name} {kind}"
    return [label, ", ".join(map(str, group.shapes)), amount, ", ".join(group.sources)]


def _brick_rows(group: Group, graph: Graph, numbers: dict[str, int]) -> Iterator[Row]:
    """A row for each brick, under headings for layers within the layer."""
    path: list[str] = []
    seen: set[str] = set()
    for node in group.nodes:
        names, kinds = node.layer.split("/")[1:], node.kind.split("/")[1:]
        same = next(
            (place for place, name in enumerate(names) if path[place : place + 1] != [name]), len(names)
        )
        for depth in range(same, len(names)):
            yield ["  " * (depth + 1) + f"{names[depth]} ({kinds[depth]})", "", "", ""]
        path = names
        indent = 2 * (len(names) + 1)
        own = keys(graph, node)
        amount = "shared" if own and set(own) <= seen else f"{sum(numbers[key] for key in own):,}"
        seen.update(own)
        shapes = ", ".join(str(graph.shapes[reference]) for reference in references(node))
        label, settings = _brick_label(node.brick)
        yield [" " * indent + label, shapes, amount, _arrays(graph, own)]
        yield from (Span(line, indent + 2) for line in [*settings, *formula(node.brick)])
        yield from _cell_rows(node.brick, indent + 2)


def _cell_rows(brick: Brick, indent: int) -> Iterator[Row]:
    """Of a Loop, what happens at a moment."""
    for line in cell_lines(brick) if isinstance(brick, Loop) else ():
        text = line.lstrip()
        yield Span(text, indent + len(line) - len(text))


def _brick_label(brick: Brick) -> tuple[str, list[str]]:
    """The brick with its arguments, or, where these are long, its name and a line with them."""
    if isinstance(brick, Loop):  # its cell follows, line by line
        return type(brick).__name__, []
    text = repr(brick)
    if len(text) <= SHORT:
        return text.removesuffix("()"), []
    return type(brick).__name__, [text.partition("(")[2].removesuffix(")")]


def _arrays(graph: Graph, own: list[str]) -> str:
    known = held(graph)
    return ", ".join(f"{known[key].name} {known[key].shape}".replace(" ", UNBROKEN) for key in own)


def _totals(graph: Graph) -> list[str]:
    found = count(graph)
    each = 8 if _is_double(graph) else 4
    table = {
        "Total params:": found.total,
        "Trainable params:": found.trainable,
        "Non-trainable params:": found.non_trainable,
    }
    wide = len(f"{found.total:,}")
    return [f"{title:21} {number:>{wide},} ({size_text(number * each)})" for title, number in table.items()]


def _is_double(graph: Graph) -> bool:
    floats = [spec.dtype for spec in graph.inputs.values() if spec.dtype.startswith("float")]
    return (floats[0] if floats else floatx()) == "float64"


def size_text(size: int) -> str:
    """A number of bytes for people, 1 KB being 1024 B.

    >>> size_text(60), size_text(641_240), size_text(102_228_128)
    ('60 B', '626.2 KB', '97.5 MB')
    """
    if size < 1024:
        return f"{size} B"
    value = float(size)
    for unit in ("KB", "MB", "GB"):
        value /= 1024
        if value < 1023.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1024:.1f} TB"
