from .model import Model as Model
from .saving import load_model as load_model
from .sequential import Sequential as Sequential
