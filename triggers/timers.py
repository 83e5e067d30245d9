"""Every minute: the sweep, which also starts the routes whose schedule has come due."""

import azure.durable_functions as df
import azure.functions as func

from activities.runs import sweep_id
from shared import clients

bp = df.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%DROPSCORE_SWEEP_SCHEDULE%", run_on_startup=False)
@bp.durable_client_input(client_name="client")
async def sweep_timer(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:  # noqa: ARG001
    await client.start_new("sweep", sweep_id(clients.now()))
