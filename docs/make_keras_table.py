"""Writes the page that holds Keras 3's names against Brickwork's: python docs/make_keras_table.py

What is there, and which arguments are not taken, is read from the two packages; only the reasons why a name
is not there stand here. A test fails where a name has neither, and where the page is not what this gives.
"""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")  # Keras's own default is TensorFlow, which need not be there

import keras

PAGE = Path(__file__).parent / "keras.md"

KINDS = {
    "layers": "Layer",
    "activations": "Activation",
    "losses": "Loss",
    "metrics": "Metric",
    "optimizers": "Optimizer",
    "optimizers.schedules": "LearningRateSchedule",
    "initializers": "Initializer",
    "regularizers": "Regularizer",
    "constraints": "Constraint",
    "callbacks": "Callback",
}
"""The modules, with the class in each that the others of Brickwork are made from."""

INTRODUCTION = """\
What Keras {version} makes public, and what of it Brickwork has. A test holds this page to both packages;
`docs/make_keras_table.py` writes it. Names in one row mean the same thing. What is there has Keras's
arguments and defaults, but for those that are named as not taken.
"""

FAMILIES = {
    "preprocessing": "preprocessing and augmentation",
    "rnn": "recurrent",
    "convolutional": "convolution",
    "core": "core, and what is of no family",
}
"""Keras's folders of layers whose names say less than these words."""

VOLUMES = "images and sequences only: nothing here has four axes and a batch"
FRAMES = "recurrences of dense layers only"
CELLS = "a recurrence is a graph of bricks, `graph.Loop(cell)`"
WORDS = "networks take numbers; `brickwork.data` and the estimators encode tables with words"
FOREIGN = "it wraps a model of another framework"
MIXES = "it mixes samples and their labels, which is more than a layer"
COLOURS = "of colours, `RandomColorJitter` and its parts are here"
SOUND = "spectra of sound are not here"
SIZES = "the window is given: `AveragePooling2D`, `MaxPooling2D`"
ONE_OPTIMIZER = "one optimizer updates all that a model trains"
AFFINE = "of what moves pixels, the affine maps are here"
FILTERS = "of augmentation, what moves pixels and changes colours is here"

WHY_NOT: dict[str, dict[str, str]] = {
    "layers": {
        "AdaptiveAveragePooling1D": SIZES,
        "AdaptiveAveragePooling2D": SIZES,
        "AdaptiveAveragePooling3D": VOLUMES,
        "AdaptiveMaxPooling1D": SIZES,
        "AdaptiveMaxPooling2D": SIZES,
        "AdaptiveMaxPooling3D": VOLUMES,
        "AdditiveAttention": "a score of `Dense` and tanh; the product is the usual one",
        "Attention": "`MultiHeadAttention` with one head is it with projections",
        "AugMix": MIXES,
        "AutoContrast": COLOURS,
        "AveragePooling3D": VOLUMES,
        "ContrastLimitedAdaptiveHistogramEqualization": COLOURS,
        "Conv3D": VOLUMES,
        "Conv3DTranspose": VOLUMES,
        "ConvLSTM1D": FRAMES,
        "ConvLSTM2D": FRAMES,
        "ConvLSTM3D": FRAMES,
        "Cropping3D": VOLUMES,
        "CutMix": MIXES,
        "Discretization": "`numpy.digitize` before the network; `CategoryEncoding` takes what it gives",
        "EinsumDense": "`Dense`, `Permute` and `Dot` say one by one what it does",
        "Equalization": COLOURS,
        "FlaxLayer": FOREIGN,
        "GRUCell": CELLS,
        "GlobalAveragePooling3D": VOLUMES,
        "GlobalMaxPooling3D": VOLUMES,
        "GroupQueryAttention": "`MultiHeadAttention` is here, with as many heads for keys as for queries",
        "HashedCrossing": WORDS,
        "Hashing": WORDS,
        "InputSpec": "bricks state and check the shapes that they take",
        "IntegerLookup": WORDS,
        "JaxLayer": FOREIGN,
        "LSTMCell": CELLS,
        "Lambda": "a function needs its gradient too: write a brick",
        "MaxNumBoundingBoxes": "boxes around objects are not here",
        "MaxPooling3D": VOLUMES,
        "MelSpectrogram": SOUND,
        "MixUp": MIXES,
        "Pipeline": "`Sequential` holds layers of augmentation too",
        "RNN": CELLS,
        "RandAugment": COLOURS,
        "RandomColorDegeneration": "`RandomSaturation` makes images greyer",
        "RandomElasticTransform": AFFINE,
        "RandomGaussianBlur": FILTERS,
        "RandomGrayscale": COLOURS,
        "RandomInvert": COLOURS,
        "RandomPerspective": AFFINE,
        "RandomPosterization": COLOURS,
        "RandomSharpness": FILTERS,
        "RandomShear": "`RandomRotation`, `RandomTranslation` and `RandomZoom` are here",
        "Resizing": "images come in one size: `image_size` when they are read",
        "ReversibleEmbedding": "an embedding and the layer that reads it back have weights of their own",
        "STFTSpectrogram": SOUND,
        "SimpleRNNCell": CELLS,
        "Solarization": COLOURS,
        "SpectralNormalization": "of a kernel's norms, `constraints` bound those of its columns",
        "StackedRNNCells": CELLS,
        "StringLookup": WORDS,
        "TFSMLayer": FOREIGN,
        "TextVectorization": WORDS,
        "TorchModuleWrapper": FOREIGN,
        "UpSampling3D": VOLUMES,
        "Wrapper": "`Bidirectional` and `TimeDistributed` are here; what they share is not public",
        "ZeroPadding3D": VOLUMES,
    },
    "losses": {
        "CTC": "it sums over alignments of two sequences; no brick does that",
        "Circle": "it compares the samples of a batch; here each sample has a loss of its own",
    },
    "optimizers": {
        "Adafactor": "it saves memory where weights fill it, which networks here do not",
        "LossScaleOptimizer": "gradients are float32 or float64, which need no scale",
        "MultiOptimizer": ONE_OPTIMIZER,
        "Muon": "it takes some kernels otherwise than the rest; here " + ONE_OPTIMIZER,
        "OptimizerMap": ONE_OPTIMIZER,
        "ScheduleFreeAdamW": "it trains at one place and predicts at another",
    },
    "initializers": {"STFT": SOUND},
    "callbacks": {
        "BackupAndRestore": "`fit(resume_from=...)` goes on, bit for bit",
        "OrbaxCheckpoint": "`ModelCheckpoint` writes safetensors",
        "ProgbarLogger": "`fit(verbose=1)` shows a bar; `ProgressDisplay` is the callback",
        "RemoteMonitor": "`LambdaCallback` with a request of your own",
        "TerminateOnNaN": "always so: a step that is not finite is not made, and the training stops there",
    },
}
"""Why a thing of Keras is not here, by its first name."""


@dataclass(frozen=True)
class Row:
    """One thing of Keras under all its names, with what stands for it here."""

    names: tuple[str, ...]
    theirs: Any
    ours: Any

    @property
    def family(self) -> str:
        """The folder of a layer in Keras; the functions that come from elsewhere count as core."""
        parts = self.theirs.__module__.split(".")
        folder = parts[3] if parts[2] == "layers" and len(parts) > 4 else "core"
        return FAMILIES.get(folder, folder)

    @property
    def not_taken(self) -> list[str]:
        """The arguments that Keras names and Brickwork does not; an activation takes those of its brick."""
        if not inspect.isclass(self.theirs):
            return []
        ours = inspect.signature(self.ours).parameters
        theirs = inspect.signature(self.theirs).parameters.values()
        named = [each.name for each in theirs if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
        return [name for name in named if name not in ours]


def room(package: str, kind: str) -> ModuleType:
    """The module of that kind."""
    return importlib.import_module(f"{package}.{kind}")


def public(module: ModuleType) -> dict[str, Any]:
    """The public names of a module, those of its sub-modules aside."""
    named = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return {name: thing for name, thing in named.items() if not inspect.ismodule(thing)}


def rows(kind: str) -> list[Row]:
    """Everything of one kind that Keras makes public; a function stands with the class of its name."""
    named, ours = public(room("keras", kind)), room("brickwork", kind)
    classes = {plain(name): thing for name, thing in named.items() if inspect.isclass(thing)}
    groups: dict[int, list[str]] = {}
    for name, thing in named.items():
        groups.setdefault(id(classes.get(plain(name), thing)), []).append(name)
    made = []
    for group in groups.values():
        # by its own name first, unless that has a tail which no other name has
        names = sorted(group, key=lambda name: (name.islower(), name != named[name].__name__, name))
        names.sort(key=lambda name: name.endswith("Initializer") and name != "Initializer")
        made.append(Row(tuple(names), named[names[0]], getattr(ours, names[0], None)))
    return sorted(made, key=lambda row: (row.names[0].islower(), row.names[0].lower()))


def plain(name: str) -> str:
    """A name as class and function share it."""
    return name.replace("_", "").lower()


def beyond(kind: str) -> list[str]:
    """The classes of one kind that Brickwork makes public and Keras has not."""
    theirs, ours = room("keras", kind), room("brickwork", kind)
    if kind == "activations":
        return [name for name in ours.KNOWN if not hasattr(theirs, name)]
    base = getattr(ours, KINDS[kind])
    return sorted(
        name
        for name, thing in public(ours).items()
        if inspect.isclass(thing) and issubclass(thing, base) and not hasattr(theirs, name)
    )


def page() -> str:
    """The page in Markdown."""
    found = {kind: rows(kind) for kind in KINDS}
    lines = [
        "# The names of Keras 3",
        "",
        *INTRODUCTION.format(version=keras.__version__).splitlines(),
        "",
        "| | in Keras | here | here alone |",
        "| --- | ---: | ---: | --- |",
    ]
    for kind, all_of_kind in found.items():
        here = sum(row.ours is not None for row in all_of_kind)
        link = f"[{title(kind)}](#{title(kind).lower()})"
        lines.append(f"| {link} | {len(all_of_kind)} | {here} | {code(beyond(kind))} |")
    everything = [row for all_of_kind in found.values() for row in all_of_kind]
    here = sum(row.ours is not None for row in everything)
    lines.append(f"| **all** | **{len(everything)}** | **{here}** | |")
    for kind, all_of_kind in found.items():
        lines += ["", f"## {title(kind)}"]
        families = sorted({row.family for row in all_of_kind}) if kind == "layers" else [""]
        for family in families:
            lines += ["", f"### {family.capitalize()}"] if family else []
            lines += ["", f"| `keras.{kind}` | `brickwork.{kind}` |", "| --- | --- |"]
            lines += [told(kind, row) for row in all_of_kind if not family or row.family == family]
    return "\n".join(lines) + "\n"


def title(kind: str) -> str:
    """The heading of a kind."""
    return kind.rpartition(".")[2].capitalize()


def told(kind: str, row: Row) -> str:
    """One line of a table."""
    if row.ours is None:
        why = WHY_NOT[kind][row.names[0]]
        return f"| {code(row.names)} | not: {why} |"
    without = f", without {code(row.not_taken)}" if row.not_taken else ""
    return f"| {code(row.names)} | there{without} |"


def code(names: Iterable[str]) -> str:
    """Names as code."""
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
