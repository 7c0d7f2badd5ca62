"""One release as a user releases it: ``penstock run release``, over the whole suite, with all that its contract has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.faults.fault_table import Judged

from penstock.bundle.directory import Bundle


def bundle_of(out: Path, tag: str) -> Bundle:
    """The bundle of one release."""
    return Bundle(out / tag.replace(".", "-") / "bundle")


def release(repository: Path, out: Path, tag: str) -> Judged:
    """What came of one release; of an earlier run in ``out`` if there is one."""
    name, bundle = tag.replace(".", "-"), bundle_of(out, tag)
    log_file = out / f"{name}.log"
    if not bundle.verdict_file.is_file():
        out.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).parent / "penstock"), "run", "release", "--repo", str(repository)]
        command += ["--revision", tag, "--out", str(out), "--name", name]
        with log_file.open("w", encoding="utf-8") as log:
            subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=os.environ, check=False)
    if not bundle.verdict_file.is_file():
        return Judged(f"without a verdict: see {log_file}")
    return Judged.of(bundle.verdict(), bundle.run().use_onnx)
