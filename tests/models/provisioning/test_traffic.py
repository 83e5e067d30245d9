"""A deployment's share of the traffic, and what is left for the others."""

import pytest

from models.provisioning.changes import ProvisioningError
from models.provisioning.traffic import same_traffic, with_share


@pytest.mark.parametrize(
    ("traffic", "share", "expected"),
    [
        ({}, 100, {"new": 100}),
        ({"new": 0}, 0, {"new": 0}),
        ({"blue": 100}, 10, {"blue": 90, "new": 10}),
        ({"blue": 100}, 100, {"blue": 0, "new": 100}),
        ({"blue": 60, "green": 40}, 50, {"blue": 30, "green": 20, "new": 50}),
        ({"blue": 50, "green": 50}, 33, {"blue": 34, "green": 33, "new": 33}),
        ({"blue": 90, "new": 10}, 0, {"blue": 100, "new": 0}),
        ({"blue": 0, "new": 100}, 100, {"new": 100}),
    ],
)
def test_the_others_keep_their_proportions(
    traffic: dict[str, int], share: int, expected: dict[str, int]
) -> None:
    assert with_share(traffic, "new", share) == expected


def test_a_part_needs_another_deployment_that_takes_the_rest() -> None:
    with pytest.raises(ProvisioningError, match="no other deployment has traffic to take the other 90%"):
        with_share({"new": 100}, "new", 10)


def test_deployments_without_a_share_make_no_difference() -> None:
    assert same_traffic({"blue": 100, "green": 0}, {"blue": 100})
    assert not same_traffic({"blue": 90, "green": 10}, {"blue": 100})
