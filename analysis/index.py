"""reports/index.html: every run there is, newest first."""

import json
from pathlib import Path

import jinja2

from history.files import write_text_whole

_PAGE = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Gapless: runs</title>
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
<th scope="col" class="number">Operations</th></tr></thead>
<tbody>
{% for run in runs -%}
<tr><th scope="row"><a href="{{ run.name | urlencode }}/report.html">{{ run.name }}</a></th>
<td>{{ run.verdict }}</td><td>{{ run.target }}</td>
<td class="number">{{ "{:,}".format(run.operations) }}</td></tr>
{% endfor %}
</tbody>
</table>
{% else %}
<p>There is none yet: run make loadtest.</p>
{% endif %}
</body>
</html>
""")


def write_index(reports: Path) -> None:
    """Write index.html over the judged runs of a reports folder.

    A run whose files cannot be read is listed as such. Raises UserError when the folder
    cannot be written.
    """
    names = sorted(
        (
            path.parent.name
            for path in reports.glob("*/verdict.json")
            if not path.parent.is_symlink()
        ),
        reverse=True,
    )
    runs = [_row(reports / name) for name in names]
    write_text_whole(reports / "index.html", _PAGE.render(runs=runs))


def _row(run: Path) -> dict[str, object]:
    try:
        verdict = json.loads((run / "verdict.json").read_text(encoding="utf-8"))
        manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        return {
            "name": run.name,
            "verdict": str(verdict["verdict"]),
            "target": str(manifest["target"]),
            "operations": int(verdict["operations"]["total"]),
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {"name": run.name, "verdict": "unreadable", "target": "", "operations": 0}
