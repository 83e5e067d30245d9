"""What a process keeps in memory: a little, for a short time."""

from datetime import timedelta

from shared.kept import Kept
from tests.shared.ledgers import Clock

SHORT = timedelta(seconds=5)


def test_what_is_kept_is_there_for_a_while() -> None:
    clock = Clock()
    kept: Kept[int] = Kept(2, SHORT, clock)
    assert kept.get("a") is None
    kept.keep("a", 1)
    assert kept.get("a") == 1
    clock.sleep(seconds=SHORT.total_seconds())
    assert kept.get("a") is None


def test_what_is_taken_is_there_once() -> None:
    kept: Kept[int] = Kept(2, SHORT, Clock())
    kept.keep("a", 1)
    assert (kept.take("a"), kept.take("a"), kept.get("a")) == (1, None, None)


def test_what_begins_so_is_forgotten() -> None:
    kept: Kept[int] = Kept(3, SHORT, Clock())
    for key in ("a/1", "a/2", "b/1"):
        kept.keep(key, 1)
    kept.forget("a/")
    assert list(kept.values) == ["b/1"]


def test_where_there_is_no_room_what_came_before_goes() -> None:
    kept: Kept[int] = Kept(2, SHORT, Clock())
    for number in range(5):
        kept.keep(str(number), number)
        assert kept.get(str(number)) == number
        assert len(kept.values) <= kept.most
    kept.keep("4", 7)
    assert (kept.get("4"), len(kept.values)) == (7, 1)
