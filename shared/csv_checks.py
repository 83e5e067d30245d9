"""Which cells of a scanned block surely keep their column's rule; all others are asked one by one.

Imports numpy, so that only functions that need it import this module.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.bitmaps import Bits, Bytes, Flags, Places, packed, places, run_ends, shifted
from shared.column_rules import BOOLEANS, NUMERIC, Bound, Rule, bound
from shared.csv_rows import Problem, Table
from shared.csv_scan import Scan

LONGEST_LISTED = 32
LONGEST_VALUE = 17
EXACT = 2**53
EIGHT = 8
ZERO, MINUS, PLUS, SMALL_E = b"0-+e"
CASE, BLANK, LAST_PRINTABLE = 0x20, 0x20, 0x7E
NONE = np.empty(0, np.intp)
MOMENT = np.frombuffer(b"0000-00-00T00:00:00", np.uint8)
MIDNIGHT = MOMENT[10:]
DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def checked(scan: Scan, table: Table, line: int) -> tuple[list[Problem], Flags | None]:
    """What is wrong with the rows of a block that begins on `line`, and which rows are good (None: all)."""
    bad = bad_rows(scan, table)
    if not bad:
        return [], None
    good = np.ones(scan.rows, np.bool_)
    good[bad] = False
    found, before = [], 0
    for row in bad:
        start = int(scan.starts[row, 0])
        line, before = line + scan.data.count(b"\n", before, start), start
        cells = [scan.cell(row, at) for at in range(scan.width)]
        found += [Problem(line, *problem) for problem in table.problems(cells)]
    return found, good


def bad_rows(scan: Scan, table: Table) -> list[int]:
    """The rows with a cell at fault."""
    numbers = {at: rule for at, rule in table.rules if rule.type in NUMERIC and not rule.allowed}
    odd = odd_numbers(scan, numbers) if numbers else {}
    bad: set[int] = set()
    for at, rule in table.rules:
        if at in numbers:
            doubtful = np.union1d(odd.get(at, NONE), np.flatnonzero(out_of_bounds(scan, at, rule)))
        elif rule.allowed or rule.type == "boolean":
            doubtful = np.flatnonzero(unlisted(scan, at, rule))
        elif rule.type == "text":
            doubtful = NONE if rule.missing else np.flatnonzero(without_text(scan, at))
        else:
            doubtful = np.flatnonzero(odd_times(scan, at, rule))
        bad.update(asked(scan, at, rule, doubtful))
    return sorted(bad)


def asked(scan: Scan, at: int, rule: Rule, rows: Places) -> Iterator[int]:
    """Those of the rows whose cell is at fault. Equal cells are asked once."""
    starts, stops = scan.starts[rows, at].tolist(), scan.stops[rows, at].tolist()
    raw = [scan.data[start:stop] for start, stop in zip(starts, stops, strict=True)]
    faulty = {cell for cell in set(raw) if rule.fault(scan.read(cell), scan.dialect.decimal)}
    return (row for row, cell in zip(rows.tolist(), raw, strict=True) if cell in faulty)


def odd_numbers(scan: Scan, rules: Mapping[int, Rule]) -> dict[int, Places]:
    """For each column of numbers, the rows whose cell is not of digits with a sign, a point, an exponent of two digits.

    Cells that may be missing may be empty.
    """
    fractions = sorted(at for at, rule in rules.items() if rule.type == "number")
    optional = sorted(at for at, rule in rules.items() if rule.missing)
    within = scan.region(sorted(rules))
    fractional = within if len(fractions) == len(rules) else scan.region(fractions)
    faults = number_faults(scan, within, fractional, scan.region(optional))
    if not faults.any():
        return {}
    found = np.searchsorted(scan.stops.ravel(), places(faults))
    rows, columns = np.divmod(np.unique(found), scan.width)
    return {at: rows[columns == at] for at in rules}


def number_faults(scan: Scan, within: Bits, fractions: Bits, optional: Bits) -> Bits:
    """Positions in the cells of `within` (or just after) at which these stop to read as numbers.

    Only those in `fractions` may have a point and an exponent, only those in `optional` may be empty.
    """
    text, decimal = scan.text, ord(scan.dialect.decimal)
    edge = scan.separators | scan.returns | scan.quotes
    opening = scan.quotes & scan.quoted
    begin = shifted(edge)
    begin[0] |= np.uint64(1)
    cells = within & ~edge
    digit = packed(text - np.uint8(ZERO) < np.uint8(10)) & cells
    sign = packed((text == MINUS) | (text == PLUS)) & cells
    point = packed(text == decimal) & cells & fractions
    power = packed((text | np.uint8(CASE)) == SMALL_E) & cells & fractions
    after_power = shifted(power)
    exponent = (after_power & ~sign) | shifted(after_power & sign)
    number = shifted(digit | (point & shifted(digit)))  # just after what may end one

    faults: Bits = cells & ~(digit | sign | point | power)
    faults |= sign & ~(begin | after_power)
    faults |= (power | (edge & ~begin)) & ~number
    faults |= run_ends(shifted(point), digit) & ~(edge | power)
    faults |= run_ends(exponent, digit) & ~edge
    faults |= shifted(shifted(exponent & digit) & digit) & digit
    faults |= nineteen(digit)
    faults |= opening & shifted(scan.quotes)  # of two quotes inside a cell
    empty = edge & begin & ~opening & (scan.quotes | ~shifted(scan.quotes))
    faults |= empty & ~optional
    faults &= within
    return faults


def nineteen(digit: Bits) -> Bits:
    """The digits with eighteen before them: such numbers may be too large for a word."""
    two = digit & shifted(digit)
    four = two & shifted(two, 2)
    eight = four & shifted(four, 4)
    all_of_them: Bits = eight & shifted(eight, 8) & shifted(two, 16) & shifted(digit, 18)
    return all_of_them


def out_of_bounds(scan: Scan, at: int, rule: Rule) -> Flags:
    """The rows whose number is not surely within the rule's bounds."""
    if rule.min is None and rule.max is None:
        return np.zeros(scan.rows, np.bool_)
    starts, stops = scan.contents(at)
    values, sure = numbers_in(scan, starts, stops)
    # A limit that a float does not hold exactly lies beyond all values that are sure.
    low, high = (None if limit is None else float(limit) for limit in (rule.min, rule.max))
    sure &= within(values, low, high)
    sure |= (stops == starts) & rule.missing
    return ~sure


def within(values: NDArray[Any], low: float | None, high: float | None) -> Flags:
    """Which values surely keep the limits; none where one is not a number."""
    kept = np.ones(len(values), np.bool_)
    if low is not None:
        kept &= values >= low
    if high is not None:
        kept &= values <= high
    return kept


def numbers_in(scan: Scan, starts: Places, stops: Places) -> tuple[NDArray[np.float64], Flags]:
    """The values of cells, and which of them are surely those that Python reads.

    Sure are plain decimals of a value that a float holds exactly before the point is set.
    """
    lengths = stops - starts
    value, decimals = np.zeros(scan.rows, np.int64), np.zeros(scan.rows, np.int64)
    sure, after_point = lengths <= LONGEST_VALUE, np.zeros(scan.rows, np.bool_)
    for step in range(min(int(lengths.max()), LONGEST_VALUE)):
        letter = scan.text[np.minimum(starts + step, len(scan.text) - 1)]
        there = lengths > step
        digit = there & (letter - np.uint8(ZERO) < np.uint8(10))
        value = np.where(digit, value * 10 + (letter - np.uint8(ZERO)), value)
        decimals += digit & after_point
        point = there & (letter == ord(scan.dialect.decimal))
        after_point |= point
        sure &= digit | point | ~there | ((step == 0) & ((letter == MINUS) | (letter == PLUS)))
    sure &= value < EXACT
    signed = np.where(scan.text[starts] == MINUS, -value, value)
    return signed / 10.0**decimals, sure


def unlisted(scan: Scan, at: int, rule: Rule) -> Flags:
    """The rows whose cell is not surely one of those that the rule lists."""
    known = [cell for cell in known_cells(scan, rule) if len(cell) < LONGEST_LISTED]
    starts, stops = scan.contents(at)
    # One letter more than any listed cell has is enough to tell a longer one from it.
    longest = max(map(len, known), default=0) + 1
    size = -(-longest // EIGHT) * EIGHT
    cells = letters(scan.text, starts, np.minimum(stops - starts, longest), size).view(np.uint64)
    found = np.zeros(scan.rows, np.bool_)
    for cell in known:
        found |= (cells == np.frombuffer(cell.ljust(size, b"\0"), np.uint64)).all(axis=1)
    return ~found


def known_cells(scan: Scan, rule: Rule) -> Iterator[bytes]:
    """The cells that the rule surely allows, as they stand in the file."""
    if rule.missing:
        yield b""
    for cell in rule.allowed or BOOLEANS:
        raw = cell.encode(scan.dialect.encoding, "ignore")
        as_it_stands = raw.decode(scan.dialect.encoding) == cell and '"' not in cell
        if as_it_stands and not rule.fault(cell, scan.dialect.decimal):
            yield raw


def letters(text: Bytes, starts: Places, lengths: Places, size: int) -> Bytes:
    """(cells, size): the first bytes from each start, `lengths` of them, then zeros."""
    found = np.zeros((len(starts), size), np.uint8)
    for step in range(min(size, int(lengths.max()))):
        at = np.minimum(starts + step, len(text) - 1)
        found[:, step] = np.where(lengths > step, text[at], 0)
    return found


def without_text(scan: Scan, at: int) -> Flags:
    """The rows whose cell may be empty or blank."""
    starts, stops = scan.contents(at)
    letter = scan.text[starts]
    return (stops <= starts) | (letter <= BLANK) | (letter > LAST_PRINTABLE)


def odd_times(scan: Scan, at: int, rule: Rule) -> Flags:
    """The rows whose cell is not surely a date, or a date and a time in whole seconds, within the rule's bounds."""
    starts, stops = scan.contents(at)
    lengths = stops - starts
    found = letters(scan.text, starts, lengths, len(MOMENT))
    dated = lengths == len("YYYY-MM-DD")
    timed = (lengths == len(MOMENT)) & (rule.type == "datetime")
    found[dated, len("YYYY-MM-DD") :] = MIDNIGHT
    found[:, 10] = np.where(found[:, 10] == ord(" "), ord("T"), found[:, 10])
    stamp, sure = stamps(found)
    sure &= dated | timed
    sure &= within(stamp, stamp_of(rule.type, rule.min), stamp_of(rule.type, rule.max))
    sure |= (lengths == 0) & rule.missing
    return ~sure


def stamps(moments: Bytes) -> tuple[NDArray[np.int64], Flags]:
    """For rows of YYYY-MM-DDTHH:MM:SS, that as one number, and which of them are moments."""
    digit = moments - np.uint8(ZERO)
    like = np.where(MOMENT == ZERO, digit < np.uint8(10), moments == MOMENT).all(axis=1)
    tens = digit.astype(np.int64)
    century, years, month, day, hour, minute, second = (
        tens[:, at] * 10 + tens[:, at + 1] for at in (0, 2, 5, 8, 11, 14, 17)
    )
    year = century * 100 + years
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = DAYS[np.where(like, month, 0) % len(DAYS)] + (leap & (month == 2))
    there = (year > 0) & (month < len(DAYS)) & (day > 0) & (day <= longest)
    there &= (hour < 24) & (minute < 60) & (second < 60)
    stamp = ((((year * 100 + month) * 100 + day) * 100 + hour) * 100 + minute) * 100 + second
    return stamp, like & there


def stamp_of(kind: str, limit: Bound | None) -> float | None:
    """A limit as `stamps` has it, not a number where that would not be exact."""
    if limit is None:
        return None
    moment = bound(kind, limit)
    inexact = moment.microsecond or moment.utcoffset()
    return math.nan if inexact else int(f"{moment.year}{moment:%m%d%H%M%S}")
