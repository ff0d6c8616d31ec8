"""Users' data in small."""

from __future__ import annotations

import numpy as np
from click.testing import CliRunner

from brickwork.cli import main

TOWNS = ("Bonn", "Kiel", "Ulm")


def call(*arguments):
    """Run a command of brickwork."""
    return CliRunner().invoke(main, [str(word) for word in arguments], prog_name="brickwork")


def write_table(path, rows=90):
    """Text, missing cells, numbers; a price and whether it is high."""
    rng = np.random.default_rng(0)
    lines = ["town,area,heating,price,dear"]
    for _ in range(rows):
        town, area = int(rng.integers(3)), rng.uniform(30, 150)
        price = 1000 * area * (1 + town)
        told = "" if rng.random() < 0.1 else f"{area:.1f}"
        heating = ("gas", "wood", "")[int(rng.integers(3))]
        lines.append(f"{TOWNS[town]},{told},{heating},{price:.0f},{'yes' if price > 180_000 else 'no'}")
    path.write_text("\n".join(lines) + "\n")


def write_images(folder, each=12, size=(8, 10)):
    """Bright and dark pictures in colour, of height and width `size`."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for name, light in (("day", 160), ("night", 20)):
        (folder / name).mkdir(parents=True)
        for number in range(each):
            pixels = rng.integers(light, light + 80, (*size, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number:02d}.png")


NETS = """
import brickwork
from brickwork import layers


def small(input_shape, outputs):
    return brickwork.Sequential([
        brickwork.Input(input_shape), layers.Flatten(), layers.Dense(outputs, activation="softmax"),
    ])


def broken(input_shape, outputs):
    return 1 / 0


def wrong(input_shape, outputs):
    return small(input_shape, outputs + 1)


def narrow(input_shape, outputs):
    return small((2,), outputs)


def nothing(input_shape, outputs):
    return None


def one(input_shape):
    return None


def logits(input_shape, outputs):
    return brickwork.Sequential([brickwork.Input(input_shape), layers.Dense(outputs)])


def two(input_shape, outputs):
    x, z = brickwork.Input(input_shape), brickwork.Input(input_shape)
    return brickwork.Model([x, z], layers.Dense(outputs)(layers.Add()([x, z])))
"""
