"""Series of controls are written, read back, and matched with the runs of the same stack."""

import dataclasses
import json
from pathlib import Path

import pytest

from history.errors import UserError
from history.manifest import Manifest
from history.series import Control, Series, SeriesFolder, read_series, write_series
from tests.runs import new_manifest


def series_of(manifest: Manifest) -> Series:
    return Series(
        series_id="controls-1",
        started_utc="2026-01-02T03:04:05.678Z",
        target=manifest.target,
        url=manifest.url,
        load=manifest.load,
        controls=(
            Control(name="correct", meaning="nothing", fault="", expected="PASS"),
            Control(name="x", meaning="m", fault="drop:0.1", expected="FAIL", check="unique"),
        ),
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    series = series_of(new_manifest())
    folder = SeriesFolder(tmp_path)
    write_series(folder.series, series)
    assert read_series(folder.series) == series
    assert folder.run(series.controls[1]) == tmp_path / "x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read as a series of controls"),
        ("[]", "has series of controls schema version None, this program reads 1"),
        ('{"schema_version": 2}', "has series of controls schema version 2, this program reads 1"),
        ('{"schema_version": 1}', "is not a whole series of controls"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "series.json"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        read_series(path)


def test_a_control_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "series.json"
    write_series(path, series_of(new_manifest()))
    fields = json.loads(path.read_text())
    fields["controls"][1]["expected"] = 7
    path.write_text(json.dumps(fields))
    with pytest.raises(UserError, match="expected str, found 7"):
        read_series(path)


def test_a_folder_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no series of controls; make controls makes one"):
        read_series(tmp_path / "series.json")


LOCAL = {
    "target": "local",
    "url": "http://127.0.0.1:1/a",
    "engine": "ministack",
    "limits": "none",
    "region": "us-east-1",
    "stack": "gapless",
    "template_sha256": "ab",
    "host": "here",
}


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        pytest.param({}, True, id="the same"),
        pytest.param({"url": "http://127.0.0.1:2/b"}, True, id="made anew"),
        pytest.param({"commit": "c"}, True, id="another commit"),
        *(
            pytest.param({name: "other"}, False, id=name)
            for name in ("target", "engine", "limits", "region", "stack", "template_sha256", "host")
        ),
        pytest.param({"endpoint_url": "http://127.0.0.1:3"}, False, id="endpoint_url"),
    ],
)
def test_a_run_of_the_same_stack(changed: dict[str, str], same: bool) -> None:  # noqa: FBT001
    series = dataclasses.replace(series_of(new_manifest()), **LOCAL)
    assert series.is_of_same_stack(new_manifest().replace(**(LOCAL | changed))) is same


def test_a_server_named_by_url_is_known_by_it() -> None:
    manifest = new_manifest()
    series = series_of(manifest)
    assert series.is_of_same_stack(manifest)
    assert not series.is_of_same_stack(manifest.replace(url="http://127.0.0.1:9/"))
