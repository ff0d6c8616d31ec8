"""CIFAR-10 of a hundred images, in every form in which it is published."""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile

import numpy as np

from brickwork.data.cifar import CLASSES, CifarRelease

ROWS = 20
BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


def batches() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Images (ROWS, 32, 32, 3) and labels of each file; smooth, so that JPEG keeps them."""
    random = np.random.default_rng(0)
    made = {}
    for name in BATCHES:
        labels = random.permutation(np.arange(ROWS) % 10).astype(np.uint8)
        colours = random.integers(40, 200, (ROWS, 1, 1, 3))
        ramp = np.arange(32)[None, :, None, None] + np.zeros((1, 1, 32, 1), int)
        made[name] = (colours + ramp).astype(np.uint8), labels
    return made


def planes(images: np.ndarray) -> np.ndarray:
    """Rows of red, green, blue, as published."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), -1)


def binary_files() -> dict[str, bytes]:
    return {
        f"{name}.bin": np.concatenate([labels[:, None], planes(images)], axis=1).tobytes()
        for name, (images, labels) in batches().items()
    }


def python_2_pickle(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    """The very instructions that the published files hold, which Python 2 wrote."""

    def text(word: bytes) -> bytes:
        return b"U" + bytes([len(word)]) + word

    numbers = b"".join(b"K" + bytes([int(label)]) for label in labels)
    kind = b"cnumpy\ndtype\nq\x0bU\x02u1q\x0cK\x00K\x01\x87q\x0dRq\x0e(K\x03U\x01|q\x0fNNN"
    kind += b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\x06"
    array += b"cnumpy\nndarray\nq\x07K\x00\x85q\x08U\x01bq\x09\x87q\x0aR"
    shape = (
        b"(K\x01M" + struct.pack("<H", pixels.shape[0]) + b"M" + struct.pack("<H", pixels.shape[1]) + b"\x86"
    )
    state = shape + kind + b"\x89T" + struct.pack("<I", pixels.size) + pixels.tobytes() + b"tb"
    items = text(b"batch_label") + text(b"training batch 1 of 5")
    items += text(b"labels") + b"]q\x05(" + numbers + b"e" + text(b"data") + array + state
    return b"\x80\x02}q\x01(" + items + b"u."


def python_files() -> dict[str, bytes]:
    return {name: python_2_pickle(planes(images), labels) for name, (images, labels) in batches().items()}


def jpeg_files() -> dict[str, bytes]:
    from PIL import Image

    files = {}
    counts: dict[str, int] = {}
    for name, (images, labels) in batches().items():
        part = "test" if name == "test_batch" else "train"
        for image, label in zip(images, labels, strict=True):
            folder = f"{part}/{CLASSES[label]}"
            counts[folder] = counts.get(folder, -1) + 1
            stream = io.BytesIO()
            Image.fromarray(image).save(stream, "JPEG", quality=95)
            files[f"{folder}/{counts[folder]:04d}.jpg"] = stream.getvalue()
    return files


def archive(files: dict[str, bytes], folder: str = "") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{folder}{name}")
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def release(binary_archive: bytes = b"") -> CifarRelease:
    return CifarRelease(
        url="https://nowhere.invalid/cifar-10-binary.tar.gz",
        md5=hashlib.md5(binary_archive).hexdigest(),
        python_md5={name: hashlib.md5(content).hexdigest() for name, content in python_files().items()},
        rows=ROWS,
    )


def write(folder, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
