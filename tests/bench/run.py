"""All benchmarks, one after the other, each side by side with what it is compared with: ``make bench``.

Prints Markdown: every part's own tables, then one line a part that says whether its targets were met. A part that
misses a target or breaks does not keep the others from running; the exit code is 1 if any did. Ratios are of medians in
one run, by wall time and by CPU seconds, since other work on the machine moves the first; absolute seconds are of the
machine named in each part.

``python tests/bench/run.py [PART …]`` runs those parts only: ``python tests/bench/run.py bench_gate``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PARTS = (
    "bench_start",
    "bench_demo",
    "bench_gate",
    "bench_error_rates",
    "bench_frechet",
    "bench_resamples",
    "bench_lipsync",
    "bench_matte_structure",
    "bench_scoring",
    "bench_report",
    "bench_many_cases",
    "bench_matte",
    "bench_load",
    "bench_load_noise",
    "bench_verification",
    "bench_watch",
    "bench_images",
    "bench_book",
)
WORDS = {0: "met", 1: "MISSED a target"}
"""What a part says with its exit code; any other means that it broke."""


@dataclass(frozen=True)
class Outcome:
    """How one part ended."""

    part: str
    exit_code: int
    seconds: float

    @property
    def words(self) -> str:
        """For the summary."""
        return WORDS.get(self.exit_code, f"BROKE with exit code {self.exit_code}")


def main(argv: list[str] | None = None, *, folder: Path = HERE) -> int:
    """Run the parts; 1 if one missed a target or broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; by default all")
    parts: list[str] = parser.parse_args(argv).parts or list(PARTS)
    if unknown := [part for part in parts if not (folder / f"{part}.py").is_file()]:
        parser.error(f"there is no part '{unknown[0]}'")
    outcomes = []
    for part in parts:
        sys.stdout.write(f"\n## {part}\n\n")
        sys.stdout.flush()
        started = time.perf_counter()
        code = subprocess.run([sys.executable, str(folder / f"{part}.py")], check=False).returncode
        outcomes.append(Outcome(part, code, time.perf_counter() - started))
    sys.stdout.write(summary(outcomes))
    return int(any(outcome.exit_code for outcome in outcomes))


def summary(outcomes: list[Outcome]) -> str:
    """One line a part, in Markdown."""
    lines = ["", "## summary", "", "| part | targets | took |", "|---|---|---:|"]
    lines += [f"| {outcome.part} | {outcome.words} | {outcome.seconds:.0f} s |" for outcome in outcomes]
    met = sum(outcome.exit_code == 0 for outcome in outcomes)
    return "\n".join([*lines, "", f"{met} of {len(outcomes)} parts met their targets."]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
