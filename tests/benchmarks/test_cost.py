"""What is counted is priced as it is billed."""

from collections import Counter

from benchmarks.cost import priced

PRICES = {
    "write_per_10000": 0.05,
    "list_per_10000": 0.06,
    "read_per_10000": 0.004,
    "execution_per_million": 0.2,
    "gb_second": 0.00002,
    "memory_gb": 2.0,
    "seconds_per_execution": 0.5,
    "node_hour": 0.6,
    "job_minutes": 10,
}


def test_calls_executions_and_jobs_are_priced_and_deletes_are_not() -> None:
    counts = Counter(writes=10_000, lists=10_000, reads=10_000, deletes=10_000)
    assert round(priced(counts, PRICES, 0), 6) == 0.114
    ran = Counter(activities=600_000, messages=400_000)
    assert round(priced(ran, PRICES, 0), 6) == 0.2 + 1_000_000 * 0.5 * 2 * 0.00002
    assert round(priced(Counter(), PRICES, 3), 6) == 0.3
