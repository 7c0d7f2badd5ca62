"""A tiny model repository with good and bad releases, and `penstock run` over it as a user starts it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import yaml
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.directory import Bundle

PENSTOCK = str(Path(sys.executable).parent / "penstock")
LIMIT_S = 60.0
STEPS = (
    *("clone", "check", "weights", "build", "plan", "infer", "collect"),
    *("measure", "gate", "report", "archive", "publish"),
)
SKIPPED_IF_UNCHANGED = "infer"
SECRETS = {"AWS_ACCESS_KEY_ID": "AKIAVISIBLE", "AWS_SECRET_ACCESS_KEY": "hunter2-of-the-store"}

MODEL = """
import os, shutil, sys
print("environment:", dict(os.environ))
if sys.argv[1] == "check":
    sys.exit(0 if os.path.exists("answer.mp4") else "no answer.mp4")
if sys.argv[1].endswith(os.environ.get("CRASHES_ON", "nothing")):
    sys.exit("no face found")
shutil.copyfile("answer.mp4", sys.argv[3])
"""


def video(frames: int) -> bytes:
    """An MP4 of a spot that wanders, 25 frames a second, 64×64, without sound."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for index in range(frames):
            image = np.full((64, 64, 3), 40, np.uint8)
            cv2.circle(image, (10 + index, 32), 6, (200, 220, 240), -1)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def speech() -> bytes:
    """0.48 s of a tone."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        tone = 8000 * np.sin(2 * np.pi * 300 * np.arange(7680) / 16_000)
        sound.writeframes(tone.astype("<i2").tobytes())
    return file.getvalue()


def contract(**changes: Any) -> dict[str, Any]:
    """A contract that holds. ``changes`` replace whole sections."""
    argv = ["python", "model.py", "{image}", "{audio}", "{output}"]
    rules: list[dict[str, Any]] = [
        {"metric": "duration_error", "max": 0.1},
        {"metric": "latency", "max": 30.0},
        {"metric": "sharpness", "min": 1.0, "margin": "10%"},
    ]
    return {
        "version": 1,
        "name": "tiny",
        "family": "talking-head",
        "checks": [{"name": "smoke", "argv": ["python", "model.py", "check"], "timeout_s": 30.0}],
        "call": {"command": {"argv": argv}, "warmup": 0, "timeout_s": 30.0},
        "suite": "suite",
        "policy": {"rules": rules},
    } | changes


def text(value: Mapping[str, Any]) -> str:
    """As YAML."""
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False)


def files() -> dict[str, str | bytes]:
    """The repository of the good release. Its case files have names that are not ASCII and hold a space."""
    picture = cv2.imencode(".png", np.full((32, 32, 3), 90, np.uint8))[1].tobytes()
    names = {"image": "porträt eins.png", "audio": "stimme.wav"}
    cases = [
        {"name": "one", "inputs": names, "slices": ["smoke"]},
        {"name": "two", "inputs": names | {"image": "肖像.png"}},
    ]
    return {
        "penstock.yaml": text(contract()),
        "Containerfile": "FROM scratch\n",
        "model.py": MODEL,
        "answer.mp4": video(12),
        "suite/suite.yaml": text({"version": 1, "family": "talking-head", "cases": cases}),
        "suite/porträt eins.png": picture,
        "suite/肖像.png": picture,
        "suite/stimme.wav": speech(),
    }


def release(repository: Path, tag: str, changes: dict[str, str | bytes]) -> None:
    """Commit ``changes`` to the good release and tag the commit."""
    git(repository, "checkout", "-q", "main")
    git(repository, "checkout", "-q", "--detach")
    commit(repository, changes, tag)
    git(repository, "tag", tag)
    git(repository, "checkout", "-q", "main")


def tiny_repository(directory: Path) -> Path:
    """Good releases (v1.0.0, v1.0.1, v1.0.2) and bad ones, each a tag."""
    repository = new_repository(directory)
    commit(repository, files(), "good")
    git(repository, "tag", "v1.0.0")
    call = contract()["call"]
    crashing = contract(call=call | {"env": {"CRASHES_ON": "肖像.png"}})
    always = contract(call=call | {"env": {"CRASHES_ON": ".png"}})
    release(repository, "v1.0.1", {"README.md": "The same model.\n"})
    release(repository, "v1.0.2", {"README.md": "The same model, told better.\n"})
    release(repository, "v1.1.0", {"answer.mp4": video(20)})
    release(repository, "v1.2.0", {"penstock.yaml": text(crashing)})
    release(repository, "v1.3.0", {"penstock.yaml": text(always)})
    return repository


def broken_repository(directory: Path) -> Path:
    """Releases that no verdict can be given on, each a tag."""
    repository = new_repository(directory)
    commit(repository, files(), "good")
    git(repository, "tag", "good")
    weights = [{"path": "weights.bin", "sha256": "0" * 64, "source": "lfs"}]
    http = {"argv": ["python", "model.py", "image", "audio", "{port}"], "path": "/generate", "response": "video/mp4"}
    called = {"http": http | {"files": {"image": "image"}, "ready_timeout_s": 1.0}, "warmup": 0}
    failing = {"name": "lint", "argv": ["python", "-c", "raise SystemExit('line too long')"]}
    release(repository, "contract-broken", {"penstock.yaml": "version: 1\nname: [tiny\n"})
    release(repository, "contract-unknown-field", {"penstock.yaml": text(contract(colour="red"))})
    release(repository, "weights-changed", {"weights.bin": b"1", "penstock.yaml": text(contract(weights=weights))})
    release(
        repository,
        "exits-at-once",
        {"model.py": "raise SystemExit('no card')\n", "penstock.yaml": text(contract(call=called, checks=[]))},
    )
    release(
        repository,
        "never-ready",
        {"model.py": "import time\ntime.sleep(600)\n", "penstock.yaml": text(contract(call=called, checks=[]))},
    )
    release(repository, "check-fails", {"penstock.yaml": text(contract(checks=[failing]))})
    (repository / "penstock.yaml").unlink()
    release(repository, "contract-missing", {})
    (repository / "suite" / "stimme.wav").unlink()
    (repository / "suite" / "stimme.wav").symlink_to("/etc/hostname")
    release(repository, "link-out", {})
    return repository


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    stdout: str
    stderr: str
    out: Path
    name: str

    @property
    def folder(self) -> Path:
        return self.out / "runs" / self.name

    @property
    def bundle(self) -> Bundle:
        return Bundle(self.folder / "bundle")

    @property
    def status(self) -> dict[str, Any]:
        """Of a run with --json."""
        status: dict[str, Any] = json.loads(self.stdout)
        return status

    def step_status(self) -> dict[str, str]:
        return {step.name: step.status for step in self.bundle.run().steps}


def environment() -> dict[str, str]:
    """What a user's shell has, the store's credentials among it."""
    # OpenCV, which the tests import, has changed LD_LIBRARY_PATH
    dropped = ("AWS_", "PENSTOCK_", "PYTEST_", "LD_LIBRARY_PATH")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return kept | SECRETS


@dataclass(frozen=True)
class Penstock:
    """Starts `penstock run` in a session of its own, so that signals reach what a terminal's would."""

    repository: Path
    out: Path
    environment: dict[str, str] = field(default_factory=environment)

    def arguments(self, revision: str, name: str, *more: str, track: str = "release") -> list[str]:
        where = ["--repo", str(self.repository), "--revision", revision, "--name", name]
        return [PENSTOCK, "run", track, *where, "--out", str(self.out), *more]

    def resume_arguments(self, name: str, *more: str) -> list[str]:
        return [PENSTOCK, "run", "release", "--resume", name, "--out", str(self.out), *more]

    def run(self, revision: str, name: str, *more: str, track: str = "release") -> Ended:
        return self.ended(self.arguments(revision, name, *more, track=track), name)

    def resume(self, name: str, *more: str) -> Ended:
        return self.ended(self.resume_arguments(name, *more), name)

    def ended(self, arguments: list[str], name: str) -> Ended:
        done = subprocess.run(
            arguments,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            start_new_session=True,
        )
        return Ended(done.returncode, done.stdout, done.stderr, self.out, name)

    def signalled(self, arguments: list[str], name: str, line: str, send: Callable[[int], None]) -> Ended:
        """Start a run and, as soon as ``line`` is on its standard error, ``send`` a signal to its process."""
        with subprocess.Popen(
            arguments,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            watchdog = threading.Timer(LIMIT_S, process.kill)
            watchdog.start()
            try:
                assert process.stderr is not None
                assert process.stdout is not None
                seen = []
                for said in process.stderr:
                    seen.append(said)
                    if said.startswith(line):
                        send(process.pid)
                        break
                seen.append(process.stderr.read())
                stdout = process.stdout.read()
                process.wait()
            finally:
                watchdog.cancel()
                if process.poll() is None:
                    process.kill()
        assert any(said.startswith(line) for said in seen), "".join(seen)
        return Ended(process.returncode, stdout, "".join(seen), self.out, name)


def run_release(repository: Path, out: Path, revision: str, name: str = "") -> tuple[int, Bundle]:
    """Run the pipeline release in a process; its exit code, which says that there is a verdict, and the bundle."""
    name = name or revision
    run = ("run", "release", "--repo", str(repository), "--revision", revision, "--out", str(out), "--name", name)
    ended = subprocess.run([PENSTOCK, *run], capture_output=True, text=True, check=False)
    assert ended.returncode in (0, 1), ended.stderr
    return ended.returncode, Bundle(out / "runs" / name / "bundle")


def kill(pid: int) -> None:
    """As the kernel does when memory is short."""
    os.kill(pid, signal.SIGKILL)


def ctrl_c(pid: int) -> None:
    """As a terminal does: to the whole process group."""
    os.killpg(pid, signal.SIGINT)


def published(out: Path) -> list[str]:
    """Versions that the store names as published."""
    return sorted(path.stem for path in (out / "store" / "published").rglob("*.json"))


def pointer(out: Path) -> dict[str, Any] | None:
    """The baseline's pointer."""
    file = out / "store" / "baselines" / "tiny.json"
    if not file.exists():
        return None
    value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return value


def archived(ended: Ended) -> Bundle:
    """The run's evidence in the store, proven whole, and the same as the run's own bundle."""
    bundle = Bundle(ended.out / "store" / "runs" / "tiny" / ended.name)
    manifest = bundle.verify()
    assert ended.bundle.verify() == manifest
    assert not [name for name in manifest.files if Path(name).name.startswith(".")]
    return bundle


def one_message(ended: Ended) -> str:
    """The one line that says what is wrong; no traceback anywhere."""
    assert "Traceback" not in ended.stderr + ended.stdout
    assert " bug: " not in ended.stderr
    said = [line for line in ended.stderr.splitlines() if "error: " in line]
    assert len(said) == 1, ended.stderr
    return said[0]
