"""Callbacks under Keras's names."""

from typing import TYPE_CHECKING

from ._lazy import suggest
from .training.averages import SwapEMAWeights as SwapEMAWeights
from .training.callback import Callback as Callback
from .training.callbacks import CallbackList as CallbackList
from .training.callbacks import History as History
from .training.checkpoints import ModelCheckpoint as ModelCheckpoint
from .training.functions import LambdaCallback as LambdaCallback
from .training.logs import CSVLogger as CSVLogger
from .training.progress import ProgressDisplay as ProgressDisplay
from .training.rates import LearningRateScheduler as LearningRateScheduler
from .training.rates import ReduceLROnPlateau as ReduceLROnPlateau
from .training.stopping import EarlyStopping as EarlyStopping
from .training.tensorboard import TensorBoard as TensorBoard

if not TYPE_CHECKING:
    __getattr__ = suggest(__name__)
