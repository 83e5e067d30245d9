"""Keys and ids. Blob names are hashed, never used in ledger keys: people name files as they like."""

import hashlib
import json
import re
import secrets
from datetime import UTC, datetime

# Beside a rejected file, the reason.
NOTE = ".why.txt"
# What a checkup writes to see whether it can, and deletes again: `dropscore-doctor/01J…`. That in the inbox ends as
# files do, which subscriptions to events may ask for; elsewhere nobody's automation shall take it for one.
PROBES = "dropscore-doctor"
PROBE = re.compile(rf"{PROBES}/[0-9A-HJKMNP-TV-Z]{{26}}(\.csv)?")
LONGEST_NAME = 1024
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def bare_etag(etag: str) -> str:
    """ETags come quoted from some calls and bare from others (listings, events)."""
    return etag.strip('"')


def usable(blob: str) -> bool:
    """Whether a name can be asked for, and is no folder and no note or probe of ours."""
    return (
        bool(blob.replace("\\", "/").rpartition("/")[2])
        and not unaddressable(blob)
        and not blob.endswith(NOTE)
        and not is_probe(blob)
    )


def is_probe(blob: str) -> bool:
    """Whether a checkup wrote it. No route takes it: nobody's files are called so."""
    return PROBE.fullmatch(blob) is not None


def first_probe(since: datetime) -> str:
    """Not after the name of any probe that was written since."""
    return f"{PROBES}/{ulid(int(since.timestamp() * 1000), 0)}"


def new_probe(now: datetime, end: str = "") -> str:
    return f"{PROBES}/{new_run(now)}{end}"


def unaddressable(blob: str) -> bool:
    """Names have at most 1,024 characters (Azure Storage). HTTP clients take segments of dots out of addresses
    (RFC 3986 §5.2.4), even out of the container; some services take a backslash for a slash."""
    return bool({".", ".."} & set(blob.replace("\\", "/").split("/"))) or len(blob) > LONGEST_NAME


def shown(blob: str) -> str:
    """A name as it may stand in a line of a log."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in blob)


def name_key(container: str, blob: str) -> str:
    """26 characters that stand for one file, whatever its versions."""
    return digest(f"{container}/{blob}", 26)


def version_key(container: str, blob: str, etag: str) -> str:
    """38 characters that stand for one version: the file's key and its ETag's."""
    return name_key(container, blob) + digest(bare_etag(etag), 12)


def recipe(scoring: list[object]) -> str:
    """Stands for everything of a route that decides what a file's predictions look like."""
    return digest(json.dumps(scoring), 26)


def ulid(milliseconds: int, randomness: int) -> str:
    """26 characters of Crockford's base 32: 48 bits of time, then 80 of randomness; sorts by time."""
    value = (milliseconds << 80) | (randomness & ((1 << 80) - 1))
    return "".join(CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def new_run(now: datetime) -> str:
    return ulid(int(now.timestamp() * 1000), secrets.randbits(80))


def named_at(run: str) -> datetime:
    """When `new_run` made a name. Those of idempotency keys hold no time."""
    milliseconds = 0
    for digit in run[:10]:
        milliseconds = milliseconds << 5 | CROCKFORD.index(digit)
    return datetime.fromtimestamp((milliseconds & ((1 << 48) - 1)) / 1000, UTC)


def run_of_idempotency_key(key: str) -> str:
    """The run an `Idempotency-Key` stands for: the same key names the same run."""
    value = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:16], "big")
    return ulid(value >> 80, value)


def part_name(number: int) -> str:
    return f"part-{number:05d}.csv"


def predictions_name(blob: str) -> str:
    """What a file's predictions are called: as the file, without the end that says it is an archive."""
    name = blob[:-3]
    return name if blob.lower().endswith(".gz") and name.rpartition("/")[2] else blob


def errors_name(blob: str) -> str:
    """What stands beside a file's predictions where rows of it were set aside."""
    return f"{predictions_name(blob)}.errors.csv"


def work_folder(run: str, attempt: int) -> str:
    return f"{run}/{attempt}"


def parts_folder(run: str, attempt: int) -> str:
    """Only parts lie in it: the model is given the whole folder."""
    return f"{work_folder(run, attempt)}/parts"


def output_path(run: str, attempt: int, post: int) -> str:
    """Where the POST numbered `post` has its raw predictions written: a path of its own can be searched for."""
    return f"dropscore/{run}/{attempt}/{post}/predictions.csv"


def output_marker(run: str, attempt: int) -> str:
    """What every output path of an attempt contains, and no other job's does."""
    return f"dropscore/{run}/{attempt}/"
