"""Names that people, and those who mean harm, give their files, and archives that are not what they seem."""

import gzip
import zlib

MIB = 1024 * 1024
ROWS = b"a,1\n"
LONGEST = 1024

# Azurite lists all of them; it keeps a backslash as a slash, and cannot list what XML cannot hold.
NAMES = [
    "a.csv",
    "A.csv",
    "a.csv ",
    " a.csv",
    "a.csv.",
    "a..csv",
    ".../a.csv",
    "a//b.csv",
    "/a.csv",
    "%2e%2e/a.csv",
    "..%2Fa.csv",
    "%2F%2e%2e%2Fa.csv",
    "a%20b.csv",
    "a+b.csv",
    "a\nb.csv",
    "a\rb.csv",
    "a\r\nINFO run 01FORGED: closed, succeeded.csv",
    "a\tb.csv",
    "a\x7fb.csv",
    "a\x85b.csv",
    "a\u2028b.csv",
    "\u202evsc.a",
    "a\u200b.csv",
    "\ufeffa.csv",
    "\u00e9.csv",
    "e\u0301.csv",
    "\U0001f600.csv",
    "?sv=1&sig=x#f.csv",
    "a&b<c>\"'.csv",
    "*.csv",
    "$root/a.csv",
    "status/a.csv",
    "runs/01/run.json",
    "a.csv.errors.csv",
    "a.csv.raw",
    "owner.json",
    "part-00001.csv",
    "n" * (LONGEST - 4) + ".csv",
    "\u6570" * (LONGEST - 4) + ".csv",
]
# Addresses lose a part of them, or they are those of our reasons: they stay where they are, and nothing else happens.
UNUSABLE = ["a.csv/", "/", "a.csv.why.txt", r"double\..\b.csv", r"c\.\a.csv"]
CONTROL = [*map(chr, range(32)), "\ufffe", "\uffff"]


def bomb(size: int, header: bytes = b"id,x\n") -> bytes:
    """One gzip member that would inflate to a header and `size` bytes of rows; its checksum is wrong."""
    chunk = 16 * MIB
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = deflate.compress(header) + deflate.flush(zlib.Z_FULL_FLUSH)
    # What follows a full flush refers to nothing before it, so that it may be repeated.
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    rows = deflate.compress(ROWS * (chunk // len(ROWS))) + deflate.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + head + rows * (size // chunk) + b"\x03\x00" + bytes(8)


CSV = b"id,x\na,1\n"
PACKED = gzip.compress(CSV)
ARCHIVES = {
    "gzip.csv": (PACKED, "The file is a gzip archive"),
    "csv.csv.gz": (CSV, "this is no gzip archive"),
    "nested.csv.gz": (gzip.compress(PACKED), "The file is a gzip archive"),
    "nested.csv.gz.gz": (gzip.compress(PACKED), "The file is a gzip archive"),
    "truncated.csv.gz": (gzip.compress(CSV * 1000)[:-9], "The gzip archive is incomplete"),
    "nothing.csv.gz": (gzip.compress(b""), "The file is empty"),
    "zeros.csv.gz": (bytes(20), "this is no gzip archive"),
    "followed.csv.gz": (PACKED + CSV, "The gzip archive is damaged"),
}
