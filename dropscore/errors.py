"""What can go wrong, split by what a script does about it: the exit code.

Problem
├── Bad            1   it was done, and what came of it is not good: a file was rejected, a run failed
├── Unusable       2   the command cannot be carried out as it was typed
├── NotFound       3   there is no such file, run, route
├── Refused        4   the app does not let us: the key, the token, a setting
├── Unreachable    5   the app does not answer
│   └── NotUnderstood  it answers, and it is no dropscore, or another version of it
├── StillWaiting   6   --timeout passed first; what was waited for goes on
└── NotNow         7   as things stand it cannot be done: too late, still open, changed meanwhile, too many
"""

from collections.abc import Sequence
from typing import ClassVar

INTERRUPTED = 130


class Problem(Exception):
    """What happened, as one sentence; `code` for programs; `details` one line each; `hint` says what to type next."""

    exit_code: ClassVar[int] = 5

    def __init__(
        self, code: str, message: str, hint: str = "", status: int | None = None, details: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.status = code, message, hint, status
        self.details = list(details)

    def to_dict(self) -> dict[str, object]:
        """What `--json` writes to stderr."""
        shown: dict[str, object] = {
            "code": self.code,
            "message": self.message,
            "details": self.details,
            "hint": self.hint,
        }
        shown |= {"status": self.status}
        return {**{key: value for key, value in shown.items() if value}, "exit": self.exit_code}


class Bad(Problem):
    exit_code = 1


class Unusable(Problem):
    exit_code = 2


class NotFound(Problem):
    exit_code = 3


class Refused(Problem):
    exit_code = 4


class Unreachable(Problem):
    exit_code = 5


class NotUnderstood(Unreachable):
    pass


class StillWaiting(Problem):
    exit_code = 6


class NotNow(Problem):
    exit_code = 7


# 422 is no mistake of whoever typed it: the routes were looked at, and they are not good.
BY_STATUS: dict[int, type[Problem]] = {
    401: Refused,
    403: Refused,
    404: NotFound,
    409: NotNow,
    412: NotNow,
    422: Bad,
    429: NotNow,
}


def problem_of(status: int) -> type[Problem]:
    """The kind of problem that an HTTP status is."""
    return BY_STATUS.get(status, Unusable if status < 500 else Unreachable)
