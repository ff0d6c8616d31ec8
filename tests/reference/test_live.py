"""The curves of test_golden_curves.py once more, against Keras and PyTorch as they are installed here."""

from __future__ import annotations

import pytest

from reference import curves
from reference.test_golden_curves import TOLERANCES, name, ours, require_same

# Keras's own arrays, under NumPy's newest releases
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

# Keras compiles for seconds: each network once, each optimizer once
KERAS = list(zip(curves.CURVES, ("adam", "sgd", "nesterov"), strict=True))


@pytest.mark.parametrize(("curve", "optimizer"), KERAS, ids=name)
def test_keras_follows(curve, optimizer):
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "jax":
        pytest.skip("compares with Keras on JAX")
    known = curves.follow(curve, keras, optimizer)
    require_same(ours(curve, optimizer, "reference"), known, TOLERANCES[optimizer])


@pytest.mark.parametrize("optimizer", curves.PEERS["torch"])
@pytest.mark.parametrize("curve", curves.CURVES, ids=name)
def test_torch_follows(curve, optimizer):
    pytest.importorskip("torch")
    from reference import torch_networks

    known = torch_networks.follow(curve, optimizer)
    require_same(ours(curve, optimizer, "reference"), known, TOLERANCES[optimizer])
