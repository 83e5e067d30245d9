"""The app that the local host is measured with: chains of five small activities."""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
STEPS = 5


@app.activity_trigger(input_name="value")  # type: ignore[untyped-decorator]
def double(value: int) -> int:
    return 2 * value


@app.orchestration_trigger(context_name="context")  # type: ignore[untyped-decorator]
def chain(context: df.DurableOrchestrationContext) -> Generator[Any, Any, list[int]]:
    results = []
    for value in range(STEPS):
        results.append((yield context.call_activity(double, value)))
    return results
