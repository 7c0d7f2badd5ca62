"""The bundle: what is written is read again, what is edited is caught, older versions stay readable."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from tests.unit.foundation.trees import deep

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement, Run
from penstock.foundation.errors import UsageError
from penstock.foundation.handles import discard_tree


def test_measurements_come_back_as_they_were(bundle: Bundle) -> None:
    wanted = [
        Measurement(case="a", metric="lse_d", value=7.91, slices=["fast"], extractor="x@sha256:1"),
        Measurement(case="b", metric="lse_d", value=None, error="the model answered 500"),
    ]
    bundle.write_measurements(wanted)
    assert bundle.measurements() == wanted
    lines = bundle.measurements_file.read_text().splitlines()
    assert json.loads(lines[1]) == {
        "case": "b",
        "metric": "lse_d",
        "value": None,
        "unit": "",
        "slices": [],
        "error": "the model answered 500",
    }


@pytest.mark.parametrize(
    "line",
    [
        '{"case": "a", "metric": "m", "value": NaN}',
        "nonsense",
        '{"case": "a"}',
        '{"case": "", "metric": "m", "value": 1}',
    ],
)
def test_a_broken_line_is_named(bundle: Bundle, line: str) -> None:
    bundle.measurements_file.write_text('{"case": "a", "metric": "m", "value": 1}\n' + line + "\n")
    with pytest.raises(UsageError, match=r"measurements\.jsonl:2"):
        bundle.measurements()


def test_a_sealed_bundle_holds_and_an_edited_one_is_caught(bundle: Bundle) -> None:
    (bundle.outputs / "a").mkdir(parents=True)
    (bundle.outputs / "a" / "output.mp4").write_bytes(b"video")
    (bundle.outputs / "a" / "gone.mp4").write_bytes(b"video")
    bundle.seal()
    bundle.verify()
    (bundle.outputs / "a" / "output.mp4").write_bytes(b"other")
    (bundle.outputs / "a" / "gone.mp4").unlink()
    (bundle.path / "extra.txt").touch()
    with pytest.raises(
        UsageError, match=r"missing outputs/a/gone\.mp4; changed outputs/a/output\.mp4; extra extra\.txt"
    ):
        bundle.verify()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["socket", "pipe", "symbolic link", "deeper than", "not UTF-8"])
def test_what_is_no_plain_file_in_a_bundle_is_a_message(bundle: Bundle, kind: str) -> None:
    bundle.seal()
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(bundle.outputs / "s"))
    elif kind == "pipe":
        os.mkfifo(bundle.outputs / "p")
    elif kind == "symbolic link":
        (bundle.outputs / "l").symlink_to("/etc")
    elif kind == "deeper than":
        deep(bundle.outputs, 1100)
    else:
        Path(os.fsdecode(bytes(bundle.outputs) + b"/\xff")).touch()
    for read in (bundle.verify, bundle.seal):
        with pytest.raises(UsageError, match=kind):
            read()
    discard_tree(bundle.outputs)


def test_a_newer_bundle_is_refused_and_unknown_fields_of_this_version_are_not(bundle: Bundle) -> None:
    content = json.loads(bundle.run_file.read_text())
    bundle.run_file.write_text(json.dumps(content | {"something": "new"}))
    assert bundle.run().run_id == "run-1"
    bundle.run_file.write_text(json.dumps(content | {"schema_version": 99}))
    with pytest.raises(UsageError, match="newer Penstock"):
        bundle.run()


def test_bundles_of_the_first_version_stay_readable() -> None:
    old = Path(__file__).parent / "bundle-v1.json"
    assert Run.model_validate_json(old.read_text()).source is not None
