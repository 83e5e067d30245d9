"""host.json and azure.yaml hold only keys that their readers know, of the right kind.

The public schemas are not copied here; this says what they, and the documentation, say of the keys that we use:
azure.yaml by schemas/v1.0/azure.yaml.json of Azure/azure-dev (at ae35809f); host.json by the reference of host.json and
of Durable Functions. SchemaStore's host.json schema (0345caa3) lags behind those: it knows no `telemetryMode`, no
`defaultVersion`, and of `storageProvider` no `type`.
"""

import json
import re
from typing import Any

import yaml

from local.stack import ROOT

Form = dict[str, Any]
SPAN = re.compile(r"\d\d:\d\d:\d\d")
TEXT, NUMBER, FLAG = re.compile(r".+"), int, bool

HOST: Form = {
    "version": re.compile(r"2\.0"),
    "telemetryMode": re.compile("OpenTelemetry"),
    "functionTimeout": SPAN,
    "extensionBundle": {
        "id": re.compile(r"Microsoft\.Azure\.Functions\.ExtensionBundle"),
        "version": re.compile(r"\[4\.[\d.*]+, 5\.0\.0\)"),
    },
    "logging": {
        "logLevel": {
            name: re.compile("Information|Warning")
            for name in ("default", "DurableTask.Core", "DurableTask.AzureStorage")
        }
    },
    "extensions": {
        "durableTask": {
            "hubName": re.compile(r"%\w+%"),
            "defaultVersion": re.compile(r"\d+\.\d+"),
            "versionMatchStrategy": re.compile("None|Strict|CurrentOrOlder"),
            "versionFailureStrategy": re.compile("Reject|Fail"),
            "storageProvider": {
                "type": re.compile("AzureStorage"),
                "connectionName": re.compile("AzureWebJobsStorage"),
                "partitionCount": NUMBER,
                "maxQueuePollingInterval": SPAN,
                "useTablePartitionManagement": FLAG,
            },
            "maxConcurrentActivityFunctions": NUMBER,
            "maxConcurrentOrchestratorFunctions": NUMBER,
            "storeInputsInOrchestrationHistory": FLAG,
        }
    },
}
HOOK: Form = {"shell": re.compile("sh|pwsh"), "run": TEXT}
HOOKS = ("postprovision", "postdeploy")
AZURE: Form = {
    "name": re.compile(r"[a-z0-9][a-z0-9-]*"),
    "metadata": {"template": re.compile(r"[a-z-]+@\d+\.\d+\.\d+")},
    "requiredVersions": {"azd": re.compile(r">= \d+\.\d+\.\d+")},
    "infra": {"provider": re.compile("bicep"), "path": TEXT},
    "services": {
        "scorer": {"project": TEXT, "language": re.compile("python"), "host": re.compile("function")}
    },
    "hooks": {name: {"posix": HOOK, "windows": HOOK} for name in HOOKS},
}


def misfits(found: Any, form: Any, where: str = "") -> list[str]:
    """Every place where a document is not of its form."""
    if isinstance(form, dict):
        faults = [f"{where}/{key} is unknown" for key in found if key not in form]
        for key in found.keys() & form.keys():
            faults += misfits(found[key], form[key], f"{where}/{key}")
        return faults
    fits = type(found) is form if isinstance(form, type) else isinstance(found, str) and form.fullmatch(found)
    return [] if fits else [f"{where}: {found!r}"]


def host() -> Any:
    return json.loads((ROOT / "host.json").read_text("utf-8"))


def test_host_json_is_of_its_form() -> None:
    assert misfits(host(), HOST) == []


def test_azure_yaml_is_of_its_form() -> None:
    assert misfits(yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8")), AZURE) == []


def test_azd_is_new_enough() -> None:
    """Older ones delete groups that are not ours, upload what .funcignore names, or compile `.?` to what fails."""
    said = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))["requiredVersions"]["azd"]
    assert tuple(map(int, said.removeprefix(">= ").split("."))) >= (1, 24, 1)


def test_a_misfit_is_found() -> None:
    spoilt = host() | {"functionTimeOut": "00:10:00", "functionTimeout": 600}
    assert misfits(spoilt, HOST) == ["/functionTimeOut is unknown", "/functionTimeout: 600"]


def test_durable_functions_looks_often_enough_and_does_not_do_everything_at_once() -> None:
    durable = host()["extensions"]["durableTask"]
    assert durable["storageProvider"]["maxQueuePollingInterval"] <= "00:00:10"
    assert 2 <= durable["maxConcurrentActivityFunctions"] <= 4


def test_telemetry_has_one_way_out() -> None:
    """With OpenTelemetry the classic pipeline's sampling means nothing."""
    assert host()["telemetryMode"] == "OpenTelemetry"
    assert "applicationInsights" not in host()["logging"]
