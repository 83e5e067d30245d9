"""How the outside is reached: as the environment says, which is not asked at every call."""

import pytest

from shared import clients
from shared.blob_io import SLICE, in_slices

SAID = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", *clients.CA_BUNDLES)


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SAID:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_an_environment_that_says_nothing_is_not_asked_again() -> None:
    assert clients.blob_options()["use_env_settings"] is False
    assert clients.one_try()["use_env_settings"] is False


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_proxy_or_a_bundle_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert clients.blob_options()["use_env_settings"] is True
    assert clients.one_try()["use_env_settings"] is True


def test_one_item_is_worked_on_where_it_is_and_several_keep_their_order() -> None:
    assert clients.in_parallel(lambda item: -item, iter([])) == []
    assert clients.in_parallel(lambda item: -item, iter([1])) == [-1]
    assert clients.in_parallel(lambda item: -item, iter(range(20))) == [-item for item in range(20)]


@pytest.mark.parametrize("sizes", [[], [0], [1, SLICE, SLICE + 1], [3 * SLICE]])
def test_slices_are_the_same_bytes_in_pieces_of_bounded_size(sizes: list[int]) -> None:
    chunks = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    slices = list(in_slices(chunks))
    assert b"".join(slices) == b"".join(chunks)
    assert max(map(len, slices), default=0) <= SLICE
