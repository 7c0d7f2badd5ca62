"""Runs that are killed, interrupted, or meet a full disk: nothing is left running, and --resume ends them well."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest
from tests.unit.pipeline.pipeline_runs import (
    LIMIT_S,
    PENSTOCK,
    SKIPPED_IF_UNCHANGED,
    STEPS,
    Ended,
    Orphans,
    Penstock,
    archived,
    ctrl_c,
    environment,
    kill,
    one_message,
    pointer,
    published,
)

from penstock.bundle.shards import Shard


def went_through(ended: Ended) -> None:
    """The run has ended well, as if nothing had happened."""
    assert ended.code == 0, ended.stderr
    assert archived(ended).verdict().verdict == "pass"
    assert published(ended.out) == ["1.0.0"]
    told = pointer(ended.out)
    assert told is not None
    assert told["run_id"] == ended.name
    assert set(ended.step_status()) == set(STEPS[:-2])
    assert not [path for path in (ended.out / "store").rglob("*") if path.name.startswith(".")]


STARTED = tuple(step for step in STEPS if step != SKIPPED_IF_UNCHANGED)


@pytest.mark.parametrize("steps", [STARTED[::2], STARTED[1::2]], ids="+".join)
def test_killed_at_each_step(prepared: Penstock, orphans: Orphans, steps: tuple[str, ...]) -> None:
    """Killed at one step, resumed, killed at the next but one, …: together the two runs are killed at every step."""
    arguments = prepared.arguments("v1.0.0", "r")
    for step in steps:
        killed = prepared.signalled(arguments, "r", f"{step}: started", kill)
        assert killed.code == -9, step
        assert orphans.left() == [], step
        arguments = prepared.resume_arguments("r")
    ended = prepared.resume("r")
    went_through(ended)
    last = STARTED.index(steps[-1])
    assert [step for step in STARTED if f"{step}: done before" in ended.stderr] == list(STARTED[:last])
    assert f"{steps[-1]}: started" in ended.stderr


def test_killed_between_two_cases(penstock: Penstock, orphans: Orphans, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    penstock = dataclasses.replace(penstock, environment=environment() | {"TMPDIR": str(temporary)})
    killed = penstock.signalled(penstock.arguments("v1.0.0", "r"), "r", "infer: 1/2", kill)
    assert orphans.left() == []
    (before,) = Shard(1, 1).bundle(killed.bundle).invocations()
    ended = penstock.resume("r")
    went_through(ended)
    # the case that was done is not put to the model again
    assert ended.bundle.invocations()[0] == before
    inference = ended.bundle.run().inference
    assert inference is not None
    assert len(inference.shards[0].uses) == 2
    # nor is anything of the killed run left, such as the model's files
    assert list(temporary.iterdir()) == []


def test_killed_while_shards_run_and_are_merged(penstock: Penstock, orphans: Orphans) -> None:
    arguments = penstock.arguments("v1.0.0", "r", "--param", "shards=2")
    for line in ("infer-1: started", "collect: started"):
        penstock.signalled(arguments, "r", line, kill)
        assert orphans.left() == [], line
        arguments = penstock.resume_arguments("r")
    ended = penstock.resume("r")
    went_through(ended)
    assert [call.case for call in ended.bundle.invocations()] == ["one", "two"]
    assert not (ended.bundle.path / "shards").exists()


def test_what_a_killed_writer_left_is_not_evidence(prepared: Penstock) -> None:
    killed = prepared.signalled(prepared.arguments("v1.0.0", "r"), "r", "gate: started", kill)
    bundle = killed.bundle
    # the names that files have before they are whole
    (bundle.path / ".verdict.json.tmp-ab12cd_3").write_text("{")
    (bundle.outputs / "one" / ".output.mp4.tmp-ab12cd_3").write_bytes(b"half a vid")
    incoming = prepared.out / "store" / "runs" / "tiny" / "r" / "logs" / ".incoming-ab12cd_3"
    incoming.parent.mkdir(parents=True)
    incoming.write_text("half a lo")
    ended = prepared.resume("r")
    went_through(ended)
    assert not list(ended.bundle.path.rglob("*.tmp-*"))


def test_run_that_goes_on_is_not_resumed(penstock: Penstock, orphans: Orphans) -> None:
    second: list[Ended] = []

    def resume_and_kill(pid: int) -> None:
        second.append(penstock.resume("r"))
        kill(pid)

    penstock.signalled(penstock.arguments("v1.0.0", "r"), "r", "clone: started", resume_and_kill)
    assert second[0].code == 2
    assert "going on in another process" in one_message(second[0])
    assert orphans.left() == []


@pytest.mark.parametrize("line", ["clone: started", "infer: 1/2"])
def test_ctrl_c(penstock: Penstock, orphans: Orphans, line: str) -> None:
    ended = penstock.signalled(penstock.arguments("v1.0.0", "r"), "r", line, ctrl_c)
    assert ended.code == 130, ended.stderr
    assert orphans.left() == []
    assert "--resume r" in one_message(ended)
    assert published(ended.out) == []
    went_through(penstock.resume("r"))


FULL_DISK = """
mount -t tmpfs -o size=8m none "$OUT"
head -c $((8388608 - FREE_KIB * 1024)) /dev/zero > "$OUT/filler"
"$@" > "$SAID/stdout" 2> "$SAID/stderr"; echo $? > "$SAID/code"
rm "$OUT/filler"
penstock run release --out "$OUT" --resume r > "$SAID/stdout-2" 2> "$SAID/stderr-2"; echo $? > "$SAID/code-2"
cp -R "$OUT" "$SAID/out"
"""
SMALL_FILES = """
(ulimit -f $((FREE_KIB / 16)); "$@" > "$SAID/stdout" 2> "$SAID/stderr"; echo $? > "$SAID/code")
penstock run release --out "$OUT" --resume r > "$SAID/stdout-2" 2> "$SAID/stderr-2"; echo $? > "$SAID/code-2"
cp -R "$OUT" "$SAID/out"
"""
"""Where no file system can be mounted: no file may grow beyond some KiB, which is the same error but for its number."""


@pytest.mark.parametrize("free_kib", [16, 200, 320], ids=["at-the-beginning", "at-infer", "at-the-report"])
def test_full_disk(penstock: Penstock, orphans: Orphans, tmp_path: Path, free_kib: int) -> None:
    said = tmp_path / "said"
    said.mkdir()
    namespace = ["unshare", "--map-root-user", "--mount"]
    can_mount = subprocess.run([*namespace, "mount", "-t", "tmpfs", "none", str(said)], capture_output=True)
    shell = [*namespace, "sh", "-c", FULL_DISK] if can_mount.returncode == 0 else ["sh", "-c", SMALL_FILES]
    out = tmp_path / "voll"
    out.mkdir()
    told = {"OUT": str(out), "SAID": str(said), "FREE_KIB": str(free_kib)}
    path = f"{Path(PENSTOCK).parent}:{environment()['PATH']}"
    arguments = dataclasses.replace(penstock, out=out).arguments("v1.0.0", "r")
    subprocess.run([*shell, "sh", *arguments], env=environment() | told | {"PATH": path}, timeout=LIMIT_S, check=True)
    words = {name: (said / name).read_text(encoding="utf-8") for name in ("code", "stderr", "code-2", "stderr-2")}
    assert words["code"] == "4\n", words
    assert "Traceback" not in words["stderr"]
    assert "bug: " not in words["stderr"]
    assert "no space is left on the disk" in words["stderr"]
    assert orphans.left() == []
    assert words["code-2"] == "0\n", words
    went_through(Ended(0, "", words["stderr-2"], said / "out", "r"))
