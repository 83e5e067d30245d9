"""Which `match` the beginning of a raw file fits: a text for a person. Nothing is ever published on it."""

import csv
import io
from collections import Counter
from dataclasses import dataclass

from shared.raw_cells import ROW_NUMBER, bare_name
from shared.raw_rows import DELIMITERS

SAMPLE = 256 * 1024
MARKS = " ,\t;|"


@dataclass(frozen=True)
class Sample:
    """The first rows of a raw file, cut at one delimiter; `width` is 0 where they differ in it."""

    mark: str
    rows: list[list[str]]

    @property
    def width(self) -> int:
        widths = {len(cells) for cells in self.rows}
        return widths.pop() if len(widths) == 1 else 0

    def owners(self, parts: dict[str, int]) -> list[str]:
        """The parts that rows name at their ends."""
        names = (bare_name(cells[-1]) for cells in self.rows if len(cells) > 1)
        return [name for name in names if name in parts]

    def numbered(self, parts: dict[str, int]) -> bool:
        """Whether every row begins with the number of a row that the part it names has."""
        return self.width > 2 and all(
            ROW_NUMBER.fullmatch(cells[0]) and int(cells[0]) < parts[bare_name(cells[-1])]
            for cells in self.rows
        )


def proposal(sample: bytes, parts: dict[str, int], predictions: int) -> str:
    """What to set in the route for a raw file to be matched; or that it fits no form, and why. Never shows a value.

    `sample`: the file's first SAMPLE bytes, or all of a shorter one. `parts`: how many rows each part has.
    `predictions`: how many predicted columns the route names.
    """
    whole = len(sample) < SAMPLE
    text = (sample if whole else sample[: sample.rfind(b"\n") + 1]).decode(errors="replace")
    if not text.strip():
        return fits_none("it is empty. The job's log on Azure ML says what the script returned")
    if text.startswith("["):
        return fits_none(
            "it holds Python lists, as early MLflow deployments wrote them. Deploy the model anew"
        )
    samples = [Sample(mark, rows_of(text, mark)) for mark in MARKS]
    if all(len(cells) == 1 and bare_name(cells[0]) in parts for cells in samples[0].rows):
        looks = (
            "Its rows are the names of the parts and nothing else, as where the script writes a file for each"
        )
        return advice(looks, "files", DELIMITERS["files"], predictions, predictions)
    naming = max(samples, key=lambda one: len(one.owners(parts)))
    if naming.owners(parts):
        return of_names(naming, parts, predictions, whole)
    if len(parts) == 1:
        return of_one_part(samples, text.count("\n"), next(iter(parts.values())), predictions, whole)
    return of_many_parts(samples, predictions)


def rows_of(text: str, mark: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text, newline="\n"), delimiter=mark))
    except csv.Error:
        return []


def of_names(sample: Sample, parts: dict[str, int], predictions: int, whole: bool) -> str:
    """Rows name their parts."""
    owners = sample.owners(parts)
    if len(owners) < len(sample.rows):
        return fits_none("only some rows end with the name of a file. Is the first line a header?")
    if not sample.width:
        return fits_none("its rows end with the file's name, but differ in their number of fields")
    if sample.numbered(parts) and sample.width != predictions + 1:
        looks = "These look like MLflow's form: the row's number, predictions, the file's name"
        return advice(looks, "row", sample.mark, sample.width - 2, predictions)
    counts = Counter(owners)
    if any(counts[part] > rows or (whole and counts[part] < rows) for part, rows in parts.items()):
        looks = "Every row ends with the file's name, but there is another number of rows than was sent"
        return advice(looks, "none", sample.mark, sample.width - 1, predictions)
    return advice("Every row ends with the file's name", "file", sample.mark, sample.width - 1, predictions)


def of_one_part(samples: list[Sample], lines: int, rows: int, predictions: int, whole: bool) -> str:
    """Rows name nothing, and need not, since the job had one part."""
    keyed = next((one for one in samples if one.width == predictions + 1), None)
    fitting = next((one for one in samples if one.width == predictions), keyed)
    mark = fitting.mark if fitting and predictions > 1 else " "
    if not fitting and predictions > 1:
        return fits_none(
            f"its rows have neither {predictions} nor {predictions + 1} fields, whatever the delimiter"
        )
    if lines > rows or (whole and lines < rows):
        looks = "The rows name neither file nor key, and there is another number of them than was sent"
        return advice(looks, "none", mark, predictions, predictions)
    if keyed and fitting is keyed:
        looks = (
            "Its rows have one field more than `predictions` names columns, as where a key stands before them"
        )
        return advice(looks, "key", keyed.mark, predictions, predictions) + " Name the column in `key`, too."
    looks = "The rows hold predictions only, as far as can be seen, so that nothing but their order tells them apart"
    return advice(looks, "order", mark, predictions, predictions) + or_by_key(keyed)


def of_many_parts(samples: list[Sample], predictions: int) -> str:
    keyed = next((one for one in samples if one.width == predictions + 1), None)
    why = "its rows do not name their file, and the job had several"
    return fits_none(f"{why}. Let the scoring script add the name as the last column") + or_by_key(keyed)


def or_by_key(sample: Sample | None) -> str:
    if sample is None:
        return ""
    settings = f'match = "key"{delimiter_setting("key", sample.mark)} and `key`'
    return f" If each row begins with a key that only one row of the run has: set {settings}."


def advice(looks: str, match: str, mark: str, found: int, predictions: int) -> str:
    names = (
        f", name {found} columns in `predictions` instead of {predictions}" if found != predictions else ""
    )
    return (
        f'{looks}: set match = "{match}"{delimiter_setting(match, mark)}{names} in the route and rerun the run; '
        "nothing is scored again."
    )


def delimiter_setting(match: str, mark: str) -> str:
    written = {"\t": "\\t"}.get(mark, mark)
    return f', raw_delimiter = "{written}"' if mark != DELIMITERS[match] else ""


def fits_none(why: str) -> str:
    return f"The raw file fits no form: {why}."
