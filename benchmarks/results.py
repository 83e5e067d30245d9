"""What was measured, kept as JSON: one file a section, and apart from it what stood before an improvement.

Quick runs try the benchmarks; they are kept, and reported, apart.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environment import HOME, ROOT

Kept = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Where results, page and plots of the same kind of run lie."""

    results: Path
    page: Path
    plots: Path

    def read(self, section: str, *, before: bool = False) -> dict[str, Any] | None:
        path = self.path(section, before)
        found: dict[str, Any] | None = json.loads(path.read_text("utf-8")) if path.exists() else None
        return found

    def write(self, section: str, found: Kept, *, before: bool = False) -> None:
        path = self.path(section, before)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")

    def path(self, section: str, before: bool) -> Path:
        return self.results / ("before" if before else ".") / f"{section}.json"


FULL = Place(ROOT / "benchmarks" / "results", ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "plots")
QUICK = Place(HOME / "quick", HOME / "quick" / "benchmarks.md", HOME / "quick" / "plots")
