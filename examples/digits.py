"""Handwritten digits with a small convolutional network: 1,438 images to learn from, 359 to be tested on."""

import brickwork
from brickwork import layers

brickwork.utils.set_random_seed(0)
(x_train, y_train), (x_test, y_test) = brickwork.datasets.digits.load_data()

model = brickwork.Sequential([
    brickwork.Input((8, 8)),
    layers.Reshape((8, 8, 1)),
    layers.Rescaling(1 / 16),
    layers.Conv2D(16, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(),
    layers.Conv2D(32, 3, padding="same", activation="relu"),
    layers.Flatten(),
    layers.Dropout(0.3),
    layers.Dense(10, activation="softmax"),
])  # fmt: skip
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.summary(bricks=True)

history = model.fit(x_train, y_train, batch_size=32, epochs=15, validation_split=0.1, verbose=0)
print(f"loss {history.history['loss'][0]:.3f} -> {history.history['loss'][-1]:.3f}")

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"score: {accuracy:.3f} of the test images are recognized")
