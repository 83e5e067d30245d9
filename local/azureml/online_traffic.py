"""Which deployments of an online endpoint take its requests: the split of live traffic, and its mirror.

The rules are those of learn.microsoft.com/azure/machine-learning/how-to-safely-rollout-online-endpoints.
"""

from collections.abc import Iterable, Mapping
from random import Random

_MOST_MIRRORED = 50


class InvalidTraffic(ValueError):
    """Percentages that an endpoint cannot have; the message says what is allowed."""


def check_traffic(live: Mapping[str, int], mirror: Mapping[str, int], deployments: Iterable[str]) -> None:
    """Raise InvalidTraffic unless the percentages are such as Azure takes for an endpoint's deployments."""
    known = set(deployments)
    unknown = sorted((set(live) | set(mirror)) - known)
    if unknown:
        raise InvalidTraffic(
            f"There is no deployment {', '.join(unknown)} for traffic to go to; "
            f"the endpoint's deployments are {', '.join(sorted(known)) or 'none yet'}"
        )
    wrong = [name for name, share in [*live.items(), *mirror.items()] if not 0 <= share <= 100]
    if wrong:
        raise InvalidTraffic(f"The traffic of {wrong[0]} is not a percentage; give 0 to 100")
    if sum(live.values()) not in (0, 100):
        raise InvalidTraffic(f"The traffic sums to {sum(live.values())}; it must sum to 0 or 100")
    _check_mirror({name for name, share in live.items() if share}, mirror)


def _check_mirror(live: set[str], mirror: Mapping[str, int]) -> None:
    mirrored = {name: share for name, share in mirror.items() if share}
    if len(mirrored) > 1:
        raise InvalidTraffic(f"Traffic is mirrored to {', '.join(mirrored)}; only one deployment may be")
    for name, share in mirrored.items():
        if share > _MOST_MIRRORED:
            raise InvalidTraffic(f"{share}% are mirrored to {name}; at most {_MOST_MIRRORED}% may be")
        if name in live:
            raise InvalidTraffic(f"{name} has live traffic; it cannot have mirrored traffic, too")


def live_deployment(traffic: Mapping[str, int], random: Random) -> str | None:
    """The deployment that takes a request, drawn by its share; None where none has any."""
    shares = {name: share for name, share in traffic.items() if share}
    return random.choices(list(shares), list(shares.values()))[0] if shares else None


def mirrored_deployment(mirror: Mapping[str, int], random: Random) -> str | None:
    """The deployment that gets a copy of a request, if this one is mirrored."""
    draw = random.random() * 100
    return next((name for name, share in mirror.items() if draw < share), None)
