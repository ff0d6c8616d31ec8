"""A Keras script. Replace the word keras in its import lines, and it runs under Brickwork.

Images of horizontal, vertical and diagonal bars are told apart in three ways: by a Sequential without Input,
by a convolutional Sequential, and by a functional network with two inputs and two outputs.
"""

import tempfile
from pathlib import Path

import keras as library
import keras.utils as utils
import numpy as np
from keras import Input, Model, Sequential, layers, losses, metrics, optimizers
from keras.callbacks import CSVLogger, EarlyStopping, LambdaCallback, LearningRateScheduler, ReduceLROnPlateau
from keras.initializers import GlorotUniform, HeNormal, RandomNormal
from keras.layers import Add, Concatenate, Conv2D, Dense, Dropout, Flatten, MaxPooling2D, Multiply
from keras.models import load_model
from keras.optimizers.schedules import ExponentialDecay
from keras.regularizers import L2

# The format of files is the one thing that differs: HDF5 there, safetensors here.
MODEL = "bars.keras" if library.__name__ == "keras" else "bars.safetensors"
WEIGHTS = "bars.weights.h5" if library.__name__ == "keras" else "bars_weights.safetensors"


def bars(count, size=8):
    """Noisy images (count, size, size, 1) with one bar each, and the bar's direction 0, 1 or 2."""
    kinds = rng.integers(0, 3, count)
    images = rng.random((count, size, size, 1)).astype("float32") * 0.6
    for image, kind in zip(images, kinds, strict=True):
        place = rng.integers(0, size)
        steps = np.arange(size)
        rows, columns = [(place, steps), (steps, place), (steps, (steps + place) % size)][kind]
        image[rows, columns, 0] += 0.6
    return images, kinds


utils.set_random_seed(7)
rng = np.random.default_rng(7)
x_train, y_train = bars(600)
x_test, y_test = bars(200)

# A Sequential that learns its input's shape from the data
small = Sequential([Flatten(), Dense(32, activation="relu"), Dense(3)], name="small")
small.compile(
    optimizer=optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=True),
    loss=losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = small.fit(x_train, y_train, batch_size=20, epochs=8, validation_split=0.2, verbose=0)
print("small:", sorted(history.history), len(history.epoch), "epochs")
loss, accuracy = small.evaluate(x_test, y_test, verbose=0)
print(f"small: loss {loss:.3f} accuracy {accuracy:.3f}")

# A convolutional one, with callbacks
net = Sequential(name="net")
net.add(Input(shape=(8, 8, 1)))
net.add(layers.Rescaling(2.0, offset=-1.0))
net.add(Conv2D(8, 3, padding="same", kernel_initializer=HeNormal(seed=1), kernel_regularizer=L2(1e-4)))
net.add(layers.BatchNormalization(momentum=0.9))
net.add(layers.ReLU())
net.add(MaxPooling2D((2, 2)))
net.add(Conv2D(16, (3, 3), activation="elu"))
net.add(layers.GlobalAveragePooling2D())
net.add(Dropout(0.1))
net.add(Dense(3, activation="softmax", kernel_initializer=GlorotUniform(seed=2)))
net.summary()
net.compile(
    optimizer=optimizers.Adam(ExponentialDecay(0.02, decay_steps=200, decay_rate=0.5)),
    loss="categorical_crossentropy",
    metrics=[metrics.CategoricalAccuracy(name="hits"), "mse"],
)
seen = []
with tempfile.TemporaryDirectory() as folder:
    log = Path(folder) / "log.csv"
    net.fit(
        x_train, utils.to_categorical(y_train, 3), epochs=12, batch_size=32, verbose=0,
        validation_data=(x_test, utils.to_categorical(y_test)),
        class_weight={0: 1.0, 1: 1.0, 2: 2.0},
        callbacks=[
            EarlyStopping("val_loss", patience=6, restore_best_weights=True),
            CSVLogger(log),
            LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["val_hits"])),
        ],
    )  # fmt: skip
    print("net:", log.read_text().splitlines()[0])
    net.save(Path(folder) / MODEL)
    net.save_weights(Path(folder) / WEIGHTS)
    again = load_model(Path(folder) / MODEL)
    net.load_weights(Path(folder) / WEIGHTS)
same = np.allclose(net.predict(x_test, verbose=0), again.predict(x_test, verbose=0), atol=1e-6)
print(f"net: {len(net.layers)} layers, {net.count_params()} parameters, read again: {same}")
print(f"net: accuracy {max(seen):.3f}")

# Two inputs, two outputs, one layer used twice
left, right = Input((8, 8, 1), name="left"), Input((8, 8, 1), name="right")
eye = Sequential([Flatten(), Dense(24, activation="tanh")], name="eye")
seen_left, seen_right = eye(left), eye(right)
both = Concatenate()([seen_left, seen_right, Multiply()([seen_left, seen_right])])
hidden = Dense(32, activation="relu", kernel_initializer=RandomNormal(stddev=0.1))(both)
kind = Dense(3, activation="softmax", name="kind")(Add()([seen_left, seen_left]))
equal = Dense(1, activation="sigmoid", name="equal")(hidden)
pair = Model(inputs=[left, right], outputs=[kind, equal], name="pair")
pair.compile(
    optimizer="adam",
    loss={"kind": "sparse_categorical_crossentropy", "equal": losses.BinaryCrossentropy()},
    loss_weights={"kind": 1.0, "equal": 0.5},
    metrics={"kind": ["accuracy"], "equal": ["accuracy"]},
)
other = rng.permutation(len(x_train))
targets = {"kind": y_train, "equal": (y_train == y_train[other]).astype("float32")}
pair.fit(
    [x_train, x_train[other]], targets, epochs=15, verbose=0,
    callbacks=[LearningRateScheduler(lambda epoch, rate: 0.01 * 0.95**epoch), ReduceLROnPlateau("loss")],
)  # fmt: skip
told = pair.evaluate([x_train, x_train[other]], targets, verbose=0, return_dict=True)
print("pair:", sorted(told))
kinds, equals = pair.predict([x_test, x_test], verbose=0)
print(
    "pair:", kinds.shape, equals.shape, [layer.name for layer in pair.layers if layer.name in ("eye", "kind")]
)
print(f"pair: accuracy {told['kind_accuracy']:.3f}")

# One batch at a time, and weights as arrays
weights = small.get_weights()
first = small.train_on_batch(x_train[:20], y_train[:20])
small.set_weights(weights)
print("weights:", [one.shape for one in small.get_weights()], len(first))
frozen = small.layers[1]
frozen.trainable = False
print("trainable:", len(small.trainable_weights), "of", len(small.weights))
