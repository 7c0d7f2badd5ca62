"""Every preset against a small server that is written from its system's documentation."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from tests.invocation.conftest import contract_of

from penstock.contract.models import Case, Contract
from penstock.families.registry import preset_names
from penstock.foundation.errors import WorldError
from penstock.invocation.driver import start
from penstock.invocation.model import CallResult

COMMON = """
import base64, email.parser, email.policy, json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
began = time.monotonic()
PNG = b"\\x89PNG\\r\\n\\x1a\\n" + b"alpha"
class Base(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def say(self, status, value, kind="application/json"):
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    def body(self): return self.rfile.read(int(self.headers["Content-Length"]))
    def form(self):
        head = b"Content-Type: " + self.headers["Content-Type"].encode() + b"\\r\\n\\r\\n"
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + self.body())
        return {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in message.iter_parts()
        }
"""
SERVE = """
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
SERVERS = {
    # docs/http.md of replicate/cog: /health-check is always 200; status says whether it is ready
    "cog": """
        class Handler(Base):
            def do_GET(self):
                assert self.path == "/health-check"
                ready = time.monotonic() - began > 0.5
                status = "SETUP_FAILED" if os.environ.get("MODE") == "broken" else "READY" if ready else "STARTING"
                self.say(200, {"status": status, "setup": {"status": "starting"}})
            def do_POST(self):
                assert self.path == "/predictions" and time.monotonic() - began > 0.5
                said = json.loads(self.body())["input"]
                if not isinstance(said["scale"], int):
                    return self.say(422, {"detail": [{"loc": ["body", "input", "scale"], "msg": "not an integer"}]})
                head, _, text = said["image"].partition(",")
                assert head == "data:image/png;base64" and base64.b64decode(text).startswith(PNG[:8])
                output = "data:image/png;base64," + base64.b64encode(PNG).decode()
                if said["scale"] == 3:
                    return self.say(200, {"status": "failed", "error": "CUDA out of memory", "output": None})
                self.say(200, {"status": "succeeded", "output": [output] if said["scale"] == 2 else output})
    """,
    "sonic": """
        class Handler(Base):
            def do_GET(self): self.say(200 if self.path == "/healthz" else 404, {})
            def do_POST(self):
                form = self.form()
                assert self.path == "/generate" and form["image"].startswith(PNG[:8])
                assert (form["inference_steps"], form["lip_sync_align"]) == (b"25", b"true")
                if float(form["duration"]) > 1.5: return self.say(422, {"code": "duration"})
                self.say(200, b"VIDEO", "video/mp4")
    """,
    "rmbg": """
        class Handler(Base):
            def do_GET(self): self.say(200, {})
            def do_POST(self):
                assert self.path == "/api/remove-bg" and self.headers["Content-Type"] == "application/json"
                assert base64.b64decode(json.loads(self.body())["image"]).startswith(PNG[:8])
                self.say(200, {"image": base64.encodebytes(PNG).decode()})
    """,
    "face-ood": """
        class Handler(Base):
            def do_GET(self): self.say(200 if self.path == "/health" else 404, {"status": "ok"})
            def do_POST(self):
                form = self.form()
                if self.path == "/feature":
                    assert list(form) == ["image"]
                    feature = [float(len(form["image"]))] * 512
                    return self.say(200, {"feature": feature, "quality_score": 0.9, "resolution": "112x112"})
                assert self.path == "/compare" and list(form) == ["image1", "image2"]
                self.say(200, {"similarity": 0.5, "quality_scores": [0.9, 0.9], "advice": "pass"})
    """,
    "wanwu": """
        class Handler(Base):
            def do_GET(self):
                assert self.path == "/healthz"
                self.say(200 if time.monotonic() - began > 0.5 else 503, {})
            def do_POST(self):
                assert self.path == "/recognize" and time.monotonic() - began > 0.5
                assert self.form()["image"].startswith(PNG[:8])
                self.say(200, {"objects": [{"name": "杯子", "score": 0.9}], "description": "", "text": []})
    """,
}
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
COG = {"response": "image/png", "body": {"json": {"input": {"image": "{image|data-url}", "scale": "{scale}"}}}}


class Bench:
    """Calls a preset's server as the preset says."""

    def __init__(self, folder: Path, preset: str) -> None:
        self.source = folder / "source"
        self.source.mkdir()
        code = COMMON + textwrap.dedent(SERVERS[preset]) + SERVE
        (self.source / "serve.py").write_text(code, encoding="utf-8")
        self.inputs = folder / "inputs"
        self.inputs.mkdir()
        self.folder, self.preset = folder, preset

    def contract(self, mode: str = "", **http: Any) -> Contract:
        http = {"argv": ["python", "serve.py"], "ready_timeout_s": 3 if mode else 20, **http}
        return contract_of({"preset": self.preset, "http": http, "env": {"MODE": mode}})

    def call(self, contract: Contract, **parameters: Any) -> dict[str, tuple[CallResult, bytes]]:
        """Name of each call → its result, and what came back."""
        assert contract.call.http is not None
        paths = {name: self.inputs / f"{name}.png" for name in ("image", "first", "second", "audio")}
        for path in paths.values():
            path.write_bytes(IMAGE)
        case = Case(name="one", inputs={name: path.name for name, path in paths.items()}, parameters=parameters)
        found = {}
        with start(
            contract, self.source, self.folder / "scratch", self.folder / "log", readable=(self.inputs,)
        ) as model:
            for name in contract.call.http.named_calls:
                output = self.folder / f"output-{name}"
                result = model.call(case, paths, output, 10.0, name=name)
                found[name] = (result, output.read_bytes() if output.exists() else b"")
        return found


def test_every_preset_has_a_server_here() -> None:
    assert set(SERVERS) == set(preset_names())


@pytest.mark.parametrize("scale", [1, 2])
def test_cog_is_waited_for_and_its_output_is_decoded(tmp_path: Path, scale: int) -> None:
    bench = Bench(tmp_path, "cog")
    ((result, content),) = bench.call(bench.contract(**COG), scale=scale).values()
    assert (result.status, result.error) == ("ok", None)
    assert content == b"\x89PNG\r\n\x1a\nalpha"


def test_a_prediction_of_cog_that_fails_says_why(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "cog")
    ((failed, content),) = bench.call(bench.contract(**COG), scale=3).values()
    assert (failed.status, content) == ("failed", b"")
    assert '$.status is "failed" where "succeeded" was expected' in str(failed.error)
    assert "CUDA out of memory" in str(failed.error)


def test_cog_whose_setup_fails_is_never_ready(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "cog")
    with pytest.raises(WorldError, match=r'GET /health-check: it answered \{"status": "SETUP_FAILED"'):
        bench.call(bench.contract("broken", **COG), scale=1)


def test_cog_can_return_json(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "cog")
    contract = bench.contract(**{**COG, "response": "application/json", "answer": {"json": None}})
    ((result, content),) = bench.call(contract, scale=1).values()
    assert (result.status, json.loads(content)["status"]) == ("ok", "succeeded")


def test_sonic(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "sonic")
    ((result, content),) = bench.call(bench.contract(), duration=1).values()
    assert (result.status, result.error, content) == ("ok", None, b"VIDEO")


def test_rmbg_has_base64_both_ways(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "rmbg")
    ((result, content),) = bench.call(bench.contract()).values()
    assert (result.error, content) == (None, b"\x89PNG\r\n\x1a\nalpha")


def test_a_face_and_a_pair(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "face-ood")
    found = bench.call(bench.contract())
    assert list(found) == ["feature", "compare"]
    assert [result.error for result, _ in found.values()] == [None] * 2
    assert json.loads(found["feature"][1])["feature"] == [float(len(IMAGE))] * 512
    assert json.loads(found["compare"][1])["advice"] == "pass"


def test_wanwu_is_waited_for_until_it_has_loaded(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "wanwu")
    ((result, content),) = bench.call(bench.contract()).values()
    assert result.error is None
    assert json.loads(content)["objects"][0]["name"] == "杯子"
