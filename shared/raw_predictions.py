"""Which prediction belongs to which row, as far as the form of raw predictions (`match` in the route) can tell.

    order   predictions only, in the rows' order: a list (`str(item)` per line) or a bare frame (space-separated)
    file    the part's file name after them (a frame with one more column, space-separated), in the rows' order
    row     MLflow's no-code form: `row,prediction,file`, comma-separated, in any order
    key     the row's key before them (space-separated), in any order; `raw_keys` has given the rows their numbers
    none    another number of rows than the part has, with or without the part's name after them
    files   one file for each part, comma-separated, in the rows' order, with or without a header

None has a header but the last. Facts are from the Azure ML documentation of `append_row` and `summary_only`.
"""

from collections.abc import Iterable, Iterator

from shared.errors import StageFailed
from shared.raw_blocks import first_row
from shared.raw_cells import bare_name
from shared.raw_extents import Extents, extents_of
from shared.raw_numbered import Numbered, Tally, batches
from shared.raw_rows import Form, Reader, delimiter_of
from shared.routes import Route

__all__ = ["Extents", "Tally", "extents_of", "predicted"]


def predicted(
    pieces: Iterable[bytes], route: Route, part: str, rows: int, tally: Tally | None = None
) -> Iterator[list[bytes | None]]:
    """The predicted cells of each of the part's rows, in the part's order, as CSV without line ends.

    At most 50 000 at once. None where the form can tell that just this row has no prediction, or several that differ:
    `tally` says which. With match = "none" it is the rows that the model made instead, however many.

    Raises StageFailed where the whole part is unusable, at the latest after the last row: another count, rows of
    another part, what cannot be read. Rows are named by their number (the first is 1), never by a value.
    """
    tally = Tally() if tally is None else tally
    pieces, form = form_of(pieces, route, part)
    reader = Reader(form, part)
    if form.lead == "number":
        return by_number(pieces, reader, rows, tally)
    return in_turn(pieces, reader, rows, tally)


def form_of(pieces: Iterable[bytes], route: Route, part: str) -> tuple[Iterable[bytes], Form]:
    """The form of the part's rows, for `none` and `files` as their first row shows it; and the pieces to be read."""
    mark, width = delimiter_of(route), len(route.predictions)
    form = Form(match=route.match, width=width, delimiter=mark)
    match route.match:
        case "row":
            form = form.but(lead="number", named=True)
        case "key":
            form = form.but(lead="number", delimiter=",")
        case "file":
            form = form.but(named=True)
        case "order":
            form = form.but(bare=width == 1)
        case "none":
            cells, pieces = first_row(pieces, mark)
            form = form.but(named=bool(cells) and bare_name(cells[-1]) == part)
        case "files":
            cells, pieces = first_row(pieces, mark)
            pieces = without_first_line(pieces) if tuple(cells) == route.predictions else pieces
    return pieces, form


def in_turn(pieces: Iterable[bytes], reader: Reader, rows: int, tally: Tally) -> Iterator[list[bytes | None]]:
    """Rows whose order is all that is known of them: their count must agree, unless the model makes its own."""
    for found in reader.rows(pieces):
        tally.read = reader.read
        if reader.form.match != "none" and reader.read > rows:
            raise StageFailed(other_count(f"more than {rows}"))
        yield from batches(found.values)
    if reader.form.match != "none" and reader.read < rows:
        raise StageFailed(other_count(f"{reader.read} of {rows}"))


def other_count(count: str) -> str:
    return (
        f"The job returned {count} rows. Nothing was published: the model must return one prediction for every row "
        "of the file."
    )


def by_number(
    pieces: Iterable[bytes], reader: Reader, rows: int, tally: Tally
) -> Iterator[list[bytes | None]]:
    """Rows that say which they are."""
    kept = Numbered(rows)
    for found in reader.rows(pieces):
        kept.add(found, reader.read - len(found.values) + 1)
    tally.read = reader.read
    yield from kept.in_order(tally)


def without_first_line(pieces: Iterable[bytes]) -> Iterator[bytes]:
    begun = False
    for piece in pieces:
        yield piece if begun else piece[piece.find(b"\n") + 1 :]
        begun = True
