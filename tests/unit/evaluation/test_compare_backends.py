"""Whether an exported file is used: by the worst of all cases, and whatever its answers are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.pipeline.exported_model import CONTRACT, EXPORT

from penstock.bundle.directory import Bundle, write_model
from penstock.bundle.export_record import (
    TRIED,
    Backend,
    ExporterRecord,
    ExportRecord,
    TriedRecord,
    backend_bundle,
    export_record,
)
from penstock.bundle.models import Invocation, Isolation, WeightsFile
from penstock.bundle.steps import begin
from penstock.contract.models import Contract, Suite, suite_model
from penstock.evaluation.compare_backends import compare_backends
from penstock.foundation.errors import UsageError

EXPORTED = ExporterRecord(argv=["x"], seconds=1.0, sha256="b" * 64, bytes=3)
SIDES: tuple[Backend, Backend] = ("trained", "exported")


def cutout(alpha: float = 1.0, side: int = 32) -> bytes:
    picture = np.zeros((side, side, 4), np.uint8)
    picture[8:24, 8:24, 3] = round(255 * alpha)
    return cv2.imencode(".png", picture)[1].tobytes()


def suite(count: int) -> Suite:
    case = {"inputs": {"image": "x.png"}, "truth": "y.png", "slices": ["hair"]}
    cases = [case | {"name": f"c{at}"} for at in range(count)]
    return suite_model("matting").model_validate({"version": 1, "family": "matting", "cases": cases})


def contract(**export: object) -> Contract:
    return Contract.model_validate(CONTRACT | {"export": EXPORT | export})


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    run = begin(Bundle(tmp_path), run_id="r", track="release")
    weights = [WeightsFile(path="weights/cut.bin", sha256="c" * 64, bytes=3)]
    Bundle(tmp_path).update_run(run.model_copy(update={"weights": weights}))
    return Bundle(tmp_path)


def tried(bundle: Bundle, *pairs: tuple[bytes | None, bytes | None], **told: object) -> None:
    """As the model's part leaves the bundle: two answers a case; ``None``: the call failed."""
    for place, side in enumerate(SIDES):
        own = backend_bundle(bundle, side)
        own.path.mkdir(parents=True, exist_ok=True)
        calls = []
        for at, pair in enumerate(pairs):
            answer, output = pair[place], f"outputs/c{at}/output.png"
            if answer is None:
                calls.append(Invocation(case=f"c{at}", status="failed", error=f"crashed\x1b with {side}"))
                continue
            (own.path / output).parent.mkdir(parents=True)
            (own.path / output).write_bytes(answer)
            calls.append(Invocation(case=f"c{at}", status="ok", output=output))
        own.write_invocations(calls)
    record = TriedRecord(exporter=EXPORTED, isolation=Isolation(level="landlock"))
    write_model(bundle.path / TRIED, record.model_copy(update=told))


def compared(bundle: Bundle, count: int, **export: object) -> ExportRecord:
    record = compare_backends(contract(**export), suite(count), bundle)
    assert record is not None
    return record


def kept(bundle: Bundle) -> list[str]:
    return sorted(path.parent.name for path in (bundle.path / "export").rglob("*.png"))


@pytest.mark.slow
def test_two_that_are_the_same_are_used(bundle: Bundle) -> None:
    tried(bundle, *[(cutout(), cutout())] * 3)
    record = compared(bundle, 3)
    assert (record.use_onnx, record.fault, record.sha256) == (True, None, "c" * 64)
    assert {name: worst.value for name, worst in record.worst.items()} == dict.fromkeys(record.worst, 0.0)
    assert bundle.run().use_onnx is True
    assert export_record(bundle) == record
    assert len(kept(bundle)) == 2


@pytest.mark.slow
def test_one_case_over_a_limit_is_enough_and_its_answers_are_kept(bundle: Bundle) -> None:
    tried(bundle, (cutout(), cutout()), (cutout(), cutout(0.5)), (cutout(), cutout(0.98)))
    record = compared(bundle, 3, limits={"mae": 0.004})
    assert record.use_onnx is False
    assert record.fault is not None
    assert record.fault.startswith("2 of 3 cases differ too much from the trained weights: mae is 0.1")
    assert "(case c1)" in record.fault
    assert (record.worst["edge_max"].case, record.shown) == ("c1", "c1")
    assert record.worst["edge_max"].value == pytest.approx(0.5, abs=0.01)
    assert [case.fault for case in record.cases][::2] == [None, "mae is 0.004902, over the limit of 0.004"]
    assert kept(bundle) == ["c1", "c1"]
    assert bundle.run().use_onnx is False


def test_the_contracts_limits_go_before_the_familys(bundle: Bundle) -> None:
    tried(bundle, (cutout(), cutout(0.9)))
    wide = {"mae": 0.5, "edge_max": 0.5, "edge_p999": 0.5}
    assert compared(bundle, 1, limits=wide).use_onnx is True


def test_a_limit_of_nothing_allows_nothing(bundle: Bundle) -> None:
    tried(bundle, (cutout(), cutout()), (cutout(), cutout(0.99)))
    record = compared(bundle, 2, limits={"mae": 0, "edge_max": 1, "edge_p999": 1})
    assert "over the limit of 0 (case c1)" in (record.fault or "")


def levels(level: int) -> bytes:
    """A cut-out with a row of one level at its edge."""
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[8:24, 8:24, 3] = 255
    picture[4, 8:24, 3] = level
    return cv2.imencode(".png", picture)[1].tobytes()


@pytest.mark.parametrize(("level", "used"), [(203, True), (202, False)])
def test_a_difference_of_exactly_the_limit_is_not_over_it(bundle: Bundle, level: int, used: bool) -> None:
    tried(bundle, (levels(254), levels(level)))
    record = compared(bundle, 1, limits={"mae": 1, "edge_max": 0.2, "edge_p999": 1})
    assert record.worst["edge_max"].value > 0.2, "254 / 255 - 203 / 255 is 0.20000000000000007"
    assert record.use_onnx is used


def test_what_a_model_says_is_one_line(bundle: Bundle) -> None:
    forged = "it crashed\nerror: all is well\u2028accepted\r\n"
    tried(bundle, (cutout(), None))
    own = backend_bundle(bundle, "exported")
    own.write_invocations([Invocation(case="c0", status="failed", error=forged)])
    record = compared(bundle, 1)
    told = "with the exported file: it crashed error: all is well accepted"
    assert record.cases[0].fault == told
    assert record.fault == f"1 of 1 cases differ too much from the trained weights: c0, {told}"


def test_what_an_older_driver_has_left_becomes_one_line(bundle: Bundle) -> None:
    tried(bundle, fault="with USE_ONNX=true: the model exited\nerror: all is well")
    assert compared(bundle, 1).fault == "with USE_ONNX=true: the model exited error: all is well"


def test_a_slice_of_a_run_that_the_model_must_refuse_compares_nothing(bundle: Bundle) -> None:
    cases = suite(2)
    refused = cases.model_dump()
    refused["cases"][0] |= {"expect": {"status": 422}, "slices": ["broken"], "truth": None}
    cases = type(cases).model_validate(refused)
    assert compare_backends(contract(), cases, bundle, only="broken") is None
    assert (export_record(bundle), bundle.run().use_onnx) == (None, None)
    with pytest.raises(UsageError, match="no case carries the slice 'fur'"):
        compare_backends(contract(), cases, bundle, only="fur")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (
            (cutout(), None),
            "1 of 2 cases differ too much from the trained weights: c1, with the exported file: crashed",
        ),
        ((None, cutout()), "c1, with the trained weights: crashed"),
        ((cutout(), cutout(side=64)), "c1, the answers differ in size: 32x32 and 64x64 pixels"),
        ((cutout(), b"<html>"), "c1, the output is not a PNG with alpha"),
        ((cutout(), cutout()[:60]), "c1, the output is not a PNG with alpha"),
    ],
)
def test_answers_that_cannot_be_compared_are_as_over_a_limit(
    bundle: Bundle, pair: tuple[bytes | None, bytes | None], said: str
) -> None:
    tried(bundle, (cutout(), cutout()), pair)
    record = compared(bundle, 2)
    assert record.use_onnx is False
    assert said in (record.fault or "")
    assert record.shown == "c1"


@pytest.mark.slow
def test_a_case_that_is_answered_with_neither_says_nothing(bundle: Bundle) -> None:
    tried(bundle, (cutout(), cutout()), (None, None))
    record = compared(bundle, 2)
    assert record.use_onnx is True
    assert [case.failed for case in record.cases] == [False, True]


def test_a_model_that_answers_nothing_is_not_used_with_its_export(bundle: Bundle) -> None:
    tried(bundle, (None, None))
    record = compared(bundle, 1)
    assert record.use_onnx is False
    assert (record.fault or "").startswith("the model answers no case; c0, with both: crashed")
    assert record.shown is None


def test_an_exporter_that_failed_and_a_model_that_did_not_start(bundle: Bundle) -> None:
    tried(bundle, fault="with USE_ONNX=true: the model exited with code 1")
    record = compared(bundle, 1)
    assert (record.use_onnx, record.fault) == (False, "with USE_ONNX=true: the model exited with code 1")
    assert compared(bundle, 5) == record, "an outcome stays"


def test_a_link_in_the_place_of_an_answer_leads_nowhere(bundle: Bundle, tmp_path: Path) -> None:
    tried(bundle, (cutout(), cutout()))
    answer = bundle.path / "export" / "exported" / "outputs" / "c0" / "output.png"
    answer.unlink()
    (tmp_path / "elsewhere.png").write_bytes(cutout())
    answer.symlink_to(tmp_path / "elsewhere.png")
    record = compared(bundle, 1)
    assert record.use_onnx is False
    assert record.cases[0].values == {}


def test_without_the_models_part_there_is_nothing_to_compare(bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="nothing was exported"):
        compared(bundle, 1)
