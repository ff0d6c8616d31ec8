"""Runs on users' data, which several tests ask."""

from __future__ import annotations

import numpy as np
import pytest
from cli_home import NETS, call, write_images, write_table


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A folder with users' data and three runs: table (classes), prices (numbers), pictures."""
    place = tmp_path_factory.mktemp("home")
    patch = pytest.MonkeyPatch()
    patch.setenv("BRICKWORK_CACHE", str(place / "cache"))
    patch.setenv("COLUMNS", "100")
    write_table(place / "flats.csv")
    write_images(place / "pictures")
    (place / "nets.py").write_text(NETS)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 3)).astype(np.float32)
    np.savez(place / "rows.npz", x=x, y=(x[:, 0] > 0).astype(np.int64))
    common = ("--epochs", 3, "--json")
    flats = place / "flats.csv"
    for arguments in (
        (flats, "--target", "dear", "--out", place / "table", "--keep", 2, *common),
        (flats, "--target", "price", "--out", place / "prices", *common),
        (place / "pictures", "--out", place / "seen", *common),
        (place / "rows.npz", "--out", place / "rows", *common),
    ):
        result = call("train", *arguments)
        assert result.exit_code == 0, result.output
    yield place
    patch.undo()
