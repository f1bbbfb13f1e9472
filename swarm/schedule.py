"""When requests are meant to be sent, and how load is shared between processes. Pure."""

from collections.abc import Iterator

NS_PER_S = 1_000_000_000


def share(total: int, parts: int, index: int) -> int:
    """Give part `index` of a total divided as evenly as whole numbers allow."""
    return total // parts + (1 if index < total % parts else 0)


def intended_times(
    *, rate_per_s: float, start_ns: int, end_ns: int, parts: int = 1, index: int = 0
) -> Iterator[int]:
    """Give the times (ns) at which process `index` of `parts` is to send, in order.

    The schedule is absolute: request k of all processes together is due at
    start + k / rate, whatever became of the ones before it (wrk2's rule), and each process
    takes every parts-th of them. Times lie in [start, end).
    """
    k = index
    while True:
        due_ns = start_ns + int(k * NS_PER_S / rate_per_s)
        if due_ns >= end_ns:
            return
        yield due_ns
        k += parts
