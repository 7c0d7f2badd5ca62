"""Each bad release of rmbg-lite is stopped by the rule that should stop it: all of them, through whole releases.

``python tests/rmbg_lite/faults.py --out DIR`` makes the repository, releases v1.0.0, runs every bad release against it
(half a minute to two minutes each), then the better v1.1.0, and prints a Markdown table: fault by rule. It exits 1 if a
fault is published, or not stopped by its rule, or if v1.1.0 is not published. Broken off, it goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "test-assets")]

import make_repository  # noqa: E402 (a program of test-assets/)

from penstock.bundle.directory import Bundle  # noqa: E402
from penstock.bundle.verdict_record import RuleResult, Verdict  # noqa: E402

GOOD, BETTER = "v1.0.0", "v1.1.0"
STOPPED_BY = {
    "v1.0.1-halo": "boundary_iou",
    "v1.0.2-fringe": "fringe (hair)",
    "v1.0.3-shift": "spurious",
    "v1.0.4-staircase": "boundary_iou",
    "v1.0.5-speck": "spurious",
    "v1.0.6-shadow-cut": "mae (shadow-keep)",
    "v1.0.7-shadow-kept": "mae (shadow-drop)",
    "v1.0.8-drift": "spurious",
    "v1.0.9-inverted": "mae",
    "v1.0.10-jpeg": "mae",
    "v1.0.11-dead-button": "page",
    "v1.0.12-opaque-page": "page",
}
"""Bad release → the rule that must fall."""
LEFT_OPEN = {"v1.0.8-drift"}
"""What these rules cannot settle, and must not let through: a drift so small shows where ONNX and the trained weights
are compared, not on photos."""


def run(repository: Path, out: Path, tag: str) -> Verdict:
    """The verdict on one release; of an earlier run if there is one."""
    name = tag.replace(".", "-")
    bundle = Bundle(out / name / "bundle")
    if not bundle.verdict_file.is_file():
        command = [str(Path(sys.executable).parent / "penstock"), "run", "release", "--repo", str(repository)]
        command += ["--revision", tag, "--out", str(out), "--name", name]
        with (out / f"{name}.log").open("w", encoding="utf-8") as log:
            subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=os.environ, check=False)
    return bundle.verdict()


def named(rule: RuleResult) -> str:
    """``mae (hair)``."""
    return f"{rule.metric} ({rule.slice})" if rule.slice else rule.metric


def table(verdicts: dict[str, Verdict]) -> str:
    """Which rules each release made fall, as Markdown: the one that must is bold."""
    rules = list(dict.fromkeys(named(rule) for verdict in verdicts.values() for rule in verdict.rules))
    lines = ["| release | " + " | ".join(rules) + " |", "|---|" + "---|" * len(rules)]
    marks = {"pass": "", "fail": "fell", "inconclusive": "open"}
    for tag, verdict in verdicts.items():
        states = {named(rule): marks.get(rule.verdict, rule.verdict) for rule in verdict.rules}
        cells = [
            f"**{states[name]}**" if name == STOPPED_BY.get(tag) and states.get(name) else states.get(name, "")
            for name in rules
        ]
        lines.append(f"| {tag} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run all, print the table; 1 if a fault gets through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="where repository and runs lie")
    arguments = parser.parse_args()
    out: Path = arguments.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    repository = out / "rmbg-lite.git"
    make_repository.make("rmbg-lite", repository)
    verdicts: dict[str, Verdict] = {}
    for tag in (GOOD, *STOPPED_BY, BETTER):
        verdicts[tag] = run(repository, out, tag)
        sys.stderr.write(f"{tag}: {verdicts[tag].verdict}\n")
    sys.stdout.write(table(verdicts))
    wrong = [f"{tag} is not accepted" for tag in (GOOD, BETTER) if verdicts[tag].verdict != "pass"]
    for tag, rule in STOPPED_BY.items():
        states = ("fail", "inconclusive") if tag in LEFT_OPEN else ("fail",)
        fell = {named(found) for found in verdicts[tag].rules if found.verdict in states}
        if verdicts[tag].verdict not in states or rule not in fell:
            wrong.append(f"{tag} is not stopped by {rule}, but by {', '.join(sorted(fell)) or 'nothing'}")
    for line in wrong:
        sys.stderr.write(f"MISSED: {line}\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
