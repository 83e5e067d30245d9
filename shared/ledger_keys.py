"""Where things lie in the ledger; names people chose are hashed in its keys."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from shared.records import Listed, Version

HEARTBEAT = "heartbeat.json"
OWNER = "owner.json"


def marker_key(version: Version) -> str:
    return f"waiting/{version.route}/{version.key}.{version.n}"


def marker_metadata(version: Version) -> dict[str, str]:
    """Everything a run must know to claim the version, so that a listing is enough.

    Azure Storage allows 8 KiB of ASCII: the name goes in base64, the shortest form of the longest names.
    """
    return {
        "container": version.container,
        "blob64": urlsafe_b64encode(version.blob.encode("utf-8", "surrogatepass")).decode(),
        "etag": version.etag,
        "modified": version.modified,
        "size": str(version.size),
        "n": str(version.n),
    }


def version_of_marker(marker: Listed, route: str) -> Version:
    metadata = marker.metadata
    return Version(
        container=metadata["container"],
        blob=urlsafe_b64decode(metadata["blob64"]).decode("utf-8", "surrogatepass"),
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


def open_key(run: str) -> str:
    return f"open/{run}"


def hold_key(route: str) -> str:
    return f"held/{route}.json"
