"""The command lines, as `make` runs them."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy import __main__ as commands
from deploy import smoke as smoking
from deploy.cloud import Cloud, configured_region, session_for
from deploy.local.engines.choice import EngineChoice
from deploy.local.lifecycle import running_cloud, start_background, stop_background
from deploy.local.options import Limits
from deploy.local.process import ROOT, LocalCloud
from deploy.probe import FAR, NEAR, Patience, Reply, await_serving
from deploy.progress import describe
from deploy.settings import Settings, Target, read_settings
from deploy.smoke import Step, differences, smoke, walk
from deploy.stack import OUR_TAG, find_stack, refusal
from deploy.template import TEMPLATE_PATH
from history.errors import UserError
from history.operation import Returns
from runner.options import read_options
from tests.deploy.support import put, request
from tests.inline import Ended, called


def run(*arguments: str, **environment: str) -> Ended:
    session_for.cache_clear()  # it knows the credentials of another environment
    try:
        return called(commands.main, *arguments, **environment)
    finally:
        session_for.cache_clear()


@pytest.mark.both_engines
def test_smoke_walks_both_modes_and_leaves_no_stack(cloud: Cloud, local: LocalCloud) -> None:
    done = run("smoke", ENDPOINT_URL=local.endpoint_url, STACK="walked")
    assert (done.returncode, done.stderr) == (0, "")
    printed = done.stdout.splitlines()
    assert printed[-1] == "smoke: every answer as expected"
    answers = [line.split()[3] for line in printed if line.startswith("  GET  /   ")]
    assert [number for number in answers if number.isdigit()] == ["2", "3", "4", "1", "2", "3"]
    answer = '{"type":"ConditionalCheckFailedException","message":"The counter does not exist yet'
    refused = next(line for line in printed if answer in line)
    assert refused.startswith("  GET  /                   409 {")
    assert refused.endswith(" ms)")
    for name in ("walked-smoke-new", "walked-smoke-old"):
        assert find_stack(cloud, name) is None


def test_smoke_says_expected_and_got(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(smoking, "FINAL", 4)
    assert smoke(cloud, stack_name="wrong", say=print) is False
    printed = capsys.readouterr().out
    assert "    WRONG: expected 4 in the table, got 3" in printed
    assert printed.endswith("smoke: WRONG ANSWERS, see above\n")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(("2", 200, "no-store"), [], id="right"),
        pytest.param(("3", 200, "no-store"), ["expected the body 2, got '3'"], id="number"),
        pytest.param(("2\n", 200, "no-store"), ["expected the body 2, got '2\\n'"], id="newline"),
        pytest.param(("2", 201, "no-store"), ["expected status 200, got 201"], id="status"),
        pytest.param(
            ("2", 200, None), ["expected Cache-Control: no-store, got None"], id="cacheable"
        ),
    ],
)
def test_each_wrong_thing_in_an_answer_is_named(
    reply: tuple[str, int, str | None], expected: list[str]
) -> None:
    body, status, cache_control = reply
    got = Reply(status=status, body=body, cache_control=cache_control, elapsed_ms=1.0)
    assert differences(Step(method="GET", number=2), got) == expected


def test_the_walks_expect_what_the_lesson_says() -> None:
    assert [step.number for step in walk(Returns.NEW) if step.number is not None] == [2, 3, 4, 3]
    assert [step.number for step in walk(Returns.OLD) if step.number is not None] == [1, 2, 3, 4]


@pytest.mark.parametrize("engine", ["ministack", "dynalite"])
def test_deploy_inspect_destroy_on_the_local_target(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "STATE_DIR", tmp_path)
    monkeypatch.setenv("RETURNS", "new")
    environment = {"TARGET": "local", "LOCAL_PORT": "0", "STACK": "whole", "ENGINE": engine}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def command(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["deploy", *arguments])
        assert commands.main() == 0
        return capsys.readouterr().out

    assert command("destroy") == "no local cloud is running: nothing to remove\n"
    try:
        deployed = command("deploy", "--returns", "old")
        assert "stack whole is up: http://127.0.0.1:" in deployed
        up = deployed.splitlines()[-1].partition(" is up: ")[2]
        inspected = command("inspect")
        assert "returns old" in inspected
        assert inspected.endswith("3 methods, all equal to deploy/template.yml\n")

        monkeypatch.setenv("RETURNS", "old")
        put(up, 7)
        again = command("deploy")
        assert again.endswith(f"stack whole is already up: {up}\n")
        assert request("GET", up).body == "7"

        other = command("deploy", "--returns", "new")
        assert (
            "stack whole has ReturnValues UPDATED_OLD, asked for is UPDATED_NEW: it is updated in "
            "place\n"
        ) in other
        assert other.endswith(f"stack whole is updated: {up}\n")
        assert request("GET", up).body == "9"

        local = running_cloud(tmp_path)
        assert local is not None
        monkeypatch.setenv("STACK", "absent")
        assert "http://127.0.0.1:" in command("inspect")
        assert (
            find_stack(Cloud(region="us-east-1", endpoint_url=local.endpoint_url), "absent") is None
        )
        monkeypatch.setenv("STACK", "whole")
    finally:
        destroyed = command("destroy")
    assert destroyed.endswith("stack whole is gone\nlocal cloud stopped\n")
    assert list((tmp_path / "state").glob("*")) == []


def test_inspect_without_a_stack_deploys_one_to_a_temporary_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "STATE_DIR", tmp_path)
    monkeypatch.delenv("ENDPOINT_URL", raising=False)
    monkeypatch.setattr(sys, "argv", ["deploy", "inspect"])
    assert commands.main() == 0
    assert capsys.readouterr().out.endswith(
        "3 methods, all equal to deploy/template.yml\n"
        "(of a temporary local cloud, gone again: nothing is deployed; make deploy does that)\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_inspect_creates_nothing_at_an_endpoint(cloud: Cloud, local: LocalCloud) -> None:
    done = run("inspect", ENDPOINT_URL=local.endpoint_url, STACK="unseen", REGION="us-east-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"gapless: there is no usable stack unseen in us-east-1 at {local.endpoint_url}; "
        "make deploy creates it\n"
    )
    assert describe(cloud.cloudformation(), "unseen") is None


def test_a_broken_stack_of_ours_is_made_anew_saying_why(
    cloud: Cloud,
    local: LocalCloud,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cloud.cloudformation().create_stack(
        StackName="wreck",
        TemplateBody=TEMPLATE_PATH.read_text().replace("DEFAULT_5XX", "DEFAULT_6XX"),
        Capabilities=["CAPABILITY_IAM"],
        Tags=[OUR_TAG],
    )
    for name, value in {"ENDPOINT_URL": local.endpoint_url, "STACK": "wreck"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["deploy", "deploy"])
    assert commands.main() == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"stack wreck in us-east-1 at {local.endpoint_url}"
    assert "stack wreck is ROLLBACK_COMPLETE, which is not usable: it is made anew" in printed
    assert printed[-1].startswith("stack wreck is up: ")


@dataclass(slots=True)
class Scripted:
    """An API that answers as scripted, then with the last of it for ever, in a time of its own."""

    statuses: list[int]
    now_s: float = 0.0
    asked_s: list[float] = field(default_factory=list)

    def ask(self, url: str) -> Reply:
        self.asked_s.append(self.now_s)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == 0:
            raise UserError(f"PUT {url}: no answer (gaierror: unknown host)")
        return Reply(status=status, body="why\nnot", cache_control=None, elapsed_ms=1.0)

    def sleep(self, pause_s: float) -> None:
        self.now_s += pause_s

    def await_serving(self, patience: Patience, good_statuses: tuple[int, ...] = (400,)) -> None:
        await_serving(
            "http://h/",
            patience,
            ask=self.ask,
            good_statuses=good_statuses,
            clock=lambda: self.now_s,
            sleep=self.sleep,
        )


@pytest.mark.parametrize(
    ("patience", "statuses", "asked"),
    [
        pytest.param(NEAR, [400], 1, id="near: one answer is enough"),
        pytest.param(NEAR, [500, 403, 0, 400], 4, id="near: not yet, then yes"),
        pytest.param(FAR, [400], 5, id="far: five"),
        pytest.param(
            Patience(timeout_s=9, answers=3, spread_s=0), [400], 3, id="as many as are wanted"
        ),
        pytest.param(
            Patience(timeout_s=9, answers=1, spread_s=2), [400], 2, id="for as long as is wanted"
        ),
        pytest.param(FAR, [400, 400, 400, 400, 500, 400], 10, id="far: five in a row"),
        pytest.param(FAR, [0, 403, 400, 200, 400], 9, id="far: only what was asked for is good"),
    ],
)
def test_an_api_serves_after_good_answers_in_a_row(
    patience: Patience, statuses: list[int], asked: int
) -> None:
    api = Scripted(statuses)
    api.await_serving(patience)
    assert len(api.asked_s) == asked
    assert api.now_s >= patience.spread_s


def test_what_is_good_depends_on_what_is_asked() -> None:
    api = Scripted([403, 400, 200, 409, 200, 409, 200])
    api.await_serving(FAR, (200, 409))
    assert len(api.asked_s) == 7


@pytest.mark.parametrize(
    ("statuses", "last"),
    [
        ([403], "its last answer was 403 why not"),
        ([400, 500], "its last answer was 500 why not"),
        ([0], "PUT http://h/: no answer (gaierror: unknown host)"),
    ],
)
def test_an_api_that_never_serves_is_an_error_with_its_last_answer(
    statuses: list[int], last: str
) -> None:
    with pytest.raises(UserError) as failure:
        Scripted(statuses).await_serving(FAR)
    assert str(failure.value) == f"http://h/ does not serve after 120 s: {last}"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        pytest.param(
            {"TARGET": "azure"}, "TARGET=azure is unknown: it is local or aws", id="target"
        ),
        pytest.param(
            {"ENDPOINT_URL": "http://127.0.0.1:1"},
            "looking for stack gapless: cannot reach the endpoint",
            id="endpoint down",
        ),
        pytest.param(
            {"TARGET": "aws", "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"},
            "looking for stack gapless: no usable AWS credentials",
            id="no credentials",
        ),
        pytest.param(
            {"TARGET": "aws", "AWS_PROFILE": "nope", "HOME": "/nonexistent"},
            "reading the AWS configuration: no usable AWS credentials",
            id="no profile",
        ),
        pytest.param(
            {"TARGET": "aws", "AWS_PROFILE": "nope", "HOME": "/nonexistent", "REGION": "eu-west-1"},
            "reaching CloudFormation: no usable AWS credentials",
            id="no profile, a region",
        ),
        pytest.param(
            {"STACK": "my_stack"}, "STACK=my_stack is not a stack's name", id="stack's name"
        ),
    ],
)
def test_what_a_person_can_fix_is_one_sentence(environment: dict[str, str], sentence: str) -> None:
    done = run("inspect", **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"gapless: {sentence}")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["deploy", "destroy", "inspect", "smoke"])
def test_a_server_named_by_url_has_no_stack(command: str) -> None:
    done = run(command, URL="http://127.0.0.1:1/")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"gapless: URL=http://127.0.0.1:1/: {command} works on a stack, and a server named by URL "
        "has none; leave URL out, or run `make loadtest` against it\n"
    )


def test_help_names_the_environment_and_the_exit_codes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    for word in ("TARGET", "ENDPOINT_URL", "LOCAL_PORT", "RETURNS", "exit codes", "examples"):
        assert word in done.stdout


DEFAULTS = {
    "target": Target.LOCAL,
    "endpoint_url": None,
    "stack": "gapless",
    "region": "us-east-1",
    "local_port": 4566,
    "returns": Returns.NEW,
    "limits": Limits.NONE,
    "engine": EngineChoice(),
}


@pytest.mark.parametrize(
    ("environment", "changed"),
    [
        pytest.param({}, {}, id="nothing set"),
        pytest.param({"TARGET": " ", "STACK": ""}, {}, id="blank is not set"),
        pytest.param(
            {"TARGET": "aws"}, {"target": Target.AWS, "region": "region-of-None"}, id="aws"
        ),
        pytest.param(
            {"TARGET": "aws", "AWS_PROFILE": "sandbox"},
            {"target": Target.AWS, "region": "region-of-sandbox"},
            id="the profile's region",
        ),
        pytest.param(
            {"TARGET": "aws", "AWS_PROFILE": "bare"}, {"target": Target.AWS}, id="no region at all"
        ),
        pytest.param(
            {"TARGET": "aws", "AWS_PROFILE": "sandbox", "AWS_REGION": "eu-west-2"},
            {"target": Target.AWS, "region": "eu-west-2"},
            id="a region wins over the profile's",
        ),
        pytest.param({"AWS_PROFILE": "sandbox"}, {}, id="locally no profile is read"),
        pytest.param({"RETURNS": "old"}, {"returns": Returns.OLD}, id="returns"),
        pytest.param({"STACK": "a" * 118}, {"stack": "a" * 118}, id="a long name"),
        pytest.param(
            {"ENDPOINT_URL": "http://h:1", "TARGET": "aws"},
            {"target": Target.ENDPOINT, "endpoint_url": "http://h:1"},
            id="an endpoint wins",
        ),
        pytest.param({"AWS_DEFAULT_REGION": "eu-west-1"}, {"region": "eu-west-1"}, id="region 3"),
        pytest.param(
            {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2"},
            {"region": "eu-west-2"},
            id="region 2",
        ),
        pytest.param(
            {"AWS_REGION": "eu-west-2", "REGION": "eu-west-3"}, {"region": "eu-west-3"}, id="region"
        ),
        pytest.param({"LOCAL_PORT": "0"}, {"local_port": 0}, id="port"),
        pytest.param({"LIMITS": "aws"}, {"limits": Limits.AWS}, id="limits"),
        pytest.param(
            {"ENGINE": "dynalite"}, {"engine": EngineChoice(name="dynalite")}, id="engine"
        ),
        pytest.param(
            {"ENGINE": "dynamodb-local", "DYNAMODB_LOCAL": "/opt/x"},
            {"engine": EngineChoice(name="dynamodb-local", dynamodb_local=Path("/opt/x"))},
            id="an engine of the user's own",
        ),
        pytest.param(
            {"ENGINE": "https://LOCALHOST:8000/"},
            {"engine": EngineChoice(name="https://LOCALHOST:8000")},
            id="an engine by its address",
        ),
        pytest.param(
            {"ENGINE": "http://192.0.2.1:8000", "ALLOW_HOST": "other, 192.0.2.1"},
            {"engine": EngineChoice(name="http://192.0.2.1:8000")},
            id="an engine elsewhere that is allowed",
        ),
        pytest.param(
            {"ENGINE": "ministack", "URL": "http://127.0.0.1:1"}, {}, id="no engine with URL"
        ),
        pytest.param(
            {"LIMITS": "none", "TARGET": "aws"},
            {"limits": Limits.NONE, "target": Target.AWS, "region": "region-of-None"},
            id="no limits of ours on AWS",
        ),
    ],
)
def test_settings(environment: dict[str, str], changed: dict[str, object]) -> None:
    found = read_settings(
        environment, region_of_profile=lambda name: None if name == "bare" else f"region-of-{name}"
    )
    assert found == Settings(**{**DEFAULTS, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TARGET": "LOCAL"}, "TARGET=LOCAL is unknown"),
        ({"TARGET": "endpoint"}, "TARGET=endpoint is unknown"),
        ({"ENDPOINT_URL": "localhost:4566"}, "ENDPOINT_URL=localhost:4566 is not an address"),
        ({"ENDPOINT_URL": "http://"}, "ENDPOINT_URL=http:// is not an address"),
        ({"ENDPOINT_URL": "http://127.0.0.1:99999"}, "99999 is not an address .Port out of range"),
        ({"ENDPOINT_URL": "http://localhost:notaport"}, "notaport is not an address .Port could"),
        ({"ENDPOINT_URL": "http://[::1"}, r"http://\[::1 is not an address .Invalid IPv6 URL"),
        ({"STACK": "1st"}, "STACK=1st is not a stack's name"),
        ({"STACK": "under_score"}, "STACK=under_score is not a stack's name"),
        ({"STACK": "two words"}, "STACK=two words is not a stack's name"),
        ({"STACK": "é"}, "STACK=é is not a stack's name"),
        ({"STACK": "a\nb"}, "STACK=a\nb is not a stack's name"),
        ({"STACK": "a" * 119}, "at most 118 characters"),
        ({"RETURNS": "both"}, "RETURNS=both: expected new .* or old"),
        ({"RETURNS": "NEW"}, "RETURNS=NEW: expected new .* or old"),
        ({"LOCAL_PORT": "65536"}, "LOCAL_PORT=65536 is not a port"),
        ({"LOCAL_PORT": "-1"}, "LOCAL_PORT=-1 is not a port"),
        ({"LOCAL_PORT": "٣"}, "LOCAL_PORT=٣ is not a port"),
        ({"LIMITS": "on"}, "LIMITS=on is unknown: it is none, or aws"),
        ({"LIMITS": "aws", "TARGET": "aws"}, "LIMITS=aws is for .* no meaning with TARGET=aws"),
        ({"LIMITS": "aws", "ENDPOINT_URL": "http://h:1"}, "no meaning with ENDPOINT_URL"),
        ({"LIMITS": "aws", "URL": "http://h:1"}, "no meaning with URL: leave LIMITS out"),
        ({"ENGINE": "postgres"}, "ENGINE=postgres is unknown: it is ministack, dynalite"),
        ({"ENGINE": "localhost:8000"}, "ENGINE=localhost:8000 is unknown"),
        ({"ENGINE": "http://"}, "ENGINE=http:// is unknown"),
        ({"ENGINE": "http://[::1"}, r"ENGINE=http://\[::1 is not an address"),
        ({"ENGINE": "http://127.0.0.1:99999"}, "99999 is not an address .Port out of range"),
        ({"ENGINE": "http://127.0.0.1/x"}, "127.0.0.1/x: expected an address without a path"),
        ({"ENGINE": "http://a:b@127.0.0.1"}, "ENGINE=http://…@127.0.0.1: user names and"),
        (
            {"ENGINE": "http://192.0.2.1:8000"},
            "only to databases on this machine, found 192.0.2.1; .* name it: ALLOW_HOST=192.0.2.1",
        ),
        (
            {"ENGINE": "https://dynamodb.eu-west-1.amazonaws.com", "ALLOW_HOST": "amazonaws.com"},
            "is AWS's own DynamoDB, .* with TARGET=aws",
        ),
        ({"ENGINE": "dynamodb-local"}, "needs DYNAMODB_LOCAL=<the folder .* licence asks for an"),
        ({"ENGINE": "dynalite", "TARGET": "aws"}, "ENGINE=dynalite is for .* with TARGET=aws"),
    ],
)
def test_settings_that_make_no_sense(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        read_settings(environment)


@pytest.mark.parametrize("text", ["", " old ", "new", "both", "New", "updated_new"])
def test_deploy_and_loadtest_read_returns_alike(text: str) -> None:
    def outcome(read: Callable[[], Returns]) -> str:
        try:
            return str(read())
        except UserError as error:
            return str(error)

    deployed = outcome(lambda: read_settings({"RETURNS": text}).returns)
    assert deployed == outcome(lambda: read_options({"RETURNS": text}).returns)


def test_the_profiles_region_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = eu-north-1\n[profile far]\nregion = ap-south-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert configured_region(None) == "eu-north-1"
    assert configured_region("far") == "ap-south-1"


@pytest.mark.parametrize(
    ("failure", "stopped"),
    [
        pytest.param(UserError("removing stack x failed: no answer"), True, id="database gone"),
        pytest.param(refusal("x"), False, id="not ours"),
    ],
)
def test_destroy_stops_the_cloud_unless_the_stack_is_anothers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, failure: UserError, stopped: bool
) -> None:
    def fail(*_arguments: object) -> bool:
        raise failure

    monkeypatch.setattr(commands, "STATE_DIR", tmp_path)
    monkeypatch.setattr(commands, "remove_stack", fail)
    monkeypatch.setattr(sys, "argv", ["deploy", "destroy"])
    monkeypatch.delenv("ENDPOINT_URL", raising=False)
    start_background(tmp_path, port=0)
    try:
        if stopped:
            assert commands.main() == 0
        else:
            with pytest.raises(UserError, match="was not made by gapless, so it is not touched"):
                commands.main()
        assert (running_cloud(tmp_path) is None) is stopped
    finally:
        stop_background(tmp_path)
