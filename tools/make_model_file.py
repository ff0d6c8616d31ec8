"""Write the model file of the current version that tests keep for ever, and what it must do when read.

    python tools/make_model_file.py

writes tests/golden/model_version_<version>.safetensors and .npz, unless they are there: a file of an old
version must stay readable by every later Brickwork, so it is never written again.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import brickwork as bw
from brickwork import bricks, layers
from brickwork.training.model_file import VERSION

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"


def network() -> bw.Model:
    """Every kind of thing that a file tells: nested, shared and bare parts, arguments of all sorts."""
    inside = bw.Input((3,), name="inside")
    base = bw.Model(inside, layers.Dense(4, "tanh", name="features")(inside), name="base")
    a, b = bw.Input((6, 6, 1), name="a"), bw.Input((3,), name="b")
    y = layers.Rescaling(0.5, offset=-0.1)(a)
    y = layers.Conv2D(2, 3, strides=2, padding="same", kernel_regularizer=bw.regularizers.L1L2(1e-3, 1e-2))(y)
    y = layers.BatchNormalization(momentum=0.8)(y)
    y = layers.MaxPooling2D(2, strides=1)(layers.ReLU(negative_slope=0.1)(y))
    y = layers.Dropout(0.25)(layers.Flatten()(y))
    z = layers.Add()([base(b), base(bricks.Tanh()(bricks.Linear(3)(b))), base.get_layer("features")(b)])
    both = layers.Concatenate()([y, z])
    head = bw.Sequential([layers.Dense(5, "elu", activity_regularizer="l2"), layers.Dense(3)], name="head")
    classes = layers.Softmax(name="classes")(head(both))
    amounts = layers.Dense(2, bias_constraint=bw.constraints.NonNeg(), name="amounts")(both)
    return bw.Model([a, b], [classes, amounts], name="version_1")


def main() -> None:
    """Write the files."""
    path = GOLDEN / f"model_version_{VERSION}.safetensors"
    if path.exists():
        sys.exit(f"{path} is there and must stay as it is.")
    bw.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    data = {
        "a": rng.normal(size=(20, 6, 6, 1)).astype(np.float32),
        "b": rng.normal(size=(20, 3)).astype(np.float32),
        "labels": rng.integers(0, 3, 20),
        "values": rng.normal(size=(20, 2)).astype(np.float32),
    }
    model = network()
    schedule = bw.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)
    model.compile(
        bw.optimizers.Adam(schedule, clipnorm=2.0),
        {
            "classes": "sparse_categorical_crossentropy",
            "amounts": bw.losses.MeanSquaredError(name="distance"),
        },
        loss_weights={"amounts": 0.5},
        metrics={"classes": ["accuracy"]},
        weighted_metrics={"amounts": [bw.metrics.MeanAbsoluteError()]},
        seed=7,
    )
    options = {"batch_size": 8, "shuffle": False, "verbose": 0}
    x, y = [data["a"], data["b"]], [data["labels"], data["values"]]
    model.fit(x, y, **options)
    model.save(path)
    classes, amounts = model.predict(x, verbose=0)
    data.update(classes=classes, amounts=amounts)
    model.fit(x, y, epochs=2, initial_epoch=1, **options)
    data.update({f"weight_{index}": weight for index, weight in enumerate(model.get_weights())})
    np.savez(path.with_suffix(".npz"), **data)
    print(f"wrote {path}, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
