"""What counts and what does not, by the instruction that masks scores: a number, or another one for it."""

from __future__ import annotations

from typing import Any

from ...bricks import NonZero, Where
from .lower_attention import runs
from .lowering import Plain, lowers
from .values import Value, per_sample
from .writer import Part, Writer


def _kept(
    writer: Writer, x: Value, y: Value, mask: Value, steps: list[int], low: float = 0.0, accumulate: int = 0
) -> None:
    """y (+)= x where the mask is not 0, else low; `steps`: sizes of x and the mask's steps along them."""
    writer.emit(
        "mask_scores", [x, y, mask], [*steps, mask.integer, 0, accumulate], [low], multiplies=2 * x.size
    )


def _along(size: int) -> list[int]:
    """Number by number."""
    return [1, 1, size, 0, 0, 1]


def _filled(writer: Writer, like: Value, number: float) -> Value:
    made = writer.scratch(f"filled by {number:g}", like.shape)
    writer.emit("fill", [made], [made.size], [number], multiplies=made.size // 4)
    return made


@lowers(NonZero)
class NonZeroLowering(Plain):
    """Ones, masked by x itself."""

    reads_whole = True

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        _kept(writer, _filled(writer, y, 1.0), y, x, _along(x.size))

    def backward(self, writer: Writer, part: Part) -> None:
        """dx = 0."""
        found = writer.dx(part.inputs[0]) if writer.dy(part.output) is not None else None
        if found is not None and not found[1]:
            writer.emit("fill", [found[0]], [found[0].size], [0.0], multiplies=found[0].size // 4)


@lowers(Where)
class WhereLowering(Plain):
    """a where the mask lets it through, and b where its opposite does."""

    reads_whole = True

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """A mask for each sample, of few enough runs of axes, and values of one shape."""
        m, a, b = shapes
        return a == b and m[0] == a[0] and len(runs(per_sample(a), per_sample(m))) <= 3

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        m, a, b = (writer.value(name) for name in part.inputs)
        y, steps = writer.value(part.output), self._steps(writer, part)
        part.notes["opposite"] = opposite = writer.scratch("opposite", m.shape)
        _kept(writer, _filled(writer, m, 0.0), opposite, m, _along(m.size), low=1.0)
        _kept(writer, a, y, m, steps)
        _kept(writer, b, y, opposite, steps, accumulate=1)

    def backward(self, writer: Writer, part: Part) -> None:
        """da and db, each where it was chosen."""
        dy, steps = writer.dy(part.output), self._steps(writer, part)
        if dy is None:
            return
        masks = (writer.value(part.inputs[0]), part.notes["opposite"])
        for name, mask in zip(part.inputs[1:], masks, strict=True):
            found = writer.dx(name)
            if found is not None:
                _kept(writer, dy, found[0], mask, steps, accumulate=found[1])

    def _steps(self, writer: Writer, part: Part) -> list[int]:
        a, m = (per_sample(writer.graph.shapes[part.inputs[place]]) for place in (1, 0))
        sizes, steps = zip(*([(1, 0)] * 3 + runs(a, m))[-3:], strict=True)
        return [*sizes, *steps]
