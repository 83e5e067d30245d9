"""A sample app with one HTTP function of each authLevel, and one of none."""

# The SDK's decorators are untyped.
# mypy: disable-error-code="untyped-decorator"

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp()


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
def anonymous(req: func.HttpRequest) -> str:
    return "in"


@app.route(auth_level=func.AuthLevel.FUNCTION)
def function(req: func.HttpRequest) -> str:
    return "in"


@app.route(auth_level=func.AuthLevel.ADMIN)
def admin(req: func.HttpRequest) -> str:
    return "in"


@app.route()
def unsaid(req: func.HttpRequest) -> str:
    return "in"


@app.orchestration_trigger(context_name="context")
def nothing(context: df.DurableOrchestrationContext) -> str:
    return "done"


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    response: func.HttpResponse = client.create_check_status_response(req, await client.start_new("nothing"))
    return response
