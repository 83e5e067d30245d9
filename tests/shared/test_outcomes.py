"""How a run ends: a word for every version, and the run's outcome drawn from them."""

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
        ([], {"why": "no token"}, "released"),
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
    words = final_words(run(), [FIRST, SECOND], [verdict(FIRST, "rejected", "bad"), stranger], [])
    assert [word.version for word in words] == [FIRST.key, SECOND.key]
    assert [word.word for word in words] == ["rejected", "failed"]


def test_what_unpack_said_stands_over_what_pack_said() -> None:
    words = final_words(run(), [FIRST], [verdict(FIRST)], [verdict(FIRST, "superseded", "newer")])
    assert [(word.word, word.why) for word in words] == [("superseded", "newer")]


def test_a_version_without_a_word_takes_what_stopped_the_run() -> None:
    stopped = run(failed_stage="submit", why="The endpoint refused the job: 400")
    (word,) = final_words(stopped, [FIRST], [verdict(FIRST)], [])
    assert (word.word, word.why) == ("failed", "submit: The endpoint refused the job: 400")


def test_a_version_of_a_canceled_job_is_canceled() -> None:
    canceled = run(failed_stage="await", why="the run was canceled on request", job_outcome="canceled")
    (word,) = final_words(canceled, [FIRST], [verdict(FIRST)], [])
    assert (word.word, word.why) == ("canceled", "await: the run was canceled on request")


def test_a_version_that_nothing_is_known_of_has_failed() -> None:
    (word,) = final_words(run(), [FIRST], [], [])
    assert (word.word, word.why) == ("failed", "the run ended before this file was scored")
