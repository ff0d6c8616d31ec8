"""Pictures decoded by Pillow in worker threads, with the name of each file that cannot be."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import DataError, FormatError
from ..threads import get_threads
from .rows import LazyRows

if TYPE_CHECKING:
    from PIL import Image

Array = npt.NDArray[Any]
Source = Path | bytes
T = TypeVar("T")

# Named, since Pillow's list holds formats that start other programs, as EPS does.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")

MOST_PIXELS = 100_000_000
_MOST_WORKERS = 8
_BLOCK = 256
"""Images that are decoded before the next are asked for."""

_CHUNK = 16
"""Images that a thread takes at a time: a change of threads costs as much as a small image."""

_GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True)
class Look:
    """What the header of an image tells: height and width, as it is to be seen, and whether it is grey."""

    height: int
    width: int
    grey: bool


def look(source: Source) -> Look:
    """The size and colours of an image; its pixels are not decoded."""
    with _opened(source) as image:
        width, height = image.size
        if _orientation(image) >= 5:  # it lies on its side
            width, height = height, width
        return Look(height, width, _is_grey(image))


def decode(source: Source, height: int, width: int, channels: int, *, stretch: bool = True) -> Array:
    """An image as uint8 (H, W, C), with 1 channel (grey) or 3 (red, green, blue).

    It is turned as its EXIF says; transparent pixels are laid over white; of a film the first picture is
    taken; 16 bits become 8. One of another size is stretched, bilinearly, or refused by a ValueError.
    """
    from PIL import Image

    with _opened(source) as opened:
        turn = _TURNS.get(_orientation(opened))
        opened.load()
        image: Image.Image = opened if turn is None else opened.transpose(Image.Transpose[turn])
        if image.mode.startswith("I"):
            image = _from_16_bits(image)
        if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
            image = image.convert("RGBA")
            white = Image.new("RGBA", image.size, (255, 255, 255, 255))
            image = Image.alpha_composite(white, image)
        image = image.convert("L" if channels == 1 else "RGB")
        if image.size != (width, height):
            if not stretch:
                raise ValueError(f"{image.size[1]} x {image.size[0]} pixels, not {height} x {width}")
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(image, np.uint8).reshape(height, width, channels)


def look_at_all(sources: Sequence[Source], names: Sequence[str]) -> list[Look]:
    """`look` at each; FormatError naming those that are no whole images."""
    return [found for block in _worked(look, sources, names) for found in block]


def decode_all(
    sources: Sequence[Source],
    names: Sequence[str],
    height: int,
    width: int,
    channels: int,
    *,
    stretch: bool = True,
) -> Iterator[Array]:
    """Images (n, H, W, C) in blocks, in order; FormatError at the end, naming what cannot be decoded."""

    def work(source: Source) -> Array:
        return decode(source, height, width, channels, stretch=stretch)

    for block in _worked(work, sources, names):
        if block:
            yield np.stack(block)


class ImageFiles(LazyRows):
    """Images in files, decoded each time when they are asked for.

    Parameters
    ----------
    paths, names : where they lie, and what they are called in messages.
    height, width, channels : the shape of each; an image of another size is stretched.
    """

    def __init__(
        self, paths: Sequence[Path], names: Sequence[str], height: int, width: int, channels: int
    ) -> None:
        self.paths = paths
        self.names = names
        super().__init__((len(paths), height, width, channels), np.uint8)

    def read(self, rows: Array) -> Array:
        """The images with these numbers, decoded."""
        found = np.empty((len(rows), *self.shape[1:]), np.uint8)
        paths, names = [self.paths[row] for row in rows], [self.names[row] for row in rows]
        done = 0
        for block in decode_all(paths, names, *self.shape[1:]):
            found[done : done + len(block)] = block
            done += len(block)
        return found


def workers() -> int:
    """Threads that decode: as many as may compute, at most 8."""
    return min(get_threads(), _MOST_WORKERS)


@contextmanager
def _opened(source: Source) -> Iterator[Image.Image]:
    from PIL import Image

    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as image:
        if image.size[0] * image.size[1] > MOST_PIXELS:
            raise ValueError(f"{image.size[0]} x {image.size[1]} pixels are more than {MOST_PIXELS:,}")
        if image.mode == "F":
            raise ValueError("its pixels are floating-point numbers")
        yield image


def _worked(
    work: Callable[[Source], T], sources: Sequence[Source], names: Sequence[str]
) -> Iterator[list[T]]:
    """Results in blocks. After a failure nothing more is given; all failures are told together at the end."""
    failures: list[str] = []

    def attempt(chunk: list[tuple[Source, str]]) -> list[T]:
        found = []
        for source, name in chunk:
            try:
                found.append(work(source))
            except (
                Exception
            ) as error:  # Pillow's readers raise what they meet: OSError, SyntaxError, struct.error
                failures.append(f"{name} ({_reason(error)})")
        return found

    pairs = list(zip(sources, names, strict=True))
    with ThreadPoolExecutor(workers()) as pool:
        for start in range(0, len(pairs), _BLOCK):
            block = pairs[start : start + _BLOCK]
            chunks = [block[first : first + _CHUNK] for first in range(0, len(block), _CHUNK)]
            # Pillow warns of what it repairs; filters belong to the whole process, so they are set outside
            # threads
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = [one for some in pool.map(attempt, chunks) for one in some]
            if not failures:
                yield found
    if failures:
        raise unreadable(sorted(failures))


def unreadable(failures: Sequence[str]) -> FormatError:
    """The error for files that are no whole images."""
    more = f" and {len(failures) - 5} more" if len(failures) > 5 else ""
    return FormatError(
        f"expected whole images ({', '.join(FORMATS)}); received {'; '.join(failures[:5])}{more}. Replace or "
        f"delete {'this file' if len(failures) == 1 else 'these files'}."
    )


def _reason(error: Exception) -> str:
    text = str(error)
    if "cannot identify image file" in text:
        return "its content is no image"
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return "truncated"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return f"{type(error).__name__}: {text[:100]}"


# EXIF's orientation -> what brings the image upright
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def _orientation(image: Image.Image) -> int:
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # Pillow would decode the whole image to look for it
    try:
        told = image.getexif().get(0x0112, 1)
    except Exception:  # a damaged EXIF does not spoil the picture
        return 1
    return told if told in _TURNS else 1


def _is_grey(image: Image.Image) -> bool:
    if image.mode == "P":
        colours = np.array(image.getpalette() or [0, 1, 2]).reshape(-1, 3)
        return bool(np.all(colours == colours[:, :1]))
    return image.mode in _GREY_MODES


def _from_16_bits(image: Image.Image) -> Image.Image:
    from PIL import Image

    values = np.asarray(image)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise ValueError("its numbers are beyond 16 bits")
    return Image.fromarray((values // 257).astype(np.uint8))


def common_look(
    looks: Iterable[Look], names: Iterable[str], size: tuple[int, int] | None
) -> tuple[int, int, int]:
    """(H, W, C) of all images; DataError where sizes differ and none was asked for.

    One image in colour makes all of them red, green and blue; else they are grey.
    """
    pairs = list(zip(looks, names, strict=True))
    channels = 1 if all(found.grey for found, _ in pairs) else 3
    if size is not None:
        return (*size, channels)
    first, first_name = pairs[0]
    for found, name in pairs:
        if (found.height, found.width) != (first.height, first.width):
            raise DataError(
                f"Images must be of one size, or be brought to one; {first_name} has {first.height} x "
                f"{first.width} pixels (H x W), {name} has {found.height} x {found.width}. Give image_size, "
                f"such as --image-size {first.height}x{first.width}."
            )
    return first.height, first.width, channels
