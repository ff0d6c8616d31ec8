"""A training loop of your own: gradients and apply are public.

The gradients of four small batches are added up before each update, and the rate grows and falls by hand.
"""

import numpy as np

import brickwork
from brickwork import layers

brickwork.utils.set_random_seed(0)
(x_train, y_train), (x_test, y_test) = brickwork.datasets.digits.load_data()

model = brickwork.Sequential([
    brickwork.Input((8, 8)),
    layers.Rescaling(1 / 16),
    layers.Flatten(),
    layers.Dense(64, activation="tanh"),
    layers.Dense(10),
])  # fmt: skip
loss = brickwork.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(brickwork.optimizers.SGD(momentum=0.9), loss, metrics=["accuracy"])

rng = np.random.default_rng(0)
STEPS, PARTS, ROWS = 300, 4, 16
for step in range(STEPS):
    total = {}
    errors = []
    for _ in range(PARTS):
        rows = rng.integers(0, len(x_train), ROWS)
        error, gradients = model.gradients(x_train[rows], y_train[rows])
        errors.append(error)
        for name, gradient in gradients.items():
            total[name] = total.get(name, 0.0) + gradient / PARTS
    size = np.sqrt(sum(np.sum(gradient**2) for gradient in total.values()))
    rate = 0.1 * min(1.0, (step + 1) / 50) * 0.5 * (1 + np.cos(np.pi * step / STEPS))
    model.apply(total, learning_rate=rate)
    if step % 100 == 0 or step == STEPS - 1:
        print(f"step {step + 1}: loss {np.mean(errors):.3f}, gradient {size:.3f}, rate {rate:.4f}")

_, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"score: {accuracy:.3f} of the test images are recognized")
