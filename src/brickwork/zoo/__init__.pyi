__all__: list[str]

from .convolutional import convnet as convnet
from .convolutional import lenet5 as lenet5
from .dense import mlp as mlp
from .lookup import build as build
from .lookup import names as names
