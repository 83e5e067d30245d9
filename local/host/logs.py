"""Log output of the host: stderr, one line per message whatever it contains."""

import logging
import sys


class OneLineFormatter(logging.Formatter):
    """Formats a record, its traceback included, as a single line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line; line breaks within it become ` | `."""
        return " | ".join(line for line in super().format(record).splitlines() if line.strip())


def log_to_stderr(origin: str = "") -> None:
    """Send every logger's INFO and above to stderr, with `origin` before the logger's name.

    Of the Azure clients' request logs only what is WARNING or above.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter(f"%(asctime)s %(levelname)s {origin}%(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("azure").setLevel(logging.WARNING)
    logging.captureWarnings(True)
