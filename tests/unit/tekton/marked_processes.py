"""Commands whose processes carry a mark, and those of them that still live."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from penstock.tekton.supervisor import Command, Stop, run_command


def go(tmp_path: Path, script: str, *, stop: Stop | None = None, deadline: float | None = None, grace_s: float = 5):
    output: list[tuple[str, bytes]] = []
    stop = stop or Stop()
    command = Command(["sh", "-c", script], {"PATH": os.environ["PATH"], "MARK": str(tmp_path)}, tmp_path)
    outcome = run_command(
        command, sink=lambda stream, data: output.append((stream, data)), stop=stop, deadline=deadline, grace_s=grace_s
    )
    return outcome, b"".join(data for _, data in output)


def left(tmp_path: Path) -> list[psutil.Process]:
    """The processes that the test started and that still live."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("MARK") == str(tmp_path):
                found.append(process)
        except psutil.Error:
            continue
    return found
