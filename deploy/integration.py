"""What API Gateway does where an integration says nothing. Pure."""

from collections.abc import Mapping
from typing import Any

DEFAULT_TIMEOUT_MS = 29_000
"""AWS: "Integration", timeoutInMillis: "The default value is 29,000 milliseconds or 29 seconds"."""


def timeout_ms(integration: Mapping[str, Any]) -> int:
    """Give how long an integration, as API Gateway describes it, waits for its backend."""
    return int(integration.get("timeoutInMillis") or DEFAULT_TIMEOUT_MS)
