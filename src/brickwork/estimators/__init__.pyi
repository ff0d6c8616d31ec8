__all__: list[str]

from .classifier import BrickClassifier as BrickClassifier
from .regressor import BrickRegressor as BrickRegressor
from .transformer import BrickTransformer as BrickTransformer
