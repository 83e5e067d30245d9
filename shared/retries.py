"""How long to wait before asking again, as a server wishes, within bounds; and the retries of storage calls."""

from email.utils import parsedate_to_datetime
from math import isnan
from time import time
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import RetryPolicy

LONGEST_WAIT = 600.0
# A storage call waits inside an activity; whoever asks for more is asked again later, by the activity's own retry.
LONGEST_STORAGE_WAIT = 30.0
STORAGE_RETRIES = 5
STORAGE_BACKOFF = 0.5


def retry_after(header: str | None, longest: float = LONGEST_WAIT) -> float:
    """Seconds to wait, from either form of the header (RFC 9110 §10.2.3); 0 where it says nothing usable."""
    if not header:
        return 0.0
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time()
        except ValueError:
            return 0.0
    return 0.0 if isnan(seconds) else min(max(seconds, 0.0), longest)


class StorageRetry(RetryPolicy[Any, Any]):
    """As azure-core repeats calls: 408, 429 and 5xx, lost connections, and whatever says Retry-After.

    The storage library's own policy never repeats a 429 and waits 15 s whatever the server says (12.31, measured);
    azure-core's waits for as long as the server likes, and fails on a header that it cannot read.
    """

    def __init__(self, tries: int = STORAGE_RETRIES) -> None:
        allowed = dict.fromkeys(("retry_total", "retry_connect", "retry_read", "retry_status"), tries)
        super().__init__(**allowed, retry_backoff_factor=STORAGE_BACKOFF)

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        # The storage client says here whether it asks a secondary account, and wants to be told with the answer.
        options = request.context.options
        mode = options.pop("location_mode", None)
        for option in ("hosts", "retry_to_secondary", "retry_hook"):
            options.pop(option, None)
        response = super().send(request)
        response.http_response.location_mode = mode
        return response

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        header = response.http_response.headers.get("Retry-After")
        return retry_after(header, LONGEST_STORAGE_WAIT) or None
