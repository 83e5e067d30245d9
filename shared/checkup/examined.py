"""The whole checkup, in rounds: what others rest on comes first, what has nothing to do with each other at once."""

import time
from functools import partial
from typing import Any

from shared import clients
from shared.checkup.app import (
    check_heartbeat,
    check_notices,
    check_owner,
    check_routes,
    check_versions,
    versions,
)
from shared.checkup.commands import Home
from shared.checkup.endpoints import targets_of
from shared.checkup.events import check_events, check_given_up
from shared.checkup.findings import Check, Examination, Finding, at_once
from shared.checkup.storage import Beside, check_account, check_container, check_namespace
from shared.checkup.surroundings import Surroundings
from shared.checkup.workspaces import check_token, check_workspace, short
from shared.errors import SettingsError
from shared.records import timestamp
from shared.routes import Routes

BESIDE: dict[str, Beside] = {"inbox": check_events, "work": check_namespace}


def examined() -> dict[str, Any]:
    """Every finding, what runs here, and the word for all: `ok`, or `failing` where a check has failed."""
    begun, home = time.monotonic(), Home.here()
    findings = everything(home)
    failing = any(one.state == "failed" for one in findings)
    return {
        "status": "failing" if failing else "ok",
        "checked_at": timestamp(clients.now()),
        "seconds": round(time.monotonic() - begun, 1),
        "versions": versions(home),
        "checks": [one.to_dict() for one in findings],
    }


def everything(home: Home) -> list[Finding]:
    check = Check("settings")
    try:
        settings = clients.settings()
    except SettingsError as problem:
        lines = [line.strip() for line in str(problem).splitlines()[1:]]
        return [check.failed("; ".join(lines), home.setting("KEY=VALUE")), *check_versions(home)]
    with Surroundings(settings, home) as around:
        first = at_once(
            [
                Examination(Check("storage", around.account), partial(check_account, around)),
                *(
                    Examination(Check("token", one), partial(check_token, around, one, setting))
                    for one, setting in audiences(around).items()
                ),
            ]
        )
        reachable = first[0].state == "ok"
        rest = with_storage(around) if reachable else without_storage(around)
        return [check.ok("they can be used"), *check_versions(home), *first, *rest]


def audiences(around: Surroundings) -> dict[str, str]:
    """Both, each with the setting that names it; once where they are the same."""
    settings = around.settings
    return {
        settings.arm_audience: "DROPSCORE_ARM_AUDIENCE",
        settings.scoring_audience: "DROPSCORE_SCORING_AUDIENCE",
    }


def with_storage(around: Surroundings) -> list[Finding]:
    held: list[Routes] = []

    def look_at_routes() -> list[Finding]:
        routes, findings = check_routes()
        held.append(routes)
        return [*findings, *check_notices(routes, around)]

    told = at_once([Examination(Check("routes"), look_at_routes)])
    ledger = clients.anybodys_ledger(around.storage)
    containers = [
        Examination(Check("container", role), partial(check_container, around, role, BESIDE.get(role)))
        for role in around.roles
    ]
    own = [
        Examination(Check("owner"), partial(check_owner, ledger, around)),
        Examination(Check("heartbeat"), partial(check_heartbeat, ledger, around)),
        Examination(Check("given-up-events"), partial(check_given_up, around)),
    ]
    routes = held[0] if held else Routes(())
    return [*told, *at_once([*own, *containers, *workspaces(around, routes)])]


def without_storage(around: Surroundings) -> list[Finding]:
    """What rests on storage is named and skipped; of Azure ML, the workspace is looked at all the same."""
    names = [Check("routes"), Check("owner"), Check("heartbeat"), Check("given-up-events")]
    names += [Check("container", role) for role in around.roles]
    names += [Check("events"), Check("namespace", around.account)]
    skipped = [check.skipped(f"the storage account {around.account} cannot be used") for check in names]
    return [*skipped, *at_once(workspaces(around, Routes(())))]


def workspaces(around: Surroundings, routes: Routes) -> list[Examination]:
    """One examination for each workspace, the usual one first, with the routes that lead there."""
    targets = targets_of(routes.routes, around.settings.workspace)
    found = dict.fromkeys([around.settings.workspace, *(target.workspace for target in targets)])
    return [
        Examination(
            Check("workspace", short(one)),
            partial(check_workspace, around, one, [target for target in targets if target.workspace == one]),
        )
        for one in found
    ]
