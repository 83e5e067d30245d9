"""Durations and sizes as people write them."""

from datetime import timedelta

import pytest

from shared.durations import parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("10m", 600), ("12h", 43_200), ("2d", 172_800), ("0s", 0), ("1.5h", 5400), (" 5 m ", 300)],
)
def test_durations_are_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "10", "m", "-5s", "10M", "1h30m", "ten m", "1.s", ".5s", "10 ms", "1e3s"]
)
def test_other_durations_are_refused_with_the_form_that_is_expected(text: str) -> None:
    with pytest.raises(ValueError) as refusal:
        parse_duration(text)
    assert str(refusal.value) == f'"{text}" is not a duration: write a number and s, m, h or d, such as "10m"'


@pytest.mark.parametrize(
    ("text", "size"),
    [("1B", 1), ("64KB", 64_000), ("64MB", 64_000_000), ("1.5GB", 1_500_000_000), (" 2 GB ", 2_000_000_000)],
)
def test_sizes_are_a_number_and_a_decimal_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "64", "64mb", "64MiB", "-1B", "MB", "1TB"])
def test_other_sizes_are_refused_with_the_form_that_is_expected(text: str) -> None:
    with pytest.raises(ValueError) as refusal:
        parse_size(text)
    assert str(refusal.value) == f'"{text}" is not a size: write a number and B, KB, MB or GB, such as "64MB"'
