"""What a change costs: two commits of Penstock do the same work, in turns, and their CPU seconds are compared.

``python tests/bench/against.py COMMIT [--rounds N]`` or ``make bench-against COMMIT=abc123`` prints Markdown.

The other commit is checked out beside this one, with an environment of its own. Both get the same work: the
repository of the model ``sonic-lite`` as the *other* commit has it, an answer of that model, pictures and values. Each
round runs every command once with either, by turns; the ratio is that of the medians of CPU seconds, since wall time
moves with whatever else runs on the machine. The exit code is 1 where a command became more than 10 % slower, and
where the two commits end with different exit codes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parent.parent.parent
LIMIT = 1.10
"""A command may cost so many times what it did."""
NOISE_S = 0.02
"""CPU seconds that the clock and the start of a process add by chance: a difference below it is none."""
POLICY = "rules: [{metric: lse_d, margin: 5%}, {metric: fid, margin: 10%}, {metric: sharpness, margin: 5%}]\n"
CASES = 2000


@dataclass(frozen=True)
class Work:
    """A command: what it is called in the table, and its arguments after ``penstock``."""

    name: str
    arguments: tuple[str, ...]


def cpu_s(command: list[str], where: Path) -> tuple[float, int]:
    """CPU seconds of a command with all that it started and waited for, and its exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=where, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.returncode


def prepare(commit: str, folder: Path) -> Path:
    """Check the commit out and install it; returns its ``penstock``."""
    tree, environment = folder / "tree", folder / "environment"
    subprocess.run(["git", "-C", str(ROOT), "worktree", "add", "--quiet", "--detach", str(tree), commit], check=True)
    venv.create(environment, with_pip=True)
    install = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--require-hashes", "-r", str(tree / "requirements" / "base.txt")], check=True)
    subprocess.run([*install, "--no-deps", "--no-build-isolation", "--editable", str(tree)], check=True)
    return environment / "bin" / "penstock"


def write_values(path: Path, seed: int) -> None:
    """Values of three metrics of many cases."""
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        for case in range(CASES):
            for metric, mean in (("lse_d", 8.0), ("fid", 30.0), ("sharpness", 200.0)):
                value = mean * (1 + 0.02 * rng.normal())
                file.write(json.dumps({"case": f"case-{case}", "metric": metric, "value": value}) + "\n")


def write_pictures(folder: Path, seed: int) -> None:
    """Sixty pictures of noise on a gradient."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for number in range(60):
        ramp = np.linspace(0, 200, 128)[None, :, None]
        picture = np.clip(ramp + rng.normal(0, 20, (128, 128, 3)), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), picture)


def works(other: Path, folder: Path) -> list[Work]:
    """Make what both commits work on, with the other commit's own means."""
    python, tree = other.with_name("python"), folder / "tree"
    repository, source, first = folder / "model.git", folder / "model", folder / "first"
    make = [str(python), str(tree / "test-assets" / "make_repository.py"), "--model", "sonic-lite"]
    subprocess.run([*make, "--out", str(repository)], check=True, capture_output=True)
    subprocess.run(["git", "clone", "-b", "v1.0.0", str(repository), str(source)], check=True, capture_output=True)
    release = ("run", "release", "--repo", str(repository), "--revision", "v1.0.0", "--name", "v1")
    subprocess.run([str(other), *release, "--out", str(first)], check=True, capture_output=True)
    bundle = first / "runs" / "v1" / "bundle"
    answer = sorted((bundle / "outputs").rglob("*.mp4"))[0]
    for seed, name in enumerate(("old", "new")):
        write_values(folder / f"{name}.jsonl", seed)
        write_pictures(folder / name, seed)
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    values = ("--candidate", str(folder / "new.jsonl"), "--baseline", str(folder / "old.jsonl"))
    return [
        Work("start: `penstock --version`", ("--version",)),
        Work("`check` of sonic-lite", ("check", str(source))),
        Work(f"`gate` of {CASES} cases", ("gate", *values, "--policy", str(folder / "policy.yaml"), "--json")),
        Work("`score lipsync` of one answer", ("score", "lipsync", str(answer), "--json")),
        Work("`score frechet`, 60 pictures a side", ("score", "frechet", str(folder / "new"), str(folder / "old"))),
        Work("`run release` of sonic-lite v1.0.0, whole", (*release, "--out", "out")),
    ]


def row(work: Work, sides: dict[str, Path], rounds: int, scratch: Path) -> tuple[str, bool]:
    """A line of the table, and whether the target is met."""
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    codes: dict[str, set[int]] = {side: set() for side in sides}
    for number in range(rounds):
        # by turns, and each begins every other round
        for side in sorted(sides, reverse=number % 2 == 1):
            where = scratch / side
            shutil.rmtree(where, ignore_errors=True)
            where.mkdir(parents=True)
            cost, code = cpu_s([str(sides[side]), *work.arguments], where)
            seconds[side].append(cost)
            codes[side].add(code)
    before, after = statistics.median(seconds["before"]), statistics.median(seconds["after"])
    met = after <= LIMIT * before + NOISE_S and codes["before"] == codes["after"]
    ends = "" if codes["before"] == codes["after"] else f" (exit codes {codes['before']}, then {codes['after']})"
    return (
        f"| {work.name}{ends} | {before:.2f} | {after:.2f} | {after / before:.2f} | {'yes' if met else 'NO'} |\n",
        met,
    )


def main() -> int:
    """Compare the two commits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", help="what to compare this tree with")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-against-") as name:
        folder = Path(name)
        try:
            other = prepare(arguments.commit, folder)
            sides = {"before": other, "after": Path(sys.executable).with_name("penstock")}
            sys.stdout.write(f"CPU seconds, medians of {arguments.rounds} rounds, {os.cpu_count()} cores\n\n")
            sys.stdout.write("| command | before | after | ratio | at most 10 % slower |\n|---|---:|---:|---:|---|\n")
            all_met = True
            for work in works(other, folder):
                line, met = row(work, sides, arguments.rounds, folder / "scratch")
                sys.stdout.write(line)
                sys.stdout.flush()
                all_met &= met
        finally:
            remove = ["git", "-C", str(ROOT), "worktree", "remove", "--force", str(folder / "tree")]
            subprocess.run(remove, check=False, capture_output=True)
    return 0 if all_met else 1


if __name__ == "__main__":
    sys.exit(main())
