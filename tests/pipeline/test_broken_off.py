"""Runs that are killed, interrupted, or meet a full disk: nothing is left running, and --resume ends them well."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

from tests.invocation.orphans import Orphans
from tests.pipeline.pipeline_runs import (
    LIMIT_S,
    PENSTOCK,
    SKIPPED_IF_UNCHANGED,
    STEPS,
    Ended,
    Penstock,
    archived,
    ctrl_c,
    environment,
    kill,
    one_message,
    pointer,
    published,
)

from penstock.bundle.models import Measurement
from penstock.bundle.shards import Shard
from penstock.foundation.files import sha256_tree


def went_through(ended: Ended) -> None:
    """The run has ended well, as if nothing had happened."""
    assert ended.code == 0, ended.stderr
    assert archived(ended).verdict().verdict == "pass"
    assert published(ended.out) == ["1.0.0"]
    told = pointer(ended.out)
    assert told is not None
    assert told["run_id"] == ended.name
    assert set(ended.step_status()) == set(STEPS[:-2])
    # a lock stays: who removed it could meet somebody who waits for it
    assert not [path for path in (ended.out / "store").rglob(".*") if path.suffix != ".lock"]


STARTED = tuple(step for step in STEPS if step != SKIPPED_IF_UNCHANGED)


def test_killed_at_each_step(prepared: Penstock, orphans: Orphans) -> None:
    """Killed at one step, resumed, killed at the next, …; what killed writers leave behind is not evidence."""
    arguments = prepared.arguments("v1.0.0", "r")
    for step in STARTED:
        killed = prepared.signalled(arguments, "r", f"{step}: started", kill)
        assert killed.code == -9, step
        assert orphans.left() == [], step
        if step == "gate":
            leave_what_killed_writers_leave(killed)
        arguments = prepared.resume_arguments("r")
    ended = prepared.resume("r")
    went_through(ended)
    assert [step for step in STARTED if f"{step}: done before" in ended.stderr] == list(STARTED[:-1])
    assert f"{STARTED[-1]}: started" in ended.stderr
    assert not list(ended.bundle.path.rglob("*.tmp-*"))


def leave_what_killed_writers_leave(killed: Ended) -> None:
    """Files under the names that they have before they are whole, in the bundle and in the store."""
    (killed.bundle.path / ".verdict.json.tmp-ab12cd_3").write_text("{")
    (killed.bundle.outputs / "one" / ".output.mp4.tmp-ab12cd_3").write_bytes(b"half a vid")
    incoming = killed.out / "store" / "runs" / "tiny" / "r" / "logs" / ".incoming-ab12cd_3"
    incoming.parent.mkdir(parents=True)
    incoming.write_text("half a lo")


def interrupted(penstock: Penstock, arguments: list[str], line: str, orphans: Orphans) -> None:
    """Ctrl-C when ``line`` is there: the run ends at once, says how to go on, and leaves nothing running."""
    ended = penstock.signalled(arguments, "r", line, ctrl_c)
    assert ended.code == 130, ended.stderr
    assert orphans.left() == []
    assert "--resume r" in one_message(ended)
    assert published(ended.out) == []


def test_ctrl_c_and_killed_between_two_cases(penstock: Penstock, orphans: Orphans, tmp_path: Path) -> None:
    """Interrupted at the beginning, killed between two cases, interrupted at the second; resumed each time."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    penstock = dataclasses.replace(penstock, environment=environment() | {"TMPDIR": str(temporary)})
    interrupted(penstock, penstock.arguments("v1.0.0", "r"), "clone: started", orphans)
    killed = penstock.signalled(penstock.resume_arguments("r"), "r", "infer: 1/2", kill)
    assert orphans.left() == []
    (before,) = Shard(1, 1).bundle(killed.bundle).invocations()
    interrupted(penstock, penstock.resume_arguments("r"), "infer: 2/2", orphans)
    ended = penstock.resume("r")
    went_through(ended)
    # the case that was done is not put to the model again
    assert ended.bundle.invocations()[0] == before
    inference = ended.bundle.run().inference
    assert inference is not None
    assert len(inference.shards[0].uses) == 2
    # nor is anything of the broken-off runs left, such as the model's files
    assert list(temporary.iterdir()) == []


def test_killed_while_shards_run_and_are_merged(penstock: Penstock, orphans: Orphans, first: Ended) -> None:
    """Also in as many shards as there are cases, and killed meanwhile, it is the release that it is in one piece."""
    arguments = penstock.arguments("v1.0.0", "r", "--param", "shards=3")
    for line in ("infer-1: started", "collect: started"):
        killed = penstock.signalled(arguments, "r", line, kill)
        assert orphans.left() == [], line
        arguments = penstock.resume_arguments("r")
    assert "infer-1: 1/1 two: " in killed.stderr
    ended = penstock.resume("r")
    went_through(ended)
    assert [call.case for call in ended.bundle.invocations()] == ["one", "two"]
    assert not (ended.bundle.path / "shards").exists()
    assert sha256_tree(ended.bundle.outputs) == sha256_tree(first.bundle.outputs)
    assert measured(ended) == measured(first)
    inference = archived(ended).run().inference
    assert inference is not None
    assert [(shard.shard, shard.cases) for shard in inference.shards] == [("1/2", 1), ("2/2", 1)]
    logs = sorted(path.name for path in (ended.bundle.path / "logs").glob("model*"))
    assert logs == ["model-1-of-2.log", "model-2-of-2.log"]


def measured(ended: Ended) -> list[Measurement]:
    """What does not depend on the time that it took."""
    timed = ("latency", "real_time_factor", "peak_memory")
    return [item for item in ended.bundle.measurements() if item.metric not in timed]


def test_run_that_goes_on_is_not_resumed(penstock: Penstock, orphans: Orphans) -> None:
    second: list[Ended] = []

    def resume_and_kill(pid: int) -> None:
        second.append(penstock.resume("r"))
        kill(pid)

    penstock.signalled(penstock.arguments("v1.0.0", "r"), "r", "clone: started", resume_and_kill)
    assert second[0].code == 2
    assert "going on in another process" in one_message(second[0])
    assert orphans.left() == []


FREE_KIB = ("16", "200", "320")
"""What is free when the run begins, so that it ends at once, at *infer*, and in the report."""
FULL_DISK = """
mount -t tmpfs -o size=8m none "$OUT"
head -c 8M /dev/zero > "$OUT/filler"
for free in $FREE_KIB; do
  truncate -s $((8388608 - free * 1024)) "$OUT/filler"
  "$@" > "$SAID/stdout-$free" 2> "$SAID/stderr-$free"; echo $? > "$SAID/code-$free"
  set -- penstock run release --out "$OUT" --resume r
done
rm "$OUT/filler"
"$@" > "$SAID/stdout" 2> "$SAID/stderr"; echo $? > "$SAID/code"
cp -R "$OUT" "$SAID/out"
"""
SMALL_FILES = """
for free in $FREE_KIB; do
  (ulimit -f $((free / 16)); "$@" > "$SAID/stdout-$free" 2> "$SAID/stderr-$free"; echo $? > "$SAID/code-$free")
  set -- penstock run release --out "$OUT" --resume r
done
"$@" > "$SAID/stdout" 2> "$SAID/stderr"; echo $? > "$SAID/code"
cp -R "$OUT" "$SAID/out"
"""
"""Where no file system can be mounted: no file may grow beyond some KiB, which is the same error but for its number."""


def test_full_disk(penstock: Penstock, orphans: Orphans, tmp_path: Path) -> None:
    """The disk is full; each time that some of it is freed the run gets further; with enough it ends well."""
    said = tmp_path / "said"
    said.mkdir()
    namespace = ["unshare", "--map-root-user", "--mount"]
    can_mount = subprocess.run([*namespace, "mount", "-t", "tmpfs", "none", str(said)], capture_output=True)
    shell = [*namespace, "sh", "-c", FULL_DISK] if can_mount.returncode == 0 else ["sh", "-c", SMALL_FILES]
    out = tmp_path / "voll"
    out.mkdir()
    told = {"OUT": str(out), "SAID": str(said), "FREE_KIB": " ".join(FREE_KIB)}
    path = f"{Path(PENSTOCK).parent}:{environment()['PATH']}"
    arguments = dataclasses.replace(penstock, out=out).arguments("v1.0.0", "r")
    # the store has room: of one that has none the step weights tells before anything is built
    arguments += ["--store", str(tmp_path / "store")]
    limit_s = LIMIT_S * 1.5
    subprocess.run([*shell, "sh", *arguments], env=environment() | told | {"PATH": path}, timeout=limit_s, check=True)
    words = {path.name: path.read_text(encoding="utf-8") for path in said.iterdir() if path.is_file()}
    reached = []
    for free in FREE_KIB:
        stderr = words[f"stderr-{free}"]
        assert words[f"code-{free}"] == "4\n", stderr
        assert "Traceback" not in stderr
        assert "bug: " not in stderr
        assert "no space is left on the disk" in stderr
        reached.append(max((STEPS.index(step) for step in STEPS if f"{step}: started" in stderr), default=-1))
    assert reached == sorted(set(reached)), words
    assert orphans.left() == []
    assert words["code"] == "0\n", words
    (said / "out" / "store").symlink_to(tmp_path / "store")
    went_through(Ended(0, "", words["stderr"], said / "out", "r"))
