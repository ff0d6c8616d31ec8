"""Event files, which TensorBoard reads: records that are added, and cut off where a training goes on.

tensorboardX knows the protocol buffers in them without TensorFlow. It is an extra, loaded when the first file
is begun.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import secrets
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..arrays import Array
from ..engines.interrupts import uninterrupted
from ..errors import ParameterError
from ..files import explained
from ..graph.graph import Graph

EVENTS = "events.out.tfevents"
"""How the names of event files begin."""

_BINS = 64
"""Of a histogram; TensorBoard draws 30."""


def require_library(owner: str) -> None:
    """ParameterError where tensorboardX is not installed."""
    if importlib.util.find_spec("tensorboardX") is None:
        raise ParameterError(
            f"{owner} writes event files with tensorboardX, which is not installed. "
            f'Run: pip install "brickwork[tensorboard]"'
        )


class EventFiles:
    """The event files of one training below `folder`: one sub-folder for each curve of a chart.

    Their names end in a mark of the training and a number. A training that goes on cuts its files back to the
    sizes they had at that moment, removes those begun later, and begins new ones: so no step is there twice,
    whoever reads them, and a TensorBoard that is open finds nothing changed behind what it has read.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.mark = secrets.token_hex(4)
        self._sizes: dict[str, int] = {}
        self._open: dict[str, tuple[str, IO[bytes]]] = {}

    # -- going on -----------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """The mark, and the size of every file."""
        return {"mark": self.mark, "sizes": dict(self._sizes)}

    def load(self, state: Mapping[str, Any]) -> None:
        """These are the files that there were; what is written from now on begins new ones."""
        self.close()
        self.mark, self._sizes = state["mark"], dict(state["sizes"])

    def cut(self) -> None:
        """Cut the files back to what `load` told. What was deleted meanwhile stays away."""
        with explained(self.folder):
            for path in self.folder.glob(f"*/{EVENTS}.*.{self.mark}-*"):
                size = self._sizes.get(path.relative_to(self.folder).as_posix())
                if size is None:
                    path.unlink()
                elif path.stat().st_size > size:
                    os.truncate(path, size)

    # -- writing ------------------------------------------------------------------------------------

    def scalars(self, place: str, numbers: Mapping[str, float], step: int) -> None:
        """A point of each of these curves: tag -> number."""
        from tensorboardX.proto.summary_pb2 import Summary

        if numbers:
            points = [Summary.Value(tag=tag, simple_value=float(value)) for tag, value in numbers.items()]
            self._write(place, step=step, summary=Summary(value=points))

    def histogram(self, place: str, tag: str, values: Array, step: int) -> None:
        """How the numbers of an array are distributed."""
        from tensorboardX.summary import histogram

        if values.size:
            self._write(place, step=step, summary=histogram(tag, np.asarray(values, np.float64), _BINS))

    def text(self, place: str, tag: str, lines: str) -> None:
        """Text whose lines stay as they are; to TensorBoard, which reads Markdown, it is code."""
        from tensorboardX.summary import text

        self._write(place, summary=text(tag, f"```\n{lines}\n```"))

    def graph(self, place: str, graph: Graph) -> None:
        """The bricks and their wires; TensorBoard draws those of a layer as one box that opens."""
        self._write(place, graph_def=_graph_def(graph).SerializeToString())

    def close(self) -> None:
        """Close all files; what is written later begins new ones."""
        while self._open:
            self._open.popitem()[1][1].close()

    def _write(self, place: str, **event: Any) -> None:
        if place not in self._open:
            self._begin(place)
            self._write(place, file_version="brain.Event:2")
        from tensorboardX.proto.event_pb2 import Event

        name, file = self._open[place]
        record = _record(Event(wall_time=time.time(), **event).SerializeToString())
        with uninterrupted(), explained(self.folder / name):
            while record:  # a disk that is nearly full takes a part
                record = record[file.write(record) :]
            self._sizes[name] = file.tell()

    def _begin(self, place: str) -> None:
        folder = self.folder / place
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for number in itertools.count(len(self._sizes)):
                path = folder / f"{EVENTS}.{time.time():.6f}.{self.mark}-{number:03d}"
                with suppress(FileExistsError):
                    # unbuffered, so that a process that is killed leaves all that it has written
                    file: Any = open(path, "xb", buffering=0)
                    self._open[place] = (path.relative_to(self.folder).as_posix(), file)
                    return


def _record(data: bytes) -> bytes:
    """The form of a record: its length, and a checksum of each."""
    from tensorboardX.record_writer import masked_crc32c

    length = struct.pack("<Q", len(data))
    return b"".join(
        [length, struct.pack("<I", masked_crc32c(length)), data, struct.pack("<I", masked_crc32c(data))]
    )


def _graph_def(graph: Graph) -> Any:
    """TensorFlow's form of a graph: a node for each input and brick, with the shape of what it gives."""
    from tensorboardX.proto.attr_value_pb2 import AttrValue
    from tensorboardX.proto.graph_pb2 import GraphDef
    from tensorboardX.proto.node_def_pb2 import NodeDef
    from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto
    from tensorboardX.proto.versions_pb2 import VersionDef

    def node(name: str, kind: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Any:
        shapes = [
            TensorShapeProto(
                dim=[TensorShapeProto.Dim(size=-1 if size is None else size) for size in graph.shapes[output]]
            )
            for output in outputs
        ]
        attributes = {"_output_shapes": AttrValue(list=AttrValue.ListValue(shape=shapes))}
        return NodeDef(name=name, op=kind, input=inputs, attr=attributes)

    nodes = [node(name, "Input", (), (name,)) for name in graph.inputs]
    nodes += [
        node(wire.node.name, type(wire.node.brick).__name__, wire.node.inputs, wire.outputs)
        for wire in graph.wires
    ]
    return GraphDef(node=nodes, versions=VersionDef(producer=22))
