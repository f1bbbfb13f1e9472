"""Quotas: periods that begin at midnight UTC, and what is left in each."""

from datetime import UTC, datetime

import pytest

from deploy.local.gateway.quotas import Period, Quota, Quotas


@pytest.mark.parametrize(
    ("period", "now", "start"),
    [
        pytest.param(Period.DAY, "2026-11-23T23:59", "2026-11-23", id="day"),
        pytest.param(Period.WEEK, "2026-11-23T01:00", "2026-11-22", id="a Monday's week"),
        pytest.param(Period.WEEK, "2026-11-22T00:00", "2026-11-22", id="a Sunday begins a week"),
        pytest.param(Period.WEEK, "2026-11-28T23:59", "2026-11-22", id="a Saturday ends it"),
        pytest.param(Period.MONTH, "2026-11-30T23:59", "2026-11-01", id="month"),
    ],
)
def test_a_period_begins_at_midnight(period: Period, now: str, start: str) -> None:
    found = period.start(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(start).replace(tzinfo=UTC)


def test_a_quota_is_full_again_in_the_next_period() -> None:
    quotas, quota = Quotas(), Quota(limit=3, offset=1, period=Period.DAY)
    noon_s = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
    today = [quotas.take("key", quota, noon_s) for _ in range(4)]
    tomorrow = [quotas.take("key", quota, noon_s + 86_400) for _ in range(4)]
    assert today == [True, True, False, False], "the offset is subtracted in the first period"
    assert tomorrow == [True, True, True, False]
    assert quotas.take("another key", quota, noon_s)
