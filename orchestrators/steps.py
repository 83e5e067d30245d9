"""Calling the activities of one run in order, so that a failure can say which stage it happened in."""

import re
from collections.abc import Generator
from itertools import count
from typing import Any

import azure.durable_functions as df

# For passing trouble with storage and the like; the activities themselves never repeat what must happen once.
TRANSIENT = df.RetryOptions(first_retry_interval_in_milliseconds=5_000, max_number_of_attempts=4)

# As the Durable extension writes it, the failure of a sub-orchestration around that of its activity.
BLAME = re.compile(r"(?:(?:Orchestrator|Activity) function '\w+' failed:\s+)+")


def fenced(problem: Exception) -> bool:
    """True where an activity found that a newer launch has taken the run over: stop, and do nothing more.

    The host hands over texts only.
    """
    return reason(problem).startswith("Fenced: ")


def reason(problem: Exception) -> str:
    """What an activity raised, "Type: text", without the host's words before it and the stack after it."""
    lines = str(problem).strip().splitlines() or [type(problem).__name__]
    return BLAME.sub("", lines[0], count=1)


class Steps:
    """The run's activities, each called with the run's launch and shown in the instance's custom status."""

    def __init__(self, context: df.DurableOrchestrationContext, launch: dict[str, Any]) -> None:
        self.context = context
        self.launch = launch
        self.stage = ""
        self.watches = 0

    def __call__(self, stage: str, activity: Any, **more: Any) -> Any:
        """The task of one activity, for the orchestrator to yield."""
        self.stage = stage
        self.context.set_custom_status({"stage": stage})
        return self.context.call_activity_with_retry(activity, TRANSIENT, {**self.launch, **more})

    def whole(self, stage: str, activity: Any) -> Generator[Any, Any, Any]:
        """Calls an activity for chunk after chunk while it says that there is `more`; returns its last answer.

        So none works long, and a restart in the middle costs one chunk.
        """
        for chunk in count():
            answer = yield self(stage, activity, chunk=chunk)
            if not answer["more"]:
                return answer
