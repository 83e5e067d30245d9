"""Where a file is, in one plain sentence and in JSON. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from shared.records import Run, Verdict, Version, timestamp

PATTERNS_NAMED = 3


@dataclass(frozen=True)
class State:
    """What has become of one version: `waiting`, `running`, or its final word, and the run that it is of."""

    version: Version
    state: str
    run: Run | None = None
    verdict: Verdict | None = None

    def shown(self) -> dict[str, Any]:
        verdict = self.verdict or Verdict(version="", blob="")
        return {
            "etag": self.version.etag,
            "modified": self.version.modified,
            "size": self.version.size,
            "round": self.version.n,
            "state": self.state,
            "why": verdict.why,
            "rows": verdict.rows,
            "run": self.run.run if self.run else None,
        }


@dataclass(frozen=True)
class Waiting:
    """What a file waits for: how many are `ahead`, how many of the route's jobs are `busy`, a hold, the time."""

    since: str
    ahead: int
    busy: int
    of: int
    held: str | None
    due: datetime | None

    def shown(self) -> dict[str, Any]:
        due = timestamp(self.due) if self.due else None
        return {**{key: getattr(self, key) for key in ("since", "ahead", "busy", "of", "held")}, "due": due}

    def said(self) -> str:
        if self.held:
            return f"It waits: {self.held.rstrip('.')}. The app tries again by itself."
        if self.due:
            return f"It waits for its time: its route starts at {timestamp(self.due)[:16].replace('T', ' ')} UTC."
        if self.busy >= self.of:
            before = f"{self.ahead} file{'' if self.ahead == 1 else 's'} came before it"
            return f"It waits: {self.busy} of {self.of} jobs are busy, {before}."
        return "It waits, and is taken up within a minute."


@dataclass(frozen=True)
class Taken:
    """What the app takes up: names that these patterns fit, and empty files only after a while."""

    patterns: list[str]
    empty_after: timedelta

    def seen(self, size: int) -> str:
        if size:
            return "It lies in the inbox, and is taken up within a minute or two."
        minutes = f"{self.empty_after.total_seconds() / 60:g}"
        wait = f"{minutes} minute{'' if minutes == '1' else 's'}"
        return f"It is empty. Some tools fill a file later, so it is left alone for {wait} (DROPSCORE_EMPTY_AFTER)."

    def ignored(self, name: str) -> str:
        """The patterns that are most like the name come first."""
        told = "No route takes files of this name: it stays in the inbox as it is."
        if not self.patterns:
            return f"{told} There are no routes yet."
        near = get_close_matches(name, self.patterns, PATTERNS_NAMED, 0)
        more = len(self.patterns) - len(near)
        return f"{told} The routes take: {', '.join(near)}{f' and {more} more' if more else ''}."


def shown_file(
    name: str,
    route: str | None,
    inbox: dict[str, Any] | None,
    states: list[State],
    waiting: Waiting | None,
    taken: Taken,
) -> dict[str, Any]:
    """One name in the inbox. `states` are those of its versions, the one dropped last first."""
    newest = states[0] if states else None
    # What stands in the inbox may have been dropped since.
    unseen = inbox is not None and all(one.version.etag != inbox["etag"] for one in states)
    if inbox is not None and unseen:
        newest = None
        state, says = ("seen", taken.seen(inbox["size"])) if route else ("ignored", taken.ignored(name))
    else:
        state = newest.state if newest else "gone"
        says = said(state, newest, waiting)
    return {
        "file": name,
        "route": route,
        "state": state,
        "says": says,
        "run": newest.run.run if newest and newest.run else None,
        "inbox": inbox,
        "waiting": waiting.shown() if waiting else None,
        "versions": [one.shown() for one in states],
    }


def said(state: str, newest: State | None, waiting: Waiting | None) -> str:
    """One sentence for the person who dropped the file."""
    verdict = newest.verdict if newest else None
    if state == "waiting" and waiting:
        return waiting.said()
    if state == "running" and newest and newest.run:
        return under_way(newest.run, verdict)
    return SENTENCES.get(state, "It is not known what became of it{why}.").format(
        why=because(verdict), rows=f"{verdict.rows:,}" if verdict else "its"
    )


def under_way(run: Run, verdict: Verdict | None) -> str:
    """Of a file whose run is open. Its word may be known long before the run's job has ended."""
    if verdict and verdict.word == "rejected":
        told = f"It was checked and refused{because(verdict)}."
        return f"{told} It is moved to rejected when its run ends, which is at {run.stage}."
    if verdict and verdict.word:
        return f"It is {verdict.word}{because(verdict)}. Its run has not ended yet: {run.stage}."
    if run.held:
        return f"It goes back to wait: {run.held.rstrip('.')}. The app tries again by itself."
    return f"It is being scored: {run.stage}."


def because(verdict: Verdict | None) -> str:
    """The reason, to be followed by a full stop."""
    return f": {verdict.why.rstrip('.')}" if verdict and verdict.why else ""


SENTENCES = {
    "gone": "It is not in the inbox, and no version of it is on record.",
    "published": "Its predictions are ready, {rows} rows{why}.",
    "unchanged": "Its predictions were ready already: neither the file nor the model has changed{why}.",
    "rejected": "It was not scored{why}.",
    "failed": "It could not be scored{why}.",
    "superseded": "A newer version of it came first{why}.",
    "withdrawn": "It was deleted before it was read{why}.",
    "canceled": "Its run was canceled{why}. The file is still in the inbox.",
}
