"""Pattern 5: human interaction with a timeout: three tries at a code, then an escalation."""

# mypy: ignore-errors

import json
from datetime import timedelta

import azure.durable_functions as df

approving = df.Blueprint()


@approving.orchestration_trigger(context_name="context")
def verify(context: df.DurableOrchestrationContext):
    request = context.get_input()
    code = yield context.call_activity("send_code", request["phone"])
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=request["seconds"]))
    for _ in range(3):
        answer = context.wait_for_external_event("answer")
        winner = yield context.task_any([answer, timer])
        if winner == timer:
            escalated = yield context.call_activity("escalate", request["phone"])
            return {"verified": False, "by": escalated}
        given = json.loads(answer.result) if isinstance(answer.result, str) else answer.result
        if given == code:
            timer.cancel()
            return {"verified": True, "by": "code"}
        context.set_custom_status("wrong code")
    timer.cancel()
    return {"verified": False, "by": "three tries"}


@approving.activity_trigger(input_name="phone")
def send_code(phone: str) -> int:
    return sum(int(digit) for digit in phone if digit.isdigit())


@approving.activity_trigger(input_name="phone")
async def escalate(phone: str) -> str:
    return f"somebody calls {phone}"
