"""The local host, with a line of JSON for every function it ran: `python -m benchmarks.host SPANS APP ...`.

Name, beginning and end (epoch seconds), and what the function was given, as far as it is text. The app's own spans
(docs/telemetry.md) stand among them. Everything else is `python -m local.host`.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from azure.functions.meta import Datum
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from local.host import __main__ as local_host
from local.host.indexing import IndexedFunction
from local.host.invocation import Worker


@dataclass(frozen=True)
class Ran:
    """A function that ran, or a span within one: from `begun` to `ended`, with the size of what it was given."""

    name: str
    begun: float
    ended: float
    run: str = ""
    given: int = 0

    @property
    def seconds(self) -> float:
        return self.ended - self.begun


class Writing(SpanExporter):
    """Spans as lines."""

    def __init__(self, lines: IO[str]) -> None:
        self.lines = lines

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            run = str((span.attributes or {}).get("dropscore.run", ""))
            write(self.lines, span.name, (span.start_time or 0) / 1e9, (span.end_time or 0) / 1e9, run, 0)
        return SpanExportResult.SUCCESS


def write(lines: IO[str], *cells: object) -> None:
    lines.write(json.dumps(cells) + "\n")
    lines.flush()


def ran(lines: Iterable[str]) -> Iterator[Ran]:
    """What the lines say, in their order: that in which functions ended."""
    return (Ran(*json.loads(line)) for line in lines)


def watched(lines: IO[str]) -> None:
    """Has the host's worker write a line for every function it runs."""
    invoke = Worker.invoke

    async def timed(self: Worker, function: IndexedFunction, datum: Datum) -> Datum:
        begun = time.time()
        try:
            return await invoke(self, function, datum)
        finally:
            given: Any = datum.value if isinstance(datum.value, str) else ""
            write(lines, function.name, begun, time.time(), "", len(given))

    Worker.invoke = timed  # type: ignore[method-assign]


def main() -> None:
    with open(sys.argv.pop(1), "w", encoding="utf-8") as lines:  # noqa: PTH123  to the process's end
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(Writing(lines)))
        trace.set_tracer_provider(provider)
        watched(lines)
        local_host.main()


if __name__ == "__main__":
    main()
