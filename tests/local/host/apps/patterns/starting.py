"""Starts, asks and answers orchestrations over HTTP and for dropped blobs."""

# mypy: ignore-errors

import logging

import azure.durable_functions as df
import azure.functions as func

starting = df.Blueprint()


@starting.route(route="orchestrators/{functionName}", methods=["POST"])
@starting.durable_client_input(client_name="client")
async def http_start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    body = req.get_json() if req.get_body() else None
    instance_id = await client.start_new(req.route_params["functionName"], client_input=body)
    logging.info("Started orchestration with ID = '%s'.", instance_id)
    return client.create_check_status_response(req, instance_id)


@starting.route(route="wait/{functionName}", methods=["POST"])
@starting.durable_client_input(client_name="client")
async def start_and_wait(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    instance_id = await client.start_new(req.route_params["functionName"], client_input=req.get_json())
    return await client.wait_for_completion_or_create_check_status_response(
        req, instance_id, timeout_in_milliseconds=30_000, retry_interval_in_milliseconds=50
    )


@starting.route(route="instances/{instanceId}/{operation}", methods=["POST"])
@starting.durable_client_input(client_name="client")
async def manage(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    instance_id = req.route_params["instanceId"]
    match req.route_params["operation"]:
        case "terminate":
            await client.terminate(instance_id, "no longer needed")
        case "suspend":
            await client.suspend(instance_id, "a break")
        case "resume":
            await client.resume(instance_id, "back again")
        case "purge":
            purged = await client.purge_instance_history(instance_id)
            return func.HttpResponse(str(purged.instances_deleted))
        case event_name:
            await client.raise_event(instance_id, event_name, req.get_json())
    return func.HttpResponse(status_code=202)


@starting.route(route="instances", methods=["GET"])
@starting.durable_client_input(client_name="client")
async def query(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    statuses = await client.get_status_by(runtime_status=[df.OrchestrationRuntimeStatus.Completed])
    return func.HttpResponse(str(len(statuses)))


@starting.blob_trigger(arg_name="document", path="patterns-in/{name}", connection="PATTERNS_STORAGE")
@starting.durable_client_input(client_name="client")
async def document_dropped(document: func.InputStream, client: df.DurableOrchestrationClient) -> None:
    words = document.read().decode().split()
    await client.start_new("chain_of_greetings", document.name.replace("/", "-"), words)
