"""Plans of faults: which strike, how often, and always the same."""

import pytest

from local.faults.plan import Fault, NoFault, Plan


def struck(plan: Plan, *subjects: str, kind: str = "request") -> list[str]:
    """What strikes each of these."""
    return [found.do if (found := plan.take(kind, subject)) else "" for subject in subjects]


def test_a_fault_strikes_once_where_it_is_met() -> None:
    plan = Plan([Fault(do="reset", on="^POST")])
    assert struck(plan, "GET /a", "POST /a", "POST /a") == ["", "reset", ""]
    assert plan.to_list() == [{"do": "reset", "on": "^POST", "met": 1, "struck": 1}]


def test_the_first_ones_are_spared_and_the_next_ones_struck() -> None:
    plan = Plan([Fault(do="reset", skip=2, times=2)])
    assert struck(plan, *"abcdef") == ["", "", "reset", "reset", "", ""]


def test_a_fault_without_an_end_strikes_for_ever() -> None:
    assert struck(Plan([Fault(do="cut", times=None)]), *"abc") == ["cut"] * 3


def test_the_next_fault_strikes_what_the_first_spares() -> None:
    plan = Plan([Fault(do="reset", times=1), Fault(do="answer", on="b", times=None)])
    assert struck(plan, *"abab") == ["reset", "answer", "", "answer"]


def test_the_same_seed_strikes_the_same_ones() -> None:
    plans = [Plan([Fault(do="reset", chance=0.5, times=None)], seed) for seed in (7, 7, 8)]
    one, same, other = (struck(plan, *map(str, range(200))) for plan in plans)
    assert one == same
    assert one != other
    assert 60 < one.count("reset") < 140


def test_each_kind_has_faults_of_its_own() -> None:
    plan = Plan([Fault(do="hide"), Fault(do="lose"), Fault(do="reset")])
    assert struck(plan, "named/only", kind="job") == ["hide"]
    assert struck(plan, "named/only", kind="output") == ["lose"]
    assert struck(plan, "GET /") == ["reset"]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (7, "an object with `do`"),
        ({}, "`do` is one of add-row, answer"),
        ({"do": "explode"}, "'explode' is no fault"),
        ({"do": "reset", "code": 5}, "a fault has no code"),
        ({"do": "reset", "on": "("}, "is no fault"),
    ],
)
def test_what_is_no_fault_is_refused_with_the_reason(document: object, why: str) -> None:
    with pytest.raises(NoFault, match=why):
        Fault.of(document)


@pytest.mark.parametrize("text", ["no json", "[]", '{"faults": 7}', '{"faults": [{"do": "explode"}]}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(NoFault):
        Plan.read(text)


def test_a_plan_is_read_from_json_and_replaced() -> None:
    plan = Plan.read('{"seed": 3, "faults": [{"do": "slow", "on": "PUT", "seconds": 0.1, "times": null}]}')
    assert struck(plan, "PUT /", "PUT /") == ["slow", "slow"]
    plan.replace(Plan())
    assert struck(plan, "PUT /") == [""]
