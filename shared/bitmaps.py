"""Sets of byte positions of a block, one bit a byte in words of 64: many questions about text at a few cycles a byte.

Imports numpy, so that only functions that need it import this module.
"""

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Bits = NDArray[np.uint64]  # bit b of word w stands for byte 64 * w + b
Places = NDArray[np.intp]
WORD = 64


def packed(flags: Flags) -> Bits:
    """One bit for each flag; their number must be a multiple of 64."""
    return np.packbits(flags, bitorder="little").view(np.uint64)


def unpacked(bits: Bits) -> Flags:
    return np.unpackbits(bits.view(np.uint8), bitorder="little").view(np.bool_)


def places(bits: Bits) -> Places:
    """The positions in the set, ascending."""
    return np.flatnonzero(unpacked(bits))


def shifted(bits: Bits, by: int = 1) -> Bits:
    """Every position moved on by 1 to 63 bytes."""
    moved = bits << np.uint64(by)
    moved[1:] |= bits[:-1] >> np.uint64(WORD - by)
    return moved


def inside(marks: Bits) -> Bits:
    """The positions from every odd mark to before the next even one: those after an odd number of marks."""
    found = marks.copy()
    for by in (1, 2, 4, 8, 16, 32):
        found ^= found << np.uint64(by)
    open_before = np.bitwise_xor.accumulate(found >> np.uint64(WORD - 1))[:-1]
    found[1:] ^= np.uint64(0) - open_before
    return found


def run_ends(starts: Bits, run: Bits) -> Bits:
    """From each start, the first position that is not in `run`. What precedes a start must not be in `run`.

    Adding a start to a run of ones carries through it. Past a run of 64 and more the end may be missing.
    """
    total = starts + run
    total[1:] += total[:-1] < run[:-1]
    return total & ~run


def spans(size: int, starts: Places, stops: Places) -> Bits:
    """The positions from each start to before its stop, of `size` bytes. No two spans overlap."""
    marks = np.zeros((size // WORD + 1) * WORD, np.bool_)
    marks[starts] = True
    marks[stops] ^= True  # none where the next span starts
    return inside(packed(marks))


def ranks(bits: Bits, at: Places) -> NDArray[np.int64]:
    """How many positions of the set come before each of `at`."""
    words = at // WORD
    up_to = np.cumsum(np.bitwise_count(bits), dtype=np.int64)
    below = (np.uint64(1) << (at % WORD).astype(np.uint64)) - np.uint64(1)
    return up_to[words] - np.bitwise_count(bits[words] & ~below)


def truncate(bits: Bits, size: int) -> None:
    """Drops the positions from `size` on."""
    word, bit = divmod(size, WORD)
    bits[word + 1 :] = 0
    if word < len(bits):
        bits[word] &= np.uint64((1 << bit) - 1)


def first(bits: Bits) -> int | None:
    """The first position of the set; None where it is empty."""
    words = np.flatnonzero(bits)
    if not words.size:
        return None
    lowest = int(bits[words[0]])
    return int(words[0]) * WORD + (lowest & -lowest).bit_length() - 1


def end_of_last(bits: Bits) -> int:
    """The position after the last of the set; 0 where it is empty."""
    words = np.flatnonzero(bits)
    return 0 if not words.size else int(words[-1]) * WORD + int(bits[words[-1]]).bit_length()
