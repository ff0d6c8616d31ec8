"""Model: a network with compile, fit, evaluate, predict, and Keras's names for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import optimizers
from ..arguments import Choice, Either, Flag, Many, Maybe, Real, Whole
from ..arrays import Array
from ..engines.base import Plan
from ..engines.registry import get_engine
from ..errors import NotFittedError, ParameterError, ParameterTypeError
from ..layers.serialization import register_layer
from ..seeds import next_seed
from . import data_adapter as adapter
from .callbacks import CallbackList, History
from .feeds import ALL, ArrayFeed, BatchFeed, Feed, is_array_like, require_one_batch, rows_of_a_batch
from .keeping import Keeping
from .lookups import lookups
from .loop import Fit, facts, validates
from .measuring import Prediction, Samples, Sampling, evaluation, shortened, steps_of
from .network import Network
from .one_batch import OneBatch, metrics_names
from .one_batch import listed as in_order
from .predictor import Predictor
from .program import Compiled, build_program, check_names, predicting_program
from .resuming import read_training
from .wiring import BrickLayer

_COUNT = Whole(1)
_BATCH = Maybe(_COUNT)
_ROWS = Maybe(Either((_COUNT, Choice((ALL,)))))
_FREQUENCY = Either((_COUNT, Many(_COUNT)))
_SHARE = Real(0.0, 1.0, high_open=True)


@register_layer
class Model(OneBatch, Keeping, Network):
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

    Attributes that are saved with it: `preprocessing`, a `TableEncoder` or None (default), which makes rows
    of a table into inputs; `class_names`, a tuple of texts, () by default.
    """

    preprocessing: Any = None
    class_names: tuple[str, ...] = ()

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
        self._chosen: Any = None
        self._seed = 0

    @property
    def kind(self) -> str:
        """The word for this network in summaries, as Keras has it."""
        return "Functional" if type(self) is Model else type(self).__name__

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
        engine: Any = None,
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
        engine : "native", "reference" or "jax", or an engine; default: "native", or "reference", with a
            warning, where Brickwork was installed without it.
        seed : key of shuffling and dropout; default: the next one after `utils.set_random_seed`.

        `trainable` flags are read here; change them before.
        """
        check_names(loss, metrics, weighted_metrics)
        self._chosen = get_engine(engine)
        self.optimizer = _optimizer(optimizer)
        self.loss = loss
        self._seed = next_seed() if seed is None else Whole(0, 2**64 - 1)("compile", "seed", seed)
        self._compile_arguments = {
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
        }
        self._compiled = self._plan = self._predicting = None
        if self.built and loss is not None:
            self._ready()

    @property
    def _engine(self) -> Any:
        """What `compile` was told, else the default engine."""
        if self._chosen is None:
            self._chosen = get_engine()
        return self._chosen

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
        inputs = self.collected.graph.inputs
        names = None
        if isinstance(self._input_structure, Mapping):
            names = dict(zip(self._input_structure, inputs, strict=True))
        compiled = self._compiled if targets else None
        return adapter.Adapter(inputs, compiled, class_weight, names, lookups(self.collected.graph))

    def _build_for(self, x: Any) -> Any:
        """A network without Input learns its shape from the first data; see Sequential. Gives x."""
        return x

    @property
    def metrics(self) -> list[Any]:
        """The metric objects of `compile`, in its order."""
        return [use.metric for use in self._compiled.program.metrics] if self._compiled else []

    @property
    def metrics_names(self) -> list[str]:
        """What `evaluate` returns, in its order."""
        return metrics_names(self._ready())

    # -- fit ----------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | str | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | str | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        *,
        resume_from: Any = None,
    ) -> History:
        """Train.

        Parameters
        ----------
        x : array, list or dict of arrays by input, or an iterable of batches (x, y) or (x, y, sample_weight):
            a list, a generator, or an object with __len__ and __getitem__.
        y : targets: array, or one per output in a list or a dict by name.
        batch_size : rows per update, default 32. "all": all rows, batch gradient descent; 1: incremental
            (stochastic) descent, sample by sample; between them: mini-batches. L-BFGS takes all rows, also
            by default.
        epochs : the epoch to stop at (counted from 0, so `epochs - initial_epoch` are run).
        verbose : "auto", 0 silent, 1 progress bar, 2 one line per epoch.
        callbacks : list of callbacks.
        validation_split : share of the rows, from the end and before shuffling, kept for validation.
        validation_data : (x, y), (x, y, sample_weight) or an iterable of batches.
        shuffle : new order of the rows in each pass, from the seed of `compile` and the step it begins at.
        class_weight : dict class -> factor of its rows' loss in training, multiplied into `sample_weight`;
            "balanced", for arrays, gives every class of the training rows the same sum.
        sample_weight : factor of each row's loss, (N,); one per output in a list or a dict by name.
        steps_per_epoch : batches per epoch; the next one goes on where it ended. Needed for what never ends.
        validation_steps : batches per validation, each time from the first one where that can be.
        validation_freq : validate after every so many epochs, or after those in a list, counted from 1.
        resume_from : path of the last.safetensors of a RunFolder: with the same data, arguments and callbacks
            training goes on bit for bit as it would have without being interrupted.

        Returns
        -------
        The History callback: `history.history["loss"]` and so on, a number per epoch.

        Raises
        ------
        DataError, ShapeError for data that does not fit; DivergenceError where the loss is not finite.
        """
        epochs = Whole(0)("fit", "epochs", epochs)
        initial_epoch = Whole(0)("fit", "initial_epoch", initial_epoch)
        batch_size = _ROWS("fit", "batch_size", batch_size)
        steps = Maybe(_COUNT)("fit", "steps_per_epoch", steps_per_epoch)
        validation_steps = Maybe(_COUNT)("fit", "validation_steps", validation_steps)
        validation_batch = _BATCH("fit", "validation_batch_size", validation_batch_size)
        validation_freq = _FREQUENCY("fit", "validation_freq", validation_freq)
        fraction = _SHARE("fit", "validation_split", validation_split)
        shuffle = Flag()("fit", "shuffle", shuffle)
        x = self._build_for(adapter.require_data(x))
        resumed = None if resume_from is None else read_training(resume_from)
        if resumed is not None:
            resumed.into_model(self)
            initial_epoch = resumed.position.epoch
        plan = self._ready()
        data = self._adapter(targets=True, class_weight=class_weight)
        feed: Feed
        if is_array_like(x):
            source = data.source(x, y, sample_weight)
            if fraction and validation_data is None:
                source, validation_data = adapter.split(source, fraction)
            source = data.weighted(source, whole=True)
            batch_size = rows_of_a_batch(self.optimizer, batch_size, len(source), steps)
            first = plan.step_number - initial_epoch * (steps or -(-len(source) // batch_size))
            first = first if resumed is None else resumed.position.first_step
            feed = ArrayFeed(source, batch_size, shuffle, self._seed, steps, first)
        else:
            adapter.require_no_targets(y, sample_weight, fraction and validation_data is None)
            batch_size = 32 if batch_size in (None, ALL) else int(batch_size)
            feed = data.feed(x, steps)
            require_one_batch(self.optimizer, feed)
            feed.require_passes(epochs - initial_epoch, "steps_per_epoch")
        validation = None
        if validation_data is not None:
            held_out = self._adapter(targets=True).held_out(validation_data)
            validation = evaluation(plan, held_out, validation_batch or batch_size, validation_steps)
            if isinstance(validation.data, BatchFeed):
                times = sum(validates(epoch, validation_freq) for epoch in range(initial_epoch, epochs))
                validation.data.require_passes(times, "validation_steps")
        if resumed is not None:
            resumed.require_feed(facts(feed))
        names = metrics_names(plan)
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
            validation_freq=validation_freq,
            metrics=names + [f"val_{name}" for name in names if validation is not None],
        )
        Fit(self, plan, feed, epochs, initial_epoch, listed, validation, validation_freq, resumed).run()
        return listed.history or History()

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

        Parameters
        ----------
        x, y, sample_weight, batch_size, verbose, callbacks : as in `fit`.
        steps : how many batches; default all.
        return_dict : whether to give a dict by name.

        Returns
        -------
        The loss, or [loss, metric, …] in the order of `metrics_names`, or a dict by name.
        """
        batch_size = _BATCH("evaluate", "batch_size", batch_size) or 32
        steps = Maybe(_COUNT)("evaluate", "steps", steps)
        x = self._build_for(adapter.require_data(x))
        plan = self._ready()
        data = self._adapter(targets=True)
        if is_array_like(x):
            measured = evaluation(plan, data.source(x, y, sample_weight), batch_size, steps, report=True)
        else:
            adapter.require_no_targets(y, sample_weight)
            measured = evaluation(plan, data.feed(x), batch_size, steps, report=True)
        listed = CallbackList(
            callbacks,
            add_progbar=verbose != 0,
            model=self,
            verbose=verbose,
            steps=steps_of(measured.data, batch_size),
        )
        return in_order(plan, measured.run(listed), return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        *,
        samples: int | None = None,
    ) -> Any:
        """The outputs for every row of x, as NumPy arrays, in inference mode.

        Parameters
        ----------
        x : array, list or dict of arrays by input, or an iterable of batches, x or (x, …).
        batch_size, verbose, callbacks : as in `fit`.
        steps : how many batches; default all.
        samples : how many times, at least 1, each row is predicted with dropout and noise at work, and batch
            normalization with its moving statistics ("Monte-Carlo dropout"); the result is then
            `Samples(mean, std)` over them, which two names can take: mean, std = predict(x, samples=50).
            The same seed and batch_size give the same numbers. Default: once, without noise.

        >>> import brickwork as bw, numpy as np
        >>> model = bw.Sequential([bw.Input((1000,)), bw.layers.Dropout(0.5)])
        >>> mean, std = model.predict(np.ones((1, 1000)), samples=50, verbose=0)
        >>> float(mean.mean().round(1)), float(std.mean().round(1))
        (1.0, 1.0)
        """
        batch_size = _BATCH("predict", "batch_size", batch_size) or 32
        steps = Maybe(_COUNT)("predict", "steps", steps)
        samples = Maybe(_COUNT)("predict", "samples", samples)
        x = self._build_for(adapter.require_data(x))
        plan = self._ready_to_predict()
        convert = self._adapter(targets=False)
        source = convert.source(x) if is_array_like(x) else convert.feed(x)
        source = shortened(source, batch_size, steps)
        listed = CallbackList(callbacks, model=self, verbose=verbose, steps=steps_of(source, batch_size))
        if samples is None:
            return self._structured(Prediction(plan, source, batch_size).run(listed))
        found = Sampling(self._noisy(plan.seed), source, batch_size, samples).run(listed)
        half = len(found) // 2
        return Samples(self._structured(found[:half]), self._structured(found[half:]))

    def _noisy(self, seed: int) -> Plan:
        """A plan on copies of the weights, for many calls with noise."""
        if not any(node.brick.random for node in self.collected.graph.nodes):
            raise ParameterError(
                "predict(samples=…) takes a network with noise, whose answers differ; this one has none. Put "
                "Dropout or GaussianNoise into it and train it so, or leave `samples` out."
            )
        plan = self._plan_of_copies(seed)
        plan.freeze()
        return plan

    def _plan_of_copies(self, seed: int = 0) -> Plan:
        copies = (
            {key: value.copy() for key, value in held.items()} for held in (self.parameters, self.statistics)
        )
        plan: Plan = self._engine.plan(predicting_program(self), *copies, seed)
        return plan

    def predictor(self, batch_size: int = 1) -> Predictor:
        """A function x -> outputs for up to `batch_size` rows, with the weights as they are now.

        For calls that must be quick: `predict` looks at data, callbacks and weights anew each time, which
        takes longer than a small network itself.

        Parameters
        ----------
        batch_size : the most rows of a call; at least 1; default 1.

        >>> import numpy as np
        >>> import brickwork as bw
        >>> model = bw.Sequential([bw.Input((2,)), bw.layers.Dense(1, kernel_initializer="ones")])
        >>> predictor = model.predictor()
        >>> predictor(np.array([[1.0, 2.0]])).tolist()
        [[3.0]]
        """
        size = _COUNT("predictor", "batch_size", batch_size)
        return Predictor(self._plan_of_copies(), self.collected.graph, size, self._structured)

    def plan(self, batch_size: int = 32, *, training: bool | None = None) -> str:
        """What the native engine does for a batch, as a table to print: its instructions, phase by phase.

        Parameters
        ----------
        batch_size : rows of the batch; at least 1; default 32.
        training : a training step or a prediction; default: a training step where the model is compiled.

        Raises ParameterError where another engine computes.

        >>> import brickwork as bw
        >>> model = bw.Sequential([bw.Input((2,)), bw.layers.Dense(1)])
        >>> print(model.plan(batch_size=8))  # doctest: +SKIP
        """
        rows = _COUNT("plan", "batch_size", batch_size)
        compiled = self._compile_arguments is not None and self._compile_arguments["loss"] is not None
        trains = compiled if training is None else Flag()("plan", "training", training)
        plan = self._ready() if trains else self._ready_to_predict()
        return plan.table(rows, training=trains)

    def _structured(self, outputs: Sequence[Array]) -> Any:
        if isinstance(self._output_structure, Mapping):
            return dict(zip(self._output_structure, outputs, strict=True))
        return list(outputs) if len(outputs) > 1 else outputs[0]


register_layer(BrickLayer)


def _optimizer(identifier: Any) -> Any:
    if identifier is None:
        raise ParameterTypeError("compile needs an optimizer; it received None. Write optimizer='adam', say.")
    return identifier if isinstance(identifier, optimizers.Optimizer) else optimizers.get(identifier)
