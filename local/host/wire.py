"""What a host and its worker processes say to each other: pickled messages, each behind its length.

Both ends are this program, so each unpickles only what it has pickled itself.
"""

import asyncio
import pickle
from dataclasses import dataclass
from typing import Any, BinaryIO

from azure.functions.meta import Datum

LENGTH = 8  # bytes


@dataclass(frozen=True, kw_only=True)
class Call:
    """A function to run with its trigger's data."""

    number: int
    function: str
    datum: Datum


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came of a call: an encoded result, or a failure as `Type: text` with its traceback."""

    number: int
    result: Datum | None = None
    failure: str | None = None
    traceback: str = ""


READY = Reply(number=0)


def pack(message: Call | Reply) -> bytes:
    """Return the message as bytes to send."""
    data = pickle.dumps(message)
    return len(data).to_bytes(LENGTH, "big") + data


def read(stream: BinaryIO) -> Any:
    """Wait for a message in this thread; raises EOFError where the other end is gone."""
    length = int.from_bytes(stream.read(LENGTH), "big")
    return pickle.loads(stream.read(length))


async def receive(reader: asyncio.StreamReader) -> Any:
    """Wait for a message on the loop; raises IncompleteReadError where the other end is gone."""
    length = int.from_bytes(await reader.readexactly(LENGTH), "big")
    return pickle.loads(await reader.readexactly(length))
