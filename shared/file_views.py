"""Where a file is, in one plain sentence and in JSON. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.records import Run, Verdict, Version, timestamp


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
            return f"It waits: {self.held}. The app tries again by itself."
        if self.due:
            return f"It waits for its time: its route starts at {timestamp(self.due)[:16].replace('T', ' ')} UTC."
        if self.busy >= self.of:
            return f"It waits: {self.busy} of {self.of} jobs are busy, {self.ahead} files came before it."
        return "It waits, and is taken up within a minute."


def shown_file(
    name: str,
    route: str | None,
    inbox: dict[str, Any] | None,
    states: list[State],
    waiting: Waiting | None,
) -> dict[str, Any]:
    """One name in the inbox. `states` are those of its versions, the one dropped last first."""
    newest = states[0] if states else None
    # What stands in the inbox may have been dropped since.
    unseen = inbox is not None and all(one.version.etag != inbox["etag"] for one in states)
    state = ("seen" if route else "ignored") if unseen else newest.state if newest else "gone"
    return {
        "file": name,
        "route": route,
        "state": state,
        "says": said(state, None if unseen else newest, waiting),
        "run": newest.run.run if newest and newest.run and not unseen else None,
        "inbox": inbox,
        "waiting": waiting.shown() if waiting else None,
        "versions": [one.shown() for one in states],
    }


def said(state: str, newest: State | None, waiting: Waiting | None) -> str:
    """One sentence for the person who dropped the file."""
    verdict = newest.verdict if newest else None
    why = f": {verdict.why}" if verdict and verdict.why else ""
    if state == "waiting" and waiting:
        return waiting.said()
    if state == "running" and newest and newest.run:
        return f"It is being scored: {newest.run.stage}."
    return SENTENCES.get(state, "It is not known what became of it{why}.").format(
        why=why, rows=f"{verdict.rows:,}" if verdict else "its"
    )


SENTENCES = {
    "seen": "It lies in the inbox, and is taken up within a minute or two.",
    "ignored": "No route takes files of this name: it stays in the inbox as it is.",
    "gone": "It is not in the inbox, and no version of it is on record.",
    "published": "Its predictions are ready, {rows} rows{why}.",
    "unchanged": "Its predictions were ready already: neither the file nor the model has changed{why}.",
    "rejected": "It was not scored{why}",
    "failed": "It could not be scored{why}",
    "superseded": "A newer version of it came first{why}.",
    "withdrawn": "It was deleted before it was read{why}.",
    "canceled": "Its run was canceled{why}. The file is still in the inbox.",
}
