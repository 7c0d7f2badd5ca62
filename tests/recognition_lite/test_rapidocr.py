"""The service around RapidOCR, without RapidOCR, and the suite that it is measured on (docs/rapidocr.md)."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from types import ModuleType

import make_repository
import pytest
import yaml
from tests.recognition_lite.recognition_service import form_of
from tests.sonic_lite.talking_head_service import BOUNDARY
from training import make_rapidocr_suite as maker
from training.recognition import texts

from penstock.contract.check import check_repository
from penstock.families.registry import directions

SERVER = Path(__file__).resolve().parents[2] / "test-assets" / "models" / "rapidocr" / "base" / "server.py"
DIGESTS = {
    "sign-latin": "6a58be8e02795a9f",
    "sign-chinese": "7a825ca8ace4b448",
    "sign-night": "6aeffd1cb54f85c9",
    "screen-latin": "cf6e2701794e9c5a",
    "screen-chinese": "454f72723c9b791f",
}
"""Of each kind's second case: its picture as it is drawn."""


@pytest.fixture(scope="module")
def server() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rapidocr_server", SERVER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_release_has_a_contract_without_faults(tmp_path: Path) -> None:
    manifest = make_repository.read_manifest("rapidocr")
    maker.make(tmp_path / "made" / "suite", each=2)
    for release in manifest.releases:
        tree = tmp_path / release.tag
        make_repository.stage(manifest, release, tree, tmp_path / "made")
        report = check_repository(tree, metrics=directions())
        assert [str(fault) for fault in report.faults if not fault.warning] == []


@pytest.mark.parametrize("kind", maker.COUNTS)
def test_a_seed_gives_the_same_pixels_on_every_machine(kind: str) -> None:
    assert hashlib.sha256(maker.make_case(kind, 1).image.tobytes()).hexdigest()[:16] == DIGESTS[kind]


def test_a_screenshot_says_all_its_lines_in_the_order_of_reading() -> None:
    shown = maker.make_case("screen-latin", 0)
    assert shown.lines[0] in texts.LATIN
    assert len(shown.lines) > 3
    entry = maker.entry("screen-latin-01", "screen-latin", shown)
    assert entry["text"] == " ".join(shown.lines)
    assert entry["slices"] == ["screenshots"]


def test_each_slice_with_a_rule_has_cases_enough(tmp_path: Path) -> None:
    maker.make(tmp_path)
    cases = yaml.safe_load((tmp_path / "suite.yaml").read_text(encoding="utf-8"))["cases"]
    rules = yaml.safe_load((SERVER.parent / "penstock.yaml").read_text(encoding="utf-8"))["policy"]["rules"]
    for slice_ in {rule["slice"] for rule in rules if "slice" in rule}:
        assert sum(slice_ in case["slices"] for case in cases) >= 20


def test_an_answer_has_upright_boxes_inside_the_picture(server: ModuleType) -> None:
    corners = [[-3.0, 10.0], [40.0, 8.0], [41.0, 20.0], [-2.0, 22.0]]
    answer = server.answer(
        [(corners, "出口", 1.2), ([[5, 5], [9, 5], [9, 99], [5, 99]], "EXIT", 0.5)], (40, 60), 12.345
    )
    assert answer["objects"][0] == {"label": "text", "confidence": 1.0, "box": [0.0, 8.0, 40.0, 14.0]}
    assert answer["objects"][1]["box"] == [5.0, 5.0, 4.0, 55.0]
    assert (answer["text"], answer["description"], answer["latency_ms"]) == ("出口 EXIT", "2 lines", 12.35)


def test_the_picture_is_taken_from_the_form_as_it_was_sent(server: ModuleType) -> None:
    content = bytes(range(256)) * 3 + b"\r\n--no boundary\r\n\n"
    assert server.image_of(f"multipart/form-data; boundary={BOUNDARY}", form_of(content, "路牌.jpg")) == content
    with pytest.raises(server.RefusedError, match="one file 'image'"):
        server.image_of("text/plain", b"none")
