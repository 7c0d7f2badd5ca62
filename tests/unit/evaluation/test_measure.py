"""Measuring answers, good and hostile."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile

from penstock.bundle.directory import Bundle
from penstock.bundle.models import CallRecord, Invocation, Measurement
from penstock.contract.expectation import Expect
from penstock.contract.policy import Policy, Rule
from penstock.evaluation.measure import measure
from penstock.evaluation.measurer import measurement
from penstock.evaluation.networks import network_labels, open_networks
from penstock.families.registry import known_metrics
from penstock.families.talking_head import measurer as talking_head
from penstock.foundation.errors import UsageError
from penstock.gating.gate import gate
from penstock.media import MediaInfo, MediaLimits

PER_CASE = ["lse_d", "lse_c", "av_offset", "av_offset_abs", "duration_error", "size_error", "sharpness", "jitter",
            "real_time_factor", "latency", "peak_memory"]  # fmt: skip
SIZED = {"min_resolution": 64}
"""Parameters of the contract: they ask for a size."""
Table = dict[tuple[str, str], Measurement]
Put = Callable[..., None]


@pytest.fixture
def put(bundle: Bundle) -> Put:
    """Write answers into the bundle; ``None`` is a call that failed."""

    def write(*answers: bytes | None, **facts: float) -> None:
        calls = []
        for index, answer in enumerate(answers):
            name = f"case-{index}"
            if answer is None:
                calls.append(Invocation(case=name, status="failed", error="the model answered 500: no"))
                continue
            path = bundle.outputs / name / "output.mp4"
            path.parent.mkdir(parents=True)
            path.write_bytes(answer)
            output = path.relative_to(bundle.path).as_posix()
            known = {"latency_s": 0.5, "peak_memory_mib": 100.0, **facts}
            calls.append(Invocation.model_validate({"case": name, "status": "ok", "output": output, **known}))
        bundle.write_invocations(calls)

    return write


def table(measurements: list[Measurement]) -> Table:
    found = {(line.case, line.metric): line for line in measurements}
    assert len(found) == len(measurements)
    for line in measurements:
        assert (line.value is None) == (line.error is not None)
        assert line.unit == known_metrics()[line.metric].unit
    return found


@pytest.mark.slow
def test_good_answers_have_every_value(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(make_video(25), make_video(30, side=96), gpu_memory_mib=7.0)
    contract, suite = repository.contract(extractors=True, parameters=SIZED), repository.suite("a", "b")
    heard: list[tuple[int, int, str]] = []
    lines = measure(contract, suite, bundle, repository.path, on_progress=lambda *what: heard.append(what))
    assert bundle.measurements() == lines
    assert heard == [(1, 2, "case-0"), (2, 2, "case-1")]
    found = table(lines)
    assert [line.metric for line in lines] == [*PER_CASE, "gpu_memory", *PER_CASE, "gpu_memory", "fid", "kid"]
    assert all(line.value is not None and math.isfinite(line.value) for line in lines)
    assert found["case-0", "duration_error"].value == pytest.approx(0.0, abs=1e-6)
    assert found["case-1", "duration_error"].value == pytest.approx(0.2, abs=1e-6)
    assert found["case-0", "real_time_factor"].value == pytest.approx(0.5)
    assert found["case-0", "latency"].value == 0.5
    assert found["case-0", "peak_memory"].value == 100.0
    assert found["case-0", "gpu_memory"].value == 7.0
    assert found["case-0", "sharpness"].value > 10
    assert found["case-0", "av_offset_abs"].value == abs(found["case-0", "av_offset"].value)
    names = network_labels(open_networks(contract, repository.path))
    assert names["lipsync"].startswith("syncnet-tiny@sha256:")
    assert {line.extractor for line in lines if line.metric.startswith(("lse", "av_"))} == {names["lipsync"]}
    assert found["*", "fid"].extractor == names["frechet"]
    assert found["case-0", "jitter"].extractor is None
    assert found["case-0", "jitter"].slices == ["fast"]
    frames = json.loads(bundle.series_file.read_text(encoding="utf-8").splitlines()[0])
    assert frames["case"] == "case-0"
    assert {path.name for path in bundle.outputs.rglob("*") if path.is_file()} == {"output.mp4"}
    assert frames["fps"] == 25
    assert len(frames["jitter"]) == 25
    assert frames["jitter"][0] is frames["jitter"][-1] is None
    assert np.mean(frames["jitter"][1:-1]) == pytest.approx(found["case-0", "jitter"].value)
    assert np.mean(frames["sync_distance"]) == pytest.approx(found["case-0", "lse_d"].value)


@pytest.mark.slow
def test_one_worker_and_many_measure_the_same(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(*(make_video(frames) for frames in (10, 12, 14)))
    contract, suite = repository.contract(extractors=True), repository.suite("a", "b", "c")
    assert measure(contract, suite, bundle, repository.path, workers=1) == measure(
        contract, suite, bundle, repository.path, workers=3
    )


@pytest.mark.slow
def test_another_arithmetic_stands_in_every_label_and_gives_the_same_values(
    repository, bundle: Bundle, put: Put, make_video
) -> None:
    put(make_video(10), make_video(12))
    contract, suite = repository.contract(extractors=True), repository.suite("a", "b")
    usual = table(measure(contract, suite, bundle, repository.path))
    found = table(measure(contract, suite, bundle, repository.path, arithmetic="f32-openvino"))
    assert found.keys() == usual.keys()
    for key, line in found.items():
        before = usual[key]
        assert line.extractor == (f"{before.extractor}+f32-openvino" if before.extractor else None)
        near = before.value if before.value is None else pytest.approx(before.value, rel=1e-4, abs=1e-4)
        assert line.value == near


def test_without_extractors_there_are_no_such_lines(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(make_video(25))
    lines = measure(
        repository.contract(), repository.suite("a", face_box=[0.2, 0.2, 0.6, 0.6]), bundle, repository.path
    )
    assert [line.metric for line in lines] == PER_CASE[4:]
    assert open_networks(repository.contract(), repository.path) == {}


def test_a_size_is_measured_where_somebody_asked_for_one(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(make_video(3), None, make_video(3))
    suite = repository.suite("a", "b", "c")
    suite.cases[2] = suite.cases[2].model_copy(update={"size": (64, 48)})
    found = measure(repository.contract(), suite, bundle, repository.path)
    lines = [line for line in found if line.metric == "size_error"]
    assert [(line.value, line.applies) for line in lines] == [(None, False), (None, False), (16.0, True)]
    rules = [Rule(metric="size_error", max=20.0), Rule(metric="size_error", max=0.0)]
    verdict = gate(
        lines, None, Policy(rules=rules), candidate_name="r", baseline_name=None, cases=[line.case for line in lines]
    )
    assert [rule.verdict for rule in verdict.rules] == ["pass", "fail"], "who was asked for nothing fails no rule"


def test_failed_call_fails_all_its_metrics_and_those_of_the_suite(
    repository, bundle: Bundle, put: Put, make_video
) -> None:
    put(make_video(10), None)
    contract = repository.contract(extractors=True, parameters=SIZED)
    lines = measure(contract, repository.suite("a", "b", "c"), bundle, repository.path)
    found = table(lines)
    assert {found["case-1", metric].error for metric in PER_CASE} == {"the model answered 500: no"}
    assert {found["case-2", metric].error for metric in PER_CASE} == {"the case was not put to the model"}
    assert found["*", "fid"].error == found["*", "kid"].error == "2 of 3 cases failed"
    assert found["case-0", "lse_d"].value is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda video: b"not a video at all", "the output is not a video that can be measured: this is no image"),
        (lambda video: video(25)[:1500], "the output is not a video that can be measured"),
        (
            lambda video: video(25, picture=False),
            "the output is not a video that can be measured: the file has no video",
        ),
        (lambda video: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "the output is not a video that can be measured"),
        (
            lambda video: video(2000, side=16, sound=False),
            "the output is not a video that can be measured: the file is longer",
        ),
    ],
)
def test_hostile_output_is_a_reason(
    repository, bundle: Bundle, put: Put, make_video, make: Callable[..., bytes], reason: str
) -> None:
    put(make(make_video))
    contract = repository.contract(extractors=True, parameters=SIZED)
    found = table(measure(contract, repository.suite("a"), bundle, repository.path))
    for metric in PER_CASE[:9]:
        assert str(found["case-0", metric].error).startswith(reason)
    assert found["case-0", "latency"].value == 0.5
    assert found["*", "fid"].error == "1 of 1 cases failed"
    assert str(bundle.path) not in bundle.measurements_file.read_text(encoding="utf-8")


def test_video_without_a_frame(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(make_video(0, sound_seconds=1.0))
    found = table(measure(repository.contract(extractors=True), repository.suite("a"), bundle, repository.path))
    assert all(
        found["case-0", metric].value is None for metric in (*PER_CASE[:4], "sharpness", "jitter", "real_time_factor")
    )


@pytest.mark.slow
def test_five_frames_have_no_lip_sync_but_the_rest(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(make_video(5), make_video(1))
    found = table(measure(repository.contract(extractors=True), repository.suite("a", "b"), bundle, repository.path))
    reason = "too short for lip sync: 5 frames have picture and sound, 6 are needed"
    assert found["case-0", "lse_d"].error == reason
    assert found["case-0", "jitter"].value is not None
    assert found["case-0", "duration_error"].value == pytest.approx(0.8)
    assert found["case-1", "sharpness"].value is not None
    assert "at least three frames" in str(found["case-1", "jitter"].error)
    assert found["*", "fid"].value is not None


@pytest.mark.slow
def test_silent_video_is_held_against_the_speech_of_the_case(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(make_video(25, sound=False))
    found = table(measure(repository.contract(extractors=True), repository.suite("a"), bundle, repository.path))
    assert found["case-0", "lse_d"].value is not None


def test_duration_that_was_asked_for_goes_before_the_length_of_the_speech(
    repository, bundle: Bundle, put: Put, make_video
) -> None:
    put(make_video(25))
    suite = repository.suite("a", parameters={"duration": 1.5, "order": "a"})
    found = table(measure(repository.contract(), suite, bundle, repository.path))
    assert found["case-0", "duration_error"].value == pytest.approx(0.5)


def test_extractor_that_is_another_file_is_refused(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(make_video(6))
    contract = repository.contract(extractors=True)
    # a network that would run: nothing but its digest tells
    model = onnx.load(repository.path / "syncnet.onnx")
    model.doc_string = "another"
    onnx.save(model, repository.path / "syncnet.onnx")
    with pytest.raises(UsageError, match="is not the file that the contract names"):
        measure(contract, repository.suite("a"), bundle, repository.path)


def test_broken_reference_is_the_suites_fault(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(make_video(6))
    picture = repository.path / "suite" / "reference" / "1.png"
    picture.write_bytes(picture.read_bytes()[:40])
    with pytest.raises(
        UsageError, match=r"suite/reference/1.png \('reference' in suite/suite.yaml\): this is not a whole"
    ):
        measure(repository.contract(extractors=True), repository.suite("a"), bundle, repository.path)


@pytest.mark.parametrize("error", [ValueError("Frame does not match"), MemoryError(), RecursionError("deep")])
def test_whatever_a_decoder_raises_is_the_cases_reason(
    repository, bundle: Bundle, put: Put, make_video, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """No file is known that does it (the known ones have tests of their own), so it is done to the decoder's place."""
    whole = talking_head.probe

    def probe(path: Path, *, limits: MediaLimits) -> MediaInfo:
        if "case-1" in path.parts:
            raise error
        return whole(path, limits=limits)

    monkeypatch.setattr(talking_head, "probe", probe)
    put(make_video(10), make_video(10))
    lines = measure(
        repository.contract(extractors=True, parameters=SIZED), repository.suite("a", "b"), bundle, repository.path
    )
    found = table(lines)
    assert found["case-0", "lse_d"].value is not None
    for metric in PER_CASE[:9]:
        assert str(found["case-1", metric].error).startswith(f"the output cannot be measured: {type(error).__name__}")
    assert found["case-1", "latency"].value == 0.5


def test_silent_sound_has_no_lip_sync_but_the_rest(repository, bundle: Bundle, put: Put, make_video) -> None:
    soundfile.write(repository.path / "suite" / "speech.wav", np.zeros(16_000, np.int16), 16_000)
    put(make_video(25, sound=False))
    found = table(measure(repository.contract(extractors=True), repository.suite("a"), bundle, repository.path))
    for metric in PER_CASE[:4]:
        assert found["case-0", metric].value is None
        assert str(found["case-0", metric].error).startswith("the sound is silent")
    assert found["case-0", "sharpness"].value is not None
    assert found["*", "fid"].value is not None


def test_value_that_is_not_finite_is_a_reason() -> None:
    for value in (float("nan"), float("inf"), -float("inf")):
        line = measurement("a", "lse_d", value)
        assert line.value is None
        assert str(line.error).startswith("the value is")


@pytest.mark.slow
def test_video_without_a_face_box_and_without_a_face(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(make_video(25), make_video(25, side=224))
    suite = repository.suite("a", "b", face_box=None)
    found = table(measure(repository.contract(extractors=True), suite, bundle, repository.path))
    assert found["case-0", "lse_d"].error == "no face was found"
    assert found["case-0", "sharpness"].value is not None
    assert found["case-1", "lse_d"].value is not None


@pytest.mark.slow
def test_fid_and_kid_carry_their_values_on_resamples_of_the_cases(
    repository, bundle: Bundle, put: Put, make_video
) -> None:
    answers = [make_video(8 + index, side=64 + 8 * index) for index in range(4)]
    put(*answers)
    contract = repository.contract(extractors=True)
    found = table(measure(contract, repository.suite("a", "b", "c", "d"), bundle, repository.path))
    fid, kid = (found["*", metric] for metric in ("fid", "kid"))
    for line in (fid, kid):
        assert line.resamples is not None
        assert line.resamples.cases == 4
        assert line.resamples.key == fid.resamples.key
        assert len(line.resamples.values) == 1000
        assert min(line.resamples.values) < line.value < max(line.resamples.values)
        assert all(value == float(f"{value:.9g}") for value in line.resamples.values)
    assert all(line.resamples is None for (case, _), line in found.items() if case != "*")
    assert max(map(len, bundle.measurements_file.read_text(encoding="utf-8").splitlines())) < 32_000
    # the order of the suite changes neither the draw nor the values
    suite = repository.suite("a", "b", "c", "d")
    turned = suite.model_copy(update={"cases": suite.cases[::-1]})
    again = table(measure(contract, turned, bundle, repository.path))
    assert again["*", "fid"].resamples.key == fid.resamples.key
    assert again["*", "fid"].resamples.values == pytest.approx(fid.resamples.values, rel=1e-6, abs=1e-9)
    assert again["*", "kid"].resamples.values == pytest.approx(kid.resamples.values, rel=1e-4, abs=1e-6)


@pytest.mark.slow
def test_one_case_or_a_failed_one_has_no_resamples(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(make_video(10), None)
    contract = repository.contract(extractors=True)
    for orders in ("a", "ab"):
        found = table(measure(contract, repository.suite(*orders), bundle, repository.path))
        assert (found["*", "fid"].value is None) == (len(orders) == 2)
        assert found["*", "fid"].resamples is None
        assert found["*", "kid"].resamples is None


def test_clips_of_one_frame_have_no_resamples_of_kid(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(make_video(1), make_video(1, side=96))
    found = table(measure(repository.contract(extractors=True), repository.suite("a", "b"), bundle, repository.path))
    assert found["*", "kid"].value is not None
    assert found["*", "kid"].resamples is None


def test_cases_that_must_be_refused_have_one_line_and_spoil_no_other(repository, bundle: Bundle, put: Put, make_video):
    put(make_video(25), None, None)
    first, second, third = bundle.invocations()
    bundle.write_invocations(
        [
            first,
            second.model_copy(update={"status": "ok", "error": None, "refusal": "as_expected", "latency_s": 0.01}),
            third.model_copy(update={"refusal": "accepted"}),
        ]
    )
    suite = repository.suite("a", "b", "c")
    expect = Expect.model_validate({"status": 422})
    cases = [case.model_copy(update={"expect": expect if place else None}) for place, case in enumerate(suite.cases)]
    suite = suite.model_copy(update={"cases": cases})
    found = table(measure(repository.contract(extractors=True), suite, bundle, repository.path))
    assert {metric for case, metric in found if case == "case-0"} == set(PER_CASE)
    assert {key: line.value for key, line in found.items() if key[0] in ("case-1", "case-2")} == {
        ("case-1", "wrongly_accepted"): 0.0,
        ("case-2", "wrongly_accepted"): 1.0,
    }
    assert found["*", "fid"].value is not None  # of the one video that there should be


def test_a_talking_head_is_one_call(repository, bundle: Bundle, put: Put, make_video) -> None:
    put(make_video(25))
    (call,) = bundle.invocations()
    made = CallRecord(name="first", status="ok", output=call.output, started="2026-01-01T00:00:00.000+00:00")
    bundle.write_invocations([call.model_copy(update={"output": None, "calls": [made]})])
    found = table(measure(repository.contract(), repository.suite("a"), bundle, repository.path))
    assert found["case-0", "sharpness"].error == "the case has several calls, and a talking head is one video"
    assert found["case-0", "latency"].value == 0.5
