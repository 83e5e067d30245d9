"""The operator's command line. It speaks HTTP to the app and imports nothing of it."""

__version__ = "0.1.0"
