"""A model's exporter is confined and bounded; whatever it does is a fault, and nothing of it is left."""

from __future__ import annotations

import hashlib
import textwrap
from pathlib import Path

import pytest

from penstock.contract.export import Export
from penstock.foundation.errors import PenstockError, WorldError
from penstock.invocation import exporter
from penstock.invocation.exporter import Exported, run_exporter

pytestmark = pytest.mark.usefixtures("no_process_is_left")


def run(folder: Path, program: str, *, timeout_s: float = 20.0, hidden: tuple[Path, ...] = ()) -> Exported:
    """``program``, with ``target`` as the file that it should write, in a repository of its own."""
    source = folder / "source"
    source.mkdir(exist_ok=True)
    text = f"import os, sys\ntarget = sys.argv[1]\n{textwrap.dedent(program)}"
    (source / "export.py").write_text(text, encoding="utf-8")
    export = Export(argv=["python", "export.py", "{output}"], weights="w/net.onnx", timeout_s=timeout_s)
    log_file, environment = folder / "exporter.log", {"WIDTH": "16"}
    return run_exporter(export, source, folder / "scratch", log_file, environment=environment, hidden=hidden)


def test_a_file_is_examined_and_not_kept(tmp_path: Path) -> None:
    program = """
        print("opset 17,", os.environ["WIDTH"], os.path.basename(target))
        open(target, "wb").write(b"weights")
    """
    found = run(tmp_path, program)
    assert (found.fault, found.bytes) == (None, 7)
    assert found.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert found.argv[:2] == ["python", "export.py"]
    log = (tmp_path / "exporter.log").read_text(encoding="utf-8")
    assert "opset 17, 16 output.onnx" in log
    assert f"[penstock] confined by: {found.isolation}" in log
    assert not (tmp_path / "scratch").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("pass", "the exporter wrote no file"),
        ("open(target, 'wb').close()", "the exporter's file is empty"),
        ("os.symlink('/etc/hostname', target)", "not a regular file"),
        ("os.mkdir(target)", "not a regular file"),
        ("os.mkfifo(target)", "not a regular file"),
        ("open(target, 'w').write('x'); os.link(target, target + '2')", "it has another name"),
        ("sys.exit('no such layer')", "the exporter exited with code 1; the end of its log: no such layer"),
        ("os.kill(os.getpid(), 9)", "the exporter exited with code -9 (SIGKILL)"),
        ("print('\\x1b[2J' * 3); sys.exit(2)", "the end of its log: \\x1b[2J\\x1b[2J\\x1b[2J"),
        ("open('/etc/hosts', 'a')", "exited with code 1"),
    ],
)
def test_what_it_does_wrong_is_a_fault(tmp_path: Path, program: str, said: str) -> None:
    found = run(tmp_path, program)
    assert said in (found.fault or "")
    assert (found.sha256, found.bytes) == ("", 0)
    assert not (tmp_path / "scratch").exists()


@pytest.mark.slow
def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    program = """
        import subprocess, time
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        time.sleep(600)
    """
    found = run(tmp_path, program, timeout_s=1.0)
    assert (found.fault or "").startswith("the exporter did not end within 1 s")


def test_a_file_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.invocation.sandbox.MAX_FILE_BYTES", 1 << 20)
    found = run(tmp_path, "open(target, 'wb').write(bytes(2 << 20))")
    assert (found.fault or "").startswith("the exporter exited with code 1")
    assert "File too large" in (found.fault or "")


@pytest.mark.slow
def test_a_log_without_end_is_bounded(tmp_path: Path) -> None:
    found = run(tmp_path, "sys.stdout.write('line\\n' * 1_000_000); open(target, 'w').write('x')")
    assert found.fault is None
    assert (tmp_path / "exporter.log").stat().st_size < 3 << 20
    assert "bytes of log were dropped here" in (tmp_path / "exporter.log").read_text(encoding="utf-8")


def test_it_reads_no_truth(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    truth = tmp_path / "source" / "truth.png"
    truth.write_bytes(b"matte")
    found = run(tmp_path, "open(target, 'wb').write(open('truth.png', 'rb').read())", hidden=(truth,))
    assert "Permission denied" in (found.fault or "")


def test_a_program_that_there_is_not_is_a_fault(tmp_path: Path) -> None:
    export = Export(argv=["no-such-exporter", "{output}"], weights="net.onnx")
    (tmp_path / "source").mkdir()
    found = run_exporter(export, tmp_path / "source", tmp_path / "scratch", tmp_path / "log", environment={})
    assert "the exporter could not be started" in (found.fault or "")


def test_a_full_disk_is_no_fault_of_the_exporter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        error = WorldError("no space is left on the disk")
        error.full_disk = True
        raise error

    monkeypatch.setattr(exporter, "ModelProcess", full)
    with pytest.raises(PenstockError, match="no space is left"):
        run(tmp_path, "pass")
