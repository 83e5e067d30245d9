"""How a run ends: the final word of each of its versions, and the run's outcome drawn from them."""

from shared.records import Outcome, Run, Verdict, Version


def final_words(
    run: Run, claimed: list[Version], packed: list[Verdict], unpacked: list[Verdict]
) -> list[Verdict]:
    """One verdict with a word per claimed version: what unpack said, else pack, else what stopped the run."""
    known = {verdict.version: verdict for verdict in (*packed, *unpacked)}
    return [ended(version, known.get(version.key), run) for version in claimed]


def ended(version: Version, verdict: Verdict | None, run: Run) -> Verdict:
    if verdict is not None and verdict.word:
        return verdict
    canceled = run.job_outcome == "canceled"
    return Verdict(
        version=version.key,
        blob=version.blob,
        word="canceled" if canceled else "failed",
        why=f"{run.failed_stage}: {run.why}" if run.why else "the run ended before this file was scored",
    )


def outcome(run: Run, words: list[Verdict]) -> Outcome:
    """The run's outcome. Without versions it is `released` when something stopped it, else `empty`.

    `empty`, too, when all there was had been overwritten or deleted before it was read.
    """
    found = {verdict.word for verdict in words}
    good = found & {"published", "unchanged"}
    if not found:
        return "released" if run.why else "empty"
    if found == good:
        return "succeeded"
    if good:
        return "partial"
    if run.job_outcome == "timed-out":
        return "timed-out"
    if "failed" in found:
        return "failed"
    if "canceled" in found:
        return "canceled"
    return "rejected" if "rejected" in found else "empty"
