"""A service with a page of its own: released while the page works, stopped when its button does nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml
from tests.pipeline.pipeline_runs import run_release, video
from tests.unit.contract.conftest import png
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.directory import Bundle
from penstock.bundle.page_record import page_record

PENSTOCK = str(Path(sys.executable).parent / "penstock")
MODEL = """
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if self.path == "/": self.answer("text/html", open("page.html", "rb").read())
        else: self.answer("application/json", b"{}")
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer("video/mp4", open("answer.mp4", "rb").read())
    def log_message(self, *_): pass
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
PAGE = """<!doctype html><title>Speaker</title>
<input type="file" id="portrait"><button id="go">Speak</button><video id="shown"></video>
<script>
document.getElementById("go").onclick = async () => {
  const form = new FormData();
  form.append("image", document.getElementById("portrait").files[0]);
  const answer = await fetch("/generate", {method: "POST", body: form});
  document.getElementById("shown").src = URL.createObjectURL(await answer.blob());
};
</script>"""
CONTRACT = {
    "version": 1,
    "name": "speaker",
    "family": "talking-head",
    "call": {
        "http": {
            "argv": ["python", "serve.py"],
            "path": "/generate",
            "files": {"image": "image"},
            "response": "video/mp4",
        },
        "parameters": {"duration": 1.0},
    },
    "page": {
        "upload": {"#portrait": "image"},
        "press": "button:has-text('Speak')",
        "result": {"selector": "#shown", "begins": "blob:"},
        "timeout_s": 8.0,
    },
    "suite": "suite",
    "policy": {"rules": [{"metric": "duration_error", "max": 0.1}]},
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In ``v2.0.0`` the page's button does nothing; the API is the same."""
    repository = new_repository(tmp_path_factory.mktemp("models") / "speaker")
    cases = [{"name": "one", "inputs": {"image": "人像.png"}}]
    files: dict[str, str | bytes] = {
        "penstock.yaml": yaml.safe_dump(CONTRACT),
        "suite/suite.yaml": yaml.safe_dump({"version": 1, "family": "talking-head", "cases": cases}),
        "suite/人像.png": png(),
        "serve.py": MODEL,
        "page.html": PAGE,
        "answer.mp4": video(25),
    }
    commit(repository, files, "good")
    git(repository, "tag", "v1.0.0")
    commit(repository, {"page.html": PAGE.replace("onclick", "onclack")}, "dead button")
    git(repository, "tag", "v2.0.0")
    return repository


def test_a_page_that_works_is_released_and_one_whose_button_is_dead_is_not(repository: Path, tmp_path: Path) -> None:
    code, bundle = run_release(repository, tmp_path, "v1.0.0")
    assert code == 0
    record = page_record(bundle)
    assert record is not None
    assert (record.case, record.fault, record.result) == ("one", None, "page/result.mp4")
    assert (bundle.path / "page" / "result.mp4").read_bytes() == video(25)
    assert sorted(path.name for path in (bundle.path / "page").iterdir()) == [
        "page.json",
        "result.mp4",
        "screenshot.png",
    ]
    page = bundle.verdict().rules[-1]
    assert (page.metric, page.verdict, page.candidate, page.minimum) == ("page", "pass", 1.0, 1.0)
    archived = Bundle(tmp_path / "store" / "runs" / "speaker" / "v1.0.0")
    assert "page/screenshot.png" in archived.verify().files

    code, bundle = run_release(repository, tmp_path, "v2.0.0")
    assert code == 1
    record = page_record(bundle)
    assert record is not None
    why = "the src of '#shown' is empty"
    assert why in (record.fault or "")
    assert "trace.zip" in {path.name for path in (bundle.path / "page").iterdir()}
    assert [(rule.metric, rule.verdict) for rule in bundle.verdict().rules] == [
        ("duration_error", "pass"),
        ("page", "fail"),
    ]
    assert why in bundle.verdict().rules[-1].reason
    summary = (bundle.path / "report" / "summary.md").read_text(encoding="utf-8")
    assert "**web page**: is 0, below the minimum of 1: pressing" in summary
    assert "is empty" in summary
    html = (bundle.path / "report" / "index.html").read_text(encoding="utf-8")
    assert "the src of &#39;#shown&#39; is empty" in html
    assert not (tmp_path / "store" / "published" / "speaker" / "2.0.0.json").exists()
