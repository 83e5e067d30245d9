"""The one primitive of the ledger: documents with conditional writes, in memory and on Azurite."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.exceptions import ResourceExistsError

from shared.store import BlobStore, Store


def test_nothing_stands_under_a_new_key(store: Store) -> None:
    assert store.read("a.json") is None
    assert store.read_lines("a.jsonl") is None
    assert list(store.listed("")) == []
    store.delete("a.json")


def test_a_document_is_created_once(store: Store) -> None:
    etag = store.create("a.json", {"text": "日本", "number": 1.5, "nothing": None})
    assert not store.create("a.json", {"text": "other"})
    found = store.read("a.json")
    assert found is not None
    assert found[1] == etag
    assert found[0] == {"text": "日本", "number": 1.5, "nothing": None}


class Refusing:
    """A container that answers 409 for another reason."""

    def get_blob_client(self, _: str) -> "Refusing":
        return self

    def upload_blob(self, *_: object, **__: object) -> None:
        problem = ResourceExistsError("being deleted")
        problem.error_code = "ContainerBeingDeleted"  # type: ignore[attr-defined]
        raise problem


def test_a_conflict_of_another_kind_does_not_count_as_something_that_is_there() -> None:
    store = BlobStore(Refusing())  # type: ignore[arg-type]
    with pytest.raises(ResourceExistsError):
        store.create("a.json", {})
    with pytest.raises(ResourceExistsError):
        store.create_lines("a.jsonl", [])


def test_a_document_is_replaced_only_under_its_etag(store: Store) -> None:
    store.create("a.json", {"n": 1})
    _, first = store.read("a.json") or ({}, "")
    written = store.replace("a.json", {"n": 2}, first)
    assert not store.replace("a.json", {"n": 3}, first)
    found, second = store.read("a.json") or ({}, "")
    assert found == {"n": 2}
    assert second == written != first


def test_the_same_content_written_again_has_another_etag(store: Store) -> None:
    store.create("a.json", {"n": 1})
    _, first = store.read("a.json") or ({}, "")
    store.replace("a.json", {"n": 1}, first)
    assert not store.replace("a.json", {"n": 1}, first)


def test_what_was_deleted_cannot_be_replaced_but_created_again(store: Store) -> None:
    store.create("a.json", {})
    _, etag = store.read("a.json") or ({}, "")
    store.delete("a.json")
    assert not store.replace("a.json", {}, etag)
    assert store.create("a.json", {})


def test_lines_are_created_once_and_may_be_none(store: Store) -> None:
    lines = [{"a": "line\nbreak"}, {"b": "\u2028 and \x85"}]
    assert store.create_lines("a.jsonl", lines)
    assert not store.create_lines("a.jsonl", [])
    assert store.read_lines("a.jsonl") == lines
    assert store.create_lines("none.jsonl", [])
    assert store.read_lines("none.jsonl") == []


def test_a_listing_shows_a_prefix_with_metadata(store: Store) -> None:
    store.create("a/1", {}, {"size": "7", "blob": "x%20y"})
    store.create("a/2", {})
    store.create("ab/3", {})
    listed = list(store.listed("a/"))
    assert [(item.key, item.metadata) for item in listed] == [
        ("a/1", {"size": "7", "blob": "x%20y"}),
        ("a/2", {}),
    ]
    assert all(item.created.endswith("Z") for item in listed)


def test_of_many_who_create_or_replace_at_once_one_wins(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda n: bool(store.create("a.json", {"n": n})), range(8))) == 1
        _, etag = store.read("a.json") or ({}, "")
        assert sum(pool.map(lambda n: bool(store.replace("a.json", {"n": n}, etag)), range(8))) == 1
