"""The same pipeline on this machine, without a cluster."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.repositories import Repository

from penstock.bundle.directory import Bundle

TIMEOUT_S = 300


@dataclass(frozen=True)
class LocalRun:
    """What ``penstock run release`` left."""

    exit_code: int
    bundle: Bundle


def run_here(repository: Repository, revision: str, out: Path) -> LocalRun:
    """``penstock run release`` from the cluster's git server, into a store below ``out``; the model is a process."""
    name = f"{repository.model}-{revision.replace('.', '-')}"
    program = str(Path(sys.executable).with_name("penstock"))
    command = [program, "run", "release", "--repo", repository.url, "--revision", revision]
    command += ["--param", "allow-http=true", "--out", str(out), "--name", name, "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    bundle = Bundle(out / "runs" / name / "bundle")
    assert bundle.verdict_file.exists(), f"{' '.join(command)}\nended with {done.returncode}: {done.stderr}"
    return LocalRun(done.returncode, bundle)
