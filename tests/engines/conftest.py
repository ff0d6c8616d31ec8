"""Every test that asks for `engine` runs on each engine."""

from __future__ import annotations

import pytest

from brickwork.engines import get_engine


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """Many tests make plans of the same program: within a run of the tests, XLA compiles it once."""
    jax = pytest.importorskip("jax")
    options = {
        "jax_compilation_cache_dir": str(tmp_path_factory.mktemp("compiled")),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in options}
    for name, value in options.items():
        jax.config.update(name, value)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture(params=["reference", "native", "jax"])
def engine(request):
    return get_engine(request.param)
