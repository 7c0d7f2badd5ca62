"""Noise between runs of the same model: the figures by hand, and what is refused."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.gating.repeated_runs import MACHINE, noise_of, run_of, source

from penstock.bundle.models import (
    WHOLE_SUITE,
    Image,
    Inference,
    Measurement,
    SuiteRecord,
    WeightsFile,
)
from penstock.bundle.models import Source as Code
from penstock.foundation.errors import UsageError
from penstock.gating.measurements import MeasurementSource
from penstock.gating.repeats import calibrate


def test_figures_by_hand() -> None:
    calibration = noise_of(source("one", {"a": 1.0, "b": 3.0}), source("two", {"a": 2.0, "b": 6.0}))
    (noise,) = calibration.metrics
    assert (noise.runs, noise.cases, noise.mean) == (2, 2, 3.0)
    # variances of the cases between runs: 0.5 and 4.5; means of the runs: 2 and 4
    assert noise.sd_difference == pytest.approx(math.sqrt(2 * 2.5))
    assert noise.sd_mean == pytest.approx(math.sqrt(2))
    assert noise.noise == noise.sd_mean
    assert noise.smallest_change == pytest.approx(2.49 * math.sqrt(2) * math.sqrt(2))
    assert noise.smallest_change_per_cent == pytest.approx(noise.smallest_change / 3 * 100)
    assert calibration.measured_on.commit == "c" * 40
    assert calibration.measured_on.machine == MACHINE
    assert calibration.runs == ["one", "two"]


def test_runs_that_agree_by_luck_are_not_believed() -> None:
    """Cases that move against each other: the means are the same, the cases are not."""
    (noise,) = noise_of(source("one", {"a": 1.0, "b": 3.0}), source("two", {"a": 3.0, "b": 1.0})).metrics
    assert noise.sd_mean == 0
    assert noise.noise == pytest.approx(math.sqrt(2 / 2))
    assert not noise.deterministic
    assert noise.smallest_change == pytest.approx(2.49 * noise.sd_difference / math.sqrt(2))


def test_noise_of_a_known_size_is_found() -> None:
    rng = random.Random(5)
    level = {f"case-{index}": rng.uniform(5, 9) for index in range(60)}
    runs = [source(f"run-{r}", {case: at + rng.gauss(0, 0.3) for case, at in level.items()}) for r in range(12)]
    (noise,) = noise_of(*runs).metrics
    assert noise.sd_difference == pytest.approx(0.3 * math.sqrt(2), rel=0.08)
    assert noise.noise == pytest.approx(0.3 / math.sqrt(60), rel=0.4)
    assert noise.smallest_change == pytest.approx(2.49 * 0.3 * math.sqrt(2) / math.sqrt(60), rel=0.4)


def test_what_moves_all_cases_of_a_run_counts_in_full() -> None:
    """A busy machine makes every case slow: many cases do not average that out."""
    rng = random.Random(6)
    runs = []
    for number in range(10):
        load = rng.gauss(0, 1)
        runs.append(source(f"run-{number}", {f"case-{index}": 10 + load + rng.gauss(0, 0.1) for index in range(50)}))
    (noise,) = noise_of(*runs).metrics
    assert noise.noise > 0.5
    assert noise.noise > 3 * noise.sd_difference / math.sqrt(2 * 50)


def test_a_metric_that_gives_the_same_values_has_no_noise_at_all() -> None:
    # 0.1 + 0.1 + 0.1 is not 0.3: the arithmetic has to be exact for this
    values: dict[str, float | None] = {f"case-{index}": 0.1 * (index + 1) for index in range(7)}
    (noise,) = noise_of(*(source(f"run-{number}", values) for number in range(3))).metrics
    assert (noise.sd_difference, noise.sd_mean, noise.noise, noise.smallest_change) == (0, 0, 0, 0)
    assert noise.deterministic
    assert noise.smallest_change_per_cent == 0


def test_a_mean_of_zero_has_no_per_cent() -> None:
    (noise,) = noise_of(source("one", {"a": -1.0}), source("two", {"a": 1.0})).metrics
    assert noise.smallest_change_per_cent is None


def test_a_value_of_the_whole_suite_has_the_deviation_between_runs() -> None:
    runs = [source(f"run-{n}", {WHOLE_SUITE: value}, metric="fid") for n, value in enumerate((20.0, 22.0, 24.0))]
    (noise,) = noise_of(*runs).metrics
    assert (noise.cases, noise.slice) == (1, None)
    assert noise.sd_mean == noise.noise == pytest.approx(2)
    assert noise.sd_difference == pytest.approx(2 * math.sqrt(2))


def test_a_slice_as_a_whole_has_noise_of_its_own() -> None:
    def run(name: str, dark: float, blur: float | None) -> MeasurementSource:
        values = {None: 0.1, "dark": dark, "blur": blur}
        lines = [Measurement(case="*", metric="ece", value=value, slice=of) for of, value in values.items()]
        return MeasurementSource(name, lines)

    noises = noise_of(run("one", 0.1, 0.2), run("two", 0.3, None)).metrics
    assert [(noise.slice, noise.cases) for noise in noises] == [(None, 1), ("dark", 1)]  # blur has one value only
    assert noises[0].deterministic
    assert noises[1].sd_mean == pytest.approx(0.1 * math.sqrt(2))


def test_slices_have_noise_of_their_own() -> None:
    def run(name: str, fast: float) -> MeasurementSource:
        lines = [
            Measurement(case="a", metric="latency", value=1.0, unit="s"),
            Measurement(case="b", metric="latency", value=fast, unit="s", slices=["fast"]),
        ]
        return MeasurementSource(name, lines)

    calibration = noise_of(run("one", 2.0), run("two", 4.0))
    assert [(noise.slice, noise.cases, noise.unit) for noise in calibration.metrics] == [
        (None, 2, "s"),
        ("fast", 1, "s"),
    ]
    assert calibration.noise("latency", "fast") == pytest.approx(math.sqrt(2))
    assert calibration.noise("latency", None) == pytest.approx(math.sqrt(2) / 2)
    assert calibration.noise("latency", "slow") is None
    assert calibration.measured_on.model == ""


def test_metrics_without_a_value_anywhere_are_named() -> None:
    lines = [Measurement(case="a", metric="lse_d", value=None, error="no face")]
    kept = [Measurement(case="a", metric="jitter", value=1.0)]
    made = calibrate([MeasurementSource(name, kept + lines) for name in ("one", "two")])
    assert made.left_out == ["lse_d"]
    assert [noise.metric for noise in made.calibration.metrics] == ["jitter"]


def changed(**changes: Any) -> Callable[[], list[MeasurementSource]]:
    """Two runs of which the second is of something else."""
    return lambda: [
        source("one", {"a": 1.0}),
        source("two", {"a": 1.0}, run=run_of("two", **changes)),
    ]


OTHER_CODE = Code(url="u", revision="v1", commit="9" * 40, committer_date="", version="1", tree="t" * 64)
REFUSED: dict[str, tuple[Callable[[], list[MeasurementSource]], str]] = {
    "none": (list, "there is no run"),
    "one": (lambda: [source("one", {"a": 1.0})], "one run has no noise"),
    "the same twice": (lambda: [source("one", {"a": 1.0}) for _ in range(2)], "the run 'one' is there twice"),
    "commit": (changed(source=OTHER_CODE), f"the commit is {'9' * 40} in two, {'c' * 40} in one"),
    "model": (changed(model="other"), "the model is other in two, tiny in one"),
    "image": (changed(image=Image(kind="image", digest="sha256:1")), "the image is sha256:1 in two"),
    "weights": (
        changed(weights=[WeightsFile(path="w.bin", sha256="0" * 64, bytes=1)]),
        "the set of weights is w.bin@sha256:000000000000 in two",
    ),
    "suite": (changed(suite=SuiteRecord(digest="0" * 64, cases=3)), "suite is 3 cases, sha256:000000000000 in two"),
    "extractors": (changed(extractors={"lipsync": "syncnet@sha256:b"}), "the set of extractors is syncnet@sha256:b"),
    "parameters": (changed(parameters={"steps": 20}), "parameter 'steps' is 20 in two, 25 in one"),
    "GPU": (changed(machine=MACHINE.model_copy(update={"gpu": "NVIDIA A100"})), "GPU model is NVIDIA A100 in two"),
    "taken over": (
        changed(inference=Inference(unchanged=True, parts=["1/1"])),
        "its outputs are those of an earlier run",
    ),
    "a value missing": (
        lambda: [source("one", {"a": 1.0, "b": 1.0}), source("two", {"a": 1.0, "b": None})],
        "two: 'lse_d' has no value for the case 'b': it crashed",
    ),
    "a case missing": (
        lambda: [source("one", {"a": 1.0, "b": 1.0}), source("two", {"a": 1.0})],
        "two: 'lse_d' has no value for the case 'b': it was not measured",
    ),
    "a metric missing": (
        lambda: [
            source("one", {"a": 1.0}),
            MeasurementSource("two", [Measurement(case="a", metric="jitter", value=1.0)]),
        ],
        "one: 'jitter' has no value for the case 'a'",
    ),
    "nothing at all": (
        lambda: [source("one", {"a": None}), source("two", {"a": None})],
        "no metric has a value in any run",
    ),
    "extractors of bare files": (
        lambda: [
            MeasurementSource(name, [Measurement(case="a", metric="lse_d", value=1.0, extractor=extractor)])
            for name, extractor in (("one", "x"), ("two", "y"))
        ],
        "'lse_d' was measured through x and y",
    ),
    "slices": (
        lambda: [
            MeasurementSource(name, [Measurement(case="a", metric="lse_d", value=1.0, slices=slices)])
            for name, slices in (("one", ["fast"]), ("two", []))
        ],
        "two: the slices of 'lse_d' for the case 'a' differ from those in one",
    ),
    "units": (
        lambda: [
            MeasurementSource(name, [Measurement(case="a", metric="latency", value=1.0, unit=unit)])
            for name, unit in (("one", "s"), ("two", "ms"))
        ],
        "two: the unit of 'latency' for the case 'a' differ",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_with_one_clear_message(kind: str) -> None:
    runs, message = REFUSED[kind]
    with pytest.raises(UsageError) as raised:
        calibrate(runs())
    assert message in str(raised.value)
    assert raised.value.todo
