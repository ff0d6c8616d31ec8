from .curves import draw_curves as draw_curves
from .curves import read_history as read_history
from .curves import write_history as write_history
from .formula import formula as formula
from .summary import count as count
from .summary import summary_text as summary_text
