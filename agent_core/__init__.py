"""The engine of pairloop: commands in, events out, no screen."""

__version__ = "0.1.0"
