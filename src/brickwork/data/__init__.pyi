from .idx import read_idx as read_idx
from .named import Dataset as Dataset
from .named import load as load
from .named import names as names
