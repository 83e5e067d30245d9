"""The split of an online endpoint's traffic: which percentages are taken, and who gets how many requests."""

from collections import Counter
from random import Random

import pytest

from local.azureml.online_traffic import (
    InvalidTraffic,
    check_traffic,
    live_deployment,
    mirrored_deployment,
)


@pytest.mark.parametrize(
    ("live", "mirror"),
    [
        ({}, {}),
        ({"blue": 0}, {}),
        ({"blue": 100}, {}),
        ({"blue": 90, "green": 10}, {}),
        ({"blue": 100, "green": 0}, {"green": 50}),
        ({"blue": 100}, {"blue": 0}),
    ],
)
def test_traffic_that_sums_to_0_or_100_is_taken(live: dict[str, int], mirror: dict[str, int]) -> None:
    check_traffic(live, mirror, ["blue", "green"])


@pytest.mark.parametrize(
    ("live", "mirror", "message"),
    [
        ({"blue": 90}, {}, "sums to 90; it must sum to 0 or 100"),
        ({"blue": 100, "green": 10}, {}, "sums to 110"),
        ({"blue": 110, "green": -10}, {}, "The traffic of blue is not a percentage"),
        ({"red": 100}, {}, "no deployment red .* the endpoint's deployments are blue, green"),
        ({"blue": 100}, {"green": 51}, "51% are mirrored to green; at most 50% may be"),
        ({"blue": 100}, {"blue": 10}, "blue has live traffic"),
        ({}, {"blue": 10, "green": 10}, "only one deployment"),
    ],
)
def test_other_traffic_is_refused(live: dict[str, int], mirror: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidTraffic, match=message):
        check_traffic(live, mirror, ["green", "blue"])


def test_requests_go_by_the_shares() -> None:
    random = Random(7)
    counts = Counter(live_deployment({"blue": 90, "green": 10, "red": 0}, random) for _ in range(1000))
    assert set(counts) == {"blue", "green"}
    assert 60 < counts["green"] < 140


def test_without_a_share_there_is_nobody() -> None:
    assert live_deployment({}, Random(7)) is None
    assert live_deployment({"blue": 0}, Random(7)) is None


def test_a_share_of_the_requests_is_mirrored() -> None:
    random = Random(7)
    counts = Counter(mirrored_deployment({"blue": 0, "green": 20}, random) for _ in range(1000))
    assert set(counts) == {None, "green"}
    assert 150 < counts["green"] < 250
    assert mirrored_deployment({}, random) is None
