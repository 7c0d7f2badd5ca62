"""The driver, and the values that rules judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.environment_record import (
    DriverNeed,
    EnvironmentFinding,
    EnvironmentRecord,
    environment_record,
    write_environment_record,
)
from penstock.bundle.models import Inference, Machine, Measurement, ShardRecord
from penstock.bundle.steps import begin
from penstock.environment.outcome import add_environment_value, drivers, with_driver

NEED = DriverNeed(wheel="torch 2.6.0", cuda=12, driver=525)
RECORD = EnvironmentRecord(read="image", needs=[NEED])
ROOT = EnvironmentFinding(kind="user", severity="warning", what="the image runs as root")
OTHER = Measurement(case="a", metric="latency", value=1.0)


def machine(gpu: str) -> Machine:
    return Machine(system="Linux", processor="x", cores=1, memory_bytes=1, python="3.11", gpu=gpu)


def inference(*gpus: str) -> Inference:
    shards = [ShardRecord(shard="1/1", cases=1, started="x", machine=machine(gpu)) for gpu in gpus]
    return Inference(unchanged=False, parts=["1/1"], shards=shards)


def test_drivers_of_the_machines_that_the_model_ran_on() -> None:
    assert drivers(None) == []
    assert drivers(inference("")) == []
    assert drivers(inference("NVIDIA H200, 550.54.15", "NVIDIA T4, 535.104", "NVIDIA H200, 550.54.15")) == [
        "535.104",
        "550.54.15",
    ]
    earlier = Inference(unchanged=True, parts=["1/1"], machine=machine("NVIDIA T4, 470.82.01"))
    assert drivers(earlier) == ["470.82.01"]


@pytest.mark.parametrize(("driver", "found"), [("524.99", 1), ("525.60.13", 0), ("580.65.06", 0), ("470.82", 1)])
def test_a_driver_is_too_old_or_not(driver: str, found: int) -> None:
    record = with_driver(RECORD, [driver])
    assert [(each.kind, each.severity) for each in record.findings] == [("driver", "error")] * found
    assert record.driver == driver
    if found:
        assert f"needs NVIDIA's driver 525 or later, and the node has {driver}" in record.findings[0].what


def test_the_oldest_of_several_counts() -> None:
    assert with_driver(RECORD, ["470.82", "580.65"]).errors


def test_a_forward_compatibility_package_makes_it_a_warning() -> None:
    record = with_driver(RECORD.model_copy(update={"compat": 550}), ["470.82"])
    assert [each.severity for each in record.findings] == ["warning"]
    assert with_driver(RECORD.model_copy(update={"compat": 515}), ["470.82"]).errors


def test_no_card_is_said_and_a_second_time_changes_nothing() -> None:
    record = with_driver(RECORD, [])
    assert record.not_judged == ["the driver: no card was seen where the model ran; 525 or later is needed"]
    assert with_driver(record, []) == record
    assert with_driver(with_driver(record, ["470.82"]), ["580.1"]).findings == []
    assert with_driver(EnvironmentRecord(read="image"), []).not_judged == []


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    found = Bundle(tmp_path / "bundle")
    begin(found, run_id="run-1", track="release")
    found.write_measurements([OTHER])
    return found


def test_the_counts_are_measurements(bundle: Bundle) -> None:
    bundle.update_run(bundle.run().model_copy(update={"inference": inference("NVIDIA T4, 470.82.01")}))
    write_environment_record(bundle, RECORD.model_copy(update={"findings": [ROOT]}))
    for _ in range(2):
        add_environment_value(bundle)
        other, errors, warnings = bundle.measurements()
        assert other == OTHER
        assert (errors.metric, errors.value, warnings.metric, warnings.value) == (
            *("environment", 1.0, "environment_warnings", 1.0),
        )
        assert errors.error is not None
        assert "470.82.01" in errors.error
        assert warnings.error == ROOT.what
    record = environment_record(bundle)
    assert record is not None
    assert record.driver == "470.82.01"


def test_an_image_that_could_not_be_read_has_no_value(bundle: Bundle) -> None:
    write_environment_record(bundle, EnvironmentRecord(read="image", unreadable="no skopeo"))
    add_environment_value(bundle)
    _, errors, warnings = bundle.measurements()
    assert (errors.value, warnings.value) == (None, None)
    assert errors.error == "the image could not be read: no skopeo"


def test_a_bundle_of_an_older_version_gets_none(bundle: Bundle) -> None:
    add_environment_value(bundle)
    assert bundle.measurements() == [OTHER]
