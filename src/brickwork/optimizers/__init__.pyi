from . import schedules as schedules
from .adam import Adam as Adam
from .base import Optimizer as Optimizer
from .lookup import deserialize as deserialize
from .lookup import get as get
from .lookup import serialize as serialize
from .sgd import SGD as SGD
