"""Locust's own web page, kept to one counter and to this machine.

The page has a field for the host to load, and accepts its form from any web page that the
user's browser happens to show. Neither may send load where nobody meant it to go.
"""

from urllib.parse import urlsplit

from flask import Response, jsonify, make_response, request
from locust.web import WebUI

_OURS = frozenset({"127.0.0.1", "localhost", "::1"})


def keep_to(web_ui: WebUI, host: str) -> None:
    """Make the page answer this machine's browser only, and load `host` only."""

    def guard() -> Response | None:
        origin = request.headers.get("Origin")
        foreign = origin is not None and urlsplit(origin).netloc != request.host
        if foreign or urlsplit(f"//{request.host}").hostname not in _OURS:
            return make_response("this page answers only itself, on this machine", 403)
        asked = request.form.get("host", host).strip()
        if asked.rstrip("/") != host.rstrip("/"):
            message = f"this page loads only {host}: start make locust-ui for another counter"
            return jsonify({"success": False, "message": message, "host": host})
        return None

    app = web_ui.app
    if app is None:
        raise AssertionError(web_ui)
    app.before_request(guard)
