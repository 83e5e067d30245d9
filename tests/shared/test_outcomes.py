"""How a run ends: a word for every version it keeps, and the run's outcome drawn from them."""

import pytest

from shared.outcomes import final_words, outcome
from shared.records import Run, Verdict, Version

FIRST, SECOND = (
    Version(container="inbox", blob=blob, etag="1", modified="m", size=1, route="r")
    for blob in ("a.csv", "b.csv")
)


def run(**changes: str) -> Run:
    return Run(run="R", launch=1, route={}, slot=0, created_at="c").but(**changes)


def verdict(version: Version, word: str = "", why: str = "") -> Verdict:
    return Verdict(version=version.key, blob=version.blob, word=word, why=why)


@pytest.mark.parametrize(
    ("words", "changes", "expected"),
    [
        ([], {}, "empty"),
        ([], {"job_outcome": "canceled"}, "canceled"),
        ([], {"held": "403"}, "released"),
        (["rejected"], {"held": "403"}, "released"),
        (["published"], {"held": "403"}, "partial"),
        (["unchanged", "rejected"], {"held": "403"}, "partial"),
        (["published"], {}, "succeeded"),
        (["published", "unchanged"], {}, "succeeded"),
        (["unchanged"], {}, "succeeded"),
        (["published", "rejected"], {}, "partial"),
        (["published", "failed"], {"why": "x"}, "partial"),
        (["published", "canceled"], {"job_outcome": "canceled"}, "partial"),
        (["published", "failed"], {"job_outcome": "timed-out"}, "partial"),
        (["rejected", "rejected"], {}, "rejected"),
        (["rejected", "failed"], {}, "failed"),
        (["failed"], {"job_outcome": "failed"}, "failed"),
        (["failed"], {"job_outcome": "not-responding"}, "failed"),
        (["failed"], {"job_outcome": "timed-out"}, "timed-out"),
        (["rejected", "failed"], {"job_outcome": "timed-out"}, "timed-out"),
        (["canceled"], {"job_outcome": "canceled"}, "canceled"),
        (["canceled", "failed"], {"job_outcome": "canceled"}, "failed"),
        (["canceled", "rejected"], {"job_outcome": "canceled"}, "canceled"),
    ],
)
def test_the_words_of_its_versions_decide_a_runs_outcome(
    words: list[str], changes: dict[str, str], expected: str
) -> None:
    assert outcome(run(**changes), [verdict(FIRST, word) for word in words]) == expected


def test_every_claimed_version_gets_a_word_and_no_other() -> None:
    stranger = verdict(SECOND.but(etag="2"), "published")
    words = final_words(run(), [FIRST, SECOND], [verdict(FIRST, "rejected", "bad"), stranger])
    assert [word.version for word in words] == [FIRST.key, SECOND.key]
    assert [word.word for word in words] == ["rejected", "failed"]


def test_what_was_found_out_last_stands() -> None:
    packed, unpacked = verdict(FIRST), verdict(FIRST, "superseded", "newer")
    (word,) = final_words(run(), [FIRST], [packed, unpacked])
    assert (word.word, word.why) == ("superseded", "newer")


def test_a_version_that_a_job_left_incomplete_fails_for_the_reason_of_its_own() -> None:
    incomplete = verdict(FIRST, "", "unpack: The job returned no row of this file.").but(rows=7)
    stopped = run(failed_stage="await", why="job j failed")
    (word,) = final_words(stopped, [FIRST], [verdict(FIRST), incomplete])
    assert (word.word, word.why, word.rows) == ("failed", "unpack: The job returned no row of this file.", 0)


def test_a_run_that_is_turned_away_gives_no_word_to_what_it_gives_back() -> None:
    words = final_words(
        run(held="403"), [FIRST, SECOND], [verdict(FIRST, "rejected", "bad"), verdict(SECOND)]
    )
    assert [(word.version, word.word) for word in words] == [(FIRST.key, "rejected")]


def test_a_version_without_a_word_takes_what_stopped_the_run() -> None:
    stopped = run(failed_stage="submit", why="The endpoint refused the job: 400")
    (word,) = final_words(stopped, [FIRST], [verdict(FIRST)])
    assert (word.word, word.why) == ("failed", "submit: The endpoint refused the job: 400")


def test_a_version_of_a_canceled_job_is_canceled() -> None:
    canceled = run(failed_stage="await", why="the run was canceled on request", job_outcome="canceled")
    (word,) = final_words(canceled, [FIRST], [verdict(FIRST)])
    assert (word.word, word.why) == ("canceled", "the run was canceled on request")


def test_a_version_that_nothing_is_known_of_has_failed() -> None:
    (word,) = final_words(run(), [FIRST], [])
    assert (word.word, word.why) == ("failed", "the run ended before this file was scored")
