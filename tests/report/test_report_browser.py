"""The pages as their reader sees them: chromium, without JavaScript, on a desktop and a phone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from analysis.alarms import Heard
from analysis.checks import OF_INCREMENTS
from analysis.report import grid, write_report
from tests.report import control_samples, samples

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


@contextmanager
def opened(browser: Browser, address: str, size: str) -> Iterator[Page]:
    """Open a page without JavaScript; it fits, is styled, complains not and asks nobody."""
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
    page.goto(address)

    yield page
    assert page.locator(".banner").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # The style applies: its hash in the policy is right.
    assert page.locator(".banner").evaluate("e => getComputedStyle(e).borderLeftWidth") != "0px"
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [address]
    context.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("verdict", MAKERS)
def test_the_report_shows_whole_and_asks_for_nothing(
    browser: Browser, folder: Path, verdict: str, size: str
) -> None:
    with opened(browser, (folder / f"{verdict}.html").as_uri(), size) as page:
        assert page.locator("h1").inner_text() == verdict
        figures = page.locator("img")
        assert figures.count() == 6
        drawn = figures.evaluate_all("all => all.map(i => [i.complete, i.naturalWidth, i.width])")
        assert all(complete and natural > 0 and shown > 300 for complete, natural, shown in drawn)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("found", ["GOOD", "BAD"])
def test_the_grid_of_controls_shows_whole_and_asks_for_nothing(
    browser: Browser, tmp_path: Path, found: str, size: str
) -> None:
    series, result = control_samples.judged(getattr(control_samples, found))
    path = tmp_path / "controls.html"
    path.write_text(grid.render(series, result, tmp_path, tuple(OF_INCREMENTS)), encoding="utf-8")
    with opened(browser, path.as_uri(), size) as page:
        cells = page.locator(".grid td")
        assert cells.count() == 12 * 9 + 2  # one control was skipped
        assert cells.evaluate_all("all => all.every(cell => cell.innerText.trim())")
        width = SIZES[size][0]
        ends = cells.evaluate_all("all => all.map(cell => cell.getBoundingClientRect().right)")
        assert all(end <= width for end in ends)
        framed = page.locator(".named .mark").evaluate_all(
            "all => all.map(mark => getComputedStyle(mark).borderTopColor)"
        )
        assert len(framed) == 8
        assert "rgba(0, 0, 0, 0)" not in framed


@pytest.mark.parametrize("size", SIZES)
def test_the_controls_in_a_report_show_whole(browser: Browser, tmp_path: Path, size: str) -> None:
    run, judgement = samples.passing(1_000)
    series, result = control_samples.judged(control_samples.BAD)
    path = tmp_path / "report.html"
    heard = Heard(series=series, result=result)
    write_report(path, run=run, judgement=judgement, controls=heard)
    with opened(browser, path.as_uri(), size) as page:
        rows = page.locator("section[aria-labelledby=controls] tbody tr")
        assert rows.count() == 13
        assert "alarm did not ring" in rows.nth(3).inner_text()
        assert page.locator(".label").first.is_visible() == (size == "phone")
