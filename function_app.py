"""The map of the app: every trigger, orchestrator and activity, registered."""

import logging

import azure.durable_functions as df
import azure.functions as func

from activities import backfills, inbox, jobs, notices, parts, predictions, runs, sweeps, trials
from orchestrators import await_job, backfill, notify, score_run, sweep, trial
from shared import gauges
from triggers import blobs, http, timers

# The worker logs at INFO, and the Azure SDK has a line or two there for every storage call.
logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
for module in (
    *(blobs, timers, *http.modules),
    *(score_run, await_job, sweep, backfill, notify, trial),
    *(inbox, parts, jobs, predictions, runs, notices, sweeps, backfills, trials),
):
    app.register_functions(module.bp)
gauges.register()
