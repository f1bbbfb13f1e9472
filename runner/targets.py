"""What a run is sent to: a stack on the local cloud, on AWS or at an endpoint, or any URL."""

import dataclasses
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.deployer import bring_up, parameters_of
from deploy.inspection import integration_timeout_ms
from deploy.local.lifecycle import Condition, background, private_cloud
from deploy.local.options import require_same
from deploy.local.process import LocalCloud
from deploy.settings import Settings, Target
from deploy.stack import Stack
from history.destination import Destination, parse_destination, require_allowed
from history.errors import UserError
from history.fault import LOST_UPDATE, FaultSpec
from history.operation import Returns
from runner.intermediary import standing_before
from runner.options import LoadOptions

Say = Callable[[str], None]

USD_PER_MILLION_REQUESTS = 4.13
"""REST API requests $3.50 and on-demand writes $0.625 a million, us-east-1, 2025-26.

A GET and a POST /decrement are one request and one write each.
"""
ASSUMED_ANSWER_S = 0.025
ACCOUNT_LIMIT_PER_S = 10_000
"""API Gateway's default account throttle."""


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A counter that can be loaded.

    `url` and `destination` are what is loaded: an intermediary's where `fault` asks for one,
    `origin` is where the counter itself is, `origin_url` as it was told. `read_final` reads it
    strongly consistently from its table, where there is one; `alive` tells whether what serves it
    still runs, as far as we can know, `origin_alive` leaves the intermediary out; `fault_counts`
    is what that has done so far.
    """

    target: str
    url: str
    destination: Destination
    origin: Destination
    origin_url: str
    allowed_hosts: tuple[str, ...]
    returns: Returns = Returns.NEW
    endpoint_url: str = ""
    engine: str = ""
    limits: str = ""
    region: str = ""
    stack: str = ""
    table: str = ""
    template_sha256: str = ""
    integration_timeout_ms: int | None = None
    read_final: Callable[[], int] | None = None
    alive: Callable[[], bool] = _always
    origin_alive: Callable[[], bool] = _always
    fault: FaultSpec | None = None
    fault_counts: Callable[[], dict[str, int]] = dict
    log_path: Path | None = None
    """Where what serves it writes its log, if that is on this machine."""


@contextmanager
def open_counter(
    settings: Settings,
    options: LoadOptions,
    say: Say,
    *,
    local: LocalCloud | None = None,
    controls: bool = False,
) -> Iterator[Counter]:
    """Give the counter that the variables ask for; stop again what was started for it.

    `local` is a local cloud that runs already, `controls` deploys the methods that some faults
    need. Raises UserError when it cannot be deployed or may not be loaded.
    """
    with ExitStack() as started:
        if options.url:
            counter = _named(options)
        else:
            counter = _deployed(settings, options, say, started, local=local, controls=controls)
        if options.fault is not None:
            counter = _behind(counter, options.fault, options.seed, started, say)
        yield counter


def _named(options: LoadOptions) -> Counter:
    destination = require_allowed(options.url, options.allow_hosts)
    return Counter(
        target="url",
        url=options.url,
        destination=destination,
        origin=destination,
        origin_url=options.url,
        allowed_hosts=options.allow_hosts,
    )


def _deployed(
    settings: Settings,
    options: LoadOptions,
    say: Say,
    started: ExitStack,
    *,
    local: LocalCloud | None,
    controls: bool,
) -> Counter:
    if settings.target is Target.LOCAL:
        local = local or _local_cloud(settings, started, say)
    endpoint = local.endpoint_url if local else settings.endpoint_url
    cloud = Cloud(region=settings.region, endpoint_url=endpoint)
    needed = controls or (options.fault is not None and options.fault.name == LOST_UPDATE)
    stack = bring_up(
        cloud,
        name=settings.stack,
        parameters=parameters_of(options.returns, controls=needed),
        say=say,
    )
    if settings.target is Target.AWS:
        say(cost_warning(options))
    destination = parse_destination(stack.url)
    return Counter(
        target=settings.target.value,
        url=stack.url,
        destination=destination,
        origin=destination,
        origin_url=stack.url,
        allowed_hosts=(destination.host, *options.allow_hosts),
        returns=stack.returns,
        endpoint_url=settings.endpoint_url or "",
        engine=settings.engine.name if local else "",
        limits=settings.limits.value if local else "",
        region=settings.region,
        stack=stack.name,
        table=stack.table_name,
        template_sha256=stack.template_sha256,
        integration_timeout_ms=_integration_timeout_ms(cloud, stack, say),
        read_final=lambda: read_counter(cloud, stack),
        alive=local.alive if local else _always,
        origin_alive=local.alive if local else _always,
        log_path=local.log_path if local else None,
    )


def _behind(counter: Counter, fault: FaultSpec, seed: int, started: ExitStack, say: Say) -> Counter:
    """Put an intermediary before a counter."""
    between = started.enter_context(
        standing_before(
            counter.origin,
            fault,
            returns=counter.returns,
            seed=seed,
            allowed_hosts=counter.allowed_hosts,
        )
    )
    say(f"intermediary: {between.url} {fault.words}")
    return dataclasses.replace(
        counter,
        url=between.url,
        destination=parse_destination(between.url),
        fault=fault,
        fault_counts=between.counts,
        alive=lambda: counter.alive() and between.alive(),
    )


def _integration_timeout_ms(cloud: Cloud, stack: Stack, say: Say) -> int | None:
    """Read what the API as deployed says; that it cannot be read costs knowledge, not the run."""
    try:
        return integration_timeout_ms(cloud, stack)
    except UserError as error:
        say(f"the integration's time-out is not known: {error}")
        return None


@contextmanager
def sole_use(destination: Destination) -> Iterator[None]:
    """Keep a second runner of this machine off the same counter: both would find numbers missing.

    Raises UserError when there is one already.
    """
    refusal = (
        f"another run is loading {destination.host}:{destination.port}{destination.path} now: wait "
        "for it to end, since each would take the other's numbers for missing"
    )
    with alone(repr(destination), refusal):
        yield


@contextmanager
def alone(what: str, refusal: str) -> Iterator[None]:
    """Be the only process of this user's, on this machine, that does something.

    Raises UserError with the refusal when another does.
    """
    name = hashlib.sha256(what.encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"gapless-{os.getuid()}-{name}.lock"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(refusal) from error
        yield  # the file stays: unlinking it would let two others hold one lock each


def _local_cloud(settings: Settings, started: ExitStack, say: Say) -> LocalCloud:
    """Give the background cloud, or one of our own; raises UserError if it runs otherwise."""
    found = background()
    if found.condition is Condition.SERVING and found.cloud is not None:
        require_same(found.cloud.variables, settings.cloud_options)
        return found.cloud
    if found.condition is not Condition.ABSENT:
        say(f"{found.sentence()}: a new one is started for this run")
    local = started.enter_context(private_cloud(options=settings.cloud_options))
    say(f"local cloud: started at {local.endpoint_url} (it is stopped at the end)")
    return local


def cost_warning(options: LoadOptions) -> str:
    """Say how many requests a run against AWS will send, at most, and what they cost."""
    if options.page is not None:
        return (
            f"cost: {USD_PER_MILLION_REQUESTS} USD a million requests (us-east-1)"
            f"{_mixed(options)}; how many there are is up to you, in Locust's page"
        )
    clients = options.load.users + (0 if options.load.rate_per_s else options.load.connections)
    rate = min(ACCOUNT_LIMIT_PER_S, clients / ASSUMED_ANSWER_S + options.load.rate_per_s)
    requests = int(rate * options.load.duration_s)
    cost = requests * USD_PER_MILLION_REQUESTS / 1_000_000
    return (
        f"cost: about {requests:,} requests if each is answered in {ASSUMED_ANSWER_S * 1000:g} ms, "
        f"{cost:,.2f} USD at {USD_PER_MILLION_REQUESTS} USD a million (us-east-1)"
        f"{_mixed(options)}; Ctrl-C stops"
    )


def _mixed(options: LoadOptions) -> str:
    return ", a decrement costs as much as an increment" if options.load.decrements else ""
