"""Where a file is, in one plain sentence."""

from datetime import timedelta

import pytest

from shared.file_views import Taken, Waiting, because
from shared.records import Verdict

TAKEN = Taken(["double/*.csv"], timedelta(minutes=5))


@pytest.mark.parametrize(("ahead", "told"), [(0, "0 files came"), (1, "1 file came"), (2, "2 files came")])
def test_files_that_came_before_are_counted_in_words_that_agree(ahead: int, told: str) -> None:
    assert told in Waiting("", ahead, 1, 1, None, None).said()


def test_a_reason_that_ends_with_a_full_stop_gets_no_second_one() -> None:
    assert ".." not in Waiting("", 0, 0, 1, "there is no such endpoint.", None).said()
    assert because(Verdict(version="", blob="", why="Line 3.")) == ": Line 3"


def test_an_ignored_name_is_told_the_patterns_that_are_most_like_it() -> None:
    many = Taken(["stock/*.csv", "double/*.csv", "a/**", "b/**", "c/**"], timedelta())
    assert "take: double/*.csv" in many.ignored("double/a.CSV")
    assert many.ignored("double/a.CSV").endswith(" and 2 more.")
    assert Taken([], timedelta()).ignored("a.csv").endswith("There are no routes yet.")


@pytest.mark.parametrize(("minutes", "told"), [(1, "1 minute ("), (5, "5 minutes ("), (0.5, "0.5 minutes (")])
def test_an_empty_file_is_left_alone_for_as_long_as_the_setting_says(minutes: float, told: str) -> None:
    assert told in Taken([], timedelta(minutes=minutes)).seen(0)
    assert "within a minute" in TAKEN.seen(1)
