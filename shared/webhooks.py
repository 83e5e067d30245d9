"""Signed POSTs by the Standard Webhooks convention (standardwebhooks.com, 1.0.0): id, time and body under an HMAC."""

import hmac
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import requests

from shared.azureml import never_connected
from shared.records import CameOf
from shared.retries import retry_after
from shared.telemetry import unseen_by_others

TIMEOUT = (5, 20)
LONGEST_WAIT = 120.0
# Gateways: whoever stands behind them may have accepted it.
UNKNOWN = (502, 504)
# The receiver wants no more, or names another address, which is the route's to change.
NO_MORE = (*range(300, 400), 410)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one POST: "" where it was surely not accepted, so that it may be made again after `wait` seconds."""

    came_of: CameOf
    status: int = 0
    why: str = ""
    wait: float = 0.0


def headers(secrets: Iterable[bytes], notice: str, at: datetime, body: bytes) -> dict[str, str]:
    """What says who the sender is: one signature for each secret, so that one can replace another."""
    seconds = str(int(at.timestamp()))
    signed = b".".join([notice.encode(), seconds.encode(), body])
    signatures = (b64encode(hmac.digest(secret, signed, sha256)).decode() for secret in secrets)
    return {
        "content-type": "application/json",
        "webhook-id": notice,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def post(url: str, body: bytes, signed: dict[str, str]) -> Answer:
    """POSTs once, over a connection of its own, following no redirect; the answer's body is not read."""
    try:
        with requests.Session() as session, unseen_by_others():
            session.trust_env = False
            response = session.post(
                url, data=body, headers=signed, timeout=TIMEOUT, allow_redirects=False, stream=True
            )
    except requests.RequestException as problem:
        # Once it is sent, only an answer says that it was not accepted.
        return Answer(came_of="" if never_connected(problem) else "unknown", why=type(problem).__name__)
    except ValueError as problem:
        # No address at all.
        return Answer(came_of="refused", why=type(problem).__name__)
    return answered(response)


def answered(response: requests.Response) -> Answer:
    """Reads the status of an answer. What is not accepted may be tried again, unless the receiver wants no more."""
    status = response.status_code
    if 200 <= status < 300:
        return Answer(came_of="accepted", status=status)
    if status in NO_MORE:
        return Answer(came_of="refused", status=status)
    if status in UNKNOWN:
        return Answer(came_of="unknown", status=status)
    wait = retry_after(response.headers.get("Retry-After"), LONGEST_WAIT)
    return Answer(came_of="", status=status, wait=wait)
