"""An unchanged model beside four busy loops on two cores: ``python tests/error_rates/under_load.py --out DIR``.

``sonic-lite`` v1.0.0 with the policy that ``penstock init`` writes is measured once, with nothing else started by this
program: the stored baseline. Then the same files run 60 times (the pipeline's own *infer*, which starts the model anew
and warms it up, and *measure*) beside four processes that do nothing but count, all on the same two cores, and the gate
compares each run with the baseline. The model did not change, so every run should pass: at least 59 of 60 must. Beside
that stands what became of the policy that ``penstock init`` wrote before: its margin on the real-time factor blocked.

A run that was finished before is used again. Exit code 1 if more than one run does not pass.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import yaml

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import begin
from penstock.contract.load import load_contract, load_suite
from penstock.contract.policy import Policy
from penstock.contract.template import write_template
from penstock.evaluation.infer import infer
from penstock.evaluation.measure import measure
from penstock.families.registry import timed_metrics
from penstock.gating.gate import gate
from penstock.gating.measurements import MeasurementSource, read_source

ROOT = Path(__file__).parents[2]
RELEASE = "v1.0.0"
RUNS, MAY_FAIL = 60, 1
LOOPS, CORES = 4, 2
CASES = 2
"""Of the suite: a run takes seconds, and a mean over few cases is moved the most by what else runs."""
BEFORE = {"rules": [{"metric": "duration_error", "max": 0.1}, {"metric": "real_time_factor", "margin": "20%"}]}


def main() -> int:
    """Measure the baseline, run beside the loops, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="where the repository and the runs lie")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs beside the loops")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    repository = options.out / "sonic"
    if not (repository / ".git").exists():
        make_repository(repository, options.out)
    (baseline,) = measured(repository, options.out / "quiet", 1)
    with busy(LOOPS):
        candidates = measured(repository, options.out / "busy", options.runs)
    policies = {
        "penstock init": load_contract(repository).policy,
        "penstock init, before": Policy.model_validate(BEFORE),
    }
    passed = {name: count_passed(policy, baseline, candidates) for name, policy in policies.items()}
    figures = {
        "runs": len(candidates),
        "passed": passed,
        "change_per_cent": {
            metric: sorted(round(100 * (mean(run, metric) / mean(baseline, metric) - 1), 1) for run in candidates)
            for metric in timed_metrics()
            if any(found.metric == metric and found.value is not None for found in baseline.measurements)
        },
    }
    sys.stdout.write(table(figures, policies))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0 if passed["penstock init"] >= len(candidates) - MAY_FAIL else 1


def make_repository(repository: Path, out: Path) -> None:
    """``sonic-lite`` with a short suite and the policy of the template, and nothing that looks through a network."""
    bare = out / "sonic-lite.git"
    program = [sys.executable, str(ROOT / "test-assets" / "make_repository.py"), "--model", "sonic-lite"]
    subprocess.run([*program, "--out", str(bare)], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(
        ["git", "-c", "advice.detachedHead=false", "clone", "-q", "--branch", RELEASE, str(bare), str(repository)],
        check=True,
    )
    write_template(out / "template", family="talking-head", force=True)
    template = yaml.safe_load((out / "template" / "penstock.yaml").read_text(encoding="utf-8"))
    contract = yaml.safe_load((repository / "penstock.yaml").read_text(encoding="utf-8"))
    contract["policy"] = template["policy"]
    del contract["extractors"]
    suite_file = repository / contract["suite"] / "suite.yaml"
    suite = yaml.safe_load(suite_file.read_text(encoding="utf-8"))
    suite["cases"] = suite["cases"][:CASES]
    for path, content in ((repository / "penstock.yaml", contract), (suite_file, suite)):
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def measured(repository: Path, kept: Path, runs: int) -> list[MeasurementSource]:
    """So many runs of the repository's model: started anew, warmed up, each case called and measured."""
    contract = load_contract(repository)
    suite = load_suite(repository, contract)
    found = []
    for number in range(1, runs + 1):
        bundle = Bundle(kept / str(number))
        if not bundle.measurements_file.exists():
            sys.stderr.write(f"{kept.name}: run {number} of {runs}\n")
            shutil.rmtree(bundle.path, ignore_errors=True)
            begin(bundle, run_id=f"{kept.name}-{number}", track="calibrate")
            infer(contract, suite, repository, bundle, resume=False)
            measure(contract, suite, bundle, repository)
        found.append(read_source(bundle.path))
    return found


@contextlib.contextmanager
def busy(loops: int) -> Iterator[None]:
    """Processes that count for as long as the block runs."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def count_passed(policy: Policy, baseline: MeasurementSource, candidates: Sequence[MeasurementSource]) -> int:
    """How many runs the gate accepts."""
    verdicts = [
        gate(
            run.measurements,
            baseline.measurements,
            policy,
            candidate_name=run.name,
            baseline_name=baseline.name,
            cases=run.cases,
        ).verdict
        for run in candidates
    ]
    return verdicts.count("pass")


def mean(run: MeasurementSource, metric: str) -> float:
    """Over the cases of a run."""
    values = [found.value for found in run.measurements if found.metric == metric and found.value is not None]
    return sum(values) / len(values)


def table(figures: dict, policies: dict[str, Policy]) -> str:  # type: ignore[type-arg]
    """The counts and how far time moved, as Markdown."""
    text = "| policy | runs | passed |\n|---|---:|---:|\n"
    for name in policies:
        text += f"| {name} | {figures['runs']} | {figures['passed'][name]} |\n"
    text += "\n| metric, against the baseline | least | median | most |\n|---|---:|---:|---:|\n"
    for metric, changes in figures["change_per_cent"].items():
        text += f"| {metric} | {changes[0]:+.0f} % | {changes[len(changes) // 2]:+.0f} % | {changes[-1]:+.0f} % |\n"
    return text


if __name__ == "__main__":
    sys.exit(main())
