"""Gzip archives: read as they come, never further than allowed, refused where they are not whole."""

import gzip
import random
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.csv_blocks import INFLATED_PIECE, inflated
from shared.errors import FileRejected

TEXT = b"id,age\n1,2\n" * 1000


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 200), st.integers(0, 9))
def test_every_member_is_read_wherever_chunks_end(members: list[bytes], size: int, padding: int) -> None:
    archive = b"".join(map(gzip.compress, members)) + bytes(padding)
    assert b"".join(inflated(chunks(archive, size), at_most=2000)) == b"".join(members)


def test_what_is_exactly_as_much_as_allowed_passes() -> None:
    assert b"".join(inflated([gzip.compress(TEXT)], at_most=len(TEXT))) == TEXT


@pytest.mark.parametrize("members", [1, 3])
def test_more_than_allowed_is_refused_as_soon_as_it_is_seen(members: int) -> None:
    archive = gzip.compress(bytes(20 * INFLATED_PIECE)) * members
    pieces: list[int] = []
    with pytest.raises(FileRejected, match=r"holds more than 3,000,000 bytes.*`max_size`"):
        pieces.extend(len(piece) for piece in inflated([archive], at_most=3_000_000))
    assert max(pieces) <= INFLATED_PIECE
    assert sum(pieces) <= 3_000_000


@pytest.mark.parametrize("kept", [1, 9, 10, 30, -8, -1])
def test_a_truncated_archive_is_refused(kept: int) -> None:
    archive = gzip.compress(TEXT)
    with pytest.raises(FileRejected, match="incomplete"):
        list(inflated(chunks(archive[:kept], 7), at_most=len(TEXT)))


def test_a_truncated_second_member_is_refused() -> None:
    archive = gzip.compress(TEXT) * 2
    with pytest.raises(FileRejected, match="incomplete"):
        list(inflated([archive[:-3]], at_most=3 * len(TEXT)))


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"", "The file is empty"), (zlib.compress(TEXT), "this is no gzip"), (TEXT, "this is no gzip")],
)
def test_what_is_no_archive_is_told_so(data: bytes, why: str) -> None:
    with pytest.raises(FileRejected, match=why):
        list(inflated(chunks(data, 1), at_most=len(TEXT)))


@pytest.mark.parametrize("damage", ["header", "checksum", "length", "after"])
def test_a_damaged_archive_is_refused(damage: str) -> None:
    whole = gzip.compress(TEXT)
    archive = {
        "header": whole[:2] + b"\xff" + whole[3:],
        "checksum": whole[:-8] + bytes(byte ^ 1 for byte in whole[-8:-4]) + whole[-4:],
        "length": whole[:-4] + bytes(byte ^ 1 for byte in whole[-4:]),
        "after": whole + b"id,age\n",
    }[damage]
    with pytest.raises(FileRejected, match="damaged"):
        list(inflated([archive], at_most=len(TEXT)))


def test_a_flipped_bit_never_changes_what_is_read() -> None:
    seed, whole, refused = random.Random(7), gzip.compress(TEXT, mtime=0), 0
    for _ in range(200):
        at = seed.randrange(10, len(whole))
        archive = whole[:at] + bytes([whole[at] ^ 1 << seed.randrange(8)]) + whole[at + 1 :]
        try:
            # Some bits make another way of saying the same.
            assert b"".join(inflated([archive], at_most=len(TEXT))) == TEXT
        except FileRejected:
            refused += 1
    assert refused > 150
