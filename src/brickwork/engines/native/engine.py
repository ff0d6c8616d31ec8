"""The native engine: graphs trained and evaluated by C++, close to the machine's multiply-add peak."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...arrays import Array
from ...errors import ParameterError
from ..base import Plan, Program
from ..native_module import load_native, why_missing
from ..reference import ReferencePlan
from .passes import lowering_of  # noqa: F401 - part of the room's surface
from .plan import NativePlan
from .terms import NotASum, terms_of


class NativeEngine:
    """Plans that run in C++, on all cores that this process may use.

    What they cannot run, a network in float64 or a loss that is no sum over samples, the reference engine
    runs; a warning says so once.
    """

    name = "native"

    def __init__(self) -> None:
        module = load_native()
        if module is None:
            raise ParameterError(f"engine='native' needs the compiled module. {why_missing()}")
        self._native: Any = module

    def plan(
        self,
        program: Program,
        parameters: Mapping[str, Array],
        statistics: Mapping[str, Array],
        seed: int = 0,
    ) -> Plan:
        """A plan that works on these arrays."""
        reason = _reason_against(program, parameters)
        if reason:
            _tell(f"{reason}; the reference engine runs this network.")
            return ReferencePlan(program, parameters, statistics, seed)
        return NativePlan(self._native, program, parameters, statistics, seed)


@functools.cache
def _tell(notice: str) -> None:
    """Said once in a process."""
    warnings.warn(notice, stacklevel=4)


def _reason_against(program: Program, parameters: Mapping[str, Array]) -> str:
    graphs = (program.graph, program.predictor)
    kinds = [value.dtype for value in parameters.values()]
    kinds += [
        np.dtype(spec.dtype) for spec in program.graph.inputs.values() if spec.dtype.startswith("float")
    ]
    if any(kind != np.float32 for kind in kinds):
        return "The native engine computes in float32, and this network does not"
    if any(None in shape[1:] for graph in graphs for shape in graph.shapes.values()):
        return "The native engine needs to know every axis but the first, and this network leaves some open"
    if program.losses or program.graph.shapes.get(program.total) == ():
        try:
            terms_of(program.graph, program.total)
            for _, reference in program.losses:
                if len(terms_of(program.graph, reference)) != 1:
                    return "The native engine takes each loss as one weighted mean or sum over the samples"
        except NotASum as found:
            return f"The native engine takes E as a sum over the samples, and {found} is none"
    return ""
