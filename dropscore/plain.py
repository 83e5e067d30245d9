"""Texts from elsewhere, made harmless: names may hold anything, and a terminal obeys some of it."""

import shlex
import unicodedata
from datetime import datetime, timedelta

# Controls, invisible and direction marks, lone surrogates, line and paragraph separators.
ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
STEPS = ((86400 * 2, 86400, "d"), (3600 * 2, 3600, "h"), (60 * 2, 60, "min"), (0, 1, "s"))


def plain(text: object, keep: str = "") -> str:
    """The text with everything that acts instead of showing written as an escape, except characters of `keep`."""
    return "".join(
        escaped(one) if unicodedata.category(one) in ACTING and one not in keep else one for one in str(text)
    )


def prose(text: object) -> str:
    """A reason or another text of several lines, as one."""
    return " ".join(str(text or "").split())


def typed(name: str) -> str:
    """A name as an argument of a command that somebody is to type."""
    return shlex.quote(plain(name))


def escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def moment(text: str) -> datetime:
    """`2026-11-21T22:16:43Z`, aware. Raises ValueError for anything else."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} does not say its zone")
    return found


def lasting(span: timedelta) -> str:
    """`90 s`, `5 min`, `26 h`, `3 d`: short, and never in a unit of which there is but one."""
    seconds = max(0, int(span.total_seconds()))
    size, unit = next((size, unit) for least, size, unit in STEPS if seconds >= least)
    return f"{seconds // size} {unit}"


def ago(text: str | None, now: datetime) -> str:
    """How long ago a moment was, or in how long it will be; "" where there is none."""
    if not text:
        return ""
    span = now - moment(text)
    return f"{lasting(span)} ago" if span >= timedelta() else f"in {lasting(-span)}"


def sized(count: int) -> str:
    """`812 B`, `1.5 kB`, `48.0 MB`."""
    if count < 1000:
        return f"{count} B"
    size, unit = (
        (count / 1e3, "kB") if count < 1e6 else (count / 1e6, "MB") if count < 1e9 else (count / 1e9, "GB")
    )
    return f"{size:.1f} {unit}"


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`, `10,000 rows`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
