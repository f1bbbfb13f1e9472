"""One request to a deployed API, as the HTTP server hands it over."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to a deployed API; `path` is below the stage and percent-decoded."""

    api_id: str
    stage: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    source_ip: str
    too_large: bool = False
