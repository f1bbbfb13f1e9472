"""Who may call a deployed stage, and how often: its throttles, API keys and usage plans.

All of it is live, not part of a deployment (AWS: "Updates to REST APIs that require redeployment"
lists stages and usage plans among what needs none; it lists API keys among what does, but a key
belongs to no one API, so here a new or disabled key counts at once).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import quote

from deploy.local.control_plane import ControlPlane, Scope
from deploy.local.gateway.quotas import Period, Quota
from deploy.local.json_values import Json
from deploy.local.throttling import RateLimit

MethodKey: TypeAlias = tuple[str, str]
"""A resource's path and the HTTP method that it declares."""

EVERY_METHOD: MethodKey = ("*", "*")
ACCOUNT_LIMIT = RateLimit(rate_per_s=10_000, burst=5_000)
"""AWS: "Amazon API Gateway quotas": of an account in a region, over all of its APIs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One API key, and what the usage plan that covers the stage allows it."""

    id: str
    value: str
    plan_id: str
    limit: RateLimit | None
    quota: Quota | None
    method_limits: Mapping[MethodKey, RateLimit]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageAccess:
    """Who may call one stage, and how often."""

    method_limits: Mapping[MethodKey, RateLimit] = field(default_factory=dict)
    """Of each method by itself; EVERY_METHOD has what the others get."""
    keys: Mapping[str, ApiKey] = field(default_factory=dict)
    """Usable API keys by value: enabled, and in a usage plan that covers the stage."""


async def read_access(
    control_plane: ControlPlane, scope: Scope, api_id: str, stage: Json, *, keys_wanted: bool
) -> StageAccess:
    """Read what GetStage, GetUsagePlans and GetApiKeys say; `stage` is GetStage's answer."""
    return StageAccess(
        method_limits=stage_limits_of(stage.get("methodSettings") or {}),
        keys=await _read_keys(control_plane, scope, (api_id, stage["stageName"]))
        if keys_wanted
        else {},
    )


async def _read_keys(
    control_plane: ControlPlane, scope: Scope, place: tuple[str, str]
) -> dict[str, ApiKey]:
    items = await control_plane.items(scope, "/apikeys", includeValues="true")
    enabled = {item["id"]: item["value"] for item in items if is_true(item.get("enabled", True))}
    found: dict[str, ApiKey] = {}
    for plan in await control_plane.items(scope, "/usageplans"):
        covered = next((at for at in api_stages_of(plan) if at[:2] == place), None)
        if covered is None:
            continue
        members = await control_plane.items(scope, f"/usageplans/{quote(plan['id'])}/keys")
        for member in members:
            value = enabled.get(member["id"])
            if value is None:
                continue
            # AWS lets a key be in one plan of a stage only; should it be in two, the first counts.
            found.setdefault(value, api_key_of(member["id"], value, plan, covered[2]))
    return found


def api_key_of(key_id: str, value: str, plan: Json, method_limits: Json) -> ApiKey:
    """Join one key with its usage plan."""
    return ApiKey(
        id=key_id,
        value=value,
        plan_id=plan["id"],
        limit=rate_limit_of(plan.get("throttle") or {}),
        quota=quota_of(plan.get("quota") or {}),
        method_limits=plan_method_limits_of(method_limits),
    )


def stage_limits_of(settings: Mapping[str, Json]) -> dict[MethodKey, RateLimit]:
    """Read a stage's methodSettings, keyed `*/*` or by a resource's path and method.

    The account's default is what GetStage shows where nothing was set, so it sets nothing.
    """
    limits = {}
    for key, item in settings.items():
        limit = rate_limit_of(
            {
                "rateLimit": item.get("throttlingRateLimit"),
                "burstLimit": item.get("throttlingBurstLimit"),
            }
        )
        if limit is not None and limit != ACCOUNT_LIMIT:
            limits[method_key_of(key)] = limit
    return limits


def plan_method_limits_of(item: Mapping[str, Json]) -> dict[MethodKey, RateLimit]:
    """Read the throttles that a usage plan has for single methods of a stage."""
    return {
        method_key_of(key): limit
        for key, throttle in item.items()
        if (limit := rate_limit_of(throttle)) is not None
    }


def method_key_of(key: str) -> MethodKey:
    """Read `*/*`, `/pets/GET`, `~1pets/GET`, `/~1pets/GET` (CloudFormation's) or `//GET` (root)."""
    path, _, verb = key.rpartition("/")
    path = path.replace("~1", "/").replace("~0", "~").lstrip("/")
    return EVERY_METHOD if (path, verb) == EVERY_METHOD else (f"/{path}", verb)


def rate_limit_of(item: Mapping[str, Json]) -> RateLimit | None:
    """Read rate and burst; None if neither is set, or if a negative one says: no limit.

    AWS does not document what half a throttle means: a missing burst is taken as one second's
    worth, a missing rate as the account's. MiniStack keeps CloudFormation's capitals in an
    ApiStage's throttles, and numbers of a patch as text.
    """
    rate = item.get("rateLimit", item.get("RateLimit"))
    burst = item.get("burstLimit", item.get("BurstLimit"))
    if rate is None and burst is None:
        return None
    rate = ACCOUNT_LIMIT.rate_per_s if rate is None else float(rate)
    burst = max(1.0, rate) if burst is None else float(burst)
    return None if rate < 0 or burst < 0 else RateLimit(rate_per_s=rate, burst=burst)


def quota_of(item: Mapping[str, Json]) -> Quota | None:
    """Read a usage plan's quota, None if it has none."""
    if item.get("limit") is None:
        return None
    return Quota(
        limit=int(item["limit"]),
        period=Period(item.get("period") or Period.DAY.value),
        offset=int(item.get("offset") or 0),
    )


def api_stages_of(plan: Json) -> Iterable[tuple[str, str, Json]]:
    """Give the stages that a usage plan covers: API, stage and the throttles of its methods."""
    found = plan.get("apiStages") or []
    if isinstance(found, str):  # what MiniStack makes of UpdateUsagePlan's add /apiStages
        api_id, _, stage = found.partition(":")
        return [(api_id, stage, {})]
    return [(item["apiId"], item["stage"], item.get("throttle") or {}) for item in found]


def is_true(value: Json) -> bool:
    """Read a boolean that a patch may have left as text."""
    return str(value).lower() != "false"
