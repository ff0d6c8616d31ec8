from .base import Engine as Engine
from .base import Gradients as Gradients
from .base import MetricUse as MetricUse
from .base import Plan as Plan
from .base import Program as Program
from .diagnosis import diagnose as diagnose
from .reference import ReferenceEngine as ReferenceEngine
from .registry import get_engine as get_engine
