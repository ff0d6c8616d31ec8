"""The networks of single epochs, kept in the run folder."""

from __future__ import annotations

import re
from pathlib import Path

from ..training.callback import Callback, Logs

_NAME = re.compile(r"epoch-(\d+)\.safetensors")


def epoch_name(epoch: int) -> str:
    """The file of an epoch, counted from 1.

    >>> epoch_name(3)
    'epoch-0003.safetensors'
    """
    return f"epoch-{epoch:04d}.safetensors"


def kept_epochs(folder: Path) -> list[int]:
    """The epochs whose networks are in a run folder."""
    return sorted(int(found[1]) for path in folder.iterdir() if (found := _NAME.fullmatch(path.name)))


class KeepEpochs(Callback):
    """Saves the network after each epoch, and keeps the files of the last `count` epochs."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """The new file first, then the oldest goes."""
        self.model.save(self.folder / epoch_name(epoch + 1), include_optimizer=False)
        for old in kept_epochs(self.folder)[: -self.count]:
            (self.folder / epoch_name(old)).unlink(missing_ok=True)
