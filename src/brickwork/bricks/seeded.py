"""Bricks that draw random numbers, which follow the run's seed or one of their own."""

from __future__ import annotations

from dataclasses import replace

from .base import Brick, Context


class Seeded(Brick):
    """A brick whose random numbers follow the run's seed, or a `seed` of its own."""

    random = True
    seed: int | None

    def own(self, ctx: Context) -> Context:
        """The context with the brick's own seed, if it has one."""
        return ctx if self.seed is None else replace(ctx, key=self.seed)
