"""Whose a table is, in a database that others use as well: written on it as tags."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

MADE_BY = "made-by"
US = "gapless"
WHERE = "gapless-host"
PROCESS = "gapless-pid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One running local cloud."""

    where: str
    """This boot of this machine: only there can be known whether a process still runs."""
    pid: int

    @classmethod
    def this_process(cls) -> Self:
        """Name the cloud that runs in this process."""
        boot = Path("/proc/sys/kernel/random/boot_id")
        name = socket.gethostname()
        with suppress(OSError):
            name = f"{name}/{boot.read_text().strip()}"
        return cls(where=name, pid=os.getpid())

    def tags(self) -> list[dict[str, str]]:
        """Give the tags for a table of this cloud."""
        named = {MADE_BY: US, WHERE: self.where, PROCESS: str(self.pid)}
        return [{"Key": key, "Value": value} for key, value in named.items()]

    def objection(self, tags: Mapping[str, str]) -> str | None:
        """Say why a table with these tags is not ours to delete; None if a dead cloud left it."""
        if tags.get(MADE_BY) != US:
            return "which was not made by gapless"
        if tags.get(WHERE) != self.where:
            return f"made by gapless on {tags.get(WHERE)}, which may still use it"
        pid = tags.get(PROCESS, "")
        if not pid.isdigit() or (int(pid) != self.pid and runs(int(pid))):
            return f"which another local cloud (process {pid}) is using"
        return None


def runs(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
