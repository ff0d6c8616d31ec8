"""No test of data reads the user's folders, writes into them, or reaches the network."""

from __future__ import annotations

import pytest

from brickwork.data import fetch


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """A cache of the test's own, no data folder, no downloads, one thread."""
    monkeypatch.delenv("BRICKWORK_DATA", raising=False)
    monkeypatch.setenv("BRICKWORK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BRICKWORK_NUM_THREADS", "2")

    def refuse(url, path):
        raise ConnectionError(url)

    monkeypatch.setattr(fetch, "download", refuse)
