"""How models and environments are named."""

import pytest

from models.provisioning.names import asset_id, latest_of, reference

ARM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
CURATED = "azureml://registries/azureml/environments/sklearn-1.5/versions/24"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("azureml:diabetes:1", "diabetes:1"),
        (f"{ARM}/models/diabetes/versions/12", "diabetes:12"),
        (f"azureml:{ARM}/environments/some-env/versions/2", "some-env:2"),
        (CURATED, CURATED),
        ("diabetes", None),
        ("diabetes@latest", None),
        (None, None),
    ],
)
def test_a_version_is_known_by_its_short_and_its_long_name(text: str | None, expected: str | None) -> None:
    assert reference(text) == expected


def test_the_latest_is_asked_for_by_name() -> None:
    assert latest_of("diabetes@latest") == latest_of("azureml:diabetes@latest") == "diabetes"
    assert latest_of("diabetes:1") is None


def test_the_client_gets_short_names_with_their_prefix_and_others_as_they_are() -> None:
    assert asset_id("diabetes:1") == "azureml:diabetes:1"
    assert asset_id(CURATED) == CURATED
    assert asset_id(None) is None
