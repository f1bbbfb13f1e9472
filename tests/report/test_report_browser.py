"""The report as its reader sees it: chromium, without JavaScript, on a desktop and a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from analysis.report import write_report
from tests.report import samples

pytestmark = pytest.mark.xdist_group("browser")  # on one worker: one browser, each page drawn once
CHROMIUM = "/usr/bin/chromium"
MAKERS = {
    "PASS": samples.passing,
    "FAIL": samples.failing,
    "INCONCLUSIVE": samples.undecided,
}
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    for verdict, make in MAKERS.items():
        run, judgement = make()
        write_report(folder / f"{verdict}.html", run=run, judgement=judgement)
    return folder


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("verdict", MAKERS)
def test_the_report_shows_whole_and_asks_for_nothing(
    browser: Browser, folder: Path, verdict: str, size: str
) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=False
    )
    page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    address = (folder / f"{verdict}.html").as_uri()
    page.goto(address)

    assert page.locator("h1").inner_text() == verdict
    assert page.locator(".banner").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    figures = page.locator("img")
    assert figures.count() == 6
    drawn = figures.evaluate_all("all => all.map(i => [i.complete, i.naturalWidth, i.width])")
    assert all(complete and natural > 0 and shown > 300 for complete, natural, shown in drawn)
    # The style applies: its hash in the policy is right.
    assert page.locator(".banner").evaluate("e => getComputedStyle(e).borderLeftWidth") != "0px"
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [address]
    context.close()
