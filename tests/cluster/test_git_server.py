"""The cluster's git server, as real clients see it."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.cluster.git_http import BadRequest, Server, read_body

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    **{f"GIT_{role}_{key}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")},
}
LFS = ["filter.lfs.clean=git-lfs clean -- %f", "filter.lfs.smudge=git-lfs smudge -- %f", "filter.lfs.required=true"]


def git(directory: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    settings = [word for setting in LFS for word in ("-c", setting)]
    command = ["git", *settings, *arguments]
    done = subprocess.run(command, cwd=directory, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return done


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A work tree with a commit."""
    directory = tmp_path / "work"
    directory.mkdir()
    git(directory, "init", "--quiet", "-b", "main")
    (directory / "a.txt").write_text("one\n")
    commit(directory)
    return directory


def commit(directory: Path) -> None:
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "-m", "change")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The server's URL; it serves the bare repositories in ``served``."""
    (tmp_path / "served").mkdir()
    with Server(("127.0.0.1", 0), tmp_path / "served") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def served(tmp_path: Path, work: Path, url: str) -> Path:
    """The bare repository that the server serves as ``model.git``."""
    bare = tmp_path / "served" / "model.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(work), str(bare))
    return bare


def ask(url: str, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
    host = url.removeprefix("http://")
    with closing(http.client.HTTPConnection(host, timeout=20)) as connection:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=names)  # type: ignore[arg-type]
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize("protocol", ["0", "2"])
def test_clone_and_fetch(work: Path, served: Path, url: str, tmp_path: Path, protocol: str) -> None:
    settings = ["-c", f"protocol.version={protocol}"]
    git(tmp_path, *settings, "clone", "--quiet", "--depth=1", f"{url}/model.git", "copy")
    assert (tmp_path / "copy" / "a.txt").read_text() == "one\n"
    (work / "a.txt").write_text("two\n")
    commit(work)
    git(work, "push", "--quiet", str(served), "main")
    git(tmp_path / "copy", *settings, "pull", "--quiet")
    assert (tmp_path / "copy" / "a.txt").read_text() == "two\n"


def test_chunked_requests(work: Path, served: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that knows many commits says so at length, in chunks where it is too much for one piece."""
    git(tmp_path, "clone", "--quiet", f"{url}/model.git", "copy")
    copy = tmp_path / "copy"
    commits = "".join(
        f"commit refs/heads/known\ncommitter a <a@example.org> {number} +0000\ndata 1\nx\n" for number in range(1500)
    )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=copy, env=ENVIRONMENT, input=commits, text=True, check=True)
    (work / "a.txt").write_text("two\n")
    commit(work)
    git(work, "push", "--quiet", str(served), "main")
    monkeypatch.setitem(ENVIRONMENT, "GIT_TRACE_CURL", "1")
    fetched = git(copy, "-c", "http.postBuffer=1024", "-c", "protocol.version=0", "fetch", "origin")
    assert "Transfer-Encoding: chunked" in fetched.stderr
    assert git(copy, "show", "origin/main:a.txt").stdout == "two\n"


def test_bodies() -> None:
    chunked = b"4;x=y\r\nwiki\r\n6\r\npedia \r\n0\r\nTrailer: x\r\n\r\nnext"
    stream, out = io.BytesIO(chunked), io.BytesIO()
    read_body({"Transfer-Encoding": "chunked"}, stream, out)
    assert (out.getvalue(), stream.read()) == (b"wikipedia ", b"next")
    for headers, body in [
        ({"Transfer-Encoding": "chunked"}, b"zz\r\n"),
        ({"Transfer-Encoding": "chunked"}, b"-1\r\n"),
        ({"Transfer-Encoding": "chunked"}, b"2\r\nabc\r\n0\r\n\r\n"),
        ({"Transfer-Encoding": "chunked"}, b"ffffffffff\r\n"),
        ({"Content-Length": "5"}, b"abc"),
        ({"Content-Length": "-5"}, b"abc"),
    ]:
        with pytest.raises(BadRequest):
            read_body(headers, io.BytesIO(body), io.BytesIO())


def test_gzip_body_is_understood(served: Path, url: str) -> None:
    body = gzip.compress(b"0014command=ls-refs\n00010000")
    headers = {"Content_Type": "application/x-git-upload-pack-request", "Git_Protocol": "version=2"}
    status, said = ask(url, "POST", "/model.git/git-upload-pack", body, Content_Encoding="gzip", **headers)
    assert status == 200
    assert b"refs/heads/main" in said


def test_pushing_is_refused(work: Path, served: Path, url: str) -> None:
    git(served, "config", "http.receivepack", "true")  # not even if the repository itself would take it
    (work / "a.txt").write_text("two\n")
    commit(work)
    pushed = git(work, "push", f"{url}/model.git", "main", check=False)
    assert pushed.returncode != 0
    assert "403" in pushed.stderr


@pytest.mark.parametrize("path", ["/", "/none.git/info/refs", "/../model.git/HEAD", "/model/info/refs", "/.git/HEAD"])
def test_what_is_not_there(served: Path, url: str, path: str) -> None:
    assert ask(url, "GET", path)[0] == 404


def test_files_outside_of_a_repository_are_not_served(served: Path, url: str) -> None:
    (served.parent / "secret").write_text("secret")
    for path in ("/model.git/../secret", "/model.git/%2e%2e/secret", "/model.git/objects/../../secret"):
        status, said = ask(url, "GET", path)
        assert status >= 400
        assert b"secret" not in said


def test_clone_with_lfs(work: Path, served: Path, url: str, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (work / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    (work / "weights.bin").write_bytes(content)
    commit(work)
    git(work, "push", "--quiet", f"file://{served}", "main")  # git-lfs put a hook there, which brings the content
    git(tmp_path, "clone", "--quiet", f"{url}/model.git", "copy")
    assert (tmp_path / "copy" / "weights.bin").read_bytes() == content


def test_lfs_object_that_is_not_there(work: Path, served: Path, url: str, tmp_path: Path) -> None:
    (work / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    (work / "weights.bin").write_bytes(b"never pushed to LFS")
    commit(work)
    git(work, "push", "--quiet", "--no-verify", str(served), "main")
    cloned = git(tmp_path, "clone", f"{url}/model.git", "copy", check=False)
    assert cloned.returncode != 0
    assert "not on this server" in cloned.stderr


def test_lfs_batch(served: Path, url: str) -> None:
    content = b"weights"
    oid = hashlib.sha256(content).hexdigest()
    path = served / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    def batch(request: object) -> tuple[int, dict[str, object]]:
        status, said = ask(url, "POST", "/model.git/info/lfs/objects/batch", json.dumps(request))
        return status, json.loads(said)

    status, said = batch({"operation": "download", "objects": [{"oid": oid, "size": 7}]})
    assert status == 200
    href = f"{url}/model.git/info/lfs/objects/{oid}"
    assert said["objects"] == [{"oid": oid, "size": 7, "authenticated": True, "actions": {"download": {"href": href}}}]
    assert ask(url, "GET", href.removeprefix(url)) == (200, content)
    assert batch({"operation": "upload", "objects": [{"oid": oid, "size": 7}]})[0] == 403
    assert batch({"operation": "download", "objects": [{"oid": "../../HEAD", "size": 7}]})[0] == 422
    assert batch({"operation": "download"})[0] == 422
    assert batch("nonsense")[0] == 422
