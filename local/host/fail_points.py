"""Points at which a test stops this host, or one of its workers, to kill it there.

`LOCAL_HOST_FAIL_POINT` names one, `{function}:{moment}`; `LOCAL_HOST_FAIL_FILE` a file that is not there yet. The
first process to come to the point writes its id into the file and stops itself (SIGSTOP), all its threads at once.
"""

import os
import signal
from enum import StrEnum

POINT, FILE = "LOCAL_HOST_FAIL_POINT", "LOCAL_HOST_FAIL_FILE"


class Moment(StrEnum):
    """Before a function's code, after it; then in the host: its result known, and its result written down."""

    BEGUN = "begun"
    ENDED = "ended"
    KNOWN = "known"
    WRITTEN = "written"


def reach(function: str, moment: Moment) -> None:
    """Stops here, once, where a test wants it."""
    if os.environ.get(POINT) != f"{function}:{moment}":
        return
    try:
        marker = os.open(os.environ[FILE], os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return
    os.write(marker, f"{os.getpid()}\n".encode())
    os.close(marker)
    os.kill(os.getpid(), signal.SIGSTOP)
