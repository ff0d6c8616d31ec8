"""The version, in one place: the package, files and the wheel read it here."""

__version__ = "0.1.0"
