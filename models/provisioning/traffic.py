"""Shares of an online endpoint's traffic, in percent."""

from collections.abc import Mapping

from .changes import ProvisioningError


def with_share(traffic: Mapping[str, int], deployment: str, share: int) -> dict[str, int]:
    """The traffic once `deployment` has `share` percent of it: the others keep their proportions.

    Raises ProvisioningError where no other deployment can take the rest.
    """
    others = {name: old for name, old in traffic.items() if name != deployment and old}
    rest, total = 100 - share, sum(others.values())
    if not others:
        if share in (0, 100):
            return {deployment: share}
        raise ProvisioningError(
            f"--traffic_allocation {share}: no other deployment has traffic to take the other {rest}%; "
            "give 100, or share it out with the command traffic"
        )
    shares = {name: old * rest // total for name, old in others.items()}
    # What is lost by rounding down goes to the largest.
    largest = max(others, key=lambda name: others[name])
    shares[largest] += rest - sum(shares.values())
    return shares | {deployment: share}


def same_traffic(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    """Whether two splits are the same; deployments without a share do not count."""
    return {name: share for name, share in one.items() if share} == {
        name: share for name, share in other.items() if share
    }
