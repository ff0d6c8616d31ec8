"""Networks of a user's own: a function in a Python file, or a graph as JSON."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import BrickworkError, FormatError, ParameterError, ShapeError, did_you_mean, known_names
from ..files import explained
from .own_code import hash_code

_NO_PROBABILITIES = ("Linear", "Bias", "ReLU", "Tanh", "Convolution2D", "Flatten", "Dropout")


class OwnModelError(BrickworkError):
    """The code that was to give a network did not."""


def is_own(model: str) -> bool:
    """Whether this names a file rather than a network of the zoo.

    >>> is_own("nets.py:small"), is_own("nets.py"), is_own("graph.json"), is_own("mlp")
    (True, True, True, False)
    """
    return model.lower().endswith((".json", ".py")) or ".py:" in model


def own_file(model: str) -> Path:
    """The file of a user's own model.

    >>> own_file("nets.py:small").name
    'nets.py'
    """
    return Path(_parts(model)[0]).expanduser()


def absolute(model: str) -> str:
    """The same model, named so that it is found from every folder."""
    function = _parts(model)[1]
    return str(own_file(model).resolve()) + (f":{function}" if function else "")


def code_hash(model: str) -> str | None:
    """64 hexadecimal digits of the files of a user's own model; None for one of the zoo, or no file."""
    path = own_file(model)
    return hash_code(path) if is_own(model) and path.is_file() else None


def _parts(model: str) -> tuple[str, str]:
    """The file and the function, "" for none."""
    if model.lower().endswith((".json", ".py")):
        return model, ""
    path, _, function = model.rpartition(":")
    return path, function


def own_model(model: str, input_shape: tuple[int, ...], outputs: int, *, classes: bool = True) -> Any:
    """The network that `model` names: "FILE.py:FUNCTION" or "FILE.json".

    Parameters
    ----------
    model : the function is called with (input_shape, outputs), the shape of one sample and the number of
        classes or targets, and gives a Model. A JSON file holds a graph as `graph_to_config` tells it.
    input_shape, outputs : of the data.
    classes : whether the outputs must be probabilities of classes.

    Raises
    ------
    ParameterError where file or function are missing, OwnModelError where the code raises, ShapeError where
    the network does not fit the data.
    """
    file = own_file(model)
    made = _of_json(file) if file.suffix.lower() == ".json" else _of_code(model, input_shape, outputs)
    _require_fitting(made, model, (None, *input_shape), (None, outputs))
    if classes:
        last = type(made.graph.nodes[-1].brick).__name__
        if last in _NO_PROBABILITIES:
            raise ShapeError(
                f"{model} must give probabilities of {outputs} classes; its last brick is {last}. "
                f'End it with Dense({outputs}, activation="softmax").'
            )
    return made


def functions_of(module: Any) -> dict[str, Callable[..., Any]]:
    """The functions that a file defines itself."""
    return {
        name: thing
        for name, thing in vars(module).items()
        if callable(thing) and getattr(thing, "__module__", None) == module.__name__ and name[0] != "_"
    }


def _of_code(model: str, input_shape: tuple[int, ...], outputs: int) -> Any:
    path, name = own_file(model), _parts(model)[1]
    module = imported(path)
    known = functions_of(module)
    if name not in known:
        told = f"{path} defines {known_names(known)}" if known else f"{path} defines no function"
        what = f"there is no {name!r}" if name else "none is named"
        hint = did_you_mean(name, known) or f" Write --model {path}:{next(iter(known), 'FUNCTION')}."
        raise ParameterError(f"A model of your own is a function in a file; {what}: {told}.{hint}")
    function = known[name]
    try:
        inspect.signature(function).bind(input_shape, outputs)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"{model} is called with (input_shape, outputs), here ({input_shape}, {outputs}); it cannot be: "
            f"{error}. Write def {name}(input_shape, outputs)."
        ) from None
    return _run(lambda: function(input_shape, outputs), path, f"{name}({input_shape}, {outputs})")


def imported(path: Path) -> Any:
    """The module in a user's file, run from its first line.

    Raises ParameterError, FileError where it is no Python file or cannot be read, OwnModelError where it
    raises.
    """
    with explained(path, "read"):
        path.open("rb").close()
    spec = importlib.util.spec_from_file_location(f"brickwork_own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ParameterError(f"A model of your own is a function in a .py file; got {str(path)!r}.")
    module = importlib.util.module_from_spec(spec)
    loader = spec.loader
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)  # as Python does for a script, so that it can import what lies beside it
    try:
        _run(lambda: loader.exec_module(module), path, "importing it")
    finally:
        sys.path.remove(folder)
    return module


def _run(work: Callable[[], Any], path: Path, what: str) -> Any:
    """Run code of the user's; what it raises is told with the line of the file."""
    try:
        return work()
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [one.lineno for one in frames if Path(one.filename).resolve() == path.resolve()]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or [None])[-1]
        where = f"{path}, line {line}" if line else str(path)
        told = OwnModelError(
            f"{where}: {what} must give a network; it raises {type(error).__name__}: "
            f"{str(error).rstrip('.')}. Mend the file."
        )
        for note in getattr(error, "__notes__", ()):
            told.add_note(note)
        raise told from error


def _require_fitting(made: Any, model: str, wanted: tuple[Any, ...], out: tuple[Any, ...]) -> None:
    from ..training.model import Model

    if not isinstance(made, Model):
        raise OwnModelError(
            f"{model} must give a brickwork Model or Sequential; it gives {made!r} of type "
            f"{type(made).__name__}. Return the model."
        )
    if not made.built:
        made.build(wanted)
    if len(made.inputs) != 1 or len(made.outputs) != 1:
        raise ShapeError(
            f"{model} must give a network with one input and one output; it has {len(made.inputs)} and "
            f"{len(made.outputs)}. Train others from Python, with Model.fit."
        )
    for what, here, data in (("inputs", made.input_shape, wanted), ("outputs", made.output_shape, out)):
        fits = len(here) == len(data) and all(
            mine in (None, theirs) for mine, theirs in zip(here[1:], data[1:], strict=True)
        )
        if not fits:
            raise ShapeError(
                f"{model} must give a network with {what} of shape {data} for these data; its are "
                f"{tuple(here)}. Use the arguments input_shape and outputs of the function."
            )


def _of_json(path: Path) -> Any:
    """A graph on which layers were forgotten, laid again brick by brick."""
    from ..graph.graph import references
    from ..graph.serialization import graph_from_config
    from ..graph.symbol import Owner, input_symbol, unique
    from ..training.model import Model

    with explained(path, "read"):
        data = path.read_bytes()
    try:
        graph = graph_from_config(json.loads(data))
    except (ValueError, RecursionError) as error:
        if isinstance(error, BrickworkError):
            error.add_note(f"while reading {path}")
            raise
        raise FormatError(
            f"{path} must hold a graph as JSON, as graph_to_config tells it; it is no JSON: {error}."
        ) from None
    symbols = {name: input_symbol(spec.shape, spec.dtype, name) for name, spec in graph.inputs.items()}
    owners: dict[str, Owner] = {}
    taken: dict[str, int] = {}
    names = {node.name: unique(re.sub("[/@:]", "_", node.name), taken) for node in graph.nodes}
    for node in graph.nodes:
        xs = [symbols[name] for name in node.inputs]
        made = xs[0].lay(
            node.brick, xs, name=names[node.name], owner=owners.get(node.owner), attributes=node.attributes
        )
        outputs = made if isinstance(made, tuple) else (made,)
        owners.setdefault(node.owner, outputs[0].call.owner)
        symbols.update(zip(references(node), outputs, strict=True))
    return Model(
        [symbols[name] for name in graph.inputs], [symbols[name] for name in graph.outputs], name=path.stem
    )
