"""Rows told apart by a key: each prediction goes to the row that has it, and keys that come twice are found exactly."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import StageFailed
from shared.raw_keys import AT_MOST, Duplicate, KeyIndex, Sources, Strays, duplicate_keys, rows_by_key
from shared.raw_predictions import Tally, predicted
from shared.routes import Route
from tests.shared.raw_text import cut, lines, parsed, route

KEY = st.text(st.sampled_from('ab01 ,"\n日'), min_size=1, max_size=4)
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


def alike(_: bytes) -> int:
    """The worst of hashes."""
    return 7


def first_letter(key: bytes) -> int:
    return key[0]


def sources(parts: dict[int, list[str]], sizes: list[int] | None = None) -> Sources:
    """Key cells as pack keeps them."""

    def opened(keys: list[str]) -> Callable[[], Iterable[bytes]]:
        data = b"".join(lines(([key] for key in keys), ","))
        return lambda: cut(data, sizes or [1 << 20])

    return {part: opened(keys) for part, keys in parts.items()}


def distributed(
    raw: Iterable[bytes], index: KeyIndex, asked: Route, strays: Strays | None = None
) -> dict[int, bytes]:
    found: dict[int, bytes] = defaultdict(bytes)
    for part, more in rows_by_key(raw, index, asked, strays or Strays()):
        found[part] += more
    return dict(found)


@st.composite
def keyed(draw: st.DrawFn) -> tuple[dict[int, list[str]], list[tuple[str, str]]]:
    """The keys of some parts, each key once, and rows of raw predictions in any order."""
    keys = draw(st.lists(KEY, min_size=1, max_size=12, unique=True))
    parts: dict[int, list[str]] = {number: [] for number in draw(st.sampled_from([(1,), (2, 5), (1, 2, 3)]))}
    for key in keys:
        parts[draw(st.sampled_from(sorted(parts)))].append(key)
    return parts, [(key, f"of {key}") for key in draw(st.permutations(keys))]


@pytest.mark.parametrize("hashed", [hash, first_letter, alike])
@given(drawn=keyed(), sizes=SIZES)
def test_every_prediction_goes_to_the_row_that_has_its_key(
    hashed: Callable[[bytes], int],
    drawn: tuple[dict[int, list[str]], list[tuple[str, str]]],
    sizes: list[int],
) -> None:
    """Also where all keys have the same hash."""
    parts, rows = drawn
    index = KeyIndex.of(sources(parts, sizes), hashed)
    raw = b"".join(lines((list(row) for row in rows), " "))
    found = distributed(cut(raw, sizes), index, route("key"))
    assert set(found) == {part for part, keys in parts.items() if keys}
    for part, text in found.items():
        batches = predicted([text], route("key"), f"part-{part:05d}.csv", len(parts[part]))
        values = parsed([row for batch in batches for row in batch])
        assert values == [[f"of {key}"] for key in parts[part]]


def test_several_columns_and_another_delimiter() -> None:
    index = KeyIndex.of(sources({1: ["a", "b"], 2: ["c"]}))
    raw = b"c;1;2\na;3;4\nb;5;6\n"
    asked = route("key", 2, raw_delimiter=";")
    assert distributed([raw], index, asked) == {1: b"0,3,4\n1,5,6\n", 2: b"0,1,2\n"}


def test_a_key_that_comes_twice_in_the_raw_predictions_is_left_to_the_part() -> None:
    index = KeyIndex.of(sources({1: ["a", "b"]}))
    found = distributed([b"a 1\nb 2\na 1\nb 3\n"], index, route("key"))
    tally = Tally()
    assert list(predicted([found[1]], route("key"), "part-00001.csv", 2, tally)) == [[b"1", None]]
    assert (tally.doubled, list(tally.differing)) == (1, [1])


@pytest.mark.parametrize(
    ("hashed", "keys"), [(hash, ["a", "b", "c"]), (hash, []), (hash, ["a"]), (alike, ["a", "b", "c"])]
)
def test_keys_of_no_row_are_left_out_and_counted(hashed: Callable[[bytes], int], keys: list[str]) -> None:
    index, strays = KeyIndex.of(sources({1: keys}), hashed), Strays()
    raw = "".join(f"{key} 1\n" for key in keys) + "x 2\n" + "".join(f"{key} 1\n" for key in keys) + "y 3\n"
    found = distributed(cut(raw.encode(), [5]), index, route("key"), strays)
    assert found.get(1, b"").count(b",1\n") == 2 * len(keys)
    assert strays == Strays(2, len(keys) + 1)


@pytest.mark.parametrize("raw", [b"a\n", b"a 1 2\n", b"\n"])
def test_rows_of_another_form_are_refused(raw: bytes) -> None:
    index = KeyIndex.of(sources({1: ["a"]}))
    with pytest.raises(StageFailed, match=r'^Row 1 of the raw predictions has \d fields, match = "key"'):
        distributed([raw], index, route("key"))


def test_many_rows_are_given_on_before_there_are_too_many() -> None:
    """Lines for thousands of parts that are still small are not held back for good."""
    index = KeyIndex.of(sources({part: [f"k{part}"] for part in range(1, 1001)}))
    value = b"x" * 1000
    raw = (b"".join(b"k%d %b\n" % (part, value) for part in range(1, 1001)) for _ in range(50))
    sizes: Counter[int] = Counter()
    total = 0
    for part, more in rows_by_key(raw, index, route("key"), Strays()):
        sizes[part] += 1
        total += len(more)
        assert len(more) <= AT_MOST // 100
    assert total == 1000 * 50 * 1003
    assert set(sizes.values()) == {2}


def test_two_rows_with_one_key_make_no_index() -> None:
    with pytest.raises(StageFailed, match="Two rows of this run have the same key"):
        KeyIndex.of(sources({1: ["a", "b"], 2: ["b"]}))


@pytest.mark.parametrize("hashed", [hash, first_letter, alike])
@given(
    parts=st.lists(st.lists(KEY, max_size=6), min_size=1, max_size=4),
    sizes=SIZES,
)
def test_duplicates_are_exactly_the_rows_whose_key_an_earlier_row_has(
    hashed: Callable[[bytes], int], parts: list[list[str]], sizes: list[int]
) -> None:
    """Equal hashes alone are none."""
    numbered = dict(enumerate(parts, start=3))
    first: dict[str, tuple[int, int]] = {}
    expected = []
    for part, keys in numbered.items():
        for row, key in enumerate(keys):
            if key in first:
                expected.append(Duplicate(part, row, *first[key]))
            first.setdefault(key, (part, row))
    assert list(duplicate_keys(sources(numbered, sizes), hashed)) == expected


def test_keys_are_read_once_where_none_comes_twice() -> None:
    opened: Counter[int] = Counter()

    def source(part: int) -> Callable[[], Iterable[bytes]]:
        def chunks() -> Iterable[bytes]:
            opened[part] += 1
            return [b"".join(b"%d-%d\n" % (part, row) for row in range(1000))]

        return chunks

    assert list(duplicate_keys({part: source(part) for part in (1, 2, 3)})) == []
    assert set(opened.values()) == {1}
