"""How a run ends: the final word of each of its versions, and the run's outcome drawn from them."""

from collections.abc import Iterable

from shared.records import Outcome, Run, Verdict, Version


def final_words(run: Run, claimed: list[Version], verdicts: Iterable[Verdict]) -> list[Verdict]:
    """One verdict with a word per version that is not released: the last of `verdicts`, else what stopped the run.

    `verdicts` come in the order of the stages that found them out.
    """
    known = {verdict.version: verdict for verdict in verdicts}
    words = (ended(version, known.get(version.key), run) for version in claimed)
    return [word.but(pieces=[], problems=[]) for word in words if word.word]


def ended(version: Version, verdict: Verdict | None, run: Run) -> Verdict:
    """The version's final verdict; without a word where the run gives it back."""
    known = verdict or Verdict(version=version.key, blob=version.blob)
    if known.word or run.held:
        return known
    if run.job_outcome == "canceled":
        return known.but(word="canceled", why=run.why)
    stopped = f"{run.failed_stage}: {run.why}" if run.why else ""
    return known.but(
        word="failed", why=known.why or stopped or "the run ended before this file was scored", rows=0
    )


def outcome(run: Run, words: list[Verdict]) -> Outcome:
    """The run's outcome; `empty`, too, when all there was had been overwritten or deleted before it was read."""
    found = {verdict.word for verdict in words}
    good = found & {"published", "unchanged"}
    if run.held:
        return "partial" if good else "released"
    if not found:
        return "canceled" if run.job_outcome == "canceled" else "empty"
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
