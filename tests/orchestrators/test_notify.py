"""Telling that a run has closed: tried again after each wait that its activity asks for, until it is settled."""

from typing import Any

import pytest

from orchestrators.notify import notify
from tests import durable
from tests.durable import FakeContext, OrchestratorFailed, World
from tests.orchestrators import sdk
from tests.orchestrators.scripts import LAUNCH, Script, answers, elapsed

# The SDK's own warning about inputs that come without a type.
pytestmark = [
    pytest.mark.filterwarnings("ignore:azure.functions df_loads was called without expected_type"),
    pytest.mark.parametrize("run", [durable.run, sdk.run], ids=["virtual clock", "real SDK"]),
]
DONE = {"again": False, "came_of": "accepted"}


def notified(run: Any, deliver: Script) -> tuple[Any, World]:
    world = World({"deliver_notice": deliver})
    return run(notify, FakeContext(world, LAUNCH, "R-1-notice-1")), world


def test_a_notice_that_is_accepted_is_delivered_once(run: Any) -> None:
    output, world = notified(run, answers(DONE))
    assert output == {"came_of": "accepted"}
    assert [call.input for call in world.calls] == [LAUNCH]


def test_a_notice_is_tried_again_after_the_wait_that_its_activity_asks_for(run: Any) -> None:
    again = [{"again": True, "wait": wait} for wait in (5.0, 60.0)]
    output, world = notified(run, answers(*again, DONE))
    assert output == {"came_of": "accepted"}
    assert elapsed(world, "deliver_notice") == [0, 5, 65]


def test_trouble_that_stays_ends_the_orchestration_and_leaves_the_notice_to_the_sweep(run: Any) -> None:
    with pytest.raises(OrchestratorFailed, match="OSError: no storage"):
        notified(run, answers(OSError("no storage")))
