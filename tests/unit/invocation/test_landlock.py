"""Landlock confines a process and all its children."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.invocation.conftest import Run

from penstock.invocation.landlock import landlock_abi
from penstock.invocation.sandbox import Sandbox


@pytest.mark.slow
@pytest.mark.parametrize("cards", [[], ["/dev/null"]], ids=["no card", "a card"])
def test_landlock_confines(
    cards: list[str], run: Run, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.invocation.sandbox._cards", lambda: cards)
    assert landlock_abi() >= 6, "these tests need a kernel with Landlock"

    private = tmp_path / "bundle" / "run.json"
    private.parent.mkdir()
    private.write_text("{}", encoding="utf-8")
    shared = tmp_path / "inputs"
    shared.mkdir()
    (shared / "a.png").write_text("a", encoding="utf-8")
    box = Sandbox(source=sandbox.source, scratch=sandbox.scratch, readable=(shared,))
    text = f"""
        import multiprocessing, os, signal, socket, tempfile, threading
        def attempt(name, action):
            try:
                action()
                print(name, "allowed")
            except OSError as error:
                print(name, "refused")
        attempt("write-scratch", lambda: tempfile.NamedTemporaryFile())
        attempt("read-inputs", lambda: open({str(shared / "a.png")!r}).read())
        attempt("workers", lambda: multiprocessing.Pool(2).map(abs, [-1]))
        listener = socket.socket()
        attempt("bind-own", lambda: listener.bind(("127.0.0.1", {24_001})))
        attempt("bind-other", lambda: socket.socket().bind(("127.0.0.1", 24002)))
        listener.listen()
        attempt("connect", lambda: socket.create_connection(("127.0.0.1", 24001), timeout=2))
        attempt("read-bundle", lambda: open({str(private)!r}).read())
        attempt("write-bundle", lambda: open({str(private)!r}, "w"))
        attempt("remove-bundle", lambda: os.unlink({str(private)!r}))
        attempt("write-source", lambda: open("x", "w"))
        attempt("list-home", lambda: os.listdir({str(Path.home())!r}))
        attempt("write-beside", lambda: open({str(tmp_path / "y")!r}, "w"))
        attempt("kill-launcher", lambda: os.kill(os.getppid(), signal.SIGKILL))
        attempt("device", lambda: os.mknod(os.environ["TMPDIR"] + "/d", 0o20666, os.makedev(1, 1)))
        # CUDA's driver opens it so, and no card can be used where it is refused
        name = f"/proc/self/task/{{threading.get_native_id()}}/comm"
        attempt("name-thread", lambda: open(name, "w").write("cuda"))
        attempt("kernel-setting", lambda: open("/proc/sys/kernel/core_pattern", "r+"))
    """
    _, log = run(text, box, port=24_001)
    said = dict(line.split() for line in log.splitlines())
    allowed = {"write-scratch", "read-inputs", "workers", "bind-own"} | ({"name-thread"} if cards else set())
    assert {name for name, answer in said.items() if answer == "allowed"} == allowed
    assert len(said) == 16
    assert private.read_text(encoding="utf-8") == "{}"
