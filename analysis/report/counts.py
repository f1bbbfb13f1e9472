"""What the counts of a check are called, and how they are written. Pure."""

from collections.abc import Mapping

from analysis.report import formats

_COUNTS: Mapping[str, str] = {
    "contended": "overlapping its neighbour by number",
    "detectable_one_in": "shows faults in one request of",
    "order_resolution": "shows answers too old by",
    "interval_ms_p01": "fastest 1 % within (ms)",
    "interval_ms_p50": "median interval (ms)",
    "overlapping_share": "overlapping another",
    "other_generator_share": "overlapping another generator's",
    "client_share_of_latency": "client's part of the latency",
}
"""What counts are called, where their own names do not say it."""


def count_words(name: str, count: float | None) -> tuple[str, str]:
    """Give a count's name and number as a reader sees them."""
    share = count is not None and (name.endswith("_share") or name == "client_share_of_latency")
    shown = formats.share(count or 0, 1) if share else formats.quantity(count)
    return _COUNTS.get(name, formats.plain(name).replace("_", " ")), shown
