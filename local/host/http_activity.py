"""The extension's own activity behind `call_http`: one request, and its answer as the orchestrator gets it.

As the extension does for the Python SDK: a 202 is answered as it is, not followed to its Location
(azure-functions-durable-python#380); headers about the content, such as Content-Type, are not among the answer's.
"""

import json
from typing import Any

import aiohttp

PATIENCE = aiohttp.ClientTimeout(total=100)  # seconds; that of .NET's HttpClient
CONTENT_HEADERS = {
    *("allow", "content-disposition", "content-encoding", "content-language", "content-length"),
    *("content-location", "content-md5", "content-range", "content-type", "expires", "last-modified"),
}


class HttpRequestFailed(Exception):
    """No answer came, or the request could not be made."""


async def send(request_text: str) -> str:
    """Make the request of a `call_http` action (JSON text); returns its answer as JSON text.

    Raises HttpRequestFailed. An answer with an error status is an answer.
    """
    request: dict[str, Any] = json.loads(request_text)
    try:
        headers = await _headers(request)
        async with (
            aiohttp.ClientSession(timeout=PATIENCE) as session,
            session.request(
                request["method"], request["uri"], headers=headers, data=request.get("content")
            ) as answer,
        ):
            return json.dumps(await _answer(answer))
    except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
        raise HttpRequestFailed(
            f"{request['method']} failed: {type(problem).__name__}: {problem}"
        ) from problem


async def _headers(request: dict[str, Any]) -> dict[str, str]:
    headers = {name: str(value) for name, value in (request.get("headers") or {}).items()}
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if "multipart" in kind:
        raise HttpRequestFailed("Multipart content is not supported with CallHttpAsync.")
    if request.get("content") is not None and not kind:
        headers["Content-Type"] = "text/plain"
    if request.get("tokenSource"):
        headers["Authorization"] = f"Bearer {await _token(request['tokenSource']['resource'])}"
    return headers


async def _token(resource: str) -> str:
    from azure.identity.aio import DefaultAzureCredential

    async with DefaultAzureCredential() as credential:
        return (await credential.get_token(f"{resource.rstrip('/')}/.default")).token


async def _answer(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    headers = {
        name: values[0] if len(values := answer.headers.getall(name)) == 1 else values
        for name in dict.fromkeys(answer.headers)
        if name.lower() not in CONTENT_HEADERS
    }
    return {"statusCode": answer.status, "headers": headers, "content": await answer.text(errors="replace")}
