"""Each bad release of rmbg-lite makes the rule fall that should: all of them, through whole releases.

``python tests/rmbg_lite/faults.py --out DIR`` makes the repository, releases v1.0.0, runs every bad release against it
(one to three minutes each), then the better v1.1.0, and prints a Markdown table: fault by rule. It exits 1 if a fault
is not stopped by its rule, if the one whose ONNX drifts is not published with its trained weights, or if v1.1.0 is not
published. Broken off, it goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
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
    "v1.0.8-drift": "export",
    "v1.0.9-inverted": "mae",
    "v1.0.10-jpeg": "mae",
    "v1.0.11-dead-button": "page",
    "v1.0.12-opaque-page": "page",
}
"""Bad release → the rule that must fall."""
FALLS_BACK = {"v1.0.8-drift"}
"""What is published all the same, because its service is told to compute with the trained weights: the rule warns."""


def bundle_of(out: Path, tag: str) -> Bundle:
    """The bundle of the run over one release."""
    return Bundle(out / tag.replace(".", "-") / "bundle")


def run(repository: Path, out: Path, tag: str) -> Verdict:
    """The verdict on one release; of an earlier run if there is one."""
    name, bundle = tag.replace(".", "-"), bundle_of(out, tag)
    if not bundle.verdict_file.is_file():
        command = [str(Path(sys.executable).parent / "penstock"), "run", "release", "--repo", str(repository)]
        command += ["--revision", tag, "--out", str(out), "--name", name]
        with (out / f"{name}.log").open("w", encoding="utf-8") as log:
            subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=os.environ, check=False)
    return bundle.verdict()


def named(rule: RuleResult) -> str:
    """``mae (hair)``."""
    return f"{rule.metric} ({rule.slice})" if rule.slice else rule.metric


def table(verdicts: dict[str, Verdict], stopped_by: Mapping[str, str] = STOPPED_BY) -> str:
    """Which rules each release made fall, as Markdown: the one that must is bold."""
    rules = list(dict.fromkeys(named(rule) for verdict in verdicts.values() for rule in verdict.rules))
    lines = ["| release | " + " | ".join(rules) + " |", "|---|" + "---|" * len(rules)]
    marks = {"pass": "", "fail": "fell", "inconclusive": "open"}
    for tag, verdict in verdicts.items():
        states = {named(rule): marks.get(rule.verdict, rule.verdict) for rule in verdict.rules}
        cells = [
            f"**{states[name]}**" if name == stopped_by.get(tag) and states.get(name) else states.get(name, "")
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
        fell = {named(found) for found in verdicts[tag].rules if found.verdict == "fail"}
        if verdicts[tag].verdict != ("pass" if tag in FALLS_BACK else "fail") or rule not in fell:
            wrong.append(
                f"{tag} is {verdicts[tag].verdict}, and {', '.join(sorted(fell)) or 'no rule'} fell: not {rule}"
            )
        if tag in FALLS_BACK and bundle_of(out, tag).run().use_onnx is not False:
            wrong.append(f"{tag} computes with its ONNX")
    for line in wrong:
        sys.stderr.write(f"MISSED: {line}\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
