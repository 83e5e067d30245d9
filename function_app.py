"""The map of the app: every trigger, orchestrator and activity, registered."""

import logging

import azure.durable_functions as df
import azure.functions as func

from activities import inbox, jobs, parts, predictions, runs, sweeps
from orchestrators import await_job, score_run, sweep
from triggers import blobs, http, timers

# The worker logs at INFO, and the Azure SDK has a line or two there for every storage call.
logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
for module in (
    *(blobs, timers, http, score_run, await_job, sweep),
    *(inbox, parts, jobs, predictions, runs, sweeps),
):
    app.register_functions(module.bp)
