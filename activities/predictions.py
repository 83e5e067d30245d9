"""Unpack: raw predictions become one CSV per file, whole or not at all."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import azure.durable_functions as df

from activities.jobs import cancel_spares
from activities.publishing import Output, publish, put_beside, raw_name, target_of
from activities.raw import Raw, as_written, packed_otherwise, usable_raw
from shared import clients, telemetry, work
from shared.blob_io import BlockWriter, in_slices, read_chunks
from shared.csv_lines import Lines, csv_line, rows_of
from shared.errors import StageFailed
from shared.raw_predictions import Tally, predicted
from shared.records import Launch, Run, Staged, Verdict, Version
from shared.routes import Route
from shared.telemetry import traced
from shared.work import Found, PartRows

log = logging.getLogger(__name__)
bp = df.Blueprint()


@bp.activity_trigger(input_name="message")
@traced
def unpack(message: dict) -> dict[str, Any]:
    """Matches the raw predictions to the rows of one portion of the parts, and publishes the files that are complete.

    A file that lies in several portions is staged portion by portion, and published by a last call. Key: each version
    and its round, kept in the published blob's metadata. Returns whether there is `more` and how many portions may be
    worked on at once, and after the last call whether what the job left incomplete is to be scored `again`.
    """
    launch, number = Launch.from_dict(message), message.get("chunk", 0)
    run = clients.ledger().fenced(launch)
    if run.stage != "ended":
        return {"more": False, "again": run.stage == "gathered"}
    index, route = work.index(run), Route.from_dict(run.route)
    versions = {version.key: version for version in mine(run, index)}
    portions = work.unpackings(index)
    if number < len(portions):
        raw = usable_raw(run, launch, index)
        found = unpack_portion(run, portions[number], Outputs(run, number, versions), raw)
        work.write_found(run, "unpack", number, found)
        if len(portions) > 1:
            clients.ledger().progressing(launch)
            return {"more": True, "at_once": len(portions)}
        verdicts = found.verdicts
    else:
        work.write_found(run, "unpack", number, put_together(run, index, versions, len(portions)))
        verdicts = work.verdicts(run, "unpack")
    publish_raw(run, launch, index, versions, verdicts)
    shared = sum(one.packed for one in index) > 1
    # Another job would not help where nobody has said yet how raw predictions are to be read, or in vain.
    another = (
        (shared or bool(run.reopened_at)) and route.match != "auto" and not packed_otherwise(route, index)
    )
    return {"more": False, "again": finished(launch, run, verdicts, another=another)}


def mine(run: Run, index: list[Verdict]) -> list[Version]:
    """The packed versions that are the run's to publish."""
    packed = {verdict.version for verdict in index if verdict.packed}
    versions = [version for version in work.to_score(run) if version.key in packed]
    return clients.ledger().still_mine(run.run, versions) if run.reopened_at else versions


def finished(launch: Launch, run: Run, verdicts: list[Verdict], *, another: bool) -> bool:
    """Whether one attempt more is made for what the job left incomplete: where `another` job may help.

    It may where the job was shared, so that another file may be at fault, or where somebody asked for it.
    """
    incomplete = [verdict for verdict in verdicts if not verdict.word]
    if incomplete and another and not run.cancel and run.attempt < run.attempts:
        log.warning("run %s: job %s left %d files incomplete", run.run, run.job, len(incomplete))
        cancel_spares(run)
        clients.ledger().try_alone(launch, run)
        telemetry.RETRIES.add(1, telemetry.of(run.route["name"], kind="attempt"))
        return True
    failed = next((verdict.why for verdict in verdicts if verdict.word in ("failed", "")), "")
    if failed:
        clients.ledger().failed(launch, *failed.split(": ", 1))
    return False


@dataclass
class Outputs:
    """The outputs of one portion, for the versions that are the run's to publish."""

    run: Run
    number: int
    versions: dict[str, Version]
    found: dict[str, Output] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)

    def of(self, packed: Verdict, piece: list[Any]) -> Output | None:
        """The output that the piece belongs to, with its header if the piece is the version's first."""
        version = self.versions.get(packed.version)
        if version is None:
            return None
        if version.key not in self.found:
            owner = f"{self.run.run}-{self.run.launch:04d}-{self.run.attempt:02d}-{self.number:05d}"
            self.found[version.key] = Output(version, packed, BlockWriter(target_of(version), owner))
        if piece is packed.pieces[0] and version.key not in self.begun:
            route = Route.from_dict(self.run.route)
            self.begun.add(version.key)
            self.found[version.key].write(csv_line([*route.carried, *route.predictions]) + b"\n")
        return self.found[version.key]

    def ended(self, part: PartRows) -> Iterator[Output]:
        """Takes out what ends with the part."""
        for verdict, piece in part.pieces:
            if piece is verdict.pieces[-1] and verdict.version in self.found:
                yield self.found.pop(verdict.version)


def unpack_portion(run: Run, portion: list[PartRows], outputs: Outputs, raw: Raw | str) -> Found:
    """What came of the portion's parts. Nothing becomes visible unless every row has its prediction."""
    if isinstance(raw, str):
        pieces = [one for part in portion for one in part.pieces if one[0].version in outputs.versions]
        return Found([verdict.but(why=raw) for verdict, piece in pieces if piece is verdict.pieces[-1]])
    found = Found()
    for part in portion:
        unpack_part(run, part, outputs, raw)
        ended = list(outputs.ended(part))
        whole = [one for one in ended if one.version.key in outputs.begun]
        found.verdicts.extend(clients.in_parallel(lambda one: publish(one, run), whole))
        found.staged.extend(one.staged() for one in ended if one not in whole)
    found.staged.extend(one.staged() for one in outputs.found.values())
    return found


def unpack_part(run: Run, part: PartRows, outputs: Outputs, raw: Raw) -> None:
    """Gives every piece of one part its rows. What is wrong with the whole part is wrong with each of its files."""
    route = Route.from_dict(run.route)
    pieces = [(verdict, piece, outputs.of(verdict, piece)) for verdict, piece in part.pieces]
    try:
        values = predicted(in_slices(raw(part.name)), route, part.name, part.rows, Tally())
        lines = Lines(joined(run, route, part.name, values))
        for verdict, piece, output in pieces:
            before = sum(some[2] for some in verdict.pieces[: verdict.pieces.index(piece)])
            for first, batch in lines.batches_of(None if route.match == "none" else piece[2]):
                if output is not None:
                    output.add(batch, before + first)
        lines.drain()
    except StageFailed as problem:
        for _, _, output in pieces:
            if output is not None:
                output.why = output.why or f"unpack: {problem}"


def joined(
    run: Run, route: Route, part: str, values: Iterator[list[bytes | None]]
) -> Iterator[list[bytes | None]]:
    """The carried cells of every row of a part, as pack kept them, before its predicted ones."""
    if not route.carried:
        yield from values
        return
    carried = Lines(rows_of(in_slices(read_chunks(work.blob(run, f"carried/{part}")))))
    for some in values:
        yield [
            None if value is None else before + b"," + value
            for before, value in zip(carried.take(len(some)), some, strict=True)
        ]


def put_together(run: Run, index: list[Verdict], versions: dict[str, Version], portions: int) -> Found:
    """Publishes the files that lie in several portions: every row of theirs is staged, or something says why not."""
    found = [work.found(run, "unpack", number) or Found() for number in range(portions)]
    worded = {verdict.version for one in found for verdict in one.verdicts}
    staged: dict[str, list[Staged]] = {}
    for some in (some for one in found for some in one.staged if some.version not in worded):
        staged.setdefault(some.version, []).append(some)
    packed = [verdict for verdict in index if verdict.version in staged]
    return Found(
        [publish(put(verdict, versions[verdict.version], staged[verdict.version]), run) for verdict in packed]
    )


def put(packed: Verdict, version: Version, staged: list[Staged]) -> Output:
    """The output whose blocks others have staged."""
    rows = sum(some.rows for some in staged)
    word, why = next(((some.word, some.why) for some in staged if some.why), ("", ""))
    if rows != packed.rows:
        why = (
            why
            or f"unpack: predictions of {rows} rows are staged, the file has {packed.rows}. Nothing was published."
        )
    blocks = [block for some in staged for block in some.blocks]
    return Output(version, packed, BlockWriter(target_of(version), "", blocks), rows, why, word)


def publish_raw(
    run: Run, launch: Launch, index: list[Verdict], versions: dict[str, Version], verdicts: list[Verdict]
) -> None:
    """Puts the raw predictions as they were written beside those that were published, where the route wants that."""
    if not run.route.get("also_raw"):
        return
    published = {verdict.version for verdict in verdicts if verdict.word == "published"}
    for verdict in index:
        if verdict.version in published:
            written = as_written(run, launch, index, verdict)
            put_beside(run, versions[verdict.version], raw_name(verdict.blob), written)
