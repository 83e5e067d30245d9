"""What is measured: for every step the limit, the peers and ours."""

import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environment import ROWS
from benchmarks.rows.data import Data


@dataclass(frozen=True)
class Subject:
    """`does`: a function and its words, such as `benchmarks.rows.ours:match row`, or a command with {input} and {out}.

    `answers`: what it finds out or writes; those of a step with the same word must do so alike.
    """

    name: str
    does: str
    answers: str = ""
    role: str = "peer"

    @property
    def is_function(self) -> bool:
        return self.does.startswith("benchmarks.")

    @property
    def needs_peers(self) -> bool:
        return self.does.startswith("benchmarks.rows.peers:")

    def command(self, data: Data, out: Path) -> list[str]:
        if not self.is_function:
            return [word.format(input=data.input, out=out) for word in self.does.split()]
        python = ROWS.python if self.needs_peers else sys.executable
        function, *words = self.does.split()
        return [
            *(str(python), "-m", "benchmarks.rows.one"),
            *(function, str(data.folder), str(data.rows), str(out), *words),
        ]


def limit(name: str, does: str, answers: str = "") -> Subject:
    return Subject(name, does, answers, "limit")


def ours(name: str, does: str, answers: str) -> Subject:
    return Subject(name, f"benchmarks.rows.ours:{does}", answers, "ours")


STEPS: dict[str, tuple[Subject, ...]] = {
    "validate": (
        limit("wc -l", "wc -l {input}"),
        Subject("DuckDB", "benchmarks.rows.peers:duckdb_validate", "counts"),
        Subject("Polars, streaming", "benchmarks.rows.peers:polars_validate", "counts"),
        Subject("pyarrow.csv, blocks of 1 MiB", "benchmarks.rows.peers:pyarrow_validate", "counts"),
        Subject("pandas, chunks of 50,000 rows", "benchmarks.rows.peers:pandas_validate", "counts"),
        Subject("csv module", "benchmarks.rows.plain:validate", "counts"),
        ours("ours", "validate", "counts"),
    ),
    "cut": (
        limit("read and write copy", "benchmarks.rows.plain:copy", "rows"),
        Subject("split -C 32m (cuts cells)", "split -d -a 5 -C 32m {input} {out}/part-", "rows"),
        Subject("csv module, all columns", "benchmarks.rows.plain:cut all", "rows"),
        Subject("csv module, 6 sent, 1 carried", "benchmarks.rows.plain:cut some", "columns"),
        ours("ours, all columns", "cut all", "rows"),
        ours("ours, 6 sent, 1 carried", "cut some", "columns"),
    ),
    "match": (
        limit("copy of ids and predictions", "benchmarks.rows.plain:copy_both"),
        Subject("Polars join, streaming", "benchmarks.rows.peers:polars_join batches", "predictions"),
        Subject("DuckDB join, 4 GB", "benchmarks.rows.peers:duckdb_join batches", "predictions"),
        Subject("csv module and dict", "benchmarks.rows.plain:match batches", "predictions"),
        ours("ours, file", "match file", "predictions"),
        ours("ours, row", "match row", "predictions"),
        ours("ours, key", "match batches", "predictions"),
    ),
    "shuffled": (
        limit("copy of ids and predictions", "benchmarks.rows.plain:copy_both"),
        Subject("Polars join, streaming", "benchmarks.rows.peers:polars_join shuffled", "predictions"),
        Subject("DuckDB join, 4 GB", "benchmarks.rows.peers:duckdb_join shuffled", "predictions"),
        Subject("csv module and dict", "benchmarks.rows.plain:match shuffled", "predictions"),
        ours("ours, key", "match shuffled", "predictions"),
    ),
}
FLAT = (
    ours("validate", "validate", "counts"),
    ours("cut, all columns", "cut all", "rows"),
    ours("cut, 6 sent, 1 carried", "cut some", "columns"),
    ours("match, row", "match row", "predictions"),
)
FLAT_KEYED = ours("match, key, every row somewhere", "match shuffled", "predictions")
