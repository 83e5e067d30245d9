"""Whether events of the inbox arrive, seen with a probe's own; and how many the host has given up."""

import time

import requests
from azure.core.exceptions import AzureError

from shared import clients, names
from shared.checkup import commands
from shared.checkup.findings import Check, Finding
from shared.checkup.storage import Standing
from shared.checkup.surroundings import WITHIN, Surroundings, said_by
from shared.ledger import Ledger

# Seconds. Event Grid usually takes one or two.
ARRIVES_WITHIN, LOOK_EVERY = 7.0, 0.2
POISON = "webjobs-blobtrigger-poison"
QUEUE_AUDIENCE = "https://storage.azure.com"
QUEUE_VERSION = "2021-12-02"
QUEUE_ROLE = "Storage Queue Data Contributor"


def check_events(around: Surroundings, standing: Standing) -> list[Finding]:
    """Whether the event of a probe that stands in the inbox comes to `blob_dropped`, which notes it in the ledger."""
    check = Check("events")
    if not around.home.events:
        return [check.ok("none are expected: DROPSCORE_BLOB_SOURCE is polling")]
    ledger, since = clients.anybodys_ledger(around.storage), names.first_probe(standing.since)
    begun = time.monotonic()
    while time.monotonic() - begun < ARRIVES_WITHIN:
        if ledger.arrivals().probe >= since:
            return [check.ok(f"one came within {time.monotonic() - begun:.1f} s")]
        time.sleep(LOOK_EVERY)
    return [silent(check, around, ledger)]


def silent(check: Check, around: Surroundings, ledger: Ledger) -> Finding:
    """No event has come. Where one came since the sweep last had to find files, it may only be slow."""
    before, subscribe = (
        ledger.arrivals(),
        around.home.subscribe(around.account, around.settings.inbox),
    )
    says = f"no event of a probe in the inbox came within {ARRIVES_WITHIN:.0f} s"
    if before.heard_at > before.missed_at:
        told = f"Ask again in a minute. If it stays so: {subscribe}"
        return check.warning(f"{says}; the last one came at {before.heard_at}", told)
    if before.missed_at:
        says += f"; the sweep found {before.missed} files at {before.missed_at} that none had announced"
    return check.failed(f"{says}; files are found by the sweep only, a minute or two late", subscribe)


def check_given_up(around: Surroundings) -> list[Finding]:
    """How many events the host has given up after five tries. Their files are found by the sweep all the same."""
    check, address = Check("given-up-events"), around.settings.storage_queue_uri
    if not address:
        return [check.skipped("the host's queue is unknown: DROPSCORE_STORAGE__queueServiceUri is not set")]
    try:
        bearer = around.of_storage.get_token(f"{QUEUE_AUDIENCE}/.default").token
        headers = {"Authorization": f"Bearer {bearer}", "x-ms-version": QUEUE_VERSION}
        url = f"{address}/{POISON}?comp=metadata"
        answer = around.session.get(url, headers=headers, timeout=WITHIN, allow_redirects=False)
    except AzureError as problem:
        return [check.failed(f"no token for the queue: {said_by(problem)}", around.home.assign_identity())]
    except requests.RequestException as problem:
        told = "Look at DROPSCORE_STORAGE__queueServiceUri."
        return [check.failed(f"{address} is unreachable ({type(problem).__name__})", told)]
    return [counted(check, around, answer)]


def counted(check: Check, around: Surroundings, answer: requests.Response) -> Finding:
    count = answer.headers.get("x-ms-approximate-messages-count", "")
    if answer.status_code == 404 or count == "0":
        return check.ok("none")
    if count.isdecimal():
        told = f"The app's log says why. {commands.look_into_queue(around.account, POISON)}"
        return check.warning(f"{count} events were given up; the sweep finds their files", told)
    grant = around.grant_on_account(QUEUE_ROLE)
    return check.failed(f"the queue {POISON} cannot be read: {answer.status_code}", grant)
