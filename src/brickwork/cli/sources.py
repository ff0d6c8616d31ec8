"""Where the data of a command come from: a name, a user's own files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..data import Dataset, open_data

if TYPE_CHECKING:
    from .job import Job


def load(job: Job, report: Callable[[str], None]) -> Dataset:
    """The data of a job."""
    return open_data(job.data, seed=job.seed, report=report, **job.source)
