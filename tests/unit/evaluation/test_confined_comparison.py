"""A live answer is compared in a process of its own: what keeps a decoder busy, or ends it, is the answer's fault."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.evaluation.probed_services import ANSWER

from penstock.evaluation import confined_comparison
from penstock.evaluation.answers_apart import AnswersApart, answers_apart
from penstock.evaluation.confined_comparison import confined_answers_apart
from penstock.foundation.errors import WorldError

COMPARE = "penstock.families.recognition.agreement:compare"
LIMITS = {"labels": 0.0, "text": 0.02}
FOR_OTHERS_ALONE = """
import json, os, sys, time
order = json.loads(sys.stdin.read())
if order["one"] != order["other"]:
    {what}
open(order["folder"] + "/compared.json", "w").write('{{"values": {{}}, "fault": null}}')
"""
"""A stand-in of a decoder that only the live answer does something to."""


def answer(folder: Path, name: str, **more: object) -> dict[str, Path]:
    file = folder / f"{name}.json"
    file.write_text(json.dumps(ANSWER | more))
    return {"": file}


def compared(folder: Path, limit_s: float = 60.0) -> AnswersApart:
    one, other = answer(folder, "one"), answer(folder, "other", text="Way out")
    return confined_answers_apart(COMPARE, LIMITS, one, other, {}, limit_s=limit_s)


@pytest.mark.slow
def test_it_comes_to_the_same_as_here(tmp_path: Path) -> None:
    found = compared(tmp_path)
    one, other = answer(tmp_path, "one"), answer(tmp_path, "other", text="Way out")
    assert found == answers_apart(COMPARE, LIMITS, one, other, {})
    assert found.fault is not None
    assert "text is" in found.fault
    (tmp_path / "other.json").write_bytes(b"\xff" * 100)
    assert confined_answers_apart(COMPARE, LIMITS, one, other, {}).fault


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ("time.sleep(60)", "it took longer than 0.5 s"),
        ("os.abort()", "what decodes them ended: it said nothing"),
        ("sys.exit('Killed\\nby: it')", "what decodes them ended: by: it"),
        ("[].append(open(order['folder'] + '/compared.json', 'w').write('x')); sys.exit()", "left no result"),
    ],
)
def test_what_it_does_to_its_decoder_is_its_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, fault: str
) -> None:
    monkeypatch.setattr(confined_comparison, "BOOT", FOR_OTHERS_ALONE.format(what=what))
    found = compared(tmp_path, limit_s=0.5 if "sleep" in what else 60.0)
    assert found.fault is not None
    assert found.fault.startswith("the answers cannot be compared: ")
    assert fault in found.fault


LEFT = "import json, sys; order = json.load(sys.stdin); open(order['folder'] + '/compared.json', 'w').write(LEFT)"


@pytest.mark.parametrize(
    ("boot", "said"),
    [
        ("raise SystemExit('MemoryError')", "what decodes them ended: MemoryError"),
        (LEFT.replace("LEFT", repr('{"values": {}, "fault": "ImportError: libXau.so"}')), "ImportError: libXau.so"),
    ],
)
def test_a_machine_that_cannot_compare_is_no_fault_of_a_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, boot: str, said: str
) -> None:
    monkeypatch.setattr(confined_comparison, "BOOT", boot)
    with pytest.raises(WorldError, match=f"answers cannot be compared here: {said}"):
        compared(tmp_path)


def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(confined_comparison, "BOOT", FOR_OTHERS_ALONE.format(what="os.abort()"))
    compared(tmp_path)
    assert list((tmp_path / "tmp").iterdir()) == []
