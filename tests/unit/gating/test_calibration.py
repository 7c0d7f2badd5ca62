"""Noise between runs of the same model: the figures, what is refused, and the file."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.gating.repeated_runs import SYNCNET, noise_of, run_of, source

from penstock.bundle.models import (
    WHOLE_SUITE,
    Measurement,
    Resamples,
)
from penstock.foundation.errors import UsageError
from penstock.gating.calibration import factor, read_calibration, write_calibration
from penstock.gating.decision import decide
from penstock.gating.measurements import MeasurementSource
from penstock.gating.repeats import calibrate

# the file


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A file with the noise of LSE-D, and of FID as a whole."""
    runs = []
    for number, (a, b, fid) in enumerate(((7.0, 8.0, 20.0), (7.2, 8.1, 21.0), (7.1, 8.4, 20.0))):
        name = f"run-{number}"
        lse_d = source(name, {"a": a, "b": b}).measurements
        runs.append(
            MeasurementSource(
                name, lse_d + source(name, {WHOLE_SUITE: fid}, metric="fid").measurements, run=run_of(name)
            )
        )
    path = tmp_path / "calibration.json"
    write_calibration(path, calibrate(runs, level=0.1).calibration)
    return path


def test_what_is_written_is_read(written: Path) -> None:
    calibration = read_calibration(written)
    content = json.loads(written.read_text(encoding="utf-8"))
    assert content["schema_version"] == 1
    assert "path" not in content
    assert calibration.path == str(written)
    assert calibration.level == 0.1
    assert calibration.of("lse_d", None) is not None
    assert calibration.measured_on.suite == "f" * 64
    assert read_calibration(written) == calibration
    assert calibration.of("lse_d", None).smallest_change == pytest.approx(  # type: ignore[union-attr]
        factor(0.1) * math.sqrt(2) * (calibration.noise("lse_d", None) or 0)
    )


def test_the_factor_is_the_one_of_the_design() -> None:
    assert factor(0.05) == 2.49


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "newer": (lambda c: c.update(schema_version=2, metrics={"of": "another type"}), "written by a newer Penstock"),
    "older than any": (lambda c: c.update(schema_version=0), "its schema version is 0, which never was one"),
    "no version": (lambda c: c.pop("schema_version"), "its schema version is None"),
    "a version in words": (lambda c: c.update(schema_version="1"), "its schema version is '1'"),
    "NaN": (lambda c: c["metrics"][0].update(noise=math.nan), "metrics.0.noise"),
    "infinite": (lambda c: c["metrics"][0].update(mean=math.inf), "metrics.0.mean"),
    "negative": (lambda c: c["metrics"][0].update(sd_mean=-1.0), "metrics.0.sd_mean"),
    "no number": (lambda c: c["metrics"][0].update(noise="much"), "metrics.0.noise"),
    "edited": (lambda c: c["metrics"][0].update(noise=1e-6), "does not fit its standard deviations"),
    "one run": (lambda c: c["metrics"][0].update(runs=1), "metrics.0.runs"),
    "twice": (lambda c: c["metrics"].append(c["metrics"][0]), "the noise of 'fid' stands there twice"),
    "no metrics": (lambda c: c.update(metrics=[]), "metrics"),
    "another record": (lambda c: c.pop("metrics"), "'metrics' is missing"),
}


@pytest.mark.parametrize("kind", EDITS)
def test_a_bad_file_is_one_clear_message(kind: str, written: Path) -> None:
    change, message = EDITS[kind]
    edit(written, change)
    with pytest.raises(UsageError) as raised:
        read_calibration(written)
    assert message in str(raised.value)
    assert raised.value.where == str(written)
    assert raised.value.todo


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b'{"schema_version": 1, "metr', "not a whole JSON text"),
        (b"\xff\xfe\x00", "not a whole JSON text"),
        (b"[" * 100_000, "not a calibration"),
        (b"[]", "'metrics' is missing"),
    ],
)
def test_broken_text_is_one_clear_message(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_calibration(path)


def test_a_truncated_file_is_refused_wherever_it_is_cut(written: Path) -> None:
    whole = written.read_bytes()
    for length in range(0, len(whole.rstrip()) - 1, 37):
        written.write_bytes(whole[:length])
        with pytest.raises(UsageError):
            read_calibration(written)


def test_no_file_and_no_regular_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the file is missing"):
        read_calibration(tmp_path / "nothing.json")
    with pytest.raises(UsageError, match="directory"):
        read_calibration(tmp_path)


# judging


def test_a_margin_in_deviations(written: Path) -> None:
    calibration = read_calibration(written)
    noise = calibration.noise("lse_d", None)
    assert noise is not None
    assert calibration.margin("lse_d", None, 2, {SYNCNET}) == 2 * noise
    with pytest.raises(UsageError, match="there is no noise of 'lse_d' in the slice 'fast' in it") as raised:
        calibration.margin("lse_d", "fast", 2)
    assert raised.value.where == str(written)
    with pytest.raises(UsageError, match="there is no noise of 'our_score' in it"):
        calibration.margin("our_score", None, 2)


def test_another_extractor_is_refused_with_both_names(written: Path) -> None:
    calibration = read_calibration(written)
    calibration.same_extractor("lse_d", {SYNCNET})
    calibration.same_extractor("our_score", {"any"})
    with pytest.raises(UsageError) as raised:
        calibration.margin("lse_d", None, 2, {"syncnet@sha256:other"})
    assert SYNCNET in str(raised.value)
    assert "syncnet@sha256:other" in str(raised.value)
    with pytest.raises(UsageError, match="through no extractor"):
        calibration.same_extractor("lse_d", {None})


def test_a_margin_that_is_too_fine_is_warned_of_with_what_it_does(written: Path) -> None:
    calibration = read_calibration(written)
    found = calibration.of("lse_d", None)
    assert found is not None
    assert found.smallest_margin is not None
    assert calibration.too_fine("lse_d", None, found.smallest_margin) is None
    text = calibration.too_fine("lse_d", None, 2 * found.noise)
    assert text is not None
    assert "'LSE-D'" in text
    assert "is 2 sd of its noise" in text
    # two cases and the level 0.1: Student's t with one degree of freedom, 1 - cdf(2/√2 - 3.078)
    assert "about 95% of models that did not change would not be passed" in text
    assert text.endswith("on it is 10%")
    assert calibration.too_fine("our_score", None, 0.0) is None


def test_one_case_that_moves_holds_no_margin() -> None:
    calibration = noise_of(source("one", {"a": 1.0}), source("two", {"a": 1.1}))
    (noise,) = calibration.metrics
    assert noise.smallest_margin is None
    assert "one case cannot tell a change from noise" in (calibration.too_fine("lse_d", None, 1e9) or "")
    (still,) = noise_of(source("one", {"a": 1.0}), source("two", {"a": 1.0})).metrics
    assert still.smallest_margin == 0


@pytest.mark.parametrize(("cases", "errors"), [(2, 6.314 + 1.645), (8, 1.895 + 1.645), (20, 3.29), (40, 3.29)])
def test_fewer_cases_need_a_wider_margin(cases: int, errors: float) -> None:
    rng = random.Random(cases)
    runs = [source(f"run-{r}", {f"case-{c}": 5 + rng.gauss(0, 1) for c in range(cases)}) for r in range(3)]
    (noise,) = noise_of(*runs).metrics
    assert noise.smallest_margin == pytest.approx(errors * noise.error, rel=1e-3)


def test_a_value_of_the_whole_suite_without_resamples_is_held_as_it_is() -> None:
    runs = [source(f"run-{n}", {WHOLE_SUITE: value}, metric="fid") for n, value in enumerate((20.0, 22.0, 24.0))]
    (noise,) = noise_of(*runs).metrics
    assert noise.smallest_margin == pytest.approx(1.645 * 2 * math.sqrt(2), rel=1e-3)


def test_with_the_smallest_margin_unchanged_models_pass_at_the_level() -> None:
    """By simulation: what the file promises, the gate's own decision does."""
    rng = random.Random(12)
    cases = [f"case-{index}" for index in range(25)]

    def values() -> list[float]:
        return [5 + rng.gauss(0, 0.3) for _ in cases]

    runs = [source(f"run-{number}", dict(zip(cases, values(), strict=True))) for number in range(30)]
    found = noise_of(*runs).of("lse_d", None)
    assert found is not None
    assert found.smallest_margin is not None
    stopped = {1.0: 0, 0.5: 0}
    for _ in range(400):
        moved = [candidate - baseline for candidate, baseline in zip(values(), values(), strict=True)]
        for share in stopped:
            stopped[share] += decide(moved, share * found.smallest_margin, "lower", 0.05).verdict != "pass"
    assert stopped[1.0] / 400 < 0.07
    assert stopped[0.5] / 400 > 0.25


def test_resamples_of_a_whole_value_count_where_they_say_more() -> None:
    """FID hangs on which clips there are: its intervals are wider than its values differ between runs."""
    rng = random.Random(13)

    def run(name: str, value: float, key: str = "k", count: int = 400) -> MeasurementSource:
        resamples = Resamples(cases=10, key=key, values=[value + rng.gauss(0, 1) for _ in range(count)])
        return MeasurementSource(name, [Measurement(case=WHOLE_SUITE, metric="fid", value=value, resamples=resamples)])

    (noise,) = noise_of(run("one", 20.0), run("two", 20.1), run("three", 20.2)).metrics
    assert noise.sd_resampled == pytest.approx(math.sqrt(2 * 10 / 9), rel=0.05)
    assert noise.noise == pytest.approx(0.1)
    assert noise.error == noise.sd_resampled
    assert noise.smallest_change == pytest.approx(2.49 * noise.error)
    (other,) = noise_of(run("one", 20.0), run("two", 20.1, key="other")).metrics
    assert other.sd_resampled is None


def test_no_margin_is_too_fine_for_a_metric_without_noise() -> None:
    calibration = noise_of(source("one", {"a": 1.0}), source("two", {"a": 1.0}))
    assert calibration.too_fine("lse_d", None, 0.0) is None
    assert calibration.margin("lse_d", None, 2) == 0
