"""A service that recognises faces: released, and stopped by the rule that should stop it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from tests.pipeline.pipeline_runs import run_release
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.directory import Bundle
from penstock.bundle.figures_record import FIGURES_FILE, read_figures

SERVICE = """
import email.parser, email.policy, hashlib, json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import cv2
import numpy as np
how = json.load(open("how.json"))
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def say(self, status, value):
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    def do_GET(self): self.say(200, {"status": "ok"})
    def form(self):
        head = b"Content-Type: " + self.headers["Content-Type"].encode() + b"\\r\\n\\r\\n"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        parts = message.iter_parts()
        return {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in parts}
    def do_POST(self):
        found = {name: look(data) for name, data in self.form().items()}
        if None in found.values(): return self.say(422, {"error": "no face"})
        if self.path == "/feature":
            vector, quality = found["image"]
            return self.say(200, {"feature": vector.tolist(), "quality_score": quality, "resolution": "112x112",
                                  "detected_face_area_ratio": 0.4})
        (one, first), (two, second) = found["image1"], found["image2"]
        lower = min(first, second)
        decision = next(name for least, name in BANDS if lower >= least)
        refused = decision == "refused" and not how.get("accepts")
        self.say(200, {"similarity": None if refused else float(one @ two), "quality_score1": first,
                       "quality_score2": second, "decision": decision if refused or decision != "refused" else "pass",
                       "advice": "Take another photo." if lower < 0.6 else ""})
BANDS = [(0.8, "pass"), (0.6, "mark"), (0.4, "retry"), (0.0, "refused")]
def look(data):
    person, quality = cv2.imdecode(np.frombuffer(data, np.uint8), 1)[0, 0, :2].tolist()
    if person == 255: return None
    noise = np.random.default_rng(int.from_bytes(hashlib.sha256(data).digest()[:8])).normal(size=512)
    vector = np.random.default_rng([how.get("space", 0), person]).normal(size=512) + how["noise"] * noise
    quality = quality / 200
    return vector / np.linalg.norm(vector), 1 - quality if how.get("inverted") else quality
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
RULES: list[dict[str, Any]] = [
    {"metric": "eer", "max": 0.05, "margin": 0.02},
    {"metric": "fnmr", "slice": "men", "max": 0.1},
    {"metric": "auroc", "min": 0.9},
    {"metric": "bands", "min": 1},
    {"metric": "repeatable", "min": 1},
    {"metric": "wrongly_accepted", "max": 0},
    {"metric": "gallery", "min": 0.9},
    {"metric": "gallery_eer", "max": 0.05},
    {"metric": "drift", "max": 0.3},
]
CONTRACT = {
    "version": 1,
    "name": "faces",
    "family": "face",
    "call": {
        "preset": "face-ood",
        "http": {"argv": ["python", "serve.py"]},
        "parameters": {"unit_norm": True},
        "warmup": 0,
    },
    "suite": "suite",
    "policy": {"rules": RULES},
}
PEOPLE, IMAGES = 12, 3


def image(person: int, quality: float, number: int) -> bytes:
    """A picture whose first pixel says who is on it and how good it is."""
    pixels = np.full((16, 16, 3), 10 * number, np.uint8)
    pixels[0, 0] = (person, round(200 * quality), 0)
    return cv2.imencode(".png", pixels)[1].tobytes()


def suite() -> dict[str, str | bytes]:
    found: dict[str, str | bytes] = {}
    cases: list[dict[str, Any]] = []
    for person in range(PEOPLE):
        for number in range(IMAGES):
            name = f"p{person}-{number}"
            found[f"suite/{name}.png"] = image(person, 0.85, number)
            slices = ["men" if person % 2 else "women"]
            cases.append({"name": name, "inputs": {"image": f"{name}.png"}, "identity": f"p{person}", "slices": slices})
    for number in range(8):
        found[f"suite/blur-{number}.png"] = image(number, 0.3, 20)
        cases.append({"name": f"blur-{number}", "inputs": {"image": f"blur-{number}.png"}, "ood": "blur"})
    found["suite/wall.png"] = image(255, 0.0, 0)
    cases += [
        {"name": "wall", "inputs": {"image": "wall.png"}, "ood": "no-face", "expect": {"status": 422}},
        {"name": "again", "inputs": {"image": "p0-0.png"}},
        {"name": "one", "inputs": {"first": "p0-0.png", "second": "p0-1.png"}, "same": True},
        {"name": "two", "inputs": {"first": "p0-0.png", "second": "p1-1.png"}, "same": False},
        {"name": "three", "inputs": {"first": "p0-0.png", "second": "blur-0.png"}, "same": True, "ood": "blur"},
    ]
    found["suite/suite.yaml"] = yaml.safe_dump({"version": 1, "family": "face", "cases": cases})
    return found


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The repository, and where its first version was released."""
    folder = tmp_path_factory.mktemp("faces")
    repository = new_repository(folder / "faces")
    commit(
        repository,
        {"penstock.yaml": yaml.safe_dump(CONTRACT), "serve.py": SERVICE, "how.json": '{"noise": 0.6}'} | suite(),
        "1",
    )
    git(repository, "tag", "v1.0.0")
    for version, how in (
        ("v1.1.0", '{"noise": 0.5}'),
        ("v1.2.0", '{"noise": 0.5, "inverted": true}'),
        ("v1.3.0", '{"noise": 0.5, "space": 1}'),
        ("v1.4.0", '{"noise": 0.5, "accepts": true}'),
    ):
        commit(repository, {"how.json": how}, version)
        git(repository, "tag", version)
    out = folder / "out"
    code, bundle = run_release(repository, out, "v1.0.0")
    assert code == 0, bundle.verdict()
    return repository, out


def failed(released: tuple[Path, Path], version: str) -> dict[str, str]:
    """Metric → reason, of the rules that a version broke."""
    code, bundle = run_release(released[0], released[1], version)
    assert code == 1
    return {rule.metric: rule.reason for rule in bundle.verdict().rules if rule.verdict == "fail"}


@pytest.fixture(scope="module")
def better(released: tuple[Path, Path]) -> tuple[int, Bundle]:
    """Exit code and bundle of the better version."""
    return run_release(released[0], released[1], "v1.1.0")


def test_a_better_version_is_accepted_over_the_stored_gallery(better: tuple[int, Bundle]) -> None:
    code, bundle = better
    verdict = bundle.verdict()
    assert code == 0, verdict.rules
    values = {(line.case, line.metric): line for line in bundle.measurements()}
    assert values["*", "eer"].value == 0.0
    assert values["*", "eer"].resamples is not None
    assert values["*", "tar_1e-3"].error == "66 impostor pairs of identities; 10 ÷ FAR = 10,000 are needed"
    assert (values["*", "auroc"].value, values["*", "repeatable"].value) == (1.0, 1.0)
    assert 0 < (values["p0-0", "drift"].value or 0) < 0.1
    assert (values["*", "gallery"].value or 0) > 0.9
    assert values["wall", "wrongly_accepted"].value == 0.0
    assert not values["three", "fnmr"].applies
    gallery = next(rule for rule in verdict.rules if rule.metric == "gallery")
    assert gallery.reason.endswith("as it must be ≥ 0.9"), "its value compares with the release already"


def test_the_report_draws_the_better_version_over_the_released_one(better: tuple[int, Bundle]) -> None:
    """What the drawings need lies in both archived bundles; the pictures of the pairs come from the repository."""
    _, bundle = better
    names = [figure.name for figure in read_figures(bundle).figures]
    assert names[:4] == ["det", "discard", "similarities", "images-one"]
    assert {"images-two", "people", "gallery", "scores", "compared-one", "compared-two"} < set(names)
    assert FIGURES_FILE in bundle.verify().files
    page = (bundle.report / "index.html").read_text(encoding="utf-8")
    section = page[page.index('id="whole"') : page.index('id="metrics"')]
    assert section.count('<polyline class="baseline"') >= 4, "both curves and the rows of the histograms"
    assert section.count("data:image/webp;base64,") >= 20
    assert "not at hand" not in section


def test_an_inverted_score_is_told_as_such(released: tuple[Path, Path]) -> None:
    reasons = failed(released, "v1.2.0")
    assert set(reasons) == {"auroc"}
    assert "below 0.5: the score looks inverted" in reasons["auroc"]


def test_vectors_that_no_stored_gallery_fits_are_stopped(released: tuple[Path, Path]) -> None:
    """The new version by itself is as good as the old one."""
    assert set(failed(released, "v1.3.0")) == {"gallery", "gallery_eer", "drift"}


def test_a_comparison_that_must_be_refused_is_not_accepted_whatever_the_similarity(released: tuple[Path, Path]) -> None:
    reasons = failed(released, "v1.4.0")
    assert set(reasons) == {"bands"}
    assert (
        "'three': the lower quality score is 0.3, below 0.4, so that the decision must be 'refused'" in reasons["bands"]
    )
