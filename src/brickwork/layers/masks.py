"""Masks: which moments of a sequence count. One is a symbol (N, T) that travels beside the symbol it is of.

A layer makes a mask (Embedding, Masking), hands it on, or lets it guide what it computes; then its `lay`
takes `mask`, or, for an input called query, `query_mask`, and gets those of its inputs without being asked.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import bricks
from ..bricks.base import letters
from ..errors import ShapeError
from ..graph.symbol import Symbol


def masks_for(lay: Callable[..., Any], places: Sequence[Symbol], named: Mapping[str, Any]) -> dict[str, Any]:
    """What `lay` takes by name, with the masks of its inputs where it takes masks and was told none."""
    found: dict[str, Any] = {}
    if any(x.mask is not None for x in (*places, *named.values()) if isinstance(x, Symbol)):
        known = dict(zip(_places(lay.__func__), places, strict=False)) | dict(named)  # type: ignore[attr-defined]
        for name, of in _masks(lay.__func__):  # type: ignore[attr-defined]
            source = known.get(of) if of else places[0]
            if isinstance(source, Symbol) and source.mask is not None:
                found[name] = source.mask
    return {**found, **named}


@functools.cache
def _places(lay: Callable[..., Any]) -> tuple[str, ...]:
    """The names of what it takes by place, without self."""
    parameters = list(inspect.signature(lay).parameters.values())[1:]
    return tuple(each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD)


@functools.cache
def _masks(lay: Callable[..., Any]) -> tuple[tuple[str, str], ...]:
    """(argument, the input whose mask it is; "" for the first one)."""
    names = inspect.signature(lay).parameters
    found = [(name, name.removesuffix("_mask")) for name in names if name.removesuffix("_mask") in names]
    both = [(name, of) for name, of in found if name != of]
    return (("mask", ""), *both) if "mask" in names else tuple(both)


def hand_on(layer: Any, inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> None:
    """Give the outputs the mask of the first input, or warn that it ends here."""
    mask = inputs[0].mask if inputs else None
    if mask is None:
        return
    if not layer.supports_masking:
        warnings.warn(
            f"{type(layer).__name__} {layer.name!r} hands no mask on; it received an input with one. For the "
            f"layers behind it all moments count: put what knows masks (a recurrent layer, "
            f"GlobalAveragePooling1D) before it, or make no mask.",
            stacklevel=2,
        )
    elif layer.passes_mask:
        for y in outputs:
            y.mask = mask if y.mask is None else y.mask


def checked(layer: Any, mask: Symbol, x: Symbol, role: str = "mask") -> Symbol:
    """The mask of a sequence x as floats, (N, T). Raises ShapeError."""
    fits = len(mask.shape) == 2 and len(x.shape) >= 2
    if not fits or (None not in (mask.shape[1], x.shape[1]) and mask.shape[1] != x.shape[1]):
        raise ShapeError(
            f"{type(layer).__name__} {layer.name!r} takes a mask (N, T), here "
            f"{letters((None, *x.shape[1:2]))}; it received {letters(mask.shape)}. Say 1 for each moment "
            f"that counts, 0 for the others."
        )
    if mask.dtype.startswith("float"):
        return mask
    made: Symbol = layer.put(bricks.NonZero(), mask, role=f"{role}_as_float")
    return made


def beside(layer: Any, mask: Symbol, *, before: int = 0, behind: int = 0, role: str = "mask") -> Symbol:
    """The mask with more axes of 1 before and behind that of the moments."""
    moments = -1 if mask.shape[1] is None else mask.shape[1]
    shape = (*(1,) * before, moments, *(1,) * behind)
    made: Symbol = layer.put(bricks.Reshape(shape), mask, role=f"{role}_in_place")
    return made


def united(layer: Any, xs: Sequence[Symbol]) -> Symbol | None:
    """The mask of what is merged from xs: a moment counts that counts in one of them, as in Keras."""
    masks = [x.mask for x in xs]
    known = [mask for mask in masks if mask is not None]
    if len(known) < len(masks) or len({mask.shape for mask in known}) > 1:
        return None
    different = list({id(mask): mask for mask in known}.values())
    if len(different) == 1:
        return different[0]
    made: Symbol = layer.put(bricks.Maximum(), *different, role="mask")
    return made
