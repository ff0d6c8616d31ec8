"""Two inputs, two outputs: the two halves of a digit; which digit is it, and how much ink has it?

Both halves go through one shared layer. The losses are weighted against each other.
"""

import numpy as np

import brickwork
from brickwork import layers

brickwork.utils.set_random_seed(0)
(x_train, y_train), (x_test, y_test) = brickwork.datasets.digits.load_data()


def halves(images):
    """Rows 0 to 3 and rows 4 to 7, in [0, 1]."""
    return {"upper": images[:, :4] / 16, "lower": images[:, 4:] / 16}


def targets(images, digits):
    """The digit, and the mean of the pixels."""
    return {"digit": digits, "ink": images.mean(axis=(1, 2)) / 16}


upper, lower = brickwork.Input((4, 8), name="upper"), brickwork.Input((4, 8), name="lower")
flat, look = layers.Flatten(), layers.Dense(48, activation="relu", name="look")
seen = layers.Concatenate()([look(flat(upper)), look(flat(lower))])
hidden = layers.Dense(48, activation="relu")(seen)
digit = layers.Dense(10, activation="softmax", name="digit")(hidden)
ink = layers.Dense(1, name="ink")(seen)

model = brickwork.Model({"upper": upper, "lower": lower}, {"digit": digit, "ink": ink})
model.compile(
    "adam",
    loss={"digit": "sparse_categorical_crossentropy", "ink": "mse"},
    loss_weights={"digit": 1.0, "ink": 10.0},
    metrics={"digit": ["accuracy"], "ink": ["mae"]},
)
model.summary()
model.fit(halves(x_train), targets(x_train, y_train), epochs=30, verbose=0)

told = model.evaluate(halves(x_test), targets(x_test, y_test), verbose=0, return_dict=True)
shown = model.predict(halves(x_test[:5]), verbose=0)
print("digits:", np.argmax(shown["digit"], axis=1), "are", y_test[:5])
print("ink:", shown["ink"][:, 0].round(2), "is", targets(x_test[:5], y_test[:5])["ink"].round(2))
print(f"score: {told['digit_accuracy']:.3f} of the test digits, ink to {told['ink_mae']:.4f}")
