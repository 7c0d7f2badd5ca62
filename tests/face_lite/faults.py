"""Bad releases of face-lite make the rule fall that should, through whole releases.

``python tests/face_lite/faults.py --out DIR`` makes the repository, releases v1.0.0, runs every bad release against it
that the evaluation can tell (half a minute each), then the better v1.1.0, and prints a Markdown table: fault by rule.
It exits 1 if a fault is not stopped by its rule, or if v1.1.0 is not published. Broken off, it goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "test-assets")]

import make_repository  # noqa: E402 (a program of test-assets/)
from tests.rmbg_lite.faults import named, run, table  # noqa: E402

from penstock.bundle.verdict_record import Verdict  # noqa: E402

GOOD, BETTER = "v1.0.0", "v1.1.0"
STOPPED_BY = {
    "v1.0.1-half": "eer",
    "v1.0.2-nan": "eer",
    "v1.0.3-unbounded": "auroc",
    "v1.0.4-inverted": "auroc",
    "v1.0.5-everything": "bands",
    "v1.0.6-no-reason": "bands",
    "v1.0.7-rotated": "gallery_eer",
    "v1.0.8-large": "fnmr (large)",
    "v1.0.13-hidden-error": "wrongly_accepted",
    "v1.0.14-renamed": "eer",
    "v1.0.15-file-name": "bands",
}
"""Bad release → the rule that must fall."""
NOT_YET = {
    "v1.0.9-slow-tail": "load",
    "v1.0.10-leak": "load",
    "v1.0.11-dies": "load",
    "v1.0.12-early": "load",
    "v1.0.16-log": "logs",
    "v1.0.17-secret": "logs",
    "v1.0.18-cuda": "environment",
}
"""Bad release → what has to look at it: no rule of an evaluation can tell."""


def missed(verdicts: dict[str, Verdict]) -> list[str]:
    """What did not go as it should, in words."""
    wrong = [f"{tag} is not accepted" for tag in (GOOD, BETTER) if verdicts[tag].verdict != "pass"]
    for tag, rule in STOPPED_BY.items():
        fell = {named(found) for found in verdicts[tag].rules if found.verdict == "fail"}
        if verdicts[tag].verdict != "fail" or rule not in fell:
            names = ", ".join(sorted(fell)) or "no rule"
            wrong.append(f"{tag} is {verdicts[tag].verdict}, and {names} fell: not {rule}")
    return wrong


def main() -> int:
    """Run all, print the table; 1 if a fault gets through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="where repository and runs lie")
    arguments = parser.parse_args()
    out: Path = arguments.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    repository = out / "face-lite.git"
    make_repository.make("face-lite", repository)
    verdicts: dict[str, Verdict] = {}
    for tag in (GOOD, *STOPPED_BY, BETTER):
        verdicts[tag] = run(repository, out, tag)
        sys.stderr.write(f"{tag}: {verdicts[tag].verdict}\n")
    sys.stdout.write(table(verdicts, STOPPED_BY))
    wrong = missed(verdicts)
    for line in wrong:
        sys.stderr.write(f"MISSED: {line}\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
