"""Notices: whoever a route names is told that a run has closed, by a signed POST, in steps that hold nothing up."""

import asyncio
import json
import logging
import secrets
from typing import Any
from urllib.parse import urlsplit

import azure.durable_functions as df

from shared import clients, telemetry, webhooks
from shared.current_routes import current_routes
from shared.errors import RouteError
from shared.records import Launch, Notice, Run, Verdict
from shared.telemetry import traced

log = logging.getLogger(__name__)
bp = df.Blueprint()

# Seconds to wait after each POST that was not accepted; after one more the notice is given up.
WAITS = (5.0, 15.0, 45.0, 120.0)
FILES_TOLD = 100
GOOD = ("published", "unchanged")


def receiver_of(route: str) -> str:
    """The address that is to be told of a route's runs, "" where nobody is: that of the present routes."""
    try:
        found = current_routes().named(route)
    except RouteError:
        return ""
    return found.notify if found else ""


def announce(launch: Launch) -> None:
    """Before a run is closed: somebody is to be told, if its route says so."""
    if receiver_of(launch.route):
        clients.ledger().to_be_told(launch)


async def tell(client: Any, launch: Launch) -> None:
    """Starts telling of a closed run, unless that is under way, or nobody wants to know."""
    if not await asyncio.to_thread(receiver_of, launch.route):
        return
    number = await asyncio.to_thread(clients.ledger().take_notice, launch)
    if number:
        await client.start_new("notify", launch.notice_id(number), launch.to_dict())


async def tell_again(client: Any) -> None:
    """Starts telling of closed runs for which nobody did, or where it came to no end."""
    for launch in await asyncio.to_thread(clients.ledger().untold):
        run = await asyncio.to_thread(clients.ledger().run, launch.run)
        if run is not None and run.stage != "closed" and run.launch == launch.launch:
            continue  # it is being closed
        number = await asyncio.to_thread(clients.ledger().take_notice, launch)
        if number:
            await client.start_new("notify", launch.notice_id(number), launch.to_dict())


@bp.activity_trigger(input_name="message")
@traced
def deliver_notice(message: dict) -> dict[str, Any]:
    """Writes the intent, then POSTs once. Key: run and launch, by the nonce of the intent.

    What may have been accepted is never sent again: an execution that finds an intent without an answer sends nothing.
    Returns whether to come `again`, after `wait` seconds.
    """
    launch, nonce = Launch.from_dict(message), secrets.token_hex(8)
    ledger = clients.ledger()
    run = ledger.run(launch.run)
    url = receiver_of(launch.route)
    if run is None or run.stage != "closed" or run.launch != launch.launch or run.forgetting:
        return ended(launch, ledger.settle(launch, "overtaken"))
    if not url or not clients.settings().webhook_secrets:
        return ended(launch, ledger.settle(launch, "unsigned" if url else "unwanted"))
    notice = ledger.telling(launch, nonce)
    if notice.came_of:
        return ended(launch, notice)
    answer = posted(url, launch, run)
    last = notice.attempts > len(WAITS)
    came_of = "given-up" if last and not answer.came_of else answer.came_of
    notice = ledger.told(launch, nonce, came_of, status=answer.status, why=answer.why)
    if notice.came_of:
        return ended(launch, notice, urlsplit(url).hostname or "")
    telemetry.RETRIES.add(1, telemetry.of(launch.route, kind="notice"))
    return {"again": True, "wait": max(answer.wait, WAITS[notice.attempts - 1])}


def posted(url: str, launch: Launch, run: Run) -> webhooks.Answer:
    """What comes of one POST of the notice. Its id is the same each time, its time the present one."""
    body = json.dumps(told(launch, run, clients.ledger().results(run))).encode()
    known = clients.settings().webhook_secrets
    return webhooks.post(url, body, webhooks.headers(known, launch.instance_id, clients.now(), body))


def told(launch: Launch, run: Run, words: list[Verdict]) -> dict[str, Any]:
    """What is told of a run: names, words and counts, no reason, for a reason may name what stands in a file.

    Of many files those are named first that need somebody's attention; `more` are not.
    """
    shown = sorted(words, key=lambda verdict: verdict.word in GOOD)[:FILES_TOLD]
    keys = ("run", "outcome", "created_at", "closed_at", "files", "rows", "words", "failed_stage", "studio")
    record = run.to_dict()
    return {
        "type": "run.closed",
        "timestamp": run.closed_at,
        "data": {
            "id": launch.instance_id,
            "route": run.route["name"],
            **{key: record[key] for key in keys},
            "results": [{"blob": one.blob, "word": one.word, "where": one.where} for one in shown],
            "more": len(words) - len(shown),
        },
    }


def ended(launch: Launch, notice: Notice, host: str = "") -> dict[str, Any]:
    """The answer of the last step. The log says what came of the notice, and to whom, without the address's rest."""
    telemetry.NOTICES.add(1, telemetry.of(launch.route, came_of=notice.came_of))
    known = notice.came_of in ("accepted", "overtaken", "unwanted")
    log.log(
        logging.INFO if known else logging.WARNING,
        "run %s: its notice%s: %s%s",
        launch.run,
        f" to {host}" if host else "",
        notice.came_of,
        REASONS.get(notice.came_of, ""),
    )
    return {"again": False, "came_of": notice.came_of}


REASONS = {
    "unsigned": "; set DROPSCORE_WEBHOOK_SECRET, without which nothing is sent",
    "unknown": "; the answer was lost, and nothing is sent twice",
    "given-up": "; the receiver did not accept it in any of the tries",
    "refused": "; the receiver wants no more, or has moved: correct `notify` of the route",
}
