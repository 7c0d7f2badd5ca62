"""Processes beside the steps: started before them, waited for, ended after them."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.unit.tekton.documents import pipeline, step, task


@pytest.fixture
def port() -> Iterator[int]:
    """A port that stays ours, and at which a server that sets SO_REUSEADDR, as Python's do, can listen nevertheless."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def sidecar(script: str, **fields):
    return {"name": "side", "image": "none", "script": script, **fields}


SERVER = (
    f"#!{sys.executable} -IS\n"
    + """
import http.server, time
time.sleep(0.1)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""
)


def sidecars_of(directory: Path) -> list[str]:
    """The sidecars of this test that still run; other tests run theirs at the same time."""
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if "sidecar-script" in line and str(directory) in line]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["http", "tcp", "exec"])
def test_steps_wait_until_a_sidecar_is_ready(run, tmp_path, kind, port):
    probe = {
        "http": {"httpGet": {"path": "/ready", "port": "web"}},
        "tcp": {"tcpSocket": {"port": port}},
        "exec": {"exec": {"command": ["test", "-e", f"{tmp_path}/up"]}},
    }[kind]
    script = f"sleep 0.1; touch {tmp_path}/up; sleep 600" if kind == "exec" else SERVER.replace("PORT", str(port))
    seen = tmp_path / "seen"  # proves that such a process would be found
    check = f"grep -qsa '{tmp_path}.*[s]idecar-script' /proc/[0-9]*/cmdline && touch {seen}; " + (
        f"test -e {tmp_path}/up"
        if kind == "exec"
        else f"{sys.executable} -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}))'"
    )
    ran = run(
        pipeline(
            task(
                "a",
                steps=[step(check)],
                sidecars=[sidecar(script, readinessProbe=probe, ports=[{"name": "web", "containerPort": port}])],
            )
        )
    )
    assert ran.result.succeeded
    assert seen.exists()
    assert sidecars_of(tmp_path) == []


@pytest.mark.slow
def test_a_sidecar_that_never_gets_ready(run):
    never = sidecar("sleep 600", readinessProbe={"exec": {"command": ["false"]}, "periodSeconds": 1})
    ran = run(pipeline(task("a", "echo never", sidecars=[never], timeout="500ms")))
    assert (ran.lines("a"), ran.reasons()) == ([], {"a": "TaskRunTimeout"})


def test_a_sidecar_that_crashes_fails_the_task(run, tmp_path):
    crashed = tmp_path / "crashed"
    script = f"while [ ! -e {crashed} ]; do sleep 0.01; done; sleep 0.3; exit 1"
    ran = run(pipeline(task("a", script, sidecars=[sidecar(f"touch {crashed}; exit 7")])))
    record = ran.result.task_runs[0]
    assert (record.reason, record.message) == ("SidecarFailed", '"sidecar-side" exited with code 7: Error')


def test_a_sidecar_that_ends_well_changes_nothing(run):
    assert run(pipeline(task("a", "sleep 0.2", sidecars=[sidecar("exit 0")]))).result.succeeded
