"""Velocity Template Language, as far as API Gateway's mapping templates need it.

A template is parsed once, into functions that call one another, and rendered many times. Where two
versions of Velocity differ, and AWS does not say which it runs, rendering fails with the reason
instead of guessing. Velocity: "User Guide", "VTL Reference".
"""

from deploy.local.gateway.velocity.java import ArrayList, Exposed, ReadOnlyMap
from deploy.local.gateway.velocity.source import RenderError
from deploy.local.gateway.velocity.template import Template, compiled

__all__ = ["ArrayList", "Exposed", "ReadOnlyMap", "RenderError", "Template", "compiled"]
