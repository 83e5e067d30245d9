"""Calling the activities of one run in order, so that a failure can say which stage it happened in."""

import re
from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

# For passing trouble with storage and the like; the activities themselves never repeat what must happen once.
TRANSIENT = df.RetryOptions(first_retry_interval_in_milliseconds=5_000, max_number_of_attempts=4)

AT_ONCE = 8

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
        """Calls an activity for portion after portion while it says that there is `more`; returns its last answer.

        Portions up to `at_once` may be worked on at the same time, where the first answer names that number. So none
        works long, and a restart in the middle costs one portion.
        """
        done = 0
        while True:
            answer = yield self(stage, activity, chunk=done)
            done += 1
            if not answer["more"]:
                return answer
            # Where one of several fails for good, so does the orchestration: after that the SDK (1.7) mixes up results.
            while some := range(done, min(done + AT_ONCE, answer.get("at_once", 0))):
                yield self.context.task_all([self(stage, activity, chunk=one) for one in some])
                done = some.stop
