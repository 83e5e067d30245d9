"""The account in memory keeps Azure's rules: where Azurite keeps them too, the same assertions hold on both."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobBlock, BlobServiceClient

from shared.names import bare_etag
from tests.simulation.storage import METADATA_LIMIT, Account, Disk

NEVER = '"0x8DEADBEEF"'
MISSING = {"match_condition": MatchConditions.IfMissing}


@pytest.fixture(scope="module")
def azurite_account(azurite_connection: str) -> Iterator[BlobServiceClient]:
    with BlobServiceClient.from_connection_string(azurite_connection) as account:
        yield account


@pytest.fixture
def memory() -> Any:
    return Account(Disk(lambda: datetime.now(UTC)), page=2).get_container_client("c")


@pytest.fixture(params=["memory", "azurite"])
def container(request: pytest.FixtureRequest) -> Any:
    """An empty container: one in memory, one of Azurite."""
    if request.param == "memory":
        return request.getfixturevalue("memory")
    account: BlobServiceClient = request.getfixturevalue("azurite_account")
    return account.create_container(f"simulation-{secrets.token_hex(8)}")


def matching(etag: str) -> dict[str, Any]:
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def etag_of(container: Any, name: str) -> str:
    return str(container.get_blob_client(name).get_blob_properties().etag)


def read(container: Any, name: str) -> bytes:
    found: bytes = container.download_blob(name).readall()
    return found


def staged(container: Any, name: str, *pieces: bytes) -> list[BlobBlock]:
    blocks = [BlobBlock(f"{secrets.token_hex(4)}-{number}") for number in range(len(pieces))]
    for block, piece in zip(blocks, pieces, strict=True):
        container.get_blob_client(name).stage_block(block.id, piece)
    return blocks


def code_of(problem: pytest.ExceptionInfo[HttpResponseError]) -> str:
    return str(problem.value.error_code.value)  # type: ignore[attr-defined]


def test_a_blob_is_created_once(container: Any) -> None:
    container.upload_blob("a", b"first")
    with pytest.raises(ResourceExistsError):
        container.upload_blob("a", b"second")
    assert read(container, "a") == b"first"


def test_a_blob_is_replaced_only_over_the_etag_that_was_read(container: Any) -> None:
    container.upload_blob("a", b"first")
    etag = etag_of(container, "a")
    container.upload_blob("a", b"second", overwrite=True, **matching(etag))
    assert etag_of(container, "a") != etag
    with pytest.raises(ResourceModifiedError):
        container.upload_blob("a", b"third", overwrite=True, **matching(etag))
    assert read(container, "a") == b"second"


def test_a_condition_on_what_is_not_there_fails(container: Any) -> None:
    with pytest.raises(ResourceModifiedError):
        container.upload_blob("a", b"first", overwrite=True, **matching(NEVER))
    assert not container.get_blob_client("a").exists()


def test_without_overwrite_a_failed_condition_says_that_the_blob_exists(container: Any) -> None:
    container.upload_blob("a", b"first")
    with pytest.raises(ResourceExistsError):
        container.upload_blob("a", b"second", **matching(NEVER))


def test_metadata_comes_back_as_written_where_a_listing_asks_for_it(container: Any) -> None:
    container.upload_blob("a", b"", metadata={"Said_So": "x y"})
    assert container.get_blob_client("a").get_blob_properties().metadata == {"Said_So": "x y"}
    assert [blob.metadata for blob in container.list_blobs(include=["metadata"])] == [{"Said_So": "x y"}]
    assert [blob.metadata or {} for blob in container.list_blobs()] == [{}]


def test_listings_are_sorted_and_complete_and_show_bare_etags(container: Any) -> None:
    for name in ("b/2", "a/1", "b/1", "b/3", "c"):
        container.upload_blob(name, b"x")
    assert [blob.name for blob in container.list_blobs("b/")] == ["b/1", "b/2", "b/3"]
    assert list(container.list_blob_names(name_starts_with="b/")) == ["b/1", "b/2", "b/3"]
    [shown] = container.list_blobs("c")
    assert shown.etag == bare_etag(etag_of(container, "c"))
    assert (shown.size, shown.blob_type) == (1, "BlockBlob")
    assert shown.creation_time.microsecond == shown.last_modified.microsecond == 0


def test_staged_blocks_are_visible_only_once_they_are_committed(container: Any) -> None:
    blocks = staged(container, "a", b"one ", b"two")
    assert list(container.list_blobs()) == []
    assert not container.get_blob_client("a").exists()
    container.get_blob_client("a").commit_block_list(blocks, metadata={"k": "v"})
    assert read(container, "a") == b"one two"
    assert container.get_blob_client("a").get_blob_properties().metadata == {"k": "v"}


def test_a_commit_discards_what_others_have_staged_under_the_name(container: Any) -> None:
    mine, theirs = staged(container, "a", b"mine"), staged(container, "a", b"theirs")
    container.get_blob_client("a").commit_block_list(theirs)
    with pytest.raises(HttpResponseError) as problem:
        container.get_blob_client("a").commit_block_list(mine)
    assert code_of(problem) == "InvalidBlockList"
    assert read(container, "a") == b"theirs"


def test_a_conditional_commit_over_a_blob_fails(container: Any) -> None:
    container.upload_blob("a", b"first")
    blocks = staged(container, "a", b"second")
    with pytest.raises(ResourceExistsError):
        container.get_blob_client("a").commit_block_list(blocks, **MISSING)
    with pytest.raises(ResourceModifiedError):
        container.get_blob_client("a").commit_block_list(blocks, **matching(NEVER))
    container.get_blob_client("a").commit_block_list(blocks, **matching(etag_of(container, "a")))
    assert read(container, "a") == b"second"


def test_a_blob_is_read_under_its_etag(container: Any) -> None:
    container.upload_blob("a", b"first")
    blob, etag = container.get_blob_client("a"), etag_of(container, "a")
    assert blob.download_blob(**matching(etag)).readall() == b"first"
    with pytest.raises(ResourceModifiedError):
        blob.download_blob(etag=etag, match_condition=MatchConditions.IfModified)
    container.upload_blob("a", b"second", overwrite=True)
    with pytest.raises(ResourceModifiedError):
        blob.download_blob(**matching(etag))
    assert blob.download_blob(etag=etag, match_condition=MatchConditions.IfModified).readall() == b"second"


def test_a_stretch_of_a_blob_is_read(container: Any) -> None:
    container.upload_blob("a", b"0123456789")
    etag = etag_of(container, "a")
    assert b"".join(container.download_blob("a", 2, 3, **matching(etag)).chunks()) == b"234"
    assert container.download_blob("a", offset=8, length=9).readall() == b"89"


def test_what_is_not_there_cannot_be_read_nor_deleted(container: Any) -> None:
    blob = container.get_blob_client("a")
    for call in (blob.download_blob, blob.get_blob_properties, blob.delete_blob):
        with pytest.raises(ResourceNotFoundError):
            call()


def test_a_blob_is_deleted_only_under_its_etag(container: Any) -> None:
    container.upload_blob("a", b"first")
    etag = etag_of(container, "a")
    container.upload_blob("a", b"second", overwrite=True)
    blob = container.get_blob_client("a")
    with pytest.raises(ResourceModifiedError):
        blob.delete_blob(**matching(etag))
    blob.delete_blob(**matching(etag_of(container, "a")))
    assert not blob.exists()


def test_metadata_is_at_most_8_kib_of_ascii(memory: Any) -> None:
    memory.upload_blob("a", b"", metadata={"k": "v" * (METADATA_LIMIT - 1)})
    with pytest.raises(HttpResponseError) as problem:
        memory.upload_blob("b", b"", metadata={"k": "v" * METADATA_LIMIT})
    assert code_of(problem) == "MetadataTooLarge"
    with pytest.raises(UnicodeEncodeError):
        memory.upload_blob("b", b"", metadata={"k": "ü"})


def test_putting_a_blob_discards_staged_blocks(memory: Any) -> None:
    """Azurite keeps them."""
    blocks = staged(memory, "a", b"one")
    memory.upload_blob("a", b"other")
    with pytest.raises(HttpResponseError) as problem:
        memory.get_blob_client("a").commit_block_list(blocks)
    assert code_of(problem) == "InvalidBlockList"


def test_staged_blocks_do_not_make_a_name_taken(memory: Any) -> None:
    """On Azurite they do."""
    staged(memory, "a", b"one")
    memory.upload_blob("a", b"first")
    assert read(memory, "a") == b"first"


def test_a_blob_that_changes_while_it_is_read_is_not_read_on() -> None:
    account = Account(Disk(lambda: datetime.now(UTC)), chunks={"c": 2})
    container = account.get_container_client("c")
    container.upload_blob("a", b"abcd")
    pieces = container.download_blob("a").chunks()
    assert next(pieces) == b"ab"
    container.upload_blob("a", b"efgh", overwrite=True)
    with pytest.raises(ResourceModifiedError):
        next(pieces)
