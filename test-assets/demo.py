"""The main job on one machine: of ``sonic-lite`` a first release is published, a worse one is stopped, and a better one
is published in place of the first.

Example: ``python test-assets/demo.py --out demo``
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from penstock.bundle.directory import Bundle
from penstock.bundle.verdict_record import Verdict
from penstock.cli.gate import verdict_table
from penstock.report.summary import WORDS

HERE = Path(__file__).parent
MODEL = "sonic-lite"
PLAIN_WIDTH = 140
MARKER = ".penstock-demo"


@dataclass(frozen=True)
class Expected:
    """What must come out of one release."""

    tag: str
    exit_code: int
    verdict: str
    published: bool


RELEASES = (
    Expected("v1.0.0", 0, "pass", published=True),
    Expected("v1.1.0", 1, "fail", published=False),
    Expected("v1.2.0", 0, "pass", published=True),
)


def main() -> int:
    """Run the releases and compare what came out with what must."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="the demo's own directory; made anew")
    out: Path = parser.parse_args().out
    # without a terminal there is no width to keep to: rows stay on one line
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    if out.exists() and not (out / MARKER).exists():
        console.print(f"error: {out} is not a directory of this demo: choose another with --out", style="red")
        return 2
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / MARKER).touch()

    repository = out / f"{MODEL}.git"
    console.rule("the model's repository, with its tags")
    make = [sys.executable, str(HERE / "make_repository.py"), "--model", MODEL, "--out", str(repository)]
    subprocess.run(make, check=True)

    faults: list[str] = []
    current: Expected | None = None
    for release in RELEASES:
        console.rule(f"{MODEL} {release.tag}")
        faults += run_release(console, repository, release, current, out)
        current = release if release.published else current
    console.rule("what came out")
    for release in RELEASES:
        show(console, release, out)
    program = Path(sys.executable).with_name("penstock")
    console.print(f"all of it in a browser: {program} serve --store {out / 'store'}", soft_wrap=True)
    for fault in faults:
        console.print(f"not as it should be: {fault}", style="red")
    return 1 if faults else 0


def run_release(
    console: Console, repository: Path, release: Expected, current: Expected | None, out: Path
) -> list[str]:
    """Run the release pipeline, ``current`` being the current release; returns what is not as it should be."""
    name = run_name(release)
    program = str(Path(sys.executable).with_name("penstock"))
    command = [
        program,
        "run",
        "release",
        "--repo",
        str(repository),
        "--revision",
        release.tag,
        "--out",
        str(out),
        "--name",
        name,
        # the model runs on what Penstock has, whatever is active in this shell
        "--python",
        sys.prefix,
    ]
    console.print("$ " + " ".join(["penstock", *command[1:]]), style="dim", soft_wrap=True)
    exit_code = subprocess.run(command, check=False).returncode
    faults = []
    if exit_code != release.exit_code:
        faults.append(f"{release.tag} ended with exit code {exit_code}, not {release.exit_code}")
    return faults + faults_of_verdict(release, current, out) + faults_of_store(release, current, out)


def faults_of_verdict(release: Expected, current: Expected | None, out: Path) -> list[str]:
    """What is not as it should be about the verdict."""
    verdict = verdict_of(out, release)
    if verdict is None:
        return [f"there is no verdict on {release.tag}"]
    faults = []
    if verdict.verdict != release.verdict:
        faults.append(f"the verdict on {release.tag} is {verdict.verdict}, not {release.verdict}")
    baseline = run_name(current) if current is not None else None
    if verdict.baseline != baseline:
        faults.append(f"{release.tag} was compared with {verdict.baseline}, not with {baseline}")
    return faults


def faults_of_store(release: Expected, current: Expected | None, out: Path) -> list[str]:
    """What is not as it should be about what was kept and published."""
    store = out / "store"
    faults = []
    if (store / "published" / MODEL / f"{release.tag.removeprefix('v')}.json").exists() != release.published:
        faults.append(f"{release.tag} was {'not ' if release.published else ''}published")
    if not (store / "runs" / MODEL / run_name(release) / "manifest.json").exists():
        faults.append(f"the evidence of {release.tag} was not kept")
    pointer = store / "baselines" / f"{MODEL}.json"
    found = json.loads(pointer.read_text(encoding="utf-8"))["run_id"] if pointer.exists() else None
    now = release if release.published else current
    expected = run_name(now) if now is not None else None
    if found != expected:
        faults.append(f"after {release.tag} the current release is that of {found}, not of {expected}")
    return faults


def run_name(release: Expected) -> str:
    """The run's name, also its folder's."""
    return f"{MODEL}-{release.tag.replace('.', '-')}"


def verdict_of(out: Path, release: Expected) -> Verdict | None:
    """The verdict, if the run came that far."""
    bundle = Bundle(out / "runs" / run_name(release) / "bundle")
    return bundle.verdict() if bundle.verdict_file.exists() else None


def show(console: Console, release: Expected, out: Path) -> None:
    """The rules as a table, and where the report is."""
    verdict = verdict_of(out, release)
    if verdict is None:
        return
    console.print(f"{MODEL} {release.tag}: {WORDS[verdict.verdict]}", style="bold")
    console.print(verdict_table(verdict))
    console.print(f"report: {out / 'runs' / run_name(release) / 'bundle' / 'report' / 'index.html'}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
