from . import activations as activations
from . import bricks as bricks
from . import callbacks as callbacks
from . import config as config
from . import constraints as constraints
from . import datasets as datasets
from . import errors as errors
from . import graph as graph
from . import initializers as initializers
from . import layers as layers
from . import losses as losses
from . import metrics as metrics
from . import models as models
from . import optimizers as optimizers
from . import regularizers as regularizers
from . import utils as utils
from . import zoo as zoo
from .graph import Graph as Graph
from .graph import check_gradients as check_gradients
from .graph import record as record
from .layers import Input as Input
from .layers import Layer as Layer
from .training import Model as Model
from .training import Sequential as Sequential

__version__: str
