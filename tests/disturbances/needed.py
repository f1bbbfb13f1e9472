"""What some of these tests need of the machine, said aloud where it is missing.

On a machine of CI's nothing may be missing: there a test fails that cannot be made.
"""

import os

import pytest

from tests.disturbances import link, wall_clock


def _unless(reason: str) -> pytest.MarkDecorator:
    here = bool(reason) and not os.environ.get("CI")
    return pytest.mark.skipif(here, reason=reason)


namespaces_needed = _unless(link.unavailable())
wall_clock_needed = _unless(wall_clock.unavailable())
