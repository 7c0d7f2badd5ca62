"""The step browse and the service beside it, which runs in the model's own image: they find each other, and end."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import penstock_tasks.browse.entrypoint as browse
import pytest
import yaml
from penstock_tasks.browse import serve
from tests.pipeline.pipeline_runs import contract
from tests.unit.tasks.step_folders import StepFolders
from tests.unit.tasks.test_infer import LIMITED, RUNTIME_PACKAGES

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image, Inference
from penstock.bundle.page_record import PageRecord
from penstock.invocation import handshake

LIMIT_S = 30.0
SERVICE = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
print("cards:", repr(os.environ.get("CUDA_VISIBLE_DEVICES")), flush=True)
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"<p>the page</p>")
    def log_message(self, *_): pass
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
CALL = {
    "http": {"argv": ["python", "model.py"], "path": "/x", "response": "video/mp4", "ready_timeout_s": 20.0},
    "warmup": 0,
}
PAGE = {"upload": {"#in": "image"}, "press": "button", "result": {"selector": "#out"}}


@pytest.fixture
def served(folders: StepFolders) -> StepFolders:
    """A service with a page, cloned."""
    write(folders)
    folders.cloned()
    folders.measured()
    return folders


def write(folders: StepFolders, model: str = SERVICE, **page: Any) -> None:
    text = yaml.safe_dump(contract(call=CALL, checks=[], page=PAGE | page), allow_unicode=True)
    folders.write_repository(penstock_yaml=text, model_py=model)


def arguments(folders: StepFolders, *more: str, image: str = "none") -> list[str]:
    runtime = folders.folder / "workspace" / "runtime"
    runtime.mkdir(parents=True, exist_ok=True)
    named = {"image": image, "runtime-id": "x", "source": folders.source, "bundle": folders.bundle.path}
    return [f"--{name}={value}" for name, value in {**named, "runtime": runtime}.items()] + list(more)


@contextmanager
def sidecar(folders: StepFolders, *more: str, image: str = "none") -> Iterator[list[int]]:
    """The service, in a thread; its exit code once the block is left."""
    codes: list[int] = []
    thread = threading.Thread(
        target=lambda: codes.append(serve.main(arguments(folders, *more, image=image))), daemon=True
    )
    thread.start()
    yield codes
    thread.join(LIMIT_S)
    assert not thread.is_alive()


def fetched(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read()
    finally:
        connection.close()


@pytest.mark.slow
def test_the_service_needs_no_more_than_the_runtime_has(served: StepFolders) -> None:
    text = LIMITED.replace("penstock_tasks.infer.entrypoint", "penstock_tasks.browse.serve")
    command = [sys.executable, "-c", text.replace("ALLOWED", repr(RUNTIME_PACKAGES)), *arguments(served)]
    folder = served.bundle.path / "page"
    handshake.ask(folder, "word")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        answered = handshake.answer_to(folder, "word", wait_s=LIMIT_S)
        page = fetched(answered.port) if answered is not None and answered.port else b""
        handshake.end(folder, "word", wait_s=LIMIT_S)
        said, _ = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, page) == (0, b"<p>the page</p>"), said
    assert list(folder.iterdir()) == []
    log = (served.bundle.path / "logs" / "page-model.log").read_text(encoding="utf-8")
    assert "cards: ''" in log, "no card unless the page asks for one"


@pytest.mark.slow
def test_the_service_is_told_which_weights_it_computes_with(served: StepFolders) -> None:
    model = SERVICE.replace("CUDA_VISIBLE_DEVICES", "USE_ONNX")
    page = {"upload": {"#in": "image"}, "press": "button", "result": {"selector": "#out"}}
    export = {"argv": ["x", "{output}"], "weights": "net.onnx"}
    text = yaml.safe_dump(contract(call=CALL, checks=[], page=page, export=export), allow_unicode=True)
    served.write_repository(penstock_yaml=text, model_py=model)
    served.bundle.update_run(served.bundle.run().model_copy(update={"use_onnx": False}))
    folder = served.bundle.path / "page"
    handshake.ask(folder, "word")
    with sidecar(served):
        assert handshake.answer_to(folder, "word", wait_s=LIMIT_S) is not None
        handshake.end(folder, "word", wait_s=LIMIT_S)
    assert "cards: 'false'" in (served.bundle.path / "logs" / "page-model.log").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_page_that_asks_for_a_card_has_those_that_there_are(
    served: StepFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    write(served, card=True)
    folder = served.bundle.path / "page"
    handshake.ask(folder, "word")
    with sidecar(served):
        assert handshake.answer_to(folder, "word", wait_s=LIMIT_S) is not None
        handshake.end(folder, "word", wait_s=LIMIT_S)
    assert "cards: '0'" in (served.bundle.path / "logs" / "page-model.log").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_service_in_an_image_writes_nowhere_but_to_the_bundle(
    served: StepFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "image" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    app = tmp_path / "image" / "app"
    app.mkdir()
    (served.source / "model.py").rename(app / "model.py")
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")  # a read-only root, as on a cluster
    image = Image(kind="image", url="registry:5000/tiny", digest="sha256:" + "a" * 64)
    served.bundle.update_run(served.bundle.run().model_copy(update={"image": image}))
    folder = served.bundle.path / "page"
    handshake.ask(folder, "word")
    with sidecar(served, f"--model-dir={app}", image=f"{image.url}@{image.digest}") as codes:
        answered = handshake.answer_to(folder, "word", wait_s=LIMIT_S)
        assert answered is not None
        assert fetched(answered.port) == b"<p>the page</p>", answered.error
        handshake.end(folder, "word", wait_s=LIMIT_S)
    assert codes == [0]
    assert list(folder.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("raise SystemExit('no card')", "before it was ready; the end of its log"),
        ("while True: pass", "was not ready after"),
    ],
)
def test_a_service_that_does_not_start_is_the_worlds_fault(
    served: StepFolders, monkeypatch: pytest.MonkeyPatch, model: str, said: str
) -> None:
    monkeypatch.setitem(CALL["http"], "ready_timeout_s", 1.5)  # type: ignore[arg-type]
    write(served, model)
    with sidecar(served) as codes:
        answer = served.call("browse")
    assert answer.code == 4
    assert said in answer.error
    assert codes == [0], "a sidecar that fails takes the step along"


def test_a_model_that_would_be_confined_less_than_demanded_is_not_started(served: StepFolders) -> None:
    demanded = Inference(unchanged=False, parts=["1/1"], demanded="namespaces")
    image = Image(kind="process", digest="sha256:" + "a" * 64)
    served.bundle.update_run(served.bundle.run().model_copy(update={"inference": demanded, "image": image}))
    with sidecar(served, f"--model-dir={served.source}"):
        answer = served.call("browse")
    assert answer.code == 4
    assert "the policy demands that the model is confined by 'namespaces'" in answer.error


def test_nobody_beside_it_is_waited_for_without_end(served: StepFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "START_S", -19.9)
    monkeypatch.setattr(handshake, "END_S", 0.1)
    answer = served.call("browse")
    assert answer.code == 4
    assert "the model's service did not start within 0.1 s" in answer.error


def test_a_contract_without_a_page_has_nothing_to_try(folders: StepFolders) -> None:
    folders.write_repository()
    answer = folders.call("browse")
    assert (answer.code, answer.error) == (2, "penstock.yaml: the contract has no page. Write a section 'page'.")


@pytest.mark.slow
@pytest.mark.parametrize("fault", [None, "the page hangs: " + "x" * 500])
def test_whether_the_page_works_is_a_result(
    served: StepFolders, monkeypatch: pytest.MonkeyPatch, fault: str | None
) -> None:
    def tried(_contract: Any, page: Any, _suite: Any, _source: Path, bundle: Bundle, port: int) -> PageRecord:
        assert page.press == "button"
        assert fetched(port) == b"<p>the page</p>"
        assert bundle.path == served.bundle.path
        return PageRecord(case="one", path="/", fault=fault)

    monkeypatch.setattr(browse, "try_page", tried)
    left = served.bundle.path / "page" / "penstock-model-x"
    left.mkdir(parents=True)
    with sidecar(served):
        answer = served.call("browse")
    assert answer.code == 0
    assert answer.results["page"] == ("works" if fault is None else "broken")
    assert len(answer.results["fault"].encode()) <= 400
    (value,) = (found for found in served.bundle.measurements() if found.metric == "page")
    assert (value.case, value.value, value.error) == ("*", float(fault is None), fault)
    assert served.bundle.run().steps[-1].name == "browse"
    assert not left.exists(), "what a service that was killed has left is not evidence"
