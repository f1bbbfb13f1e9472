"""`make locust-ui`: Locust's page on a counter, recorded and judged as usual."""

import json
import re
import signal
import socket
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from deploy.settings import read_settings
from history.errors import UserError
from runner.live.plain import PlainView
from runner.loadtest import loadtest
from runner.options import read_page_options
from tests.locustfiles.conftest import free_port, paced
from tests.patience import PATIENCE_S, until
from tests.runner.conftest import Runner, verdicts


class Page:
    """What a user does in the page."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path: str = "/", **headers: str) -> str:
        request = urllib.request.Request(self.url + path, headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **form: str) -> str:
        body = urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(self.url + path, data=body)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return str(answer.read().decode())

    def is_there(self) -> bool:
        try:
            return bool(self.get())
        except OSError:
            return False

    def workers(self) -> int:
        """How many processes the page counts on: before the first, it starts nothing."""
        return len(json.loads(self.get("/stats/requests"))["workers"])

    def status_of(self, path: str, **headers: str) -> int:
        try:
            self.get(path, **headers)
        except urllib.error.HTTPError as error:
            return error.code
        return 200


def test_tests_made_in_the_page_are_recorded_and_judged(runner: Runner) -> None:
    with (
        free_port() as port,
        paced() as server,
        paced() as other,
    ):
        variables = {"URL": server.url, "LOCUST_UI_PORT": str(port), "USERS": "12"}
        running = runner.start("locust-ui", LOCUST_PROCESSES="2", **variables)
        page = Page(port)
        until(page.is_there, "the page")
        assert '"num_users": 12' in page.get()
        until(lambda: page.workers() == 2, "both workers in the page")
        for least in (200, 550):  # two tests, each for a while
            asked = page.post("/swarm", user_count="12", spawn_rate="50", host=server.url)
            assert '"success":true' in asked.replace(" ", "")
            for name in ("locust-0", "locust-1"):
                running.until_recorded(name, least)
            page.post("/stop")
        refused = page.post("/swarm", user_count="12", spawn_rate="50", host=other.url)
        assert f"this page loads only {server.url}" in refused
        assert page.status_of("/", Origin="http://elsewhere.example") == 403
        assert page.status_of("/", Host="elsewhere.example") == 403
        running.process.send_signal(signal.SIGINT)
        code, out, err = running.finish()
        received = server.received
        assert other.received == 0
    assert err == ""
    assert f"Locust's page: http://127.0.0.1:{port}/" in out
    verdict, manifest = running.verdict(), running.manifest()
    assert verdicts(verdict) == dict.fromkeys(verdicts(verdict), "PASS")
    assert code == 0
    assert verdict["operations"]["total"] == received
    assert {p["process"]: p["exit_state"] for p in manifest["processes"]} == {
        "locust-0": "ended",
        "locust-1": "ended",
        "runner-0": "ended",
    }
    load = manifest["load"]
    assert (load["users"], load["connections"], load["processes"]) == (0, 0, 0)
    assert manifest["interrupted"] == ""
    assert (running.folder() / "locust.html").is_file()
    assert "chosen in Locust" in (running.folder() / "report.html").read_text()


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"LOCUST_UI_PORT": "x"}, "LOCUST_UI_PORT=x: expected a whole number from 1 to 65,535"),
        ({"SHAPE": "ramp"}, "SHAPE=ramp: Locust's page starts and stops its users itself"),
    ],
)
def test_what_the_page_cannot_do_is_said(variables: dict[str, str], complaint: str) -> None:
    with pytest.raises(UserError, match=re.escape(complaint)):
        read_page_options(variables)


def test_a_taken_port_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        # Nobody listens at URL: had anything been tried there, that would be said.
        options = read_page_options({"URL": "http://127.0.0.1:9/", "LOCUST_UI_PORT": str(port)})
        with pytest.raises(UserError, match=f"LOCUST_UI_PORT={port}: Locust's page cannot listen"):
            loadtest(options, read_settings({}), reports=tmp_path, say=print, view=PlainView(print))
    assert list(tmp_path.iterdir()) == []
