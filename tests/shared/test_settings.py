"""Settings: read once, every problem reported together."""

from datetime import timedelta

import pytest

from shared.errors import SettingsError
from shared.settings import DEFAULTS, Settings, inbox_events, trusted_url

ENOUGH = {"DROPSCORE_STORAGE": "UseDevelopmentStorage=true", "DROPSCORE_INBOX": "inbox"}
SECRET = "whsec_" + "MDAw" * 8
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


def problems(environment: dict[str, str]) -> list[str]:
    """The lines of the refusal, without its heading."""
    with pytest.raises(SettingsError) as refusal:
        Settings.from_env(environment)
    heading, *lines = str(refusal.value).splitlines()
    assert heading == "The app's settings are not usable:"
    return [line.removeprefix("  ") for line in lines]


def test_a_storage_connection_and_an_inbox_are_enough() -> None:
    settings = Settings.from_env(ENOUGH)
    assert (settings.inbox, settings.predictions, settings.ledger) == ("inbox", "predictions", "ledger")
    assert settings.settle_after == timedelta(seconds=60)
    assert settings.search_window == timedelta(minutes=10)
    assert (settings.poll_at_least, settings.poll_at_most) == (timedelta(seconds=1), timedelta(seconds=30))
    assert settings.scoring_audience == "https://ml.azure.com"


@pytest.mark.parametrize("key", DEFAULTS)
def test_an_empty_setting_counts_as_left_out(key: str) -> None:
    assert Settings.from_env({**ENOUGH, key: "  "}) == Settings.from_env(ENOUGH)


def test_the_identity_needs_the_address_of_the_account_and_may_have_a_client_id() -> None:
    by_identity = {
        "DROPSCORE_STORAGE__blobServiceUri": "https://a.blob.core.windows.net",
        "DROPSCORE_STORAGE__clientId": "its own",
        "AZURE_CLIENT_ID": "the app's",
        "DROPSCORE_INBOX": "drop",
    }
    settings = Settings.from_env(by_identity)
    assert settings.storage_uri == "https://a.blob.core.windows.net"
    assert (settings.storage_client_id, settings.inbox) == ("its own", "drop")
    del by_identity["DROPSCORE_STORAGE__clientId"]
    assert Settings.from_env(by_identity).storage_client_id == "the app's"


def test_all_problems_are_reported_together_each_with_its_key() -> None:
    found = problems(
        {
            "DROPSCORE_WORKSPACE": "my-workspace",
            "DROPSCORE_ARM_URL": "http://management.azure.com",
            "DROPSCORE_ARM_AUDIENCE": "management",
            "DROPSCORE_SCORING_AUDIENCE": "ftp://ml.azure.com",
            "DROPSCORE_SETTLE_AFTER": "soon",
            "DROPSCORE_EMPTY_AFTER": "later",
            "DROPSCORE_BLOB_SOURCE": "poling",
            "DROPSCORE_ARCHIVE": "work",
            "DROPSCORE_SEARCH_WINDOW": "10",
            "DROPSCORE_POLL_AT_LEAST": "-1s",
            "DROPSCORE_POLL_AT_MOST": "1 hour",
        }
    )
    assert [problem.split(":")[0] for problem in found] == [
        "DROPSCORE_STORAGE",
        "DROPSCORE_BLOB_SOURCE",
        "DROPSCORE_WORKSPACE",
        "DROPSCORE_ARM_URL",
        "DROPSCORE_ARM_AUDIENCE",
        "DROPSCORE_SCORING_AUDIENCE",
        "DROPSCORE_SETTLE_AFTER",
        "DROPSCORE_EMPTY_AFTER",
        "DROPSCORE_SEARCH_WINDOW",
        "DROPSCORE_POLL_AT_LEAST",
        "DROPSCORE_POLL_AT_MOST",
        "DROPSCORE_INBOX",
        "DROPSCORE_WORK",
    ]


def test_a_connection_string_beside_an_address_is_a_problem() -> None:
    both = {**ENOUGH, "DROPSCORE_STORAGE__blobServiceUri": "https://a.blob.core.windows.net"}
    assert problems(both) == [
        "DROPSCORE_STORAGE and DROPSCORE_STORAGE__blobServiceUri are both set: keep one of them"
    ]


def test_no_problem_shows_the_connection_string() -> None:
    secret = {"DROPSCORE_STORAGE": "AccountKey=secret", "DROPSCORE_STORAGE__blobServiceUri": "https://a"}
    assert "secret" not in "\n".join(problems(secret))


def test_two_webhook_secrets_may_stand_beside_each_other_and_are_not_shown() -> None:
    settings = Settings.from_env({**ENOUGH, "DROPSCORE_WEBHOOK_SECRET": f"{SECRET} {SECRET}"})
    assert settings.webhook_secrets == (b"0" * 24, b"0" * 24)
    assert "0000" not in repr(settings)


@pytest.mark.parametrize(
    "secret", ["whsec_c2hvcnQ=", "MDAw" * 8, f"{SECRET} whsec_no-base64!", f"{SECRET}{'MDAw' * 20}"]
)
def test_a_webhook_secret_of_another_form_is_a_problem_that_does_not_show_it(secret: str) -> None:
    [problem] = problems({**ENOUGH, "DROPSCORE_WEBHOOK_SECRET": secret})
    assert problem.startswith("DROPSCORE_WEBHOOK_SECRET: write whsec_ and 24 to 64 random bytes in base64")
    assert "MDAw" not in problem


def test_the_status_has_a_container_of_its_own_or_none() -> None:
    assert Settings.from_env(ENOUGH).status == ""
    assert problems({**ENOUGH, "DROPSCORE_STATUS": "inbox"}) == [
        "DROPSCORE_STATUS: must not be the container of DROPSCORE_INBOX"
    ]


def test_slashes_at_the_end_of_addresses_and_the_workspace_do_not_count() -> None:
    settings = Settings.from_env(
        {**ENOUGH, "DROPSCORE_WORKSPACE": f"{WORKSPACE}/", "DROPSCORE_ARM_URL": "https://arm.example/"}
    )
    assert (settings.workspace, settings.arm_url) == (WORKSPACE, "https://arm.example")


@pytest.mark.parametrize("workspace", [WORKSPACE, WORKSPACE.lower()])
def test_a_workspace_is_a_resource_id_whatever_its_case(workspace: str) -> None:
    assert Settings.from_env({**ENOUGH, "DROPSCORE_WORKSPACE": workspace}).workspace == workspace


@pytest.mark.parametrize("workspace", ["/subscriptions/s", f"{WORKSPACE}/jobs/j"])
def test_a_workspace_is_a_whole_resource_id(workspace: str) -> None:
    assert problems({**ENOUGH, "DROPSCORE_WORKSPACE": workspace})[0].startswith("DROPSCORE_WORKSPACE: ")


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("https://ml.azure.com", True),
        ("http://127.0.0.1:8080/x", True),
        ("http://localhost", True),
        ("http://[::1]:1", True),
        ("http://ml.azure.com", False),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
        ("http://127.0.0.1@evil.example", False),
        ("https://", False),
        ("ml.azure.com", False),
        ("", False),
    ],
)
def test_plain_http_is_trusted_only_on_this_machine(address: str, trusted: bool) -> None:
    assert trusted_url(address) is trusted


def test_an_address_that_cannot_be_parsed_is_a_problem_like_any_other() -> None:
    assert problems({**ENOUGH, "DROPSCORE_ARM_URL": "https://[arm"})[0].startswith("DROPSCORE_ARM_URL: ")


@pytest.mark.parametrize(
    ("environment", "events"),
    [
        ({}, True),
        ({"DROPSCORE_BLOB_SOURCE": "eventgrid"}, True),
        ({"DROPSCORE_BLOB_SOURCE": "Polling "}, False),
        ({"DROPSCORE_BLOB_SOURCE": "polling"}, False),
    ],
)
def test_event_grid_announces_blobs_unless_polling_is_asked_for(
    environment: dict[str, str], events: bool
) -> None:
    assert inbox_events(environment) is events
