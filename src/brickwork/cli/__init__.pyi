__all__: list[str]

from .app import main as main
