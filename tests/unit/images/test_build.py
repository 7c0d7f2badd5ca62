"""What stops `make images` says so in one line, before anything is built."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from images.build import Made, Options, main, write
from images.packages import SCRIPT, parse
from images.pins import pinned
from images.registry import Pushed, check_name, check_reachable

from penstock.foundation.errors import UsageError, WorldError

DIGEST = "sha256:" + "b" * 64


class Answer(http.server.BaseHTTPRequestHandler):
    """A registry, as far as ``GET /v2/`` goes."""

    code = 200

    def do_GET(self) -> None:
        self.send_response(self.code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def serve(code: int) -> Iterator[str]:
    handler = type("Handler", (Answer,), {"code": code})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def registry() -> Iterator[str]:
    yield from serve(200)


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "install"


@pytest.fixture
def buildah(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A buildah that is there; none of these tests gets as far as starting it."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "buildah").write_text("#!/bin/false\n")
    (tmp_path / "bin" / "buildah").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def failing(capsys: pytest.CaptureFixture[str], out: Path, *argv: str) -> tuple[int, str]:
    code = main([*argv, f"--out={out}"])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert not out.exists(), "nothing is written"
    return code, captured.err


def test_no_registry(capsys: pytest.CaptureFixture[str], out: Path) -> None:
    code, said = failing(capsys, out)
    assert code == 2
    assert said == "error: no registry is named. make images REGISTRY=host:port/path\n"


@pytest.mark.parametrize(
    "name", ["https://host/x", "host/Upper", "-host", "host:port", "host/x;rm", "host/../x", "a b"]
)
def test_what_is_no_registry(name: str) -> None:
    with pytest.raises(UsageError, match="is not a registry"):
        check_name(name)


@pytest.mark.parametrize("name", ["host", "host:5000", "registry.example.org/team/penstock", "10.0.0.1:5000/a-b/c_d"])
def test_what_is_one(name: str) -> None:
    assert check_name(name) == name


def test_an_unknown_step(capsys: pytest.CaptureFixture[str], out: Path) -> None:
    code, said = failing(capsys, out, "--registry=host", "--only=gates")
    assert code == 2
    assert "there is no step or service 'gates'. There are: archive, browse, build, " in said


def test_no_buildah(
    capsys: pytest.CaptureFixture[str], out: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, said = failing(capsys, out, "--registry=host")
    assert code == 4
    assert said == "error: buildah is not installed. Install it: apt-get install buildah skopeo\n"


@pytest.mark.usefixtures("buildah")
def test_nobody_listens(capsys: pytest.CaptureFixture[str], out: Path, closed_port: str) -> None:
    code, said = failing(capsys, out, f"--registry={closed_port}/x")
    assert code == 4
    assert said == (
        f"error: {closed_port}: the registry cannot be reached: connection refused. Start it, or name another.\n"
    )


@pytest.mark.usefixtures("buildah")
def test_a_registry_without_a_certificate(capsys: pytest.CaptureFixture[str], out: Path, registry: str) -> None:
    code, said = failing(capsys, out, f"--registry={registry}/x")
    assert code == 4
    assert "it speaks http instead of https" in said
    assert "make images TLS_VERIFY=false" in said


def test_http_is_spoken_when_asked_for(registry: str) -> None:
    check_reachable(f"{registry}/path", tls_verify=False)


def test_one_that_wants_credentials_is_there() -> None:
    for address in serve(401):
        check_reachable(address, tls_verify=False)


def test_something_else_listens() -> None:
    for address in serve(404):
        with pytest.raises(WorldError, match="it answers 404 to GET /v2/"):
            check_reachable(address, tls_verify=False)


def made(name: str, digit: str) -> Made:
    return Made(name, Pushed(f"host/p/{name}@sha256:{digit * 64}", 1, (), ()), built=True, seconds=0.0)


def options(out: Path, *only: str, registry: str = "host/p") -> Options:
    base = f"python@{DIGEST}"
    return Options(
        registry=registry, base=base, allow_tag=False, tls_verify=True, only=only, out=out, jobs=1, anew=False
    )


def test_only_one_step_leaves_the_others_as_they_were(out: Path) -> None:
    write(options(out), [made("gate", "a"), made("clone", "a")], {})
    write(options(out, "gate"), [made("gate", "b")], {})
    images = json.loads((out / "images.json").read_text())["images"]
    assert images == {"gate": f"host/p/gate@sha256:{'b' * 64}", "clone": f"host/p/clone@sha256:{'a' * 64}"}
    assert (out / "kustomization.yaml").read_text().count("newName") == 2


def test_another_registry_takes_nothing_over(out: Path) -> None:
    write(options(out), [made("gate", "a"), made("clone", "a")], {})
    write(options(out, "gate", registry="other/p"), [made("gate", "b")], {})
    assert list(json.loads((out / "images.json").read_text())["images"]) == ["gate"]


def test_what_an_image_stands_on_and_what_is_in_it_is_recorded(out: Path) -> None:
    write(options(out), [made("gate", "a")], {"gate": {"deb": {"libc6": "2.36-9"}, "python": ["numpy==1.26.4"]}})
    assert json.loads((out / "images.json").read_text())["base"] == f"python@{DIGEST}"
    assert json.loads((out / "packages" / "gate.json").read_text()) == {
        "image": f"host/p/gate@sha256:{'a' * 64}",
        "base": f"python@{DIGEST}",
        "deb": {"libc6": "2.36-9"},
        "python": ["numpy==1.26.4"],
    }


@pytest.mark.usefixtures("buildah")
def test_a_base_without_a_digest_is_refused(capsys: pytest.CaptureFixture[str], out: Path, registry: str) -> None:
    argv = [f"--registry={registry}/x", "--tls-verify=false"]
    for base in ([], ["--base=host/python:3.11-slim"]):
        code, said = failing(capsys, out, *argv, *base)
        assert code == 2
        assert "the base image has no digest" in said
        assert "--allow-tag" in said
    for odd in ("python@sha256:short", "python@", "-x", "", "a b", f"python@{DIGEST}x", f"x@y@{DIGEST}"):
        with pytest.raises(UsageError, match="is not an image's name"):
            pinned(odd, allow_tag=True, tls_verify=True)
    assert pinned(f"host/python:3@{DIGEST}", allow_tag=False, tls_verify=True) == f"host/python@{DIGEST}"


@pytest.mark.parametrize(
    ("says", "answer"),
    [(f"echo {DIGEST}", f"host:5000/python@{DIGEST}"), ("echo no such tag >&2; exit 1", None), ("echo latest", None)],
)
def test_a_tag_that_is_allowed_becomes_a_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, answer: str | None
) -> None:
    skopeo = tmp_path / "skopeo"
    skopeo.write_text(f'#!/bin/sh\necho "$*" >{tmp_path}/asked\n{says}\n')
    skopeo.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    if answer is not None:
        assert pinned("host:5000/python:3", allow_tag=True, tls_verify=False) == answer
    else:
        with pytest.raises(WorldError, match="digest cannot be had"):
            pinned("host:5000/python:3", allow_tag=True, tls_verify=False)
    asked = (tmp_path / "asked").read_text().split()
    assert asked[:4] == ["inspect", "--no-tags", "--tls-verify=false", "--format={{.Digest}}"]
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(WorldError, match="skopeo is not installed"):
        pinned("host:5000/python:3", allow_tag=True, tls_verify=False)


@pytest.mark.slow
def test_what_is_installed_here_is_told() -> None:
    ran = subprocess.run([sys.executable, "-I", "-c", SCRIPT], capture_output=True, text=True, check=True)
    packages = parse(ran.stdout, where="here")
    assert packages == json.loads(ran.stdout)
    if Path("/var/lib/dpkg/status").exists():
        assert packages["deb"]["libc6" if "libc6" in packages["deb"] else "dpkg"]


@pytest.mark.parametrize("said", ["", "[]", "{}", '{"deb": {"a": 1}, "python": []}', '{"deb": [], "python": null}'])
def test_what_is_no_list_of_packages(said: str) -> None:
    with pytest.raises(WorldError, match="does not say what is installed"):
        parse(said, where="x")
