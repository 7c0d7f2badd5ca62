"""What is said of an environment once the model has run: the driver that it met, and the values for the rules."""

from __future__ import annotations

import re

from penstock.bundle.directory import Bundle
from penstock.bundle.environment_record import (
    EnvironmentFinding,
    EnvironmentRecord,
    Severity,
    environment_record,
    in_one_line,
    write_environment_record,
)
from penstock.bundle.models import WHOLE_SUITE, Inference, Machine, Measurement
from penstock.environment.judge import finding_of, ordered
from penstock.families.engine_metrics import ENVIRONMENT_METRIC, ENVIRONMENT_WARNINGS

_DRIVER = re.compile(r", (\d{3,4}(?:\.\d{1,4}){0,3})\Z")
"""``NVIDIA H200, 550.54.15``."""


def add_environment_value(bundle: Bundle) -> None:
    """Judge the driver, and put the counts of faults among the measurements; nothing, where *build* found nothing out.

    Args:
        bundle: measured.
    """
    record = environment_record(bundle)
    if record is None:
        return
    record = with_driver(record, drivers(bundle.run().inference))
    write_environment_record(bundle, record)
    counts = ((ENVIRONMENT_METRIC.name, record.errors), (ENVIRONMENT_WARNINGS.name, record.warnings))
    kept = [found for found in bundle.measurements() if found.metric not in dict(counts)]
    bundle.write_measurements([*kept, *(_value(name, found, record) for name, found in counts)])


def _value(name: str, found: list[EnvironmentFinding], record: EnvironmentRecord) -> Measurement:
    if record.unreadable is not None:
        error = f"the image could not be read: {record.unreadable}"
        return Measurement(case=WHOLE_SUITE, metric=name, value=None, error=error)
    return Measurement(case=WHOLE_SUITE, metric=name, value=float(len(found)), error=in_one_line(found))


def drivers(inference: Inference | None) -> list[str]:
    """NVIDIA's drivers where the model ran; those of an earlier run, where its outputs were taken again."""
    if inference is None:
        return []
    machines: list[Machine | None] = [shard.machine for shard in inference.shards] or [inference.machine]
    found = (_DRIVER.search(machine.gpu) for machine in machines if machine is not None)
    return sorted({match[1] for match in found if match is not None}, key=_numbers)


def with_driver(record: EnvironmentRecord, found: list[str]) -> EnvironmentRecord:
    """The record with what the driver says, in place of what an earlier attempt has put there.

    Args:
        record: of the environment.
        found: the drivers, the oldest first; none: no card was seen.
    """
    findings = [finding for finding in record.findings if finding.kind != "driver"]
    not_judged = [text for text in record.not_judged if not text.startswith("the driver")]
    if not found:
        if record.needs:
            needed = max(need.driver for need in record.needs)
            not_judged.append(f"the driver: no card was seen where the model ran; {needed} or later is needed")
        return record.model_copy(update={"findings": findings, "not_judged": not_judged, "driver": ""})
    branch = _numbers(found[0])[0]
    for need in record.needs:
        if branch >= need.driver:
            continue
        what = f"{need.wheel} is built for CUDA {need.cuda}, which needs NVIDIA's driver {need.driver} or later"
        what += f", and the node has {found[0]}"
        if record.compat >= need.driver:
            what += f"; the image's forward compatibility package ({record.compat}) helps on cards of data centres only"
        severity: Severity = "warning" if record.compat >= need.driver else "error"
        todo = f"Update the node's driver, or take a build for an older CUDA than {need.cuda}."
        findings.append(finding_of("driver", severity, what, todo))
    return record.model_copy(update={"findings": ordered(findings), "not_judged": not_judged, "driver": found[0]})


def _numbers(driver: str) -> tuple[int, ...]:
    return tuple(int(part) for part in driver.split("."))
