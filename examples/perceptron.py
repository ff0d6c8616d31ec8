"""Rosenblatt's perceptron: a step function, a squared error, and his rule comes out of back-propagation.

The brick Heaviside passes dy on as if it were the identity. With E = ½ (o - t)² behind it, a step down the
gradient is Δw = η (t - o) x, Δb = η (t - o): the rule of 1958.
"""

import numpy as np

import brickwork
from brickwork.layers import Dense

RATE = 0.1

# Digits: is it a zero? A plane in the space of the 64 pixels parts the zeros from the rest, and so the rule
# makes no more mistakes after a while (Novikoff's theorem, 1962).
(images, digits), (test_images, test_digits) = brickwork.datasets.digits.load_data()
x, x_test = (one.reshape(len(one), 64).astype("float32") / 16 for one in (images, test_images))
t, t_test = ((one == 0).astype("float32") for one in (digits, test_digits))

perceptron = brickwork.Sequential([brickwork.Input((64,)), Dense(1, activation="heaviside")])
perceptron.compile(brickwork.optimizers.SGD(RATE), loss="half_squared_error")

w, b = (one.copy() for one in perceptron.get_weights())  # a second perceptron, taught by the rule itself

rng = np.random.default_rng(0)
for epoch in range(1, 11):
    mistakes = 0
    for row in rng.permutation(len(x)):
        o = float((x[row] @ w + b)[0] > 0)
        w += np.float32(RATE) * (t[row] - o) * x[row][:, None]
        b += np.float32(RATE) * (t[row] - o)
        mistakes += o != t[row]
        perceptron.train_on_batch(x[row : row + 1], t[row : row + 1])
    print(f"epoch {epoch}: {mistakes} mistakes")
    if mistakes == 0:
        break

by_bricks = np.concatenate([one.reshape(-1) for one in perceptron.get_weights()])
by_rule = np.concatenate([w.reshape(-1), b])
print(f"weights by the rule and by bricks: largest difference {np.abs(by_rule - by_bricks).max():.1e}")
right = perceptron.predict(x_test, verbose=0)[:, 0] == t_test
print(f"score: {right.mean():.3f} of the test images")
