"""The step measure: one line a case and metric, a missing value with its reason."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from penstock_tasks.measure import entrypoint
from tests.unit.tasks.step_folders import StepFolders

from penstock.bundle.models import Inference
from penstock.steps.entrypoint import parse_arguments

pytestmark = pytest.mark.usefixtures("one_worker")


@pytest.fixture
def collected(folders: StepFolders) -> StepFolders:
    folders.write_repository()
    folders.cloned(inference=Inference(unchanged=False, parts=["1/1"]))
    folders.shard("ok", "failed")
    assert folders.call("collect").code == 0
    return folders


def test_values_of_what_came_back_and_reasons_for_what_did_not(collected: StepFolders) -> None:
    answer = collected.call("measure")
    assert answer.code == 0
    lines = collected.bundle.measurements()
    assert answer.results["measurements"] == str(len(lines))
    assert answer.results["missing"] == str(sum(line.value is None for line in lines))
    found = {(line.case, line.metric): line for line in lines}
    assert found["one", "sharpness"].value is not None
    assert found["one", "duration_error"].value == pytest.approx(0.0, abs=0.02)
    assert found["two", "sharpness"].value is None
    assert "no face in two" in str(found["two", "sharpness"].error)


@pytest.mark.slow
def test_what_was_measured_once_is_not_measured_again(collected: StepFolders) -> None:
    """By another run of the same outputs: its bundle is new, the cache is the same."""
    collected.call("measure")
    before = collected.bundle.measurements()
    for reuse, status in (("true", "unchanged"), ("false", "done")):
        collected.begin_again()
        collected.cloned(inference=Inference(unchanged=False, parts=["1/1"]))
        collected.shard("ok", "failed")
        assert collected.call("collect").code == 0
        assert collected.call("measure", f"--reuse={reuse}").code == 0
        assert collected.bundle.measurements() == before
        assert collected.bundle.run().steps[-1].status == status


@pytest.mark.parametrize(("fork", "authorization"), [("false", "Bearer s3cret-of-the-server"), ("true", None)])
def test_the_transcribers_key_is_not_read_for_a_fork(
    folders: StepFolders, fork: str, authorization: str | None
) -> None:
    asked: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"words": []}')

        def log_message(self, *said: object) -> None:
            pass

    key = folders.folder / "transcriber-key"
    key.mkdir()
    (key / "key").write_text("s3cret-of-the-server\n", encoding="utf-8")
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"--transcriber=http://127.0.0.1:{server.server_port}/v1"
        places = [f"--{name}={folders.folder}" for name in ("source", "bundle", "cache")]
        given = [*places, url, f"--transcriber-key={key}", f"--fork={fork}"]
        arguments, _ = parse_arguments("measure", entrypoint.Arguments, given)
        transcriber = entrypoint._transcriber(arguments)
        assert transcriber is not None
        assert transcriber.words(np.zeros(16_000, np.int16)) == ()
        server.shutdown()
    assert asked == [authorization]
    assert "s3cret" not in repr(transcriber)
