"""Schedules are NCRONTAB: six fields, seconds first, UTC, both day fields at once."""

from datetime import UTC, datetime

import pytest

from shared.schedule import check, last_due

FRIDAY = datetime(2026, 11, 20, 6, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    ["0 0 6 * * *", "*/10 * * * * *", "0 30 9 * JAN-MAR MON-FRI", "0 0 0 1,15 * *", "  0 0 6 * * * "],
)
def test_six_fields_are_a_schedule(expression: str) -> None:
    check(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "0 6 * * *",
        "0 0 6 * * * *",
        "60 0 6 * * *",
        "0 0 24 * * *",
        "0 0 6 * * SOMEDAY",
        "@daily",
        "6 a.m.",
        "0 0 0 30 2 *",
    ],
)
def test_anything_else_is_refused(expression: str) -> None:
    with pytest.raises(ValueError) as refusal:
        check(expression)
    assert str(refusal.value) == (
        f'"{expression}" is not NCRONTAB, or never falls due: write six fields, seconds first, such as "0 0 6 * * *"'
    )


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (FRIDAY, FRIDAY),
        (FRIDAY.replace(microsecond=1), FRIDAY),
        (FRIDAY.replace(second=1), FRIDAY),
        (FRIDAY.replace(hour=5, minute=59, second=59, microsecond=999_999), FRIDAY.replace(day=19)),
    ],
    ids=["the very second", "just after", "a second after", "just before"],
)
def test_a_schedule_is_due_from_its_exact_second_on(now: datetime, due: datetime) -> None:
    assert last_due("0 0 6 * * *", now) == due


def test_the_first_field_is_seconds() -> None:
    assert last_due("15 * * * * *", FRIDAY) == datetime(2026, 11, 20, 5, 59, 15, tzinfo=UTC)


def test_both_day_fields_must_fit_where_both_are_restricted() -> None:
    assert last_due("0 0 0 13 * FRI", FRIDAY) == datetime(2026, 11, 13, tzinfo=UTC)
    assert last_due("0 0 0 14 * FRI", FRIDAY) == datetime(2026, 8, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("0 0 0 13 * *", datetime(2026, 11, 13, tzinfo=UTC)),
        ("0 0 0 * * MON", datetime(2026, 11, 16, tzinfo=UTC)),
    ],
)
def test_one_restricted_day_field_decides_alone(expression: str, due: datetime) -> None:
    assert last_due(expression, FRIDAY) == due


def test_what_is_due_is_an_aware_time_in_utc() -> None:
    assert last_due("0 0 6 * * *", FRIDAY).tzinfo is UTC
