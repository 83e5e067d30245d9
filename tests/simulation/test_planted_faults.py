"""The simulation finds what it is there for: each of these faults, planted into the app's code, breaks a promise.

In the very storm in which the app's own code breaks none.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from activities import inbox, jobs, notices, publishing, runs
from shared import azureml, clients, webhooks
from shared.blob_io import BlockWriter
from shared.current_routes import current_routes
from shared.ledger import Ledger
from shared.ledger_keys import marker_key, marker_metadata, version_path
from shared.outcomes import final_words
from shared.records import Launch, Run, SubmitStep, Verdict, Version
from shared.routes import Route
from tests.simulation import world
from tests.simulation.promises import Broken
from tests.simulation.storm import stormed

MOST_STORMS, STEPS = 300, 800
Patch = pytest.MonkeyPatch
Plant = Callable[[Patch], None]


def slot_freed_after_looking_at_what_waits(patch: Patch) -> None:
    def close(launch: Launch) -> tuple[Run, list[Launch]]:
        seen = runs.waiting_now(Route.from_dict(clients.ledger().fenced(launch).route))
        run, _ = real(launch)
        return run, runs.kick(current_routes().named(launch.route)) if seen else []  # type: ignore[arg-type]

    real = runs.close
    patch.setattr(runs, "following", lambda run, launch: [])
    patch.setattr(runs, "close", close)


def marker_left_after_the_slot_was_looked_at(patch: Patch) -> None:
    def arrive(name: str) -> Route | None:
        route = current_routes().of(name)
        launches[:] = kick(route) if route else []
        return real(name)

    launches: list[Launch] = []
    real, kick = inbox.arrive, runs.kick_arrival
    patch.setattr(runs, "arrive", arrive)
    patch.setattr(runs, "kick_arrival", lambda route: launches)


def inputs_disposed_of_before_the_result(patch: Patch) -> None:
    def word_each(launch: Launch) -> list[Verdict]:
        run = clients.ledger().fenced(launch)
        claimed = clients.ledger().sealed(launch.run)
        words = {word.version: word for word in final_words(run, claimed, runs.known_verdicts(run))}
        for version in claimed:
            if version.key in words:
                inbox.dispose(version, words[version.key], run)
        return real(launch)

    real = runs.word_each
    patch.setattr(runs, "word_each", word_each)


def claims_before_the_plan(patch: Patch) -> None:
    def claimed_now(launch: Launch, route: Route, *rest: Any) -> tuple[list[Version], list[str]]:
        if launch.slot is not None:
            clients.in_parallel(partial(clients.ledger().claim, launch.run), runs.candidates(route))
        return real(launch, route, *rest)

    real = runs.claimed_now
    patch.setattr(runs, "claimed_now", claimed_now)


def posted_before_the_intent(patch: Patch) -> None:
    def submitting(ledger: Ledger, launch: Launch, **intent: str) -> Run:
        return ledger.fenced(launch).but(nonce=intent["nonce"], path=intent["path"])

    def noted(launch: Launch, run: Run, answer: azureml.Answer) -> SubmitStep:
        real_submitting(clients.ledger(), launch, path=run.path, nonce=run.nonce)
        return real_noted(launch, clients.ledger().fenced(launch), answer)

    real_submitting, real_noted = Ledger.submitting, jobs.noted
    patch.setattr(Ledger, "submitting", submitting)
    patch.setattr(jobs, "noted", noted)


def nonce_not_looked_at(patch: Patch) -> None:
    def submitting(ledger: Ledger, launch: Launch, **intent: str) -> Run:
        return real(ledger, launch, **intent).but(nonce=intent["nonce"])

    real = Ledger.submitting
    patch.setattr(Ledger, "submitting", submitting)


def fence_not_looked_at(patch: Patch) -> None:
    def change(ledger: Ledger, launch: Launch, change: Any, fence: Any = None) -> Run:
        return real(ledger, launch, change, lambda run: False)

    real = Ledger.change
    patch.setattr(Ledger, "change", change)


def published_without_a_condition(patch: Patch) -> None:
    def commit(writer: BlockWriter, metadata: dict[str, str], version: Version) -> tuple[str, str, bool]:
        writer.commit(metadata)
        return "published", "", False

    patch.setattr(publishing, "commit", commit)


def disposed_of_without_the_etag(patch: Patch) -> None:
    patch.setattr(inbox, "MatchConditions", SimpleNamespace(IfNotModified=None))


def posted_again_without_waiting(patch: Patch) -> None:
    patch.setattr(world, "SETTINGS", replace(world.SETTINGS, search_window=timedelta()))


def released_before_its_marker(patch: Patch) -> None:
    def release(ledger: Ledger, run: str, version: Version) -> bool:
        found = ledger.store.read(version_path(version))
        if found is None or found[0]["run"] != run:
            return False
        record = Version.from_dict(found[0])
        waiting = record.but(n=record.n + 1, run=None)
        won = ledger.store.replace(version_path(record), waiting.to_dict(), found[1])
        ledger.store.create(marker_key(waiting), waiting.to_dict(), marker_metadata(waiting))
        return bool(won)

    patch.setattr(Ledger, "release", release)


def told_again_where_the_answer_was_lost(patch: Patch) -> None:
    def post(*given: Any) -> webhooks.Answer:
        answer = real(*given)
        return replace(answer, came_of="") if answer.came_of == "unknown" else answer

    real = webhooks.post
    patch.setattr(webhooks, "post", post)


def notice_remembered_only_after_the_close(patch: Patch) -> None:
    async def tell(client: Any, launch: Launch) -> None:
        announce(launch)
        await real(client, launch)

    announce, real = notices.announce, notices.tell
    patch.setattr(notices, "announce", lambda launch: None)
    patch.setattr(notices, "tell", tell)


def slow(*row: object) -> Any:
    """Found only after many storms."""
    return pytest.param(*row, marks=pytest.mark.full)


@pytest.mark.parametrize(
    ("plant", "often", "found"),
    [
        slow(slot_freed_after_looking_at_what_waits, ("calm",), "a wake-up is lost"),
        slow(marker_left_after_the_slot_was_looked_at, ("calm",), "a wake-up is lost"),
        (inputs_disposed_of_before_the_result, (), "removed with word ''"),
        (claims_before_the_plan, (), "neither word nor marker"),
        slow(posted_before_the_intent, ("crash",), "a second on its path|is nobody's"),
        slow(nonce_not_looked_at, ("twice",), "a second on its path"),
        slow(fence_not_looked_at, ("lose", "jump"), "back to launch"),
        (published_without_a_condition, ("people", "overtake"), "foreign blob|older version over"),
        (disposed_of_without_the_etag, ("overtake",), "removed with word ''"),
        slow(posted_again_without_waiting, ("next_post", "next_job"), "a second POST although"),
        slow(told_again_where_the_answer_was_lost, ("fail",), "accepted 2 times"),
        slow(notice_remembered_only_after_the_close, ("lose", "jump"), "nobody was told"),
        (released_before_its_marker, ("turn_away",), "without a marker"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_is_found(plant: Plant, often: tuple[str, ...], found: str) -> None:
    seeds = (seed for seed in range(MOST_STORMS) if re.search(found, broken(seed, often, plant)))
    first = next(seeds, None)
    assert first is not None, f"{MOST_STORMS} storms, and none finds it"
    assert not broken(first, often)


def broken(seed: int, often: tuple[str, ...], plant: Plant | None = None) -> str:
    """What a storm breaks, "" for nothing."""
    with pytest.MonkeyPatch.context() as patch:
        if plant:
            plant(patch)
        try:
            stormed([seed], STEPS, often)
        except Broken as problem:
            return str(problem)
    return ""
