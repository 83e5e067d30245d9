"""Always fails, naming a value it was given, as scripts do."""

from pathlib import Path


def init() -> None:
    """There is no model to load."""


def run(mini_batch: list[str]) -> list[str]:
    """Raises with the last line of the first file in the message."""
    last = Path(mini_batch[0]).read_text("utf-8").split()[-1]
    raise ValueError(f"could not convert string to float: '{last}'")
