"""Whether a request may pass: its API key, its throttles, its quota, before anything is called.

AWS: "Throttle requests to your REST APIs for better throughput in API Gateway" gives the order:
a usage plan's limits for a client or a method, a stage's for a method, the account's. It is silent
about three things: whether a request that a later limit refuses has used up the earlier ones (here:
yes), whether a method's limit in a usage plan replaces the plan's (here: both hold), and whether a
throttled request counts against the quota (here: no).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deploy.local.gateway.access import ACCOUNT_LIMIT, EVERY_METHOD, ApiKey
from deploy.local.gateway.answers import Refusal, Refused
from deploy.local.gateway.configuration import DeployedApi, Method
from deploy.local.gateway.quotas import Quotas
from deploy.local.options import Limits
from deploy.local.throttling import Buckets, RateLimit

KEY_HEADER = "x-api-key"
HEADER_SOURCE = "HEADER"


@dataclass(slots=True, kw_only=True)
class Admission:
    """Lets requests to deployed APIs pass or not; keeps what each limit has left."""

    account_limit: RateLimit | None = None
    clock_s: Callable[[], float] = time.monotonic
    epoch_s: Callable[[], float] = time.time
    _buckets: Buckets = field(default_factory=Buckets)
    _quotas: Quotas = field(default_factory=Quotas)

    def admit(self, api: DeployedApi, method: Method, headers: Mapping[str, str]) -> ApiKey | None:
        """Count one request; gives the API key that it came with, if the method wants one.

        Raises Refused for a request that may not pass.
        """
        method_limits = api.access.method_limits
        if not method.api_key_required and not method_limits and self.account_limit is None:
            return None  # the usual case, and every request of a load test passes here
        key = usable_key(api, headers) if method.api_key_required else None
        at = (method.resource_path, method.verb)
        if key is not None:
            self._throttle(
                ("key and method", key.plan_id, key.id, api.api_id, api.stage, at),
                key.method_limits.get(at),
            )
            self._throttle(("key", key.plan_id, key.id), key.limit)
        if method_limits:
            self._throttle(
                (api.api_id, api.stage, at),
                method_limits.get(at) or method_limits.get(EVERY_METHOD),
            )
        self._throttle(("account", api.account, api.region), self.account_limit)
        if key is not None and key.quota is not None:
            used = (key.plan_id, key.id)
            if not self._quotas.take(used, key.quota, self.epoch_s()):
                raise Refused(Refusal.QUOTA_EXCEEDED)
        return key

    def _throttle(self, bucket: tuple[object, ...], limit: RateLimit | None) -> None:
        if limit is not None and not self._buckets.take(bucket, limit, self.clock_s()):
            raise Refused(Refusal.THROTTLED)


def admission_for(limits: Limits) -> Admission:
    """Make the admission of a local cloud with these limits."""
    return Admission(account_limit=ACCOUNT_LIMIT if limits is Limits.AWS else None)


def usable_key(api: DeployedApi, headers: Mapping[str, str]) -> ApiKey:
    """Find the API key that came with a request (AWS: "Choose an API key source in API Gateway").

    Raises Refused if there is none, or none that a usage plan lets in here.
    """
    if api.definition.api_key_source != HEADER_SOURCE:
        source = api.definition.api_key_source
        raise Refused(
            Refusal.CONFIGURATION, f"not emulated: API keys from {source}, only from the header"
        )
    key = api.access.keys.get(headers.get(KEY_HEADER, ""))
    if key is None:
        raise Refused(Refusal.INVALID_KEY)
    return key
