"""reports/index.html: every run and every series of controls there is, newest first."""

import json
from pathlib import Path

import jinja2

from analysis.alarms import read_or_none, read_result
from analysis.controls import Result
from history.files import write_text_whole
from history.series import SeriesFolder

_PAGE = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Gapless: runs and controls</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #ccc; }
td.number, th.number { text-align: right; }
</style>
</head>
<body>
<h1>Runs</h1>
{% if runs %}
<table>
<thead><tr><th scope="col">Run</th><th scope="col">Verdict</th><th scope="col">Target</th>
{% if faults %}<th scope="col">Fault injected</th>
{% endif -%}
<th scope="col" class="number">Operations</th></tr></thead>
<tbody>
{% for run in runs -%}
<tr><th scope="row"><a href="{{ run.name | urlencode }}/report.html">{{ run.name }}</a></th>
<td>{{ run.verdict }}</td><td>{{ run.target }}</td>
{% if faults %}<td>{{ run.fault }}</td>
{% endif -%}
<td class="number">{{ "{:,}".format(run.operations) }}</td></tr>
{% endfor %}
</tbody>
</table>
{% else %}
<p>There is none yet: run make loadtest.</p>
{% endif %}
{% if series %}
<h1>Controls</h1>
<table>
<thead><tr><th scope="col">Series</th><th scope="col">Result</th><th scope="col">Target</th>
<th scope="col" class="number">Controls as expected</th></tr></thead>
<tbody>
{% for one in series -%}
<tr><th scope="row">
{%- if one.link %}<a href="{{ one.link | urlencode }}">{{ one.name }}</a>
{%- else %}{{ one.name }}{% endif -%}
</th>
<td>{{ one.result }}</td><td>{{ one.target }}</td>
<td class="number">{{ one.good }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endif %}
</body>
</html>
""")


def write_index_around(run: Path) -> None:
    """Write the index of the reports folder that a run's folder is in; a control's lies deeper."""
    is_control = SeriesFolder(run.parent).series.is_file()
    write_index(run.parent.parent if is_control else run.parent)


def write_index(reports: Path) -> None:
    """Write index.html over the judged runs, and the series of controls, of a reports folder.

    What cannot be read is listed as such. Raises UserError when the folder cannot be written.
    """
    runs = [_row(reports / name) for name in _newest(reports, "verdict.json")]
    series = [_series_row(SeriesFolder(reports / name)) for name in _newest(reports, "series.json")]
    page = _PAGE.render(runs=runs, series=series, faults=any(run["fault"] for run in runs))
    write_text_whole(reports / "index.html", page)


def _newest(reports: Path, file: str) -> list[str]:
    found = (path.parent for path in reports.glob(f"*/{file}") if not path.parent.is_symlink())
    return sorted((folder.name for folder in found), reverse=True)


def _series_row(folder: SeriesFolder) -> dict[str, object]:
    series, result = read_or_none(folder), read_result(folder.result)
    good = result.only(Result.AS_EXPECTED) if result else ()
    told = result.result if result else "not judged"
    return {
        "name": folder.path.name,
        "link": f"{folder.path.name}/{folder.grid.name}" if folder.grid.is_file() else "",
        "result": told if series else "unreadable",
        "target": series.target if series else "",
        "good": f"{len(good)} of {len(result.counted)}" if result else "",
    }


def _row(run: Path) -> dict[str, object]:
    try:
        verdict = json.loads((run / "verdict.json").read_text(encoding="utf-8"))
        manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        return {
            "name": run.name,
            "verdict": str(verdict["verdict"]),
            "target": str(manifest["target"]),
            "fault": str(manifest.get("fault", "")),
            "operations": int(verdict["operations"]["total"]),
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {
            "name": run.name,
            "verdict": "unreadable",
            "target": "",
            "fault": "",
            "operations": 0,
        }
