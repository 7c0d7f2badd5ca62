"""The exporter and both backends of a tiny model: what is left for the comparison, and what breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.exported_model import CONTRACT, EXPORT, EXPORTER, TRAINED

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import TriedRecord, backend_bundle, tried_record
from penstock.bundle.models import WeightsFile
from penstock.bundle.steps import begin
from penstock.contract.models import Contract, Suite, suite_model
from penstock.evaluation.backends import Where, try_backends
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import sha256_file

MODEL_OF_TEXT = """
import os, sys
from pathlib import Path
onnx = os.environ["USE_ONNX"]
if os.environ.get("FAILS_WITH") == onnx:
    raise SystemExit(f"no backend {onnx}")
for name in ("suite/truth.png", "suite/other.png"):
    try:
        Path(name).read_bytes()
        print("READ", name)
    except OSError:
        pass
Path(sys.argv[2]).write_text(onnx)
"""


class Repository:
    """A model that answers the word in its variable, and a bundle whose weights were verified."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        for name, content in {
            "cut.py": MODEL_OF_TEXT.encode(),
            "export.py": EXPORTER.encode(),
            "weights/cut.json": TRAINED,
            "weights/cut.bin": TRAINED + b"\n",
            **{f"suite/{name}.png": name.encode() for name in ("photo", "truth", "other")},
        }.items():
            path = self.source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.bundle = Bundle(folder / "bundle")
        run = begin(self.bundle, run_id="r", track="release")
        files = [self.source / "weights" / name for name in ("cut.json", "cut.bin")]
        known = [WeightsFile(path=f"weights/{file.name}", sha256=sha256_file(file), bytes=1) for file in files]
        self.bundle.update_run(run.model_copy(update={"weights": known}))
        self.progress: list[tuple[int, int, str]] = []

    def contract(self, *, env: dict[str, str] | None = None, **export: Any) -> Contract:
        call = CONTRACT["call"] | {"env": env or {}}
        return Contract.model_validate(CONTRACT | {"call": call, "export": EXPORT | export})

    def suite(self) -> Suite:
        case = {"inputs": {"image": "photo.png"}, "truth": "truth.png"}
        other = case | {"name": "other", "truth": "other.png"}
        cases = [case | {"name": "one", "slices": ["hair"]}, case | {"name": "two", "slices": ["hair"]}, other]
        return suite_model("matting").model_validate({"version": 1, "family": "matting", "cases": cases})

    def tried(self, contract: Contract, only: str = "") -> TriedRecord:
        record = self.asked(contract, self.suite(), only)
        assert record is not None
        return record

    def asked(self, contract: Contract, suite: Suite, only: str) -> TriedRecord | None:
        assert contract.export is not None
        return try_backends(
            contract,
            contract.export,
            suite,
            self.source,
            self.bundle,
            Where(image=None, python=None, temporary=None),
            only=only,
            on_progress=lambda *told: self.progress.append(told),
        )

    def answers(self, side: Any) -> dict[str, str]:
        own = backend_bundle(self.bundle, side)
        return {call.case: (own.path / (call.output or "")).read_text() for call in own.invocations()}


@pytest.fixture
def model(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


@pytest.mark.slow
def test_both_answer_the_cases_of_the_slice(model: Repository) -> None:
    record = model.tried(model.contract())
    assert (record.fault, record.exporter.fault, record.exporter.same) == (None, None, True)
    assert record.exporter.bytes == len(TRAINED) + 1
    assert record.seconds.keys() == {"trained", "exported"}
    assert model.answers("trained") == {"one": "false", "two": "false"}
    assert model.answers("exported") == {"one": "true", "two": "true"}
    assert [told[:2] for told in model.progress] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    log = (model.bundle.path / "export" / "trained" / "logs" / "model.log").read_text(encoding="utf-8")
    assert "READ" not in log, "what answers are compared with, those of other cases as well"
    assert tried_record(model.bundle) == record


@pytest.mark.slow
def test_a_run_that_asks_for_another_slice(model: Repository) -> None:
    with pytest.raises(UsageError, match="no case carries the slice 'fur'"):
        model.tried(model.contract(slice=None), only="fur")
    model.tried(model.contract(slice=None))
    assert set(model.answers("trained")) == {"one", "two", "other"}


def test_of_a_slice_that_the_model_must_refuse_nothing_is_run(model: Repository) -> None:
    suite = model.suite()
    refused = suite.model_dump()
    refused["cases"][2] |= {"expect": {"status": 422}, "slices": ["broken"], "truth": None}
    assert model.asked(model.contract(), type(suite).model_validate(refused), "broken") is None
    assert not (model.bundle.path / "export").exists()


@pytest.mark.slow
def test_what_was_tried_is_not_tried_again(model: Repository) -> None:
    first = model.tried(model.contract())
    (model.source / "export.py").write_text("raise SystemExit(1)")
    assert model.tried(model.contract()) == first


@pytest.mark.slow
def test_after_an_exporter_that_fails_nothing_is_put_to_the_model(model: Repository) -> None:
    (model.source / "export.py").write_text("raise SystemExit('no opset\\nerror: all is well')")
    record = model.tried(model.contract())
    assert "the exporter exited with code 1; the end of its log: no opset error: all is well" in (
        record.exporter.fault or ""
    )
    assert record.seconds == {}
    assert not backend_bundle(model.bundle, "trained").path.exists()


@pytest.mark.slow
def test_another_file_than_the_released_one_is_on_record(model: Repository) -> None:
    (model.source / "export.py").write_text(EXPORTER + "open(sys.argv[2], 'ab').write(b'2026')\n")
    record = model.tried(model.contract())
    assert (record.exporter.fault, record.exporter.same) == (None, False)


@pytest.mark.slow
@pytest.mark.parametrize("word", ["true", "false"])
def test_a_program_that_fails_with_one_of_them_has_calls_that_say_so(model: Repository, word: str) -> None:
    record = model.tried(model.contract(env={"FAILS_WITH": word}))
    assert record.fault is None
    side: Any = "exported" if word == "true" else "trained"
    calls = backend_bundle(model.bundle, side).invocations()
    assert [call.status for call in calls] == ["failed", "failed"]
    assert f"no backend {word}" in (calls[0].error or "")


SERVICE = """
import os, sys
if os.environ["USE_ONNX"] == os.environ["FAILS_WITH"]:
    raise SystemExit("no such backend\\nerror: all is well")
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(b"answer")
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def service(model: Repository, fails_with: str) -> Contract:
    (model.source / "cut.py").write_text(SERVICE)
    http = {"argv": ["python", "cut.py", "{port}"], "path": "/", "files": {"image": "image"}, "response": "image/png"}
    call = {"http": http, "warmup": 0, "env": {"FAILS_WITH": fails_with}}
    return Contract.model_validate(CONTRACT | {"call": call})


@pytest.mark.slow
def test_a_service_that_does_not_start_with_its_export_is_a_fault(model: Repository) -> None:
    record = model.tried(service(model, "true"))
    assert (record.fault or "").count("with USE_ONNX=true: the model exited with code 1 before it was ready") == 1
    assert "no such backend error: all is well" in (record.fault or "")
    assert record.seconds.keys() == {"trained"}


@pytest.mark.slow
def test_a_service_that_does_not_start_with_its_trained_weights_breaks_the_run(model: Repository) -> None:
    with pytest.raises(
        WorldError, match="with USE_ONNX=false: the model exited with code 1 before it was ready"
    ) as told:
        model.tried(service(model, "false"))
    assert "no such backend error: all is well" in str(told.value)
    assert tried_record(model.bundle) is None
