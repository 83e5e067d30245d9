"""The templates, by our own rules: they parse, hold no keys, say every role, and nothing in them is idle.

The modules' parameters were copied from the pinned tags; no compiler has seen the templates.
"""

import json
import re
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from shared.durations import parse_duration
from shared.settings import DEFAULTS
from tests.infra.bicep import INFRA, declared, nodes, parsed, templates, text_of, used_names
from triggers import blobs

PINNED = re.compile(r"br/public:avm/(res|ptn)/[a-z0-9/-]+:\d+\.\d+\.\d+")
MAIN = INFRA / "main.bicep"


def modules() -> list[tuple[Path, str, Any]]:
    """Every use of a module: its template, what it is a module of, and its value."""
    return [
        (path, one.target, one.value) for path in templates() for one in declared(path, "module").values()
    ]


def of_registry(name: str) -> list[Any]:
    """The parameters of every use of one registry module."""
    return [
        value["params"] for _, target, value in modules() if target.startswith(f"br/public:avm/res/{name}:")
    ]


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.name)
def test_a_template_parses(path: Path) -> None:
    assert [node for node in nodes(parsed(path)) if node.type == "ERROR" or node.is_missing] == []


def test_every_module_is_pinned_or_ours() -> None:
    for path, target, _ in modules():
        assert PINNED.fullmatch(target) or (path.parent / target).exists(), target


def test_one_registry_module_has_one_version() -> None:
    used = {target for _, target, _ in modules() if target.startswith("br/")}
    assert len({target.rsplit(":", 1)[0] for target in used}) == len(used)


def test_no_deployment_bears_the_name_of_another_in_its_group() -> None:
    """A module of the name of the one that it is in waits for itself: DeploymentActive (Azure/bicep#10816)."""
    named = [value["name"] for _, _, value in modules()]
    assert len(named) == len(set(named))


def test_every_template_is_used() -> None:
    ours = {target for _, target, _ in modules()}
    assert {path.name for path in templates()} - ours == {"main.bicep", "events.bicep"}


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.name)
def test_nothing_is_declared_for_nothing(path: Path) -> None:
    used = used_names(path)
    idle = [name for kind in ("parameter", "variable") for name in declared(path, kind) if name not in used]
    assert idle == []


def test_a_module_gets_exactly_its_parameters() -> None:
    for path, target, value in modules():
        if target.startswith("br/"):
            continue
        wanted = declared(path.parent / target, "parameter")
        assert set(value["params"]) == set(wanted), f"{path.name}: {target}"


def test_every_output_of_a_module_of_ours_is_read() -> None:
    texts = {path: path.read_text("utf-8") for path in templates()}
    for path in templates():
        if path == MAIN:
            continue
        users = [
            (text, name)
            for user, text in texts.items()
            for name, one in declared(user, "module").items()
            if one.target == path.name
        ]
        for output in declared(path, "output"):
            read = [re.search(rf"\b{name}\.\??outputs\.\??{output}\b", text) for text, name in users]
            assert any(read), f"{path.name}: {output}"


def test_a_read_output_exists() -> None:
    for path in templates():
        for name, one in declared(path, "module").items():
            read = set(re.findall(rf"\b{name}\.\??outputs\.\??(\w+)", path.read_text("utf-8")))
            if not one.target.startswith("br/"):
                assert read <= set(declared(path.parent / one.target, "output")), f"{path.name}: {name}"


def test_main_gets_its_parameters_from_the_environment() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text("utf-8"))["parameters"]
    assert set(given) == set(declared(MAIN, "parameter"))
    for name, parameter in given.items():
        said = re.fullmatch(r"\$\{[A-Z_]+(?:=(.+))?\}", parameter["value"])
        assert said, name
        value = declared(MAIN, "parameter")[name].value
        usual = str(value).lower() if isinstance(value, bool) else str(value)
        # What azd finds no value for, it leaves to the template.
        assert said[1] in (None, usual), name


def test_storage_knows_no_keys_no_anonymous_readers_and_no_old_tls() -> None:
    accounts = of_registry("storage/storage-account")
    assert len(accounts) == 2
    for account in accounts:
        assert account["allowSharedKeyAccess"] is False
        assert account["allowBlobPublicAccess"] is False
        assert account["minimumTlsVersion"] == "TLS1_2"
    [container] = [account["blobServices"]["containers"] for account in accounts if "blobServices" in account]
    assert container["publicAccess"] == "None"


def test_what_was_deleted_can_be_brought_back() -> None:
    [ours] = [account for account in of_registry("storage/storage-account") if "blobServices" in account]
    assert ours["blobServices"]["deleteRetentionPolicyEnabled"] is True
    assert ours["blobServices"]["containerDeleteRetentionPolicyEnabled"] is True


def test_nothing_is_let_in_by_a_key() -> None:
    for name in ("insights/component", "machine-learning-services/workspace"):
        assert len(of_registry(name)) == 1
    assert of_registry("insights/component")[0]["disableLocalAuth"] is True
    assert of_registry("operational-insights/workspace")[0]["features"]["disableLocalAuth"] is True
    [workspace] = of_registry("machine-learning-services/workspace")
    assert workspace["systemDatastoresAuthMode"] == "Identity"
    assert workspace["datastores"][0]["properties"]["credentials"] == {"credentialsType": "None"}
    assert workspace["computes"][0]["disableLocalAuth"] is True
    sources = "".join(path.read_text("utf-8") for path in templates())
    # The one key there is, that of the blob extension, is read where it is used.
    assert re.findall(r"listKeys\([^)]*\)[.\w]*|AccountKey|primaryAccessKey", sources) == [
        "listKeys('${app.id}/host/default', '2024-04-01').systemKeys.blobs_extension"
    ]


def test_everybody_has_an_identity() -> None:
    [site] = of_registry("web/site")
    assert site["managedIdentities"]["userAssignedResourceIds"] == ["identityId"]
    deployment = site["functionAppConfig"]["deployment"]["storage"]["authentication"]
    assert deployment["type"] == "UserAssignedIdentity"
    [topic] = of_registry("event-grid/system-topic")
    assert topic["managedIdentities"] == {"systemAssigned": True}
    [workspace] = of_registry("machine-learning-services/workspace")
    assert workspace["managedIdentities"] == {"systemAssigned": True}
    assert "managedIdentities" in workspace["computes"][0]


def test_the_app_runs_on_flex_consumption_with_one_durable_instance_ready() -> None:
    assert of_registry("web/serverfarm")[0]["skuName"] == "FC1"
    config = of_registry("web/site")[0]["functionAppConfig"]
    assert config["runtime"] == {"name": "python", "version": "3.13"}
    assert config["scaleAndConcurrency"]["alwaysReady"] == [{"name": "durable", "instanceCount": 1}]
    # Flex Consumption knows little else; `alwaysOn` is here because the module would say true.
    assert of_registry("web/site")[0]["siteConfig"] == {"alwaysOn": False, "minTlsVersion": "1.2"}


def test_the_cluster_is_told_all_that_its_module_wants_and_may_share_out_its_work() -> None:
    """`sku` is optional to the module, and empty to Azure then; a parallel run takes queues and tables."""
    [workspace] = of_registry("machine-learning-services/workspace")
    assert workspace["computes"][0]["sku"] == "Basic"
    may = {
        grant["may"]
        for grant in grants()
        if (grant["who"], grant["on"]) == ("clusterPrincipal", "workspaceStorageId")
    }
    assert may == {"blobContributor", "queueContributor", "tableContributor"}


def test_nothing_is_granted_that_azure_ml_grants_itself() -> None:
    """A second assignment of the same role to the workspace's own identity ends a deployment: RoleAssignmentExists."""
    assert not [grant for grant in grants() if "workspace" in grant["who"].lower()]


def grants() -> list[dict[str, str]]:
    named = declared(MAIN, "variable")
    return list(chain.from_iterable(one.value for name, one in named.items() if name.startswith("grants")))


def test_roles_are_given_in_one_place_each_used_and_each_known() -> None:
    for path in templates():
        assert "roleAssignments" not in path.read_text("utf-8"), path.name
    roles = declared(INFRA / "roles.bicep", "variable")["roleIds"].value
    assert {grant["may"] for grant in grants()} == set(roles)
    assert all(re.fullmatch(r"[0-9a-f-]{36}", role) for name, role in roles.items() if name != "invoker")


def test_every_list_of_grants_is_handed_on() -> None:
    [handed] = [one.value["params"]["grants"] for one in [declared(MAIN, "module")["roles"]]]
    lists = [name for name in declared(MAIN, "variable") if name.startswith("grants")]
    assert [name for name in lists if not re.search(rf"\b{name}\b", handed)] == []


def test_nobody_gets_a_role_on_a_whole_group() -> None:
    assert [grant for grant in grants() if "group" in grant["on"] or "subscription" in grant["on"]] == []


def test_only_the_app_owns_blobs_and_the_deployer_never_writes_predictions() -> None:
    owners = {(grant["who"], grant["on"]) for grant in grants() if grant["may"] == "blobOwner"}
    assert owners == {("appPrincipal", "storage.outputs.id")}
    writes = [
        grant["on"] for grant in grants() if grant["who"] == "principalId" and grant["may"] != "blobReader"
    ]
    assert sorted(writes) == [
        "'${containerIds}/${containers.config}'",
        "'${containerIds}/${containers.inbox}'",
        "workspaceStorageId",
    ]


def test_the_invoker_can_change_no_endpoint_and_read_no_account_key() -> None:
    actions = [
        action
        for name in ("invoke", "watch")
        for action in declared(INFRA / "invoker.bicep", "variable")[name].value
    ]
    assert len(actions) == len(set(actions))
    assert not [action for action in actions if "*" in action or "delete" in action]
    left_out = {
        *("batchEndpoints/write", "batchEndpoints/deployments/write", "datastores/write"),
        *("listStorageAccountKeys/action", "computes/listKeys/action"),
        *("environments/write", "environments/build/action"),
    }
    assert not left_out & set(actions)
    told = (INFRA.parent / "docs/security.md").read_text("utf-8")
    assert [action for action in left_out if f"`{action}`" not in told] == []
    assert {"jobs/read", "jobs/cancel/action", "batchEndpoints/jobs/write", "datastores/read"} <= set(actions)


def test_every_container_is_made_and_what_fills_up_is_emptied() -> None:
    [handed] = [one.value["params"] for one in [declared(MAIN, "module")["storage"]]]
    assert handed["containers"] == (
        "concat(map(items(containers), item => item.value), [packages, deadLetters, rawPredictions])"
    )
    emptied = {rule["container"]: rule["days"] for rule in handed["retention"]}
    assert emptied["containers.work"] == emptied["rawPredictions"] == "backstopDays"
    assert {"containers.archive", "containers.rejected", "containers.predictions"} <= set(emptied)
    assert not {"containers.inbox", "containers.ledger", "containers.config"} & set(emptied)


def test_the_backstop_comes_after_the_ledger_has_forgotten() -> None:
    days = declared(MAIN, "variable")["backstopDays"].value
    assert days > parse_duration(DEFAULTS["DROPSCORE_KEEP"]).days


def test_only_finished_writes_into_the_inbox_are_announced() -> None:
    properties = declared(INFRA / "events.bicep", "resource")["dropped"].value["properties"]
    filters = properties["filter"]
    assert filters["includedEventTypes"] == ["Microsoft.Storage.BlobCreated"]
    assert filters["subjectBeginsWith"] == "'/blobServices/default/containers/${inbox}/blobs/'"
    by_key = {one["key"]: one for one in filters["advancedFilters"]}
    assert by_key["data.api"]["values"] == [
        "PutBlob",
        "PutBlockList",
        "CopyBlob",
        "FlushWithClose",
        "SftpCommit",
    ]
    assert (by_key["data.contentLength"]["operatorType"], by_key["data.contentLength"]["value"]) == (
        "NumberGreaterThan",
        0,
    )
    dead_letters = properties["deadLetterWithResourceIdentity"]
    assert dead_letters["identity"] == {"type": "SystemAssigned"}
    assert dead_letters["deadLetterDestination"]["properties"]["blobContainerName"] == "deadLetters"


def test_events_go_to_the_function_that_takes_them() -> None:
    webhook = declared(INFRA / "events.bicep", "variable")["webhook"].value
    assert webhook.endswith(f"functionName=Host.Functions.{blobs.blob_dropped._function.get_function_name()}")


def test_comments_are_the_only_prose() -> None:
    """A template says what it is for in its first lines; main.bicep is its own list of parameters."""
    for path in templates():
        first = parsed(path).named_children[0]
        assert path == MAIN or text_of(first).startswith("//"), path.name
