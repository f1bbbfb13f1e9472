"""The token bucket: what API Gateway's throttles are, and here DynamoDB's limits too.

AWS: "Throttle requests to your REST APIs for better throughput in API Gateway". Pure: the clock is
passed in, in seconds from any origin. Knows no requests.
"""

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """A rate that may be kept up for ever, and how much may come at once."""

    rate_per_s: float
    burst: float


class TokenBucket:
    """Holds at most `burst` tokens, gains `rate_per_s` of them a second, and starts full.

    So in any t seconds it gives at most burst + rate * t.
    """

    __slots__ = ("_burst", "_rate_per_s", "_tokens", "_updated_s", "limit")

    def __init__(self, limit: RateLimit, now_s: float) -> None:
        self.limit = limit
        self._rate_per_s = limit.rate_per_s
        self._burst = limit.burst
        self._tokens = limit.burst
        self._updated_s = now_s

    def take(self, now_s: float, tokens: float = 1) -> bool:
        """Take that many tokens if they are there; a refusal takes none."""
        passed_s = now_s - self._updated_s
        if passed_s > 0:  # a clock that went back gives nothing and takes nothing
            self._updated_s = now_s
            self._tokens = min(self._burst, self._tokens + passed_s * self._rate_per_s)
        if self._tokens < tokens:
            return False
        self._tokens -= tokens
        return True

    def full(self, now_s: float) -> bool:
        """Whether it holds all that it can: then it is as good as a new one."""
        return self._tokens + (now_s - self._updated_s) * self._rate_per_s >= self._burst


class Buckets:
    """One bucket for each thing that is limited, made when it is first needed.

    A changed limit begins with a full bucket. Full buckets are dropped when there are too many:
    there may be as many as items in a table.
    """

    def __init__(self, *, kept_max: int = 10_000) -> None:
        self._buckets: dict[Hashable, TokenBucket] = {}
        self._kept_max = kept_max

    def take(self, key: Hashable, limit: RateLimit, now_s: float, tokens: float = 1) -> bool:
        """Take tokens from the bucket of `key`, if they are there."""
        bucket = self._buckets.get(key)
        if bucket is None or (bucket.limit is not limit and bucket.limit != limit):
            if len(self._buckets) >= self._kept_max:
                self._drop_full(now_s)
            bucket = self._buckets[key] = TokenBucket(limit, now_s)
        return bucket.take(now_s, tokens)

    def __len__(self) -> int:
        return len(self._buckets)

    def _drop_full(self, now_s: float) -> None:
        used = {key: bucket for key, bucket in self._buckets.items() if not bucket.full(now_s)}
        self._buckets = used
        # So that a second sweep is worth its cost, even if all of them are in use.
        self._kept_max = max(self._kept_max, 2 * len(used))
