"""Made-up worlds: a busy day, nothing at all, ten thousand runs, and names that mean harm."""

from datetime import UTC, datetime, timedelta
from math import sin

from tests.page.world import (
    HOSTILE,
    Json,
    World,
    closed_run,
    file,
    moment,
    open_run,
    route,
    run_name,
    version,
    word,
)

# Of two lines, as the app's are: what it is, and what to do.
WHY = 'Line 14, column "bmi" is not a number.\nWrite plain numbers, such as 12.5, and drop the file again.'
MODEL_WHY = "The scoring script failed with KeyError: 's5'.\nIts job's log has the rest."
HOLD_WHY = "The endpoint answered 403.\nGive the app's identity the role AzureML Data Scientist."
CANCELED_WHY = "the run was canceled on request"
STARTED = 1_000


def busy_day() -> World:
    """Three routes, two runs under way, files that wait, a failure and a rejection."""
    routes = [
        route("breast-cancer", max_jobs=2, busy=1, typical_seconds=96.0),
        route("diabetes", busy=1, waiting=14, oldest_waiting=moment(312)),
        route("forecast", held={"why": HOLD_WHY, "until": moment(-540)}, waiting=2),
        route("nightly", schedule="0 0 2 * * *", next_due=moment(-9_000), typical_seconds=1_830.0),
    ]
    waiting = [
        {
            "file": f"diabetes/clinic-{name}.csv",
            "route": "diabetes",
            "since": moment(312 - 9 * at),
            "size": 40_000,
        }
        for at, name in enumerate(("berlin", "bergen", "bern", "brno", "bristol", "bruges", "bari", "bilbao"))
    ]
    world = World(routes=routes, runs=runs_of_the_day(), waiting=[*waiting, *waiting], buckets=buckets())
    add_files(world)
    return world


def runs_of_the_day() -> list[Json]:
    breast: Json = {"route": "breast-cancer"}
    mixed = {"words": {"published": 41, "rejected": 2, "failed": 5}, "files": 48, "why": MODEL_WHY}
    return [
        open_run(STARTED, "submitted", 184, files=26, rows=118_204),
        open_run(STARTED - 1, "packed", 9, **breast, files=1, rows=569, expected_at=moment(-87)),
        closed_run(STARTED - 2, "succeeded", 190),
        closed_run(STARTED - 3, "partial", 640, seconds=412, **mixed),
        closed_run(STARTED - 4, "succeeded", 900, **breast),
        closed_run(STARTED - 5, "rejected", 1_500, files=1, rows=0, words={"rejected": 1}, seconds=6),
        closed_run(STARTED - 6, "succeeded", 2_400, files=1_204, rows=4_810_223, seconds=1_400),
        closed_run(STARTED - 7, "canceled", 4_000, route="forecast", why=CANCELED_WHY, failed_stage="await"),
        closed_run(STARTED - 8, "failed", 7_000, why=MODEL_WHY, failed_stage="submitted", files=1),
        closed_run(STARTED - 9, "succeeded", 9_000),
        closed_run(STARTED - 10, "succeeded", 12_000, **breast),
        closed_run(STARTED - 11, "timed-out", 40_000, seconds=3_600, why="The job had not ended after 1 h."),
    ]


def add_files(world: World) -> None:
    """Files in each state, and the words of two runs."""
    partial = run_name(STARTED - 3)
    world.words[partial] = [
        word("diabetes/clinic-east.csv", "published", formulas=True),
        word(
            "diabetes/clinic-north.csv",
            "published",
            bad_rows=3,
            problems=["diabetes/clinic-north.errors.csv"],
        ),
        word("diabetes/clinic-oslo.csv", "rejected", WHY, rows=0),
        *(word(f"diabetes/ward-{number:02d}.csv", "failed", MODEL_WHY) for number in range(5)),
        *(word(f"diabetes/ward-{number:02d}.csv", "published") for number in range(5, 45)),
    ]
    world.words[run_name(STARTED - 5)] = [word("diabetes/clinic-oslo.csv", "rejected", WHY, rows=0)]
    world.words[run_name(STARTED)] = [word(f"diabetes/clinic-{number:02d}.csv", "") for number in range(26)]
    world.files = {one["file"]: one for one in files_of(partial)}
    world.preview = preview()


def files_of(partial: str) -> list[Json]:
    """A published, a rejected, a waiting and a running file."""
    east, oslo = "diabetes/clinic-east.csv", "diabetes/clinic-oslo.csv"
    address = f"https://account.blob.core.windows.net/predictions/{east}"
    earlier = {"name": east, "why": WHY}
    published = {"name": east, "size": 9_120, "modified": moment(640), "url": address}
    seen = [version("published", 900, run=partial), version("rejected", 7_200, WHY)]
    rejected = {
        "inbox": None,
        "rejected": {"name": oslo, "why": WHY},
        "versions": [version("rejected", 640, WHY)],
    }
    waits = {"since": moment(312), "ahead": 3, "busy": 1, "of": 1, "held": None, "due": None}
    running = {"run": run_name(STARTED), "versions": [version("running", 200)]}
    done = "Its predictions are published."
    return [
        file(east, "published", done, predictions=published, rejected=earlier, versions=seen, run=partial),
        file(oslo, "rejected", f"It was not scored: {WHY}", run=partial, **rejected),
        file(
            "diabetes/clinic-berlin.csv",
            "waiting",
            "It waits: all jobs of its route are busy.",
            waiting=waits,
        ),
        file("diabetes/clinic-00.csv", "running", "The model is scoring it, with 25 other files.", **running),
    ]


def preview() -> Json:
    counts = (4, 11, 29, 58, 74, 91, 70, 52, 31, 15, 7)
    bins = [
        {
            "label": f"{at * 25 + 25} to {at * 25 + 50}",
            "from": at * 25 + 25,
            "to": at * 25 + 50,
            "count": count,
        }
        for at, count in enumerate(counts)
    ]
    rows = [[f"patient-{row:03d}", f"{152 + 60 * sin(row):.2f}"] for row in range(50)]
    histogram = {"column": "progression", "kind": "number", "bins": bins, "rows": sum(counts)}
    return {"columns": ["patient", "progression"], "rows": rows, "histogram": histogram}


def buckets() -> list[Json]:
    """A day with a quiet night."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    return [bucket(start + timedelta(hours=number), number) for number in range(24)]


def bucket(at: datetime, number: int) -> Json:
    runs = max(0, round(9 + 9 * sin((number - 5) / 3.6)))
    slow = 1.0 if number != 17 else 4.0
    seconds = {"p50_seconds": 205 + 8 * number % 37, "p95_seconds": (390 + 15 * (number % 5)) * slow}
    counted = {"runs": runs, "files": runs * 13, "rows": runs * 61_204, "failed": 5 * (number == 17)}
    none = {"p50_seconds": None, "p95_seconds": None}
    return {
        "at": at.isoformat()[:19] + "Z",
        **counted,
        "rejected": number % 7 if runs else 0,
        **(seconds if runs else none),
    }


def empty_day() -> World:
    start = datetime.now(UTC)
    none: Json = {
        "runs": 0,
        "files": 0,
        "rows": 0,
        "failed": 0,
        "rejected": 0,
        "p50_seconds": None,
        "p95_seconds": None,
    }
    hours = [{"at": (start - timedelta(hours=23 - at)).isoformat()[:19] + "Z", **none} for at in range(24)]
    return World(buckets=hours)


def ten_thousand_runs() -> World:
    world = busy_day()
    outcomes = ("succeeded",) * 17 + ("partial", "rejected", "failed")
    world.runs += [closed_run(980 - at, outcomes[at % 20], 50_000 + 60 * at) for at in range(10_000)]
    return world


def hostile_day() -> World:
    """Names, reasons and columns that would be markup, or turn the text around, where they are not taken as text."""
    world = busy_day()
    name = world.runs[3]["run"]
    world.runs[3]["why"] = HOSTILE[0] + HOSTILE[1]
    world.routes.append(route("<b>bold</b>\u202e", held={"why": HOSTILE[1], "until": None}))
    world.words[name] = [word(blob, "failed", f"<script>alert(1)</script> {blob}") for blob in HOSTILE]
    world.waiting = [{"file": blob, "route": "diabetes", "since": moment(60), "size": 1} for blob in HOSTILE]
    for blob in HOSTILE:
        published = {"name": blob, "size": 1, "modified": moment(60), "url": "javascript:alert(1)"}
        versions = [version("rejected", 60, blob)]
        world.files[blob] = file(
            blob, "published", f"Published: {blob}", predictions=published, versions=versions, run=name
        )
    world.row_values = True
    world.preview["columns"] = ["<i>id</i>\u001b", "\u202eprogression"]
    world.preview["rows"][0] = ["=cmd|' /C calc'!A0", "<img src=x onerror=alert(1)>"]
    world.preview["histogram"]["column"] = "\u202eprogression"
    return world
