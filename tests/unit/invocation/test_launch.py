"""The program between Penstock and a model ends all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from tests.invocation.stubborn_processes import STUBBORN, gone, wait_for

from penstock.invocation.launch import descendants, watched_descendants
from penstock.invocation.log import BoundedLog
from penstock.invocation.model_process import ModelProcess
from penstock.invocation.sandbox import Sandbox


@pytest.mark.slow
def test_stubborn_tree_is_killed(tmp_path: Path, sandbox: Sandbox) -> None:
    (sandbox.source / "model.py").write_text(textwrap.dedent(STUBBORN), encoding="utf-8")
    with (
        BoundedLog(tmp_path / "log") as log,
        ModelProcess(["python", "model.py"], sandbox, log, grace_s=0.2) as process,
    ):
        wait_for(lambda: log.end() == "up" and len(descendants(process.supervisor)) == 4)
        tree = descendants(process.supervisor)
        assert process.running()
        assert sorted(watched_descendants(process.supervisor)) == sorted(tree)
        process.stop()
    assert all(map(gone, tree))


def test_launcher_that_is_killed_takes_the_model_along(tmp_path: Path, sandbox: Sandbox) -> None:
    (sandbox.source / "model.py").write_text("import time; print('up', flush=True); time.sleep(600)", encoding="utf-8")
    with BoundedLog(tmp_path / "log") as log, ModelProcess(["python", "model.py"], sandbox, log) as process:
        wait_for(lambda: log.end() == "up")
        (model,) = descendants(process.supervisor)
        os.kill(process.supervisor, signal.SIGKILL)
        ended = process.wait(10.0)
        assert ended is not None
        assert ended.code == -9
        wait_for(lambda: gone(model))


def test_a_kernel_that_lists_no_children_is_asked_for_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open

    def without_children(path: str, *rest: Any) -> Any:
        if str(path).endswith("/children"):
            raise FileNotFoundError(path)
        return opened(path, *rest)

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        monkeypatch.setattr("builtins.open", without_children)
        assert child.pid in watched_descendants(os.getpid())
        assert child.stdin is not None
        child.stdin.close()
        child.wait()
    assert child.pid not in watched_descendants(os.getpid())
