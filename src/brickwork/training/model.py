"""Model: a network with compile, fit, evaluate, predict, and Keras's names for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import optimizers
from ..arguments import Flag, Maybe, Whole
from ..arrays import Array
from ..config import floatx
from ..data.source import ArraySource
from ..engines.base import Plan
from ..engines.registry import get_engine
from ..errors import NotFittedError, ParameterError
from ..layers.serialization import register_layer
from ..seeds import next_seed
from . import data_adapter as adapter
from .callbacks import CallbackList, History
from .loop import ArrayFeed, BatchFeed, Feed, Fit, Reporter
from .network import Network
from .program import Compiled, build_program, predicting_program
from .wiring import BrickLayer

_COUNT = Whole(1)


@register_layer
class Model(Network):
    """A network that can be trained.

    Parameters
    ----------
    inputs, outputs : symbols (see `brickwork.Input`), lists or dicts of them.
    name : default functional, functional_1, …
    trainable : False freezes all layers.

    >>> import brickwork
    >>> x = brickwork.Input((4,))
    >>> model = Model(x, brickwork.layers.Dense(3, activation="softmax")(x))
    >>> model.count_params()
    15
    """

    def __init__(
        self, inputs: Any = None, outputs: Any = None, *, name: str | None = None, trainable: bool = True
    ):
        if inputs is None or outputs is None:
            raise ParameterError(
                "Model takes inputs and outputs, symbols of a network; it received none. Write "
                "x = Input((784,)); Model(x, Dense(10)(x)). Models written by subclassing are not supported: "
                "wire them from layers, and bricks of your own."
            )
        self._forget_training()
        super().__init__(inputs, outputs, name=name, trainable=trainable)

    def _forget_training(self) -> None:
        self.optimizer: Any = None
        self.loss: Any = None
        self.stop_training = False
        self.history: History | None = None
        self._compile_arguments: dict[str, Any] | None = None
        self._compiled: Compiled | None = None
        self._plan: Plan | None = None
        self._predicting: Plan | None = None
        self._engine: Any = get_engine("reference")
        self._seed = 0

    # -- compile ------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "adam",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        *,
        engine: Any = "reference",
        seed: int | None = None,
    ) -> None:
        """Say how the network learns.

        Parameters
        ----------
        optimizer : name or optimizer.
        loss : name, loss, function of symbols, or one per output (list or dict).
        loss_weights : a factor per output.
        metrics, weighted_metrics : lists such as ["accuracy"]; the latter count rows by sample_weight.
        run_eagerly, steps_per_execution, jit_compile, auto_scale_loss : Keras's; they change nothing here.
        engine : "reference" or "jax", or an engine.
        seed : key of shuffling and dropout; default: the next one after `utils.set_random_seed`.

        `trainable` flags are read here; change them before.
        """
        self._engine = get_engine(engine)
        self.optimizer = optimizers.get(optimizer)
        self.loss = loss
        self._seed = next_seed() if seed is None else Whole(0, 2**64 - 1)("compile", "seed", seed)
        self._compile_arguments = {
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
        }
        self._compiled = self._plan = self._predicting = None
        if self.built:
            self._ready()

    def _ready(self) -> Plan:
        """The plan that trains; made once per compile."""
        if self._compile_arguments is None:
            raise NotFittedError(
                f"The model {self.name!r} must be compiled before it is trained or evaluated. "
                f"Call model.compile(optimizer='adam', loss=…)."
            )
        if self._plan is None:
            arguments = self._compile_arguments
            self._compiled = build_program(
                self,
                self.optimizer,
                arguments["loss"],
                arguments["loss_weights"],
                arguments["metrics"],
                arguments["weighted_metrics"],
            )
            self._collect()
            self._plan = self._engine.plan(
                self._compiled.program, self.parameters, self.statistics, self._seed
            )
        return self._plan

    def _ready_to_predict(self) -> Plan:
        if self._compile_arguments is not None and self._compile_arguments["loss"] is not None:
            return self._ready()
        if self._predicting is None:
            self._predicting = self._engine.plan(
                predicting_program(self), self.parameters, self.statistics, 0
            )
        return self._predicting

    def _adapter(self, *, targets: bool, class_weight: Any = None) -> adapter.Adapter:
        return adapter.Adapter(self.collected.graph.inputs, self._compiled if targets else None, class_weight)

    def _build_for(self, x: Any) -> None:
        """A network without Input learns its shape from the first data; see Sequential."""

    # -- fit ----------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train.

        Parameters
        ----------
        x : array, list or dict of arrays by input, or an iterable of batches (x, y) or (x, y, sample_weight).
        y : targets: array, or one per output.
        batch_size : rows per update, default 32.
        epochs : the epoch to stop at (counted from 0, so `epochs - initial_epoch` are run).
        verbose : "auto", 0 silent, 1 progress bar, 2 one line per epoch.
        callbacks : list of callbacks.
        validation_split : share of the rows, from the end and before shuffling, kept for validation.
        validation_data : (x, y), (x, y, sample_weight) or an iterable of batches.
        shuffle : new order of the rows in each epoch.
        class_weight : dict class -> factor of its rows' loss.
        sample_weight : factor of each row's loss, (N,).
        steps_per_epoch, validation_steps : batches per epoch, for endless iterables.
        validation_freq : validate after every so many epochs.

        Returns
        -------
        The History callback: `history.history["loss"]` and so on, a number per epoch.

        Raises
        ------
        DataError, ShapeError for data that does not fit; DivergenceError where the loss is not finite.
        """
        epochs = Whole(0)("fit", "epochs", epochs)
        initial_epoch = Whole(0)("fit", "initial_epoch", initial_epoch)
        batch_size = 32 if batch_size is None else _COUNT("fit", "batch_size", batch_size)
        steps = Maybe(_COUNT)("fit", "steps_per_epoch", steps_per_epoch)
        validation_freq = _COUNT("fit", "validation_freq", validation_freq)
        shuffle = Flag()("fit", "shuffle", shuffle)
        self._build_for(x)
        plan = self._ready()
        data = self._adapter(targets=True, class_weight=class_weight)
        validate = None
        feed: Feed
        if adapter.is_array_like(x):
            source = data.source(x, y, sample_weight)
            for name in self.collected.graph.inputs:
                adapter.check_finite(np.asarray(source.arrays[name]), name)
            if validation_split and validation_data is None:
                source, held_out = adapter.split(source, validation_split)
                validate = self._validation(held_out, validation_batch_size or batch_size, validation_steps)
            feed = ArrayFeed(source, batch_size, shuffle, self._seed, steps)
        else:
            if validation_split:
                raise ParameterError(
                    "validation_split cuts arrays; x is an iterable of batches. Pass validation_data."
                )
            if y is not None or sample_weight is not None:
                raise ParameterError(
                    "An iterable gives its own targets: batches (x, y) or (x, y, sample_weight). "
                    "Leave y and sample_weight out."
                )
            feed = BatchFeed(_iterable(x), data.batches, steps)
        if validation_data is not None:
            validate = self._validation(
                validation_data, validation_batch_size or batch_size, validation_steps
            )
        listed = CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            model=self,
            epochs=epochs,
            steps=feed.steps,
            verbose=verbose,
            samples=len(feed.source) if isinstance(feed, ArrayFeed) else None,
            batch_size=batch_size if isinstance(feed, ArrayFeed) else None,
        )
        history = listed.history or History()
        Fit(self, plan, feed, epochs, initial_epoch, listed, validate, validation_freq).run()
        return history

    def _validation(self, data: Any, batch_size: int, steps: int | None) -> Any:
        """A function that evaluates on `data`: a source, a tuple of arrays, or batches."""
        plan = self._ready()
        if isinstance(data, ArraySource):
            source = data
        elif isinstance(data, (tuple, list)) and 1 <= len(data) <= 3 and adapter.is_array_like(data[0]):
            source = self._adapter(targets=True).source(*data, where="validation ")
        else:
            feed = BatchFeed(
                data, lambda items: self._adapter(targets=True).batches(items, "validation "), steps
            )
            return lambda: _evaluate_batches(plan, feed)
        if steps is not None:
            source = source.slice(0, steps * batch_size)
        return lambda: plan.evaluate(source, batch_size)

    # -- evaluate, predict --------------------------------------------------------------------------

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on data, in inference mode.

        Returns the loss, or [loss, metric, …] in the order of compile, or a dict by name.
        """
        batch_size = 32 if batch_size is None else _COUNT("evaluate", "batch_size", batch_size)
        steps = Maybe(_COUNT)("evaluate", "steps", steps)
        self._build_for(x)
        plan = self._ready()
        data = self._adapter(targets=True)
        listed = CallbackList(callbacks, model=self, verbose=verbose)
        report = Reporter(listed, plan.program.results)
        listed.on_test_begin()
        if adapter.is_array_like(x):
            source = data.source(x, y, sample_weight)
            source = source if steps is None else source.slice(0, steps * batch_size)
            logs = plan.evaluate(source, batch_size, report)
        else:
            logs = _evaluate_batches(plan, BatchFeed(_iterable(x), data.batches, steps))
        listed.on_test_end(logs)
        if return_dict:
            return logs
        return logs["loss"] if len(logs) == 1 else list(logs.values())

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for every row of x, as NumPy arrays, in inference mode."""
        batch_size = 32 if batch_size is None else _COUNT("predict", "batch_size", batch_size)
        steps = Maybe(_COUNT)("predict", "steps", steps)
        self._build_for(x)
        plan = self._ready_to_predict()
        data = self._adapter(targets=False)
        listed = CallbackList(callbacks, model=self, verbose=verbose)
        listed.on_predict_begin()
        if adapter.is_array_like(x):
            source = data.source(x)
            source = source if steps is None else source.slice(0, steps * batch_size)
            outputs = plan.predict(source, batch_size)
        else:
            feed = BatchFeed((_only_x(item) for item in _iterable(x)), data.batches, steps)
            parts = [plan.predict_batch(batch) for batch in feed.epoch()]
            outputs = tuple(np.concatenate(column) for column in zip(*parts, strict=True))
        listed.on_predict_end()
        return self._structured(outputs)

    def _structured(self, outputs: Sequence[Array]) -> Any:
        if isinstance(self._output_structure, Mapping):
            return dict(zip(self._output_structure, outputs, strict=True))
        if isinstance(self._output_structure, (list, tuple)):
            return list(outputs)
        return outputs[0]

    # -- one batch ----------------------------------------------------------------------------------

    def _batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any = None) -> Any:
        self._build_for(x)
        self._ready()
        source = self._adapter(targets=True, class_weight=class_weight).source(x, y, sample_weight)
        return source.gather(slice(0, len(source)))

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One update with one batch. Gives this batch's loss and metrics, before the update."""
        batch = self._batch(x, y, sample_weight, class_weight)
        plan = self._ready()
        rate = float(self.optimizer.rates(plan.step_number, 1)[0])
        logs = plan.program.results(plan.step(batch, rate))
        return logs if return_dict else logs["loss"] if len(logs) == 1 else list(logs.values())

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of one batch, in inference mode."""
        batch = self._batch(x, y, sample_weight)
        plan = self._ready()
        logs = plan.program.results(plan.evaluate_batch(batch, plan.program.start()))
        return logs if return_dict else logs["loss"] if len(logs) == 1 else list(logs.values())

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs of one batch."""
        self._build_for(x)
        source = self._adapter(targets=False).source(x)
        return self._structured(self._ready_to_predict().predict_batch(source.gather(slice(0, len(source)))))

    def gradients(
        self, x: Any, y: Any, sample_weight: Any = None, *, training: bool = True
    ) -> tuple[float, dict[str, Array]]:
        """(E, dE/dparameter by "owner/name") of one batch; changes nothing.

        E is what training lowers: the weighted losses and all penalties.
        """
        found = self._ready_with(x, y, sample_weight, training)
        return found.total, found.gradients

    def _ready_with(self, x: Any, y: Any, sample_weight: Any, training: bool) -> Any:
        batch = self._batch(x, y, sample_weight)
        return self._ready().gradients(batch, training=training)

    def apply(self, gradients: Mapping[str, Array], learning_rate: float | None = None) -> None:
        """One update of the optimizer with these gradients."""
        plan = self._ready()
        rate = float(self.optimizer.rates(plan.step_number, 1)[0]) if learning_rate is None else learning_rate
        plan.apply(gradients, rate)

    # -- looking and keeping ------------------------------------------------------------------------

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
        *,
        bricks: bool = False,
    ) -> None:
        """Print layers, output shapes, numbers of parameters and connections.

        `bricks=True` shows the bricks in each layer. `line_length` is the width; `print_fn` takes the text.
        The other arguments are Keras's and change nothing here.
        """
        (print_fn or print)(self.summary_text(line_length, bricks=bricks))

    def summary_text(self, line_length: int | None = None, *, bricks: bool = False) -> str:
        """What `summary` prints."""
        from ..inspect.summary import summary_text

        text: str = summary_text(
            self.graph,
            name=self.name,
            kind=self._kind,
            show_inputs=self._kind != "Sequential",
            bricks=bricks,
            width=line_length,
        )
        return text

    @property
    def _kind(self) -> str:
        return "Functional" if type(self) is Model else type(self).__name__

    def save(self, filepath: Any, overwrite: bool = True, *, include_optimizer: bool = True) -> None:
        """Write network, weights, compile arguments and optimizer state to a .safetensors file."""
        from .saving import save_model

        save_model(self, filepath, overwrite=overwrite, include_optimizer=include_optimizer)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights alone to a .safetensors file."""
        from .saving import save_weights

        save_weights(self, filepath, overwrite=overwrite)

    def load_weights(self, filepath: Any) -> None:
        """Read weights written by `save_weights` or `save` for a network of the same arrays, all or none."""
        from .saving import load_weights

        load_weights(self, filepath)

    @property
    def dtype_name(self) -> str:
        """The float type of the parameters."""
        return floatx()


register_layer(BrickLayer)


def _iterable(x: Any) -> Any:
    if x is None:
        raise ParameterError(
            "x is needed: an array, a list or dict of arrays, or an iterable of batches; got None."
        )
    if not (hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))):
        raise ParameterError(
            f"x must be an array, a list or dict of arrays, or an iterable of batches; got "
            f"{type(x).__name__}."
        )
    return x


def _only_x(item: Any) -> Any:
    return item[0] if isinstance(item, tuple) else item


def _evaluate_batches(plan: Plan, feed: BatchFeed) -> dict[str, float]:
    totals = plan.program.start()
    for batch in feed.epoch():
        totals = plan.evaluate_batch(batch, totals)
    return plan.program.results(totals)
