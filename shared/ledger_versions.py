"""The ledger on versions: they arrive, wait, are claimed by a run, and released or claimed again."""

from collections.abc import Iterable

from shared import names
from shared.ledger_admission import Admission
from shared.ledger_keys import marker_key, marker_metadata, version_of_marker, version_path
from shared.records import Version


class Versions(Admission):
    """The versions, and the markers of those that wait."""

    def arrive(self, seen: Version) -> bool:
        """Leaves a marker for a version nobody scores yet. False: it is known, or marked, already.

        Whoever marked it starts what is to be started, or the sweep does.
        """
        known = self.version(seen)
        if known is not None and known.run is not None:
            return False
        waiting = seen.but(n=known.n) if known else seen
        return bool(self.store.create(marker_key(waiting), waiting.to_dict(), marker_metadata(waiting)))

    def version(self, version: Version) -> Version | None:
        found = self.store.read(version_path(version))
        return Version.from_dict(found[0]) if found else None

    def versions_of(self, container: str, blob: str, most: int) -> list[Version]:
        """The records of a file's versions, those noted last, up to so many; the one dropped last first."""
        listed = self.store.listed(f"versions/{names.name_key(container, blob)}/")
        keys = [item.key for item in sorted(listed, key=lambda item: item.created, reverse=True)][:most]
        found = [Version.from_dict(read[0]) for read in self.in_parallel(self.store.read, keys) if read]
        return sorted(found, key=lambda version: version.modified, reverse=True)

    def waiting_of(self, route: str, container: str, blob: str) -> list[Version]:
        """The versions of one file that are marked for a route."""
        prefix = f"waiting/{route}/{names.name_key(container, blob)}"
        return [version_of_marker(item, route) for item in self.store.listed(prefix)]

    def known_versions(self) -> set[str]:
        """The keys of every version that has a record."""
        return {item.key.rsplit("/", 1)[1].removesuffix(".json") for item in self.store.listed("versions/")}

    def marked_versions(self) -> set[tuple[str, str]]:
        """Route and key of every version that waits: a marker counts only for the route it stands under."""
        found = (item.key.split("/") for item in self.store.listed("waiting/"))
        return {(route, marker.split(".", 1)[0]) for _, route, marker in found}

    def is_marked(self, version: Version) -> bool:
        """Whether the version waits, in its round."""
        return self.store.read(marker_key(version)) is not None

    def waiting(self, route: str, until: str = "") -> list[Version]:
        """The versions that are marked for a route, the first dropped first; `until` leaves out those dropped later."""
        marked = [version_of_marker(item, route) for item in self.store.listed(f"waiting/{route}/")]
        found = [version for version in marked if not until or version.modified <= until]
        return sorted(found, key=lambda version: (version.modified, version.key))

    def claim(self, run: str, marked: Version) -> Version | None:
        """Makes a waiting version the run's, or None where the marker says nothing any more."""
        claimed = marked.but(run=run)
        if self.store.create(version_path(marked), claimed.to_dict()):
            return claimed
        found = self.store.read(version_path(marked))
        if found is None:
            return self.claim(run, marked)
        record = Version.from_dict(found[0])
        if record.run == run:
            return record
        holder = self.run(record.run) if record.run is not None else None
        closed = holder is not None and holder.stage == "closed"
        if holder is not None and closed and record.key not in self.words(holder):
            # Its run closed before it was released for good, or before an execution so slow had claimed it.
            n = marked.n if record.n < marked.n else record.n + 1
            return self.take_over(run, record, found[1], n)
        if record.n > marked.n:
            self.store.delete(marker_key(marked))
            return None
        if record.run is not None and not closed:
            return None  # its run releases it, or forgets its marker, itself
        if record.n < marked.n or holder is None:
            return self.take_over(run, record, found[1], marked.n)
        self.store.delete(marker_key(marked))
        return None

    def claim_again(self, run: str, wanted: Version, *, force: bool = False) -> tuple[Version | None, str]:
        """For an explicit run: also takes versions that have ended. Returns the claim, or why there is none."""
        claimed = wanted.but(run=run, force=force)
        if self.store.create(version_path(wanted), claimed.to_dict()):
            return claimed, ""
        found = self.store.read(version_path(wanted))
        if found is None:
            return self.claim_again(run, wanted, force=force)
        record = Version.from_dict(found[0]).but(force=force)
        if record.run == run:
            return record, ""
        if record.run is None:
            return self.take_over(run, record, found[1], record.n), "another run was faster"
        word = self.final_word(record)
        if not word:
            return None, f"run {record.run} is scoring it"
        if word in ("published", "unchanged") and not force:
            return None, f"run {record.run} has published it"
        return self.take_over(run, record, found[1], record.n + 1), "another run was faster"

    def take_over(self, run: str, record: Version, etag: str, n: int) -> Version | None:
        claimed = record.but(run=run, n=n)
        if self.store.replace(version_path(record), claimed.to_dict(), etag):
            return claimed
        # It may have been this run: by another execution, or by a write whose answer was lost.
        standing = self.version(record)
        return standing if standing and standing.run == run else None

    def release(self, run: str, version: Version) -> bool:
        """The run gives a version back, which waits in the next round. False: it is not the run's any more.

        The marker comes first: a version that nobody has claimed is always marked.
        """
        found = self.store.read(version_path(version))
        if found is None or found[0]["run"] != run:
            return False
        record = Version.from_dict(found[0])
        waiting = record.but(n=record.n + 1, run=None)
        self.store.create(marker_key(waiting), waiting.to_dict(), marker_metadata(waiting))
        return bool(self.store.replace(version_path(record), waiting.to_dict(), found[1]))

    def final_word(self, record: Version) -> str:
        """The word a version ended with, or "" while its run is open."""
        run = self.run(record.run or "")
        if run is None or run.stage != "closed":
            return ""
        return self.words(run).get(record.key, "failed")

    def claims(self, run: str) -> list[Version]:
        """The versions of the run's plan whose records name it."""
        records = self.in_parallel(self.version, self.planned(run) or [])
        return [record for record in records if record is not None and record.run == run]

    def still_mine(self, run: str, versions: Iterable[Version]) -> list[Version]:
        """Those that no other run has taken since the run was closed."""
        records = self.in_parallel(self.version, versions)
        return [record for record in records if record is not None and record.run == run]

    def touch(self, version: Version) -> None:
        """Gives a version's record a new ETag, if it still is the same run's.

        A claim of it that looked at the run while it was closed so comes too late.
        """
        found = self.store.read(version_path(version))
        if found and found[0]["run"] == version.run:
            self.store.replace(version_path(version), found[0], found[1])

    def forget_markers(self, versions: Iterable[Version]) -> None:
        """The markers of claimed versions have done their work."""
        self.in_parallel(self.store.delete, [marker_key(version) for version in versions])
