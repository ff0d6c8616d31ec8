"""Products of matrices that are both data, and their gradients, which are such products again."""

from __future__ import annotations

from dataclasses import dataclass

from .values import Value
from .writer import Writer


@dataclass(frozen=True)
class MatrixProduct:
    """y = a @ b for `count` matrices of a sample: y has m rows and n columns, and k numbers lie in between.

    `turn_a`: a is stored as (k, m), else as (m, k). `turn_b`: b is stored as (n, k), else as (k, n).
    """

    count: int
    m: int
    n: int
    k: int
    turn_a: bool
    turn_b: bool

    def forward(self, writer: Writer, a: Value, b: Value, y: Value) -> None:
        """y = a @ b."""
        self._emit(writer, (a, b, y), (self.m, self.n, self.k), (self.turn_a, self.turn_b), 0)

    def to_a(self, writer: Writer, dy: Value, b: Value, da: Value, accumulate: int) -> None:
        """da = dy @ b.T, or its transpose."""
        if self.turn_a:
            self._emit(writer, (b, dy, da), (self.k, self.m, self.n), (self.turn_b, True), accumulate)
        else:
            self._emit(writer, (dy, b, da), (self.m, self.k, self.n), (False, not self.turn_b), accumulate)

    def to_b(self, writer: Writer, dy: Value, a: Value, db: Value, accumulate: int) -> None:
        """db = a.T @ dy, or its transpose."""
        if self.turn_b:
            self._emit(writer, (dy, a, db), (self.n, self.k, self.m), (True, self.turn_a), accumulate)
        else:
            self._emit(writer, (a, dy, db), (self.k, self.n, self.m), (not self.turn_a, False), accumulate)

    def _emit(
        self,
        writer: Writer,
        values: tuple[Value, Value, Value],
        sizes: tuple[int, int, int],
        turns: tuple[bool, bool],
        accumulate: int,
    ) -> None:
        work = self.count * self.m * self.n * self.k
        writer.emit("matrices", values, [self.count, *sizes, *turns, accumulate], multiplies=work)
