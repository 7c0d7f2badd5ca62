"""A service with the interface of RMBG that gives every kind of answer that it should not, and those that it may."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from tests.invocation.json_answers import JSON_ANSWERS
from tests.unit.families.matting.drawn_mattes import disc, save

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement
from penstock.contract.load import load_contract, load_suite
from penstock.evaluation.infer import infer
from penstock.evaluation.measure import measure

SERVICE = (
    JSON_ANSWERS
    + """
import base64, os
import cv2
import numpy as np
def png(picture): return cv2.imencode(".png", picture)[1].tobytes()
def text(data): return base64.b64encode(data).decode()
class Handler(JsonHandler):
    def do_GET(self): self.answer(200, {})
    def do_POST(self):
        assert self.path == "/api/remove-bg"
        photo = cv2.imdecode(np.frombuffer(base64.b64decode(self.asked()["image"]), np.uint8), cv2.IMREAD_COLOR)
        width = photo.shape[1]
        if max(photo.shape) > 2000:
            photo = cv2.resize(photo, (1024, photo.shape[0] * 1024 // width), interpolation=cv2.INTER_AREA)
        good = png(np.dstack([photo, 255 - photo[:, :, 0]]))
        if width == 90: return self.answer(200, {"image": "data:image/png;base64," + text(good)})
        if width == 91: return self.answer(200, {"result": text(good)})
        if width == 92: return self.answer(200, {"image": text(cv2.imencode(".jpg", photo)[1].tobytes())})
        if width == 93: return self.answer(200, {"image": text(good[:-40])})
        if width == 94: return self.answer(200, {"image": text(png(photo))})
        if width == 95: return self.answer(200, {"image": text(b"<!doctype html><p>out of memory")})
        if width == 96:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            return self.wfile.write(b"<html>busy</html>")
        self.answer(200, {"image": base64.encodebytes(good).decode()})
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
)
CASES = {
    "lines": (80, 60),
    "large": (2400, 1201),
    "data-url": (90, 60),
    "no-field": (91, 60),
    "jpeg": (92, 60),
    "cut": (93, 60),
    "no-alpha": (94, 60),
    "page-in-json": (95, 60),
    "page": (96, 60),
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Measurement]]:
    """Case → metric → what was measured of the service's answer."""
    root = tmp_path_factory.mktemp("model")
    contract: dict[str, Any] = {
        "version": 1,
        "name": "cutter",
        "family": "matting",
        "call": {"preset": "rmbg", "http": {"argv": ["python", "serve.py"]}, "warmup": 0},
        "suite": "suite",
        "policy": {"rules": [{"metric": "mae", "max": 1}]},
    }
    cases = []
    for name, size in CASES.items():
        alpha = disc(size, min(size) // 3)
        save(root / "suite" / f"{name}.png", cv2.cvtColor(255 - alpha, cv2.COLOR_GRAY2BGR))
        save(root / "suite" / f"{name}-truth.png", alpha)
        cases.append({"name": name, "inputs": {"image": f"{name}.png"}, "truth": f"{name}-truth.png"})
    (root / "serve.py").write_text(SERVICE, encoding="utf-8")
    (root / "penstock.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    suite = {"version": 1, "family": "matting", "cases": cases}
    (root / "suite" / "suite.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    bundle = Bundle(tmp_path_factory.mktemp("bundle"))
    made = load_contract(root)
    infer(made, load_suite(root, made), root, bundle)
    measure(made, load_suite(root, made), bundle, root)
    found: dict[str, dict[str, Measurement]] = {name: {} for name in CASES}
    for line in bundle.measurements():
        found[line.case][line.metric] = line
    return found


def test_base64_with_line_breaks_and_a_data_url_are_taken(measured: dict[str, dict[str, Measurement]]) -> None:
    for name in ("lines", "data-url"):
        assert (measured[name]["mae"].value, measured[name]["hd95"].value) == (0.0, 0.0)


def test_a_photo_over_2000_px_comes_back_at_1024_and_the_truth_is_scaled(
    measured: dict[str, dict[str, Measurement]],
) -> None:
    values = {name: found.value for name, found in measured["large"].items()}
    assert values["mae"] == pytest.approx(0, abs=1e-3)
    assert values["hd95"] == pytest.approx(0, abs=1.0)
    assert np.isfinite(values["sad"] or 0.0)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("no-field", "the output is not there"),
        ("jpeg", "JPEG"),
        ("cut", "it is cut short"),
        ("no-alpha", "has no alpha"),
        ("page-in-json", "HTML page"),
        ("page", "the model answered 'text/html' where 'application/json' was expected"),
    ],
)
def test_every_other_answer_has_its_reason_at_every_metric(
    measured: dict[str, dict[str, Measurement]], case: str, reason: str
) -> None:
    answered = [found for name, found in measured[case].items() if name not in ("latency", "peak_memory")]
    lines = [found for found in answered if found.applies]
    assert {found.metric for found in answered} - {found.metric for found in lines} == {"dtssd", "fringe"}
    assert len(lines) == 16
    assert all(found.value is None and reason in str(found.error) for found in lines), lines[0].error
