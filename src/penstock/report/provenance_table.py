"""What ran, as the page's last table shows it: candidate beside baseline."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from penstock.bundle.models import BuiltElsewhere, Inference, Run
from penstock.contract.suite_sources import BOUND


@dataclass(frozen=True)
class Fact:
    """One line: the same on both sides, or not."""

    label: str
    candidate: str
    baseline: str
    differs: bool


def facts(run: Run, baseline: Run | None) -> list[Fact]:
    """Every fact of either run, in the candidate's order."""
    ours, theirs = _facts(run), _facts(baseline) if baseline else {}
    return [
        Fact(
            label,
            ours.get(label, "–"),
            theirs.get(label, "–"),
            differs=bool(theirs) and not label.startswith("step ") and ours.get(label) != theirs.get(label),
        )
        for label in dict.fromkeys((*ours, *theirs))
    ]


def _facts(run: Run) -> dict[str, str]:
    rows = {"run": run.run_id, "track": run.track, "model": run.model, "family": run.family, "Penstock": run.penstock}
    if run.source:
        rows |= {
            "repository": run.source.url,
            "revision": run.source.revision,
            "commit": run.source.commit,
            "committed": run.source.committer_date,
            "version": run.source.version,
        }
    rows["release notes"] = run.notes
    rows |= {f"weights {weights.path}": f"sha256:{weights.sha256}" for weights in run.weights}
    if given := run.given_weights:
        rows["weights given"] = f"{given.path} from {given.source}, in place of sha256:{given.replaces}"
    if run.use_onnx is not None:
        rows["use_onnx"] = "true: the exported file" if run.use_onnx else "false: the trained weights"
    if run.image:
        label = "image" if run.image.kind == "image" else "process, source tree"
        rows[label] = f"{run.image.url} {run.image.digest}".strip()
        if run.source and run.image.built_from not in ("", run.source.commit):
            rows["image built from"] = f"{run.image.built_from}, whose files are the same but for the weights"
        if elsewhere := run.image.elsewhere:
            rows["image built"] = f"elsewhere, given as {elsewhere.given}; {_compared(elsewhere)}"
    if run.suite:
        rows["suite"] = f"{run.suite.cases} cases, sha256:{run.suite.digest}"
    if origin := run.suite_from:
        rows["suite from"] = f"{origin.address}, files sha256:{origin.files}"
    rows |= {f"extractor, {role}": name for role, name in run.extractors.items()}
    rows |= {f"stored values' extractor, {role}": name for role, name in run.stored_extractors.items()}
    if run.regated_from:
        rows["judged again"] = f"the outputs are those of the run {run.regated_from}"
    if run.machine:
        machine = run.machine
        rows |= {
            "machine": f"{machine.processor}, {machine.cores} cores, {machine.memory_bytes / 2**30:.0f} GiB",
            "GPU": machine.gpu or "none",
            "system": f"{machine.system}, Python {machine.python}",
            "versions": ", ".join(f"{name} {version}" for name, version in machine.versions.items()),
        }
    rows |= _model(run.inference)
    rows |= {
        f"step {step.name}": f"{step.seconds:.2f} s, {step.status}{', ' + step.note if step.note else ''}"
        for step in run.steps
    }
    return {label: value for label, value in rows.items() if value}


def _compared(elsewhere: BuiltElsewhere) -> str:
    """What of an image that another system built is the commit's."""
    missing = f", {elsewhere.missing} are not in it" if elsewhere.missing else ""
    return f"its label names the commit, {elsewhere.compared} of the files that it copies are the commit's{missing}"


def _model(inference: Inference | None) -> dict[str, str]:
    """How the model ran: how far it was confined, and on which Python."""
    if inference is None:
        return {}
    levels = [str(shard.isolation) for shard in inference.shards if shard.isolation] or [inference.isolation or ""]
    pythons = [shard.python for shard in inference.shards]
    return {
        "model confined by": "; ".join(dict.fromkeys(levels)),
        "model's Python": "; ".join(dict.fromkeys(filter(None, pythons))),
    }


def reproduce(run: Run) -> str:
    """The command that runs this again."""
    if run.source is None:
        return ""
    words = ["penstock", "run", run.track, "--repo", run.source.url, "--revision", run.source.commit]
    if run.image and (elsewhere := run.image.elsewhere):
        registry = elsewhere.given.partition("/")[0]
        words += ["--param", f"registry={registry}", "--param", f"image={elsewhere.given}"]
    if given := run.given_weights:
        words += ["--weights", f"{given.path}={given.source}#sha256={given.sha256}"]
    if run.suite_from is not None and run.suite_from.address.startswith(BOUND):
        words += ["--workspace", "suite=DIR"]  # no address says where that is
    return shlex.join(words)
