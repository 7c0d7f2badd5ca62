"""The sample Deployment's init container: its very script brings weights from each place that a contract may name."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from tests.cluster.git_http import Server
from tests.cluster.test_git_server import commit, git
from tests.unit.manifests.installed import ROOT

KEY, SECRET, REGION = "AKIA-weights", "hunter2/+", "eu-central-1"
CONTENT = b"trained" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def script() -> str:
    """What docs/operations.md has a pod run before its model starts."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (text,) = (block.partition("```")[0] for block in page.split("```yaml\n")[1:] if "initContainers:\n" in block)
    (container,) = yaml.safe_load(text)["spec"]["template"]["spec"]["initContainers"]
    *shell, program = container["command"]
    assert shell == ["sh", "-euc"]
    return str(program)


class Objects(ThreadingHTTPServer):
    """Some files over HTTP; what lies below ``/bucket/`` wants a signature that holds (AWS, version 4)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        signed = not self.path.startswith("/bucket/") or self._signed()
        self.send_response(200 if signed else 403)
        self.send_header("Content-Length", str(len(CONTENT) if signed else 0))
        self.end_headers()
        if signed:
            self.wfile.write(CONTENT)

    def _signed(self) -> bool:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        given = self.headers.get("Authorization", "")
        named = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        server: Objects = self.server  # type: ignore[assignment]
        request = AWSRequest("GET", f"{server.url}{urlsplit(self.path).path}")
        for name in named:
            request.headers[name] = self.headers[name]
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        auth = SigV4Auth(Credentials(KEY, SECRET), "s3", REGION)
        text = auth.string_to_sign(request, auth.canonical_request(request))
        return given.endswith(f"Signature={auth.signature(text, request)}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def objects() -> Iterator[Objects]:
    with Objects() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


def bring(folder: Path, source: str, path: str, *, sha256: str = SHA256, **more: str) -> int:
    """Run it as a pod does, in an empty folder."""
    folder.mkdir(exist_ok=True)
    aws = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION}
    given = {"PENSTOCK_WEIGHTS": f"{sha256} {source} {path}\n", "PENSTOCK_REPOSITORY": "", "PENSTOCK_COMMIT": ""}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "no_proxy": "*", **aws, **given, **more}
    return subprocess.run(["sh", "-euc", script()], cwd=folder, env=environment, capture_output=True).returncode


def test_over_http_into_a_folder(tmp_path: Path, objects: Objects) -> None:
    assert bring(tmp_path / "w", f"{objects.url}/w.onnx", "models/two words.onnx") == 0
    assert (tmp_path / "w" / "models" / "two words.onnx").read_bytes() == CONTENT


def test_from_a_bucket(tmp_path: Path, objects: Objects) -> None:
    assert bring(tmp_path / "w", "s3://bucket/penstock/w.onnx", "w.onnx", AWS_ENDPOINT_URL=objects.url) == 0
    assert (tmp_path / "w" / "w.onnx").read_bytes() == CONTENT
    more = {"AWS_ENDPOINT_URL": objects.url, "AWS_SECRET_ACCESS_KEY": "another"}
    assert bring(tmp_path / "v", "s3://bucket/penstock/w.onnx", "w.onnx", **more) != 0


@pytest.mark.slow
def test_from_the_repository_at_the_commit_of_the_release(tmp_path: Path) -> None:
    work, root = tmp_path / "work", tmp_path / "served"
    (work / "weights").mkdir(parents=True)
    git(work, "init", "--quiet", "-b", "main")
    (work / ".gitattributes").write_text("*.onnx filter=lfs -text\n")
    (work / "weights" / "w.onnx").write_bytes(CONTENT)
    (work / "plain.bin").write_bytes(CONTENT)
    commit(work)
    released = git(work, "rev-parse", "HEAD").stdout.strip()
    (work / "weights" / "w.onnx").write_bytes(b"later")
    commit(work)
    root.mkdir()
    git(root, "clone", "--quiet", "--bare", str(work), "model.git")
    git(work, "lfs", "push", "--all", f"file://{root / 'model.git'}", "main")
    with Server(("127.0.0.1", 0), root) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        there = {"PENSTOCK_REPOSITORY": f"http://127.0.0.1:{server.server_port}/model.git", "PENSTOCK_COMMIT": released}
        assert bring(tmp_path / "w", "lfs", "weights/w.onnx", **there) == 0
        assert bring(tmp_path / "v", "plain.bin", "w.onnx", **there) == 0
        assert bring(tmp_path / "u", "none.bin", "w.onnx", **there) != 0
        server.shutdown()
    assert (tmp_path / "w" / "weights" / "w.onnx").read_bytes() == CONTENT
    assert sorted(path.name for path in (tmp_path / "w").iterdir()) == ["weights"], "nothing else is left"
    assert (tmp_path / "v" / "w.onnx").read_bytes() == CONTENT


@pytest.mark.parametrize("source", ["hf://org/repo/w.onnx", "{url}/w.onnx"])
def test_what_was_not_judged_does_not_come_to_serve(tmp_path: Path, objects: Objects, source: str) -> None:
    assert bring(tmp_path / "w", source.format(url=objects.url), "w.onnx", sha256="0" * 64) != 0
