"""An eternal orchestration: cleans, sleeps, begins anew, with a singleton's id and an own class as its state."""

# mypy: ignore-errors

import json
from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func

cleaning = df.Blueprint()
INSTANCE_ID = "the-cleaner"


class Tally:
    """How often it has cleaned."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    @staticmethod
    def to_json(tally: "Tally") -> str:
        return json.dumps({"rounds": tally.rounds})

    @staticmethod
    def from_json(text: str) -> "Tally":
        return Tally(json.loads(text)["rounds"])


@cleaning.orchestration_trigger(context_name="context")
def clean_forever(context: df.DurableOrchestrationContext):
    tally = context.get_input()
    cleaned = yield context.call_activity("clean", tally)
    context.set_custom_status(f"cleaned {cleaned.rounds} times")
    yield context.create_timer(context.current_utc_datetime + timedelta(milliseconds=20))
    context.continue_as_new(cleaned)


@cleaning.activity_trigger(input_name="tally")
def clean(tally: Tally) -> Tally:
    return Tally(tally.rounds + 1)


@cleaning.route(route="cleaner", methods=["POST"])
@cleaning.durable_client_input(client_name="client")
async def start_cleaner(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    existing = await client.get_status(INSTANCE_ID)
    if existing.runtime_status in (
        df.OrchestrationRuntimeStatus.Running,
        df.OrchestrationRuntimeStatus.Pending,
    ):
        return func.HttpResponse(f"An instance with ID '{INSTANCE_ID}' already exists.", status_code=409)
    await client.start_new("clean_forever", INSTANCE_ID, Tally(0))
    return client.create_check_status_response(req, INSTANCE_ID)
