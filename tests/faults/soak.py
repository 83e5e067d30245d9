"""`python3 dev.py soak --minutes 30 --seed 7`: files of all kinds and faults of all kinds, at random; then the audit.

The seed decides what is done, in which order; what it meets depends on the machine. Exit code 1 where the audit finds
something.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import requests

from local.stack import Stack
from tests.e2e.drops import INVOKE, MODELS, SETTINGS, post, routes
from tests.faults.conftest import ROUTES, Faulty
from tests.faults.table import ANYTHING, LEDGER, LIST, LOOK, PREDICTIONS, TOKEN, Fault, fault, invoke, refused

NAMES = 25
KINDS = ("double", "named", "rows", "keyed", "cut")
AZUREML: tuple[Fault, ...] = (
    *(invoke("reset"), invoke("reset", after=True), invoke("cut"), invoke("answer", status=500, after=True)),
    *(invoke("answer", status=429, headers={"Retry-After": "1"}), invoke("answer", status=503)),
    *(invoke("late", seconds=1), invoke("late", seconds=9), invoke("slow", seconds=2)),
    *(refused(401, INVOKE), refused(400, INVOKE), refused(403, LIST, times=2), refused(500, TOKEN, times=2)),
    *(refused(500, LOOK, times=2), fault("reset", LOOK), fault("cut", LOOK), refused(404, LOOK)),
    *(fault("hide", "", seconds=3), fault("hide", "", seconds=12), fault("cancel", "")),
    fault("show", "", shows=[["NotResponding", 2], ["Mystery", 1], ["Queued", 1]]),
    *(fault("fail", "", message="ValueError"), fault("fail", "", message="The node was preempted")),
    *(fault(do, "") for do in ("lose", "truncate", "drop-row", "double-row", "add-row")),
    *(fault(do, "") for do in ("drop-batch", "repeat-batch")),
)
STORAGE: tuple[Fault, ...] = (
    *(refused(status, LEDGER, chance=0.3, times=5) for status in (409, 412, 429, 500, 503)),
    *(refused(status, PREDICTIONS, times=2) for status in (412, 429, 503)),
    *(
        fault("reset", where, chance=0.3, times=5, after=after)
        for where in (LEDGER, ANYTHING)
        for after in (False, True)
    ),
    *(
        fault("cut", "^GET /", chance=0.3, times=5),
        fault("slow", ANYTHING, chance=0.3, times=20, seconds=0.3),
    ),
    refused(503, ANYTHING, chance=0.2, times=40),
)


class Soak:
    """One stack, what was given to it, and what is done to it."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self.faulty = Faulty(stack)
        self.stack, self.books = stack, self.faulty.books
        self.random = Random(seed)
        self.done: Counter[str] = Counter()

    def blow(self, seconds: float) -> None:
        deeds: dict[Callable[[], None], int] = {
            self.drop: 40,
            self.drop_bad: 3,
            self.drop_archive: 4,
            self.drop_large: 1,
            self.delete: 2,
            self.trouble_azureml: 10,
            self.trouble_storage: 5,
            self.kill_host: 2,
            self.stop_azurite: 1,
            self.stop_azureml: 1,
            self.order: 4,
            self.breathe: 20,
        }
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            [deed] = self.random.choices(list(deeds), list(deeds.values()))
            deed()
            self.done[deed.__name__] += 1

    def name(self, kind: str, ending: str = "csv") -> str:
        return f"{kind}/{self.random.randrange(NAMES)}.{ending}"

    def drop(self) -> None:
        self.books.drop(self.name(self.random.choice(KINDS)), self.random.randint(1, 20))

    def drop_bad(self) -> None:
        self.books.drop_bad(self.name(self.random.choice(KINDS)))

    def drop_archive(self) -> None:
        self.books.drop(f"double/archive-{self.random.randrange(NAMES)}.csv.gz", self.random.randint(1, 20))

    def drop_large(self) -> None:
        self.books.drop(self.name("cut"), 60_000)

    def delete(self) -> None:
        blobs = sorted(self.stack.container("inbox").list_blob_names())
        if blobs:
            self.stack.container("inbox").delete_blob(self.random.choice(blobs))

    def trouble_azureml(self) -> None:
        self.add(self.stack.azureml_url, self.random.choice(AZUREML))

    def trouble_storage(self) -> None:
        self.add(self.stack.storage_faults_url, self.random.choice(STORAGE))

    def add(self, url: str, trouble: Fault) -> None:
        requests.post(f"{url}/control/faults", json=trouble, timeout=30).raise_for_status()

    def kill_host(self) -> None:
        self.stack.children["host"].kill()
        self.stack.start_host()

    def stop_azurite(self) -> None:
        self.stack.children["azurite"].stop()
        time.sleep(self.random.uniform(0, 8))
        self.stack.start_azurite()

    def stop_azureml(self) -> None:
        self.stack.children["azureml"].stop()
        time.sleep(self.random.uniform(0, 8))
        self.stack.start_azureml()

    def order(self) -> None:
        """Somebody cancels a run, or reruns one."""
        given = self.random.choice(list(self.books.given.values()) or [None])
        order = self.random.choice(("cancel", "rerun"))
        run = self.faulty.drops.run_of(given.version) if given else None
        # What the app answers while its storage fails it is not the question here.
        with suppress(requests.RequestException):
            if run:
                post(self.faulty.drops, f"runs/{run.run}/{order}")

    def breathe(self) -> None:
        time.sleep(self.random.uniform(0, 4))


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    state = Path(tempfile.mkdtemp(prefix="soak-"))
    with Stack(state, [MODELS], routes() + ROUTES, dict(SETTINGS), storage_faults=True) as stack:
        soak = Soak(stack, chosen.seed)
        print(f"· {chosen.minutes:g} minutes of it, seed {chosen.seed}; logs in {state / 'logs'}", flush=True)
        soak.blow(chosen.minutes * 60)
        failed = verdict(soak, chosen.seed)
    if failed:
        sys.exit(failed)
    shutil.rmtree(state)


def verdict(soak: Soak, seed: int) -> str | None:
    """Waits for rest without faults, audits, and prints what there was. Returns why it failed."""
    begun = time.monotonic()
    soak.faulty.calm()
    soak.books.settle(900)
    words = Counter(
        word.word for given in soak.books.given.values() if (word := soak.books.word(given.version))
    )
    print(f"· at rest {time.monotonic() - begun:.0f} s after the last fault")
    print(f"· done: {dict(soak.done)}")
    print(
        f"· versions: {len(soak.books.given)}, by word: {dict(words)}; jobs: {len(list(soak.books.jobs()))}"
    )
    problems = soak.books.problems()
    for problem in problems:
        print(f"  {problem}")
    return f"{len(problems)} problems; `dev.py soak --seed {seed}` does the same again." if problems else None


if __name__ == "__main__":
    main()
