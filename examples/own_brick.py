"""A brick of your own: radial basis units, which answer to how near x is to their centre.

State the formula, write forward and backward, let check_gradients prove that they belong together, and use it
in a network like any other brick.
"""

from dataclasses import dataclass

import numpy as np

import brickwork
from brickwork.arrays import namespace
from brickwork.bricks import Brick, ParameterSpec
from brickwork.initializers import RandomNormal


@dataclass(frozen=True)
class RadialBasis(Brick):
    """Units that are 1 at their centre and fall off around it.

    Forward    y  = exp(-d)        d = Σ (x - c)² over the features
    Backward   dx = -2 Σ (x - c) y dy over the units     dc = 2 Σ (x - c) y dy over the samples
    Shapes     x, dx: (N, F)   c, dc: (U, F)   y, dy: (N, U)
    """

    units: int

    def output_shape(self, x):
        return (x[0], self.units)

    def parameters(self, x):
        return {"c": ParameterSpec((self.units, x[-1]), RandomNormal(stddev=1.0))}

    def forward(self, params, x, *, ctx):
        xp = namespace(x)  # NumPy, or JAX where JAX computes
        r = x[:, None, :] - params["c"]
        y = xp.exp(-xp.sum(r * r, axis=2))
        return y, (r, y)

    def backward(self, params, saved, dy):
        r, y = saved
        xp = namespace(dy)
        flow = 2.0 * r * (y * dy)[:, :, None]
        return (-xp.sum(flow, axis=1),), {"c": xp.sum(flow, axis=0)}


report = brickwork.check_gradients(RadialBasis(5), ((4, 3),))
print(f"gradients agree with slopes to {report.worst:.1e}")

# A ring around a disc: no straight line parts them.
rng = np.random.default_rng(0)
angle, ring = rng.uniform(0, 2 * np.pi, 600), rng.integers(0, 2, 600)
radius = np.where(ring == 1, 1.6, 0.5) + 0.15 * rng.standard_normal(600)
points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)

brickwork.utils.set_random_seed(0)
x = brickwork.Input((2,))
y = brickwork.layers.Dense(1, activation="sigmoid")(RadialBasis(8)(x))
model = brickwork.Model(x, y)
model.compile(brickwork.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
model.fit(points[:400], ring[:400], epochs=20, verbose=0)
_, accuracy = model.evaluate(points[400:], ring[400:], verbose=0)
print(f"score: {accuracy:.3f} of the test points")
