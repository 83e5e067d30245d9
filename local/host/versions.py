"""Which orchestration versions a host takes: versionMatchStrategy and versionFailureStrategy of host.json."""

import re
from dataclasses import dataclass
from enum import StrEnum

MISMATCH = "VersionMismatch: Orchestration version did not comply with Worker Versioning"
LARGEST_PART = 2**31 - 1


class MatchStrategy(StrEnum):
    """Which versions are taken: all, only the host's own, or that and older ones."""

    NONE = "None"
    STRICT = "Strict"
    CURRENT_OR_OLDER = "CurrentOrOlder"


class FailureStrategy(StrEnum):
    """What becomes of an instance whose version is not taken: it is left for another host, or fails."""

    REJECT = "Reject"
    FAIL = "Fail"


@dataclass(frozen=True, kw_only=True)
class Versioning:
    """The host's own version, stamped on new instances, and its rules for those of others."""

    default: str = ""
    match: MatchStrategy = MatchStrategy.CURRENT_OR_OLDER
    failure: FailureStrategy = FailureStrategy.REJECT

    def takes(self, version: str) -> bool:
        """Whether this host may run an instance of `version`."""
        match self.match:
            case MatchStrategy.NONE:
                return True
            case MatchStrategy.STRICT:
                return version == self.default
            case MatchStrategy.CURRENT_OR_OLDER:
                return not is_newer(version, self.default)


def is_newer(version: str, other: str) -> bool:
    """Whether `version` is above `other`: by numbers if both are .NET versions, else by text in any case.

    An empty version is older than every other.
    """
    if not version.strip() or not other.strip():
        return bool(version.strip())
    numbers, other_numbers = _numbers(version), _numbers(other)
    if numbers and other_numbers:
        return numbers > other_numbers
    return version.upper() > other.upper()


def _numbers(version: str) -> list[int] | None:
    """Return the parts of what System.Version parses, two to four numbers; a lone "2" is a text to it."""
    if not re.fullmatch(r"\d+(\.\d+){1,3}", version.strip(), re.ASCII):
        return None
    numbers = [int(part) for part in version.strip().split(".")]
    return numbers if max(numbers) <= LARGEST_PART else None
