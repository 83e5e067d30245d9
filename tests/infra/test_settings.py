"""The settings that the templates give the app are those that it reads, the one way and the other."""

import json
import re
from typing import Any

import pytest

from local.stack import ROOT
from shared.settings import CONTAINERS, DEFAULTS, STORAGE, Settings
from tests.infra.bicep import INFRA, declared

APP = INFRA / "app.bicep"
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
ROLES: dict[str, str] = declared(INFRA / "main.bicep", "variable")["containers"].value
ENDPOINTS = {name: f"https://stx.{name}.core.windows.net/" for name in ("blob", "queue", "table")}
# What stands for the names that app.bicep is given.
KNOWN: dict[str, str] = {
    **{f"storageEndpoints.{name}": address for name, address in ENDPOINTS.items()},
    **{f"containers.{role}": name for role, name in ROLES.items()},
    "clientId": "11111111-1111-1111-1111-111111111111",
    "workspaceId": WORKSPACE,
    "taskHub": declared(INFRA / "main.bicep", "variable")["taskHub"].value,
    "insightsConnection": "InstrumentationKey=k",
    "schedulerEndpoint": "https://dts.example",
    "durable": declared(APP, "variable")["durable"].value,
    "schedulerSetting": declared(APP, "variable")["schedulerSetting"].value,
}
# Read by others than the app's own code, and by whom.
OTHERS = {
    r"AzureWebJobsStorage__\w+": "the Functions host, and shared/settings.py for the hub's account",
    r"AzureFunctionsJobHost__\w+": "the Functions host, in place of host.json",
    r"DROPSCORE_STORAGE__(credential|queueServiceUri)": "the Functions host, for the blob trigger",
    r"DURABLE_TASK_SCHEDULER_CONNECTION_STRING": "Durable Functions, with the scheduler",
    r"AZURE_TOKEN_CREDENTIALS": "azure-identity",
    r"APPLICATIONINSIGHTS_(CONNECTION|AUTHENTICATION)_STRING": "the host, and azure-monitor-opentelemetry",
    r"PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "the Python worker",
    r"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "azure-monitor-opentelemetry",
}


def worked_out(given: Any, *, scheduler: bool) -> str:
    """A setting's value with stand-ins for names."""
    text = str(given)
    choice = re.fullmatch(r"useScheduler \? ('?\w+'?) : '(\w+)'", text)
    if choice:
        return worked_out(choice[1], scheduler=True) if scheduler else choice[2]
    if text in KNOWN:
        return KNOWN[text]
    return re.sub(r"\$\{([\w.]+)\}", lambda found: KNOWN[found[1]], text).strip("'")


def app_settings(*, scheduler: bool = False) -> dict[str, str]:
    """What app.bicep sets, as the app sees it."""
    variables = declared(APP, "variable")
    given = dict(variables["settings"].value)
    if scheduler:
        given |= variables["schedulerSettings"].value
    return {
        worked_out(key, scheduler=scheduler): worked_out(value, scheduler=scheduler)
        for key, value in given.items()
    }


@pytest.mark.parametrize("scheduler", [False, True])
def test_the_app_accepts_what_it_is_given(scheduler: bool) -> None:
    settings = Settings.from_env(app_settings(scheduler=scheduler))
    assert settings.storage_uri == ENDPOINTS["blob"]
    assert settings.storage_client_id == settings.client_id == KNOWN["clientId"]
    assert settings.workspace == WORKSPACE
    assert (settings.owner.hub, settings.owner.storage) == (KNOWN["taskHub"], "stx")


def test_every_setting_is_read_by_somebody() -> None:
    read = {
        STORAGE,
        f"{STORAGE}__blobServiceUri",
        f"{STORAGE}__clientId",
        "DROPSCORE_INBOX",
        "DROPSCORE_WORKSPACE",
    }
    read |= {"DROPSCORE_SWEEP_SCHEDULE", "TASKHUB_NAME", "AZURE_CLIENT_ID", *DEFAULTS}
    sources = "".join(
        path.read_text("utf-8") for path in [*ROOT.glob("shared/*.py"), *ROOT.glob("triggers/**/*.py")]
    )
    sources += (ROOT / "host.json").read_text("utf-8")
    for key in app_settings(scheduler=True):
        others = [who for form, who in OTHERS.items() if re.fullmatch(form, key)]
        assert (key in read) or others, key
        assert others or key.removeprefix(STORAGE) in sources or key in DEFAULTS, key


def test_every_setting_that_has_no_default_is_given() -> None:
    sources = "".join(path.read_text("utf-8") for path in ROOT.glob("triggers/**/*.py"))
    sources += (ROOT / "host.json").read_text("utf-8")
    wanted = set(re.findall(r"%(\w+)%", sources))
    assert wanted
    assert wanted <= set(app_settings())
    documented = re.findall(r"^\| `(\w+)` \| required", (ROOT / "docs/settings.md").read_text("utf-8"), re.M)
    assert set(documented) - {STORAGE} <= set(app_settings())


def test_every_container_of_the_app_is_named_and_made() -> None:
    assert set(ROLES) == {*CONTAINERS, "status"}
    assert {f"DROPSCORE_{role.upper()}" for role in ROLES} <= set(app_settings())


def test_durable_functions_finds_its_backend_in_place_of_host_json() -> None:
    prefix = "AzureFunctionsJobHost__extensions__durableTask__storageProvider"
    provider = json.loads((ROOT / "host.json").read_text("utf-8"))["extensions"]["durableTask"][
        "storageProvider"
    ]
    assert app_settings()[f"{prefix}__type"] == provider["type"] == "AzureStorage"
    assert app_settings()[f"{prefix}__connectionStringName"] == provider["connectionName"]
    other = app_settings(scheduler=True)
    assert other[f"{prefix}__type"] == "azureManaged"
    connection = other[other[f"{prefix}__connectionStringName"]]
    assert (
        connection
        == f"Endpoint=https://dts.example;Authentication=ManagedIdentity;ClientID={KNOWN['clientId']}"
    )


def test_every_output_of_a_deployment_is_asked_for() -> None:
    outputs = declared(INFRA / "main.bicep", "output")
    users = [*INFRA.glob("hooks/*.sh"), *(ROOT / ".github/workflows").glob("*.yml"), ROOT / "docs/deploy.md"]
    texts = "".join(path.read_text("utf-8") for path in users)
    assert [name for name in outputs if name not in texts] == []


def test_what_scripts_ask_for_is_an_output() -> None:
    outputs = {*declared(INFRA / "main.bicep", "output"), "AZURE_SUBSCRIPTION_ID"}  # azd's own
    for path in [*INFRA.glob("hooks/*"), *(ROOT / ".github/workflows").glob("*.yml")]:
        asked = re.findall(r"(?:setting|Get-Setting|get-value) ([A-Z_]+)", path.read_text("utf-8"))
        assert set(asked) <= outputs, path.name


def test_what_can_be_chosen_is_documented_with_its_default() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text("utf-8"))["parameters"].values()
    chosen = [re.fullmatch(r"\$\{([A-Z_]+)(?:=(.+))?\}", one["value"]) for one in given]
    told = (ROOT / "docs/deploy.md").read_text("utf-8")
    for key, usual in (found.groups() for found in chosen if found and not found[1].startswith("AZURE_")):
        [line] = [line for line in told.splitlines() if line.startswith("| ") and f"`{key}`" in line]
        assert usual is None or f"`{usual}`" in line, key
