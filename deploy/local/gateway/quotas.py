"""How many requests a usage plan lets a key make in a day, a week or a month. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum


class Period(Enum):
    """What a quota is for. Each begins at midnight UTC: of the day, of Sunday, of the first.

    The developer guide is silent about that. AWS: "create-usage-plan" (CLI examples) has a month's
    quota reset at the beginning of the month; older SDK references begin a week on Sunday; that
    days are UTC's is what users report.
    """

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"

    def start(self, now: datetime) -> datetime:
        """Return when the period that holds `now` (UTC) began."""
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Period.WEEK:
            return day - timedelta(days=day.isoweekday() % 7)
        return day.replace(day=1) if self is Period.MONTH else day


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """AWS: "QuotaSettings"; `offset` requests are subtracted in the first period only."""

    limit: int
    period: Period
    offset: int = 0


@dataclass(slots=True)
class _Use:
    period_start: datetime
    left: int


class Quotas:
    """What is left of each quota. The first period is the first one that a key was used in."""

    def __init__(self) -> None:
        self._uses: dict[tuple[Hashable, Quota], _Use] = {}

    def take(self, key: Hashable, quota: Quota, epoch_s: float) -> bool:
        """Count one request if the quota still allows it; a refused one is not counted."""
        start = quota.period.start(datetime.fromtimestamp(epoch_s, UTC))
        use = self._uses.get((key, quota))
        if use is None:
            use = self._uses[key, quota] = _Use(start, quota.limit - quota.offset)
        elif use.period_start != start:
            use.period_start, use.left = start, quota.limit
        if use.left <= 0:
            return False
        use.left -= 1
        return True
