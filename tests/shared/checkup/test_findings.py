"""Checks at the same time: each within its time, none in the way of the others."""

import time
from collections.abc import Callable

from shared.checkup.findings import Check, Examination, Finding, at_once


def examination(name: str, look: Callable[[], list[Finding]]) -> Examination:
    return Examination(Check(name), look)


def test_findings_come_in_the_order_of_the_examinations() -> None:
    def late() -> list[Finding]:
        time.sleep(0.05)
        return [Check("a").ok("late"), Check("b").ok("later")]

    found = at_once([examination("a", late), examination("c", lambda: [Check("c").ok("soon")])])
    assert [one.check for one in found] == ["a", "b", "c"]
    assert at_once([]) == []


def test_a_check_that_does_not_end_has_failed_and_the_others_are_told() -> None:
    def hanging() -> list[Finding]:
        time.sleep(1)
        return []

    begun = time.monotonic()
    found = at_once(
        [
            examination("hanging", hanging),
            examination("well", lambda: [Check("well").ok("")]),
        ],
        longest=0.1,
    )
    assert time.monotonic() - begun < 0.9
    assert [(one.check, one.state) for one in found] == [("hanging", "failed"), ("well", "ok")]


def test_a_fault_of_the_check_itself_is_told_without_its_text() -> None:
    def broken() -> list[Finding]:
        raise RuntimeError("a secret")

    [found] = at_once([examination("broken", broken)])
    assert (found.state, found.says) == ("failed", "the check itself failed: RuntimeError")
