"""Real runs of ``sonic-lite`` that differ by chance alone, as runs of a model on a GPU do.

The model draws each video's noise from the bytes of its request. A text chunk in the portraits' PNG files ("run 7") is
no part of the picture, but gives other noise: the same code, weights, pictures, sound and parameters, other seeds.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from functools import partial
from pathlib import Path

from penstock.bundle.directory import read_lines, write_lines
from penstock.bundle.models import Measurement
from penstock.cli.run_display import Display
from penstock.local_run.calibration_runs import CalibrationRuns, Options

ROOT = Path(__file__).parents[2]
PNG_HEADER = 8 + 25
"""Signature and IHDR: other chunks come after."""


def make_repository(directory: Path, seeds: int, releases: tuple[str, ...]) -> None:
    """``sonic-lite`` with a tag ``RELEASE-seed-N`` beside each release, for seeds from 1 on."""
    if (directory / "HEAD").exists() or (directory / ".git").exists():
        return
    program = [sys.executable, str(ROOT / "test-assets" / "make_repository.py"), "--model", "sonic-lite"]
    subprocess.run([*program, "--out", str(directory)], check=True, stdout=subprocess.DEVNULL)
    work = directory.with_name(f"{directory.name}-work")
    subprocess.run(["git", "clone", "-q", str(directory), str(work)], check=True)
    for release in releases:
        for seed in range(1, seeds + 1):
            _git(work, "checkout", "-q", "--detach", release)
            for picture in sorted((work / "suite" / "portraits").glob("*.png")):
                picture.write_bytes(with_note(picture.read_bytes(), f"run {seed}"))
            _git(work, "commit", "-q", "-a", "-m", f"Seed {seed}")
            _git(work, "push", "-q", "origin", f"HEAD:refs/tags/{tag(release, seed)}")


def tag(release: str, seed: int) -> str:
    """Name of a release's tag for one seed."""
    return f"{release}-seed-{seed}"


def with_note(png: bytes, note: str) -> bytes:
    """The same picture with a text chunk after its header."""
    body = b"tEXtComment\0" + note.encode("latin-1")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:PNG_HEADER] + chunk + png[PNG_HEADER:]


def measured(repository: Path, out: Path, revision: str) -> list[Measurement]:
    """Run a revision through the pipeline up to *measure*; measurements of an earlier run in ``out`` are taken."""
    kept = out / "measurements" / f"{revision}.jsonl"
    if not kept.exists():
        python = f"python={sys.prefix}"  # whatever is active in this shell
        options = Options(repo=str(repository), revision=revision, runs=1, out=out / "runs", params=(python,))
        runs = CalibrationRuns(options, listening=partial(Display, quiet=True), say=lambda _: None)
        (source,) = runs.sources()
        write_lines(kept, source.measurements)
    return list(read_lines(kept, Measurement))


def _git(directory: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Sonic Lite", "-c", "user.email=sonic-lite@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=directory, check=True)
