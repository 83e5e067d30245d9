"""Where things lie in the ledger; names people chose are hashed in its keys."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from shared.records import Launch, Listed, Run, Version, moment

HEARTBEAT = "heartbeat.json"
OWNER = "owner.json"
ARRIVALS = "arrivals.json"
ADMITTED = "admitted.json"
LAST_MILLISECOND = 9_999_999_999_999
LONGEST_WHY = 300
SHOWN_OF_CLOSED = ("run", "outcome", "created_at", "closed_at", "oldest", "failed_stage", "job_outcome")


def marker_key(version: Version) -> str:
    return f"waiting/{version.route}/{version.key}.{version.n}"


def marker_metadata(version: Version) -> dict[str, str]:
    """Everything a run must know to claim the version, so that a listing is enough.

    Azure Storage allows 8 KiB of ASCII: the name goes in base64, the shortest form of the longest names.
    """
    return {
        "container": version.container,
        "blob64": as_ascii(version.blob),
        "etag": version.etag,
        "modified": version.modified,
        "size": str(version.size),
        "n": str(version.n),
    }


def version_of_marker(marker: Listed, route: str) -> Version:
    metadata = marker.metadata
    return Version(
        container=metadata["container"],
        blob=from_ascii(metadata["blob64"]),
        etag=metadata["etag"],
        modified=metadata["modified"],
        size=int(metadata["size"]),
        n=int(metadata["n"]),
        route=route,
    )


def version_path(version: Version) -> str:
    return f"versions/{version.name}/{version.key}.json"


def slot_key(route: str, k: int) -> str:
    return f"slots/{route}/{k}.json"


def run_key(run: str) -> str:
    return f"runs/{run}/run.json"


def plan_key(run: str) -> str:
    return f"runs/{run}/plan.jsonl"


def claims_key(run: str) -> str:
    return f"runs/{run}/claims.jsonl"


def result_key(run: str, number: int) -> str:
    return f"runs/{run}/result-{number}.jsonl"


def closed_key(run: Run) -> str:
    """Listings are in the order of keys: the later a run was begun, the smaller its key."""
    begun = int(moment(run.created_at).timestamp() * 1000)
    return f"closed/{LAST_MILLISECOND - begun:013d}-{run.run}"


def closed_metadata(run: Run) -> dict[str, str]:
    """What a list of closed runs shows, so that a listing is enough. Nothing is empty: listings lose that."""
    shown = {
        **{key: getattr(run, key) for key in SHOWN_OF_CLOSED},
        "route": run.route["name"],
        "files": str(run.files),
        "rows": str(run.rows),
        "words": json.dumps(run.words),
        "why64": as_ascii(run.why[:LONGEST_WHY]),
        "slot": "" if run.slot is None else str(run.slot),
    }
    return {key: value for key, value in shown.items() if value}


def run_of_index(item: Listed) -> Run:
    """The run of an entry of the index of closed runs; what the index does not hold is empty."""
    metadata = item.metadata
    shown = {
        "route": {"name": metadata["route"]},
        "files": int(metadata["files"]),
        "rows": int(metadata["rows"]),
        "words": json.loads(metadata["words"]),
        "why": from_ascii(metadata.get("why64", "")),
    }
    slot = int(metadata["slot"]) if "slot" in metadata else None
    return Run.from_dict({**metadata, **shown, "stage": "closed", "launch": 1, "slot": slot})


def as_ascii(text: str) -> str:
    return urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode()


def from_ascii(text: str) -> str:
    return urlsafe_b64decode(text).decode("utf-8", "surrogatepass")


def notice_key(launch: Launch) -> str:
    return f"runs/{launch.run}/notice-{launch.launch}.json"


def untold_key(launch: Launch) -> str:
    return f"untold/{launch.instance_id}"


def open_key(run: str) -> str:
    return f"open/{run}"


def hold_key(route: str) -> str:
    return f"held/{route}.json"
