"""A trial: looked at until it has its word, cleaned up whatever comes of it."""

from typing import Any

import pytest

from orchestrators.trial import trial
from shared.records import timestamp
from shared.trials import Trial
from tests import durable
from tests.durable import START, FakeContext, World
from tests.orchestrators import sdk
from tests.orchestrators.scripts import answers, elapsed

# The SDK's own warning about inputs that come without a type.
pytestmark = [
    pytest.mark.filterwarnings("ignore:azure.functions df_loads was called without expected_type"),
    pytest.mark.parametrize("run", [durable.run, sdk.run], ids=["virtual clock", "real SDK"]),
]
BEGUN = Trial(id="T", route="diabetes", frozen={"name": "diabetes"}, begun_at=timestamp(START))
SUBMITTED = BEGUN.but(job="j1")
RUNNING = SUBMITTED.but(status="Running").to_dict()
ENDED = SUBMITTED.but(outcome="succeeded").to_dict()


def tried(run: Any, submit: Any, *looks: Any) -> tuple[dict[str, Any], World]:
    def end(given: dict[str, Any]) -> dict[str, Any]:
        return {**given, "left": ["a folder"]}

    world = World({"submit_trial": submit, "look_at_trial": answers(*looks), "end_trial": end})
    return run(trial, FakeContext(world, BEGUN.to_dict(), "trial-T")), world


def test_it_is_looked_at_ever_seldomer_until_it_has_its_word(run: Any) -> None:
    output, world = tried(run, answers(SUBMITTED.to_dict()), *[RUNNING] * 30, ENDED)
    assert (output["outcome"], output["left"]) == ("succeeded", ["a folder"])
    looks = elapsed(world, "look_at_trial")
    assert (len(looks), looks[0]) == (31, 1)
    assert looks[-1] == pytest.approx(74, abs=1)
    assert [call.name for call in world.calls].count("submit_trial") == 1
    assert world.calls[-1].name == "end_trial"


def test_one_that_was_not_submitted_is_cleaned_up_without_a_look(run: Any) -> None:
    output, world = tried(run, answers(BEGUN.failed("no").to_dict()), RUNNING)
    assert (output["outcome"], output["why"]) == ("failed", "no")
    assert [call.name for call in world.calls] == ["submit_trial", "end_trial"]


@pytest.mark.parametrize("submitted", [True, False])
def test_trouble_that_stays_is_its_word_and_it_is_cleaned_up(submitted: bool, run: Any) -> None:
    trouble = OSError("no 'storage'")
    submit, look = (SUBMITTED.to_dict(), trouble) if submitted else (trouble, RUNNING)
    output, world = tried(run, answers(submit), look)
    assert (output["outcome"], output["why"]) == ("failed", "OSError: no …")
    assert output["job"] == ("j1" if submitted else "")
    assert world.calls[-1].name == "end_trial"
