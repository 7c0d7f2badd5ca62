"""What ``penstock check`` finds."""

from __future__ import annotations

import hashlib
import os

import pytest
from tests.unit.contract.conftest import Write
from tests.unit.contract.found_faults import DIRECTIONS, faults, only

from penstock.contract.check import check_repository


def test_nothing_is_wrong_with_a_good_one(repository: Write) -> None:
    report = check_repository(repository(), metrics=DIRECTIONS)
    assert report.ok
    assert [fault.what for fault in report.faults] == []


def test_all_faults_are_reported_in_the_order_of_their_lines(repository: Write) -> None:
    root = repository(
        contract=("version: 1\nname: little", "version: 7\nnaem: little"),
        suite=("audio: a.wav", "audio: b.wav"),
    )
    (root / "suite/a.png").write_bytes(b"")
    found = faults(root)
    assert [text.split(": ")[0] for text in found] == [
        "penstock.yaml:1",
        "penstock.yaml:1",
        "penstock.yaml:2",
        "suite/suite.yaml:5",
        "suite/suite.yaml:5",
    ]
    assert any("Did you mean 'name'?" in text for text in found)
    assert any("a.png: the file is empty (case 'portrait-01')" in text for text in found)
    assert any("b.wav: the file is missing (case 'portrait-01')" in text for text in found)


def test_the_pointer_of_the_right_weights_is_fine_and_too_large_media_is_not(repository: Write) -> None:
    root = repository()
    digest = hashlib.sha256((root / "weights/model.onnx").read_bytes()).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 12\n"
    (root / "weights/model.onnx").write_text(pointer)
    assert faults(root) == []
    with (root / "suite/a.png").open("r+b") as file:
        file.truncate(600 << 20)  # sparse
    assert "larger than 64 MiB (600 MiB)" in only(root)


def test_weights_that_cannot_be_mounted_are_told_of(repository: Write) -> None:
    root = repository(contract=("path: weights/model.onnx", "path: model.onnx"))
    (root / "weights/model.onnx").rename(root / "model.onnx")
    assert "penstock.yaml:5: weights[0].path: these weights have no folder that could be mounted" in only(root)
    assert only(root).endswith("(warning)")


def test_a_contract_of_whose_files_nothing_is_there(repository: Write) -> None:
    root = repository()
    (root / "Containerfile").unlink()
    (root / "weights/model.onnx").unlink()
    (root / "suite/suite.yaml").unlink()
    found = faults(root)
    assert "there is no file 'Containerfile'" in found[0]
    assert found[0].endswith("(warning)")
    assert "weights/model.onnx: the file is missing. Add it to the repository" in found[1]
    assert found[2] == "suite/suite.yaml:1: the file is missing"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("metric: duration_error", "metric: lse-d"), "(warning)"),
        (("duration_error, max: 0.1", "lse-d, margin: 0.1"), "unknown metric 'lse-d'. Did you mean 'lse_d'?"),
        (
            ("duration_error, max: 0.1", "own, margin: 0.1"),
            "unknown metric 'own'. For a metric of your own, say 'direction",
        ),
        (("duration_error, max: 0.1", "av_offset, margin: 0.1, direction: lower"), "extractors.lipsync names none"),
        (("duration_error, max: 0.1", "latency, margin: 0.1, direction: higher"), "for 'latency', lower is better"),
        (
            ("duration_error, max: 0.1", "latency, slice: slow, max: 1"),
            "no case of the suite has the slice 'slow'. Slices of the suite: fast.",
        ),
        (("duration_error, max: 0.1", "lse_d, max: 9"), "extractors.lipsync names none"),
        (('"{port}"', '"{prot}"'), "nothing fills '{prot}'"),
        (("source: lfs", "source: http://example.org/w"), "weights are not fetched from 'http:'"),
        (("source: lfs", "source: file:///etc/passwd"), "weights are not fetched from 'file:'"),
        (("source: lfs", "source: ../w"), "leaves the repository"),
        (("source: lfs", "source: none.bin"), "none.bin: the file is missing"),
        (("policy:\n", "policy:\n  calibration: noise.json\n"), "noise.json: there is no such file"),
        (("policy:\n", "policy:\n  calibration: ../noise.json\n"), "../noise.json: there is no such file"),
    ],
)
def test_policy_call_and_sources(repository: Write, change: tuple[str, str], what: str) -> None:
    assert any(what in text for text in faults(repository(contract=change)))


def test_an_offset_has_no_margin(repository: Write) -> None:
    found = faults(repository(contract=("duration_error, max: 0.1", "av_offset, margin: 0.1")))
    assert any("no better and worse" in text and "Gate 'av_offset_abs' instead." in text for text in found)


def test_fid_without_a_reference_is_a_fault_and_warnings_alone_are_fine(repository: Write) -> None:
    report = check_repository(repository(contract=("duration_error, max: 0.1", "fid, margin: 5%")), metrics=DIRECTIONS)
    assert not report.ok
    assert any("compares with a reference" in fault.what for fault in report.faults)
    report = check_repository(repository(contract=("duration_error, max: 0.1", "lse_d, max: 9")), metrics=DIRECTIONS)
    assert report.ok
    assert len(report.faults) == 1


def test_a_reference_needs_one_picture_and_may_have_notes(repository: Write) -> None:
    root = repository(suite=("cases:", "reference: reference\ncases:"))
    (root / "suite/reference").mkdir()
    assert "the directory holds no image or video. Put images or videos there." in only(root)
    (root / "suite/reference/LICENCE").write_text("CC0")
    assert "the directory holds no image or video" in only(root)
    (root / "suite/reference/b.png").write_bytes((root / "suite/a.png").read_bytes())
    assert faults(root) == []


def test_what_cannot_be_part_of_a_references_digest_is_a_fault(repository: Write) -> None:
    root = repository(suite=("cases:", "reference: reference\ncases:"))
    folder = root / "suite/reference"
    (folder / "notes").mkdir(parents=True)
    picture = (root / "suite/a.png").read_bytes()
    (folder / "b.png").write_bytes(picture)
    for name in (b"\xff.png", b"notes/\xff.txt"):
        hostile = folder / os.fsdecode(name)
        hostile.write_bytes(picture)
        said = only(root)
        assert "is not UTF-8 text. Rename it." in said
        assert said.encode("utf-8"), "what is said can be written down"
        hostile.unlink()
    (folder / "notes" / "link").symlink_to("/etc/passwd")
    assert "'notes/link' is a symbolic link" in only(root)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("005.png", b"", "reference/005.png: the file is empty"),
        ("006.png", b"<html>404</html>", "reference/006.png: this is no image, sound or video that Penstock knows"),
        ("7.png", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "7.png: this is a Git LFS pointer"),
        ("frame", b"not a picture any more", "reference/frame: this is no image, sound or video"),
        ("8.tif", b"II*\0" + bytes(40), "reference/8.tif: this is a TIFF picture, which is not read"),
    ],
)
def test_every_file_of_a_reference_counts(repository: Write, name: str, content: bytes, what: str) -> None:
    root = repository(suite=("cases:", "reference: reference\ncases:"))
    (root / "suite/reference").mkdir()
    (root / "suite/reference/b.png").write_bytes((root / "suite/a.png").read_bytes())
    (root / "suite/reference" / name).write_bytes(content)
    assert what in only(root)


def test_no_containerfile_is_a_warning_because_a_run_may_build_no_image(repository: Write) -> None:
    root = repository()
    (root / "Containerfile").unlink()
    report = check_repository(root, metrics=DIRECTIONS)
    assert report.ok
    (fault,) = report.faults
    assert "A run that builds an image needs one" in fault.todo


def test_a_stand_in_is_named_without_a_file(repository: Write) -> None:
    named = ("policy:\n", "extractors: {lipsync: syncnet-compact, frechet: portrait-features}\npolicy:\n")
    report = check_repository(repository(contract=named), metrics=DIRECTIONS)
    assert report.faults == []
    assert report.contract is not None
    assert report.contract.extractors["lipsync"] == "syncnet-compact"
    assert report.contract.extractor_files == {}


def http(text: str) -> tuple[str, str]:
    """The change of the contract that calls a service of its own in place of the preset's."""
    start = 'call:\n  preset: sonic\n  http:\n    argv: ["python", "serve.py", "--port", "{port}"]\n'
    return start, start.replace("  preset: sonic\n", "") + "".join(f"    {line}\n" for line in text.splitlines())


PLAIN = "path: /x\nresponse: video/mp4\n"


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (
            PLAIN + "body: {json: {a: '{bogus}'}}",
            "suite/suite.yaml:6: cases[0].parameters: the case 'portrait-01' gives no 'bogus', "
            "which call.http.body.json.a of penstock.yaml wants",
        ),
        (
            PLAIN + "body: {json: {a: ['{face|base64}']}}",
            "suite/suite.yaml:5: cases[0].inputs: the case 'portrait-01' has no input 'face'. "
            "call.http.body.json.a[0] of penstock.yaml sends it.",
        ),
        (
            PLAIN + "body: {file: face}",
            "suite/suite.yaml:5: cases[0].inputs: the case 'portrait-01' has no input 'face'. call.http.body.file",
        ),
        (
            "path: /x?q={bogus}\nresponse: video/mp4",
            "gives no 'bogus', which call.http.path of penstock.yaml wants",
        ),
        (
            "calls:\n  first: {path: /x, headers: {X-A: '{bogus}'}, response: application/json}",
            "gives no 'bogus', which call.http.calls.first.headers.X-A of penstock.yaml wants",
        ),
        (
            PLAIN + "answer: {json: '$.images[*]'}",
            "penstock.yaml:13: call.http.answer.json: must be a path such as $.faces[0].score",
        ),
        (
            PLAIN + "answer: {require: {a.b: 1}, json: $.a}",
            "penstock.yaml:13: call.http.answer.require.a.b: the name 'a.b' is not allowed: must be a path such as",
        ),
        (
            PLAIN + "answer: {jsn: $.a}",
            "penstock.yaml:13: call.http.answer.jsn: unknown field 'jsn'. Did you mean 'json'?",
        ),
        (
            PLAIN + "body: {json: '{image|base46}'}",
            "penstock.yaml:13: call.http.body: '{image|base46}' at $ is not known",
        ),
        (PLAIN + "headers: {Host: x}", "penstock.yaml:13: call.http.headers: the header 'Host' is set by HTTP itself"),
        ("path: /x", "penstock.yaml:9: call.http: the field 'response' is missing"),
    ],
)
def test_mistakes_in_a_call_have_line_and_field(repository: Write, call: str, fault: str) -> None:
    assert fault in only(repository(contract=http(call)))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("größe", "must be at most 2000 printable ASCII characters"),
        ('"a\\r\\nX-Other: b"', "holds a line break"),
        ('" a"', "begins or ends with a space"),
    ],
)
@pytest.mark.parametrize("default", [False, True], ids=["case", "contract"])
def test_a_parameter_that_no_header_can_hold_is_found_before_the_plan(
    repository: Write, value: str, problem: str, default: bool
) -> None:
    call = PLAIN + "headers: {X-Style: '{style}'}"
    contract, suite = http(call), ("", "")
    if default:
        contract = (contract[0], contract[1] + f"  parameters: {{style: {value}}}\n")
    else:
        suite = ("duration: 2.0", f"style: {value}")
    assert only(repository(contract=contract, suite=suite)) == (
        f"suite/suite.yaml:6: cases[0].parameters: with the parameters of the case 'portrait-01' the header {problem}. "
        "call.http.headers.X-Style of penstock.yaml sends it."
    )


@pytest.mark.parametrize(
    ("expect", "fault"),
    [
        ("{status: 42}", "suite/suite.yaml:8: cases[0].expect.status: must be a status such as 422"),
        ("{status: 200}", "suite/suite.yaml:8: cases[0].expect: a status of success refuses nothing by itself"),
        ("{}", "suite/suite.yaml:8: cases[0].expect: say what is expected"),
        (
            "{status: 422, call: compare}",
            "suite/suite.yaml:8: cases[0].expect.call: the contract has no call 'compare'",
        ),
    ],
)
def test_mistakes_in_what_is_expected(repository: Write, expect: str, fault: str) -> None:
    assert fault in only(repository(suite=("    slices: [fast]\n", f"    slices: [fast]\n    expect: {expect}\n")))


def test_a_case_that_must_be_refused_may_hold_a_broken_file(repository: Write) -> None:
    root = repository(suite=("    slices: [fast]\n", "    slices: [fast]\n    expect: {status: 4xx}\n"))
    (root / "suite/a.png").write_bytes(b"no picture")
    assert faults(root) == []
    (root / "suite/a.png").unlink()
    assert "the file is missing" in only(root)


def test_which_of_several_calls_is_refused_must_be_said(repository: Write) -> None:
    calls = "calls:\n  first: {path: /x, response: application/json}\n  compare: {path: /y, response: application/json}"
    root = repository(
        contract=http(calls), suite=("    slices: [fast]\n", "    slices: [fast]\n    expect: {status: 422}\n")
    )
    assert "cases[0].expect: say which call is refused: 'call: first'" in only(root)


def test_an_optional_call_wants_only_the_cases_that_have_its_inputs(repository: Write) -> None:
    """The case has an image and no pair: one call is left, so that nobody need say which one is refused."""
    one = "{path: /x, files: {a: image}, response: application/json, optional: true}"
    pair = "{path: /y, files: {a: first, b: second}, response: application/json, optional: true}"
    expect = ("    slices: [fast]\n", "    slices: [fast]\n    expect: {status: 422}\n")
    both = http(f"calls:\n  feature: {one}\n  compare: {pair}")
    assert faults(repository(contract=both, suite=expect)) == []
    named = ("    slices: [fast]\n", "    slices: [fast]\n    expect: {status: 422, call: compare}\n")
    assert "the case has no call 'compare'" in only(repository(contract=both, suite=named))
    none = repository(contract=http(f"calls:\n  compare: {pair}"))
    assert "has the inputs of none of the contract's calls (compare)" in only(none)
    must = http(f"calls:\n  feature: {one}\n  compare: {pair.replace(', optional: true', '')}")
    assert "has no input 'first'" in faults(repository(contract=must))[0]


def test_a_rule_about_refusals_wants_cases_that_must_be_refused(repository: Write) -> None:
    rule = "    - {metric: duration_error, max: 0.1}\n"
    root = repository(contract=(rule, rule + "    - {metric: wrongly_accepted, max: 0}\n"))
    assert "policy.rules[1].metric: 'wrongly_accepted' is measured of cases with 'expect'" in only(root)
