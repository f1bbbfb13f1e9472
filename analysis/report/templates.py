"""Pages filled in from the templates and the style that lie here."""

import base64
import hashlib
from pathlib import Path

import jinja2
from markupsafe import Markup

_HERE = Path(__file__).parent


def filled(template: str, **given: object) -> str:
    """Fill in a template; all that is given is escaped, the style goes in by its hash."""
    style = (_HERE / "style.css").read_text(encoding="utf-8")
    return (
        _environment()
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704 -- our own file, and the policy names its hash
            style_hash=_hash(style),
            **given,
        )
    )


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _hash(style: str) -> str:
    digest = hashlib.sha256(style.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
