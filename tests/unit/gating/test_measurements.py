"""One side of a comparison is whole, of this version or an older one, and there once; or it is refused by name."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.gating.gate_verdicts import lines

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement, Resamples, Run
from penstock.bundle.verdict_record import Verdict
from penstock.contract.policy import Policy
from penstock.foundation.errors import UsageError
from penstock.gating.compare import compare
from penstock.gating.gate import gate
from penstock.gating.measurements import MeasurementSource, Table, read_source
from penstock.notices.pull_request import pull_request_markdown
from penstock.report.junit import junit_xml

OLD = Path(__file__).parent / "bundle-of-version-1"
LINE = '{"case": "a", "metric": "lse_d", "value": 7.9}'


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_source(path)
    return str(caught.value)


def read_or_not(path: Path) -> list[Measurement] | UsageError:
    try:
        return read_source(path).measurements
    except UsageError as error:
        return error


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "m.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OLD, tmp_path / "bundle"))


# the lines


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (LINE + "\n" + LINE, "m.jsonl:2: 'lse_d' has two values for the case 'a' (the other: line 1)"),
        (LINE + '\n{"case": "b", "metric": "lse_d", "val', "m.jsonl:2: not a valid record: Invalid JSON"),
        (
            LINE + '\n{"case": "b", "metric": "lse_d", "val',
            "The file does not end with a whole line: it may be cut off",
        ),
        (
            '{"case": "a", "metric": "m", "value": 1, "value": 2}',
            "m.jsonl:1: not a valid record: 'value' is there twice",
        ),
        ('{"case": "a", "metric": "m", "value": Infinity}', "a value must be finite"),
        ('{"case": "a", "metric": "m", "value": -Infinity}', "a value must be finite"),
        (
            '{"case": "a", "metric": "m", "value": 1, "by": NaN}',
            "m.jsonl:1: not a valid record: NaN is not a finite number",
        ),
        (
            '{"case": "*", "metric": "m", "value": 1, "resamples": {"cases": 2, "key": "k", "values": [1, 1e999]}}',
            "1e999 is not a finite number",
        ),
        ('{"case": "a", "metric": "m", "value": 1' + "0" * 400 + "}", "value: Input should be a valid number"),
        ('{"case": "a", "metric": "m", "value": 1' + "0" * 9000 + "}", "m.jsonl:1: not a valid record"),
        ('{"case": "a", "metric": "m", "value": 1, "x": ' + "[" * 9000 + "]" * 9000 + "}", "recursion limit"),
        ('{"case": "\\ud800", "metric": "m", "value": 1}', "m.jsonl:1: not a valid record: Invalid JSON"),
        ('["a", "m", 1]', "m.jsonl:1: not a valid record"),
        ("case,metric,value\na,m,1\n", "m.jsonl:1: not a valid record: Invalid JSON"),
        (LINE.encode("utf-16"), "m.jsonl: not UTF-8 text. Write it as UTF-8."),
        (b"\x00" * 100, "m.jsonl:1: not a valid record"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, content: str | bytes, wanted: str) -> None:
    assert wanted in refused(written(tmp_path, content))


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"", b"\n \r\n"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\r\n\r\n"])
def test_what_editors_of_other_systems_write_is_read(tmp_path: Path, before: bytes, end: bytes) -> None:
    assert read_source(written(tmp_path, before + LINE.encode() + end)).measurements[0].value == 7.9


@pytest.mark.slow
def test_a_file_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole: it takes no room
    assert "larger than 64 MiB" in refused(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.fixed_dictionaries(
    {
        "case": st.text(max_size=4) | JSON,
        "metric": st.sampled_from(["lse_d", "own"]) | JSON,
        "value": st.floats() | JSON,
    },
    optional={"slices": JSON, "unit": JSON, "extractor": JSON, "error": JSON, "resamples": JSON, "more": JSON},
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RECORDS, max_size=4))
def test_whatever_is_written_is_read_or_refused_by_line(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    path = written(tmp_path, "\n".join(json.dumps(record) for record in records))
    found = read_or_not(path)
    if isinstance(found, UsageError):
        assert found.where.startswith(f"{path}:")
        assert str(found).isprintable()
    else:
        assert len({(one.case, one.slice, one.metric) for one in found}) == len(found) == len(records)
        assert all(one.value is None or math.isfinite(one.value) for one in found)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_are_a_bug(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    found = read_or_not(path)
    assert not isinstance(found, UsageError) or str(path) in found.where


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_file_that_is_cut_off_anywhere_but_at_a_line_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    lines = [LINE.replace('"a"', f'"{name}"') for name in "abc"]
    text = "\n".join(lines) + "\n"
    end = data.draw(st.integers(1, len(text)))
    path = written(tmp_path, text[:end])
    whole = [place for place in range(1, 4) if text[:end].rstrip("\n") == "\n".join(lines[:place])]
    if whole:
        assert len(read_source(path).measurements) == whole[0]
    else:
        assert "may be cut off" in refused(path)


@pytest.mark.slow
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(
            Measurement,
            case=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
            metric=st.sampled_from(["lse_d", "own"]),
            value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
            error=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        ),
        max_size=5,
        unique_by=lambda one: (one.case, one.slice, one.metric),
    )
)
def test_what_penstock_writes_comes_back(tmp_path: Path, measurements: list[Measurement]) -> None:
    bundle = Bundle(tmp_path / "bundle")
    bundle.write_measurements(measurements)
    assert read_source(bundle.path).measurements == measurements


# the bundle


def test_a_sealed_bundle_of_an_older_version_is_read_and_can_be_used(sealed: Path) -> None:
    source = read_source(sealed)
    assert (source.name, source.cases, len(source.measurements)) == ("sonic-lite-v1-0-0", ("one", "two"), 3)
    assert source.run is not None
    assert source.run.machine is not None
    assert (source.run.inference, source.run.machine.gpu) == (None, "")
    verdict = Bundle(sealed).verdict()
    assert (verdict.comparison, verdict.rules[0].waiver, verdict.rules[0].advisory) == ("stored", None, False)
    assert [found.change for found in compare(source, source, level=0.05).metrics] == [0.0, 0.0]
    assert "no baseline" in pull_request_markdown(source.run, verdict)
    assert 'tests="1"' in junit_xml(verdict, run=source.run)


EDITS: list[tuple[str, Callable[[Path], Any], str]] = [
    ("a value", lambda path: edit(path / "measurements.jsonl", "7.5", "7.4"), "changed measurements.jsonl"),
    ("the end", lambda path: os.truncate(path / "measurements.jsonl", 93), "changed measurements.jsonl"),
    ("removed", lambda path: (path / "invocations.jsonl").unlink(), "missing invocations.jsonl"),
    ("added", lambda path: (path / "outputs" / "x.mp4").touch(), "extra outputs/x.mp4"),
    ("an output", lambda path: edit(path / "outputs/one/output.mp4", "not", "now"), "changed outputs/one/output.mp4"),
    ("the verdict", lambda path: edit(path / "verdict.json", "pass", "fail"), "changed verdict.json"),
    ("the run", lambda path: edit(path / "run.json", "1.0.0", "1.0.1"), "changed run.json"),
    ("the manifest", lambda path: os.truncate(path / "manifest.json", 40), "manifest.json: not a valid record"),
    ("no manifest", lambda path: (path / "manifest.json").write_text("{}"), "manifest.json: not a valid record"),
    (
        "a name outside",
        lambda path: edit(path / "manifest.json", "run.json", "../../run.json"),
        "missing ../../run.json",
    ),
    ("a link", lambda path: link(path / "verdict.json", "/etc/hostname"), "'verdict.json' is a symbolic link"),
    ("a link for a manifest", lambda path: link(path / "manifest.json", "/nowhere"), "manifest.json"),
    ("a pipe", lambda path: pipe(path / "verdict.json"), "'verdict.json' is a pipe"),
    ("a folder", lambda path: folder(path / "verdict.json"), "missing verdict.json"),
]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(("change", "wanted"), [entry[1:] for entry in EDITS], ids=[entry[0] for entry in EDITS])
def test_a_sealed_bundle_that_was_edited_is_refused(sealed: Path, change: Callable[[Path], Any], wanted: str) -> None:
    read_source(sealed)
    change(sealed)
    assert wanted in refused(sealed)


def test_many_faults_are_counted(sealed: Path) -> None:
    for number in range(9):
        (sealed / f"extra-{number}").touch()
    assert "extra-4 and 4 more" in refused(sealed)


def test_a_bundle_that_is_not_sealed_yet_is_read_as_it_is(sealed: Path) -> None:
    (sealed / "manifest.json").unlink()
    (sealed / "verdict.json").unlink()
    assert len(read_source(sealed).measurements) == 3


@pytest.mark.parametrize("name", ["run.json", "manifest.json"])
@pytest.mark.parametrize("more", [{}, {"files": 7, "run_id": ["of", "another", "type"]}])
def test_a_bundle_of_a_newer_version_is_refused(sealed: Path, name: str, more: dict[str, Any]) -> None:
    content = json.loads((sealed / name).read_text())
    (sealed / name).write_text(json.dumps(content | more | {"schema_version": 99}))
    if name == "run.json":
        (sealed / "manifest.json").unlink()
    assert f"{name}: written by a newer Penstock. Update Penstock." in refused(sealed)


def test_versions_are_counted_for_each_record(sealed: Path) -> None:
    """Parameters are recorded since version 2 of ``run.json``, limits as numbers since that of ``verdict.json``."""
    assert Run(penstock="0", run_id="r").schema_version == 2
    assert Verdict(verdict="pass", level=0.05, rules=[]).schema_version == 2
    assert Bundle(sealed).verdict().schema_version == 1  # an older one stays readable
    edit(sealed / "verdict.json", '"schema_version": 1', '"schema_version": 3')
    with pytest.raises(UsageError, match="newer Penstock"):
        Bundle(sealed).verdict()
    edit(sealed / "manifest.json", '"schema_version": 1', '"schema_version": 2')
    with pytest.raises(UsageError, match="newer Penstock"):
        Bundle(sealed).verify()


def test_a_directory_that_is_no_bundle(tmp_path: Path) -> None:
    assert "the file is missing" in refused(tmp_path)
    assert "the file is missing" in refused(tmp_path / "nothing")


def test_sources_know_their_run(sealed: Path, tmp_path: Path) -> None:
    assert read_source(sealed).bundle is not None
    bare = read_source(sealed / "measurements.jsonl")
    assert bare == MeasurementSource(str(sealed / "measurements.jsonl"), read_source(sealed).measurements)


@pytest.mark.parametrize(
    ("asked", "label", "refused"),
    [
        ("f32", "s@sha256:0+bf16-openvino", "computed in bf16-openvino, the policy asks for f32"),
        ("bf16-openvino", "s@sha256:0", "computed in f32, the policy asks for bf16-openvino"),
        ("bf16-openvino", "s@sha256:0+bf16-openvino", ""),
        ("f32", "s@sha256:0", ""),
        ("f32", None, ""),
        (None, "s@sha256:0+bf16-openvino", ""),
    ],
)
def test_a_policy_can_pin_what_networks_compute_in(asked: str | None, label: str | None, refused: str) -> None:
    policy = Policy.model_validate({"rules": [{"metric": "lse_d", "max": 9.0}], "arithmetic": asked})
    measured = lines("lse_d", {"a": 7.0}, extractor=label)
    if not refused:
        assert gate(measured, None, policy, candidate_name="new", baseline_name=None).verdict == "pass"
        return
    with pytest.raises(UsageError, match=refused):
        gate(measured, None, policy, candidate_name="new", baseline_name=None)


def of_slice(name: str | None, value: float | None, **fields: Any) -> Measurement:
    return Measurement(case="*", metric="ece", value=value, slice=name, **fields)


def test_a_value_of_a_slice_as_a_whole_stands_beside_that_of_the_suite() -> None:
    drawn = Resamples(cases=7, key="k", values=[0.1, 0.2])
    table = Table(
        "candidate",
        [
            of_slice(None, 0.1),
            of_slice("blur", 0.3, resamples=drawn, error="why"),
            of_slice("dark", None, error="no label was found"),
            of_slice("empty", None, error="no case names labels", applies=False),
            Measurement(case="a", metric="top1", value=1.0, slices=["blur", "bright"]),
        ],
        ["a"],
    )
    assert table.values("ece", None).by_case == {"*": 0.1}
    blur = table.values("ece", "blur")
    assert (blur.by_case, blur.resamples, blur.why) == ({"*": 0.3}, drawn, "why")
    assert table.values("ece", "dark").lost == {"*": "no label was found"}
    empty = table.values("ece", "empty")
    assert (empty.cases, empty.inapplicable) == (set(), {"*": "no case names labels"})
    assert not table.values("ece", "bright").cases
    assert table.whole_slices("ece") == {"blur", "dark", "empty"}
    assert [table.has_slice("ece", name) for name in ("blur", "bright")] == [True, False]
    assert table.has_slice("top1", "blur")


def test_a_slice_has_one_value_and_no_cases_beside_it() -> None:
    with pytest.raises(UsageError, match="'ece' has two values for the slice 'blur'"):
        Table("candidate", [of_slice("blur", 0.3), of_slice("blur", 0.4)])
    with pytest.raises(UsageError, match="'ece' has a value for a slice as a whole and values for single cases"):
        Table("candidate", [of_slice("blur", 0.3), Measurement(case="a", metric="ece", value=1.0)])
    with pytest.raises(ValidationError, match="whose case is '\\*'"):
        Measurement(case="a", metric="ece", value=1.0, slice="blur")


def test_a_file_may_have_a_line_a_slice(tmp_path: Path) -> None:
    file = tmp_path / "measurements.jsonl"
    lines = [of_slice(None, 0.1), of_slice("blur", 0.3), of_slice("dark", 0.2)]
    file.write_text("".join(line.model_dump_json() + "\n" for line in lines))
    assert read_source(file).measurements == lines
    file.write_text("".join(line.model_dump_json() + "\n" for line in [*lines, lines[1]]))
    with pytest.raises(UsageError, match=r"two values for the slice 'blur' \(the other: line 2\)"):
        read_source(file)
