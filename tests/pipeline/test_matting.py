"""A model that removes backgrounds goes through whole releases: what is good is published, what answers JPEG is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import yaml
from tests.pipeline.pipeline_runs import run_release
from tests.unit.sources.source_servers import commit, git, new_repository

CASES = 5
MODEL = """
import sys
from pathlib import Path
import cv2
import numpy as np
for truth in sorted(Path("suite").glob("truth-*.png")):
    try:
        truth.read_bytes()
        print("READ", truth.name)
    except OSError:
        print("REFUSED", truth.name)
photo = cv2.imread(sys.argv[1])
alpha = cv2.subtract(255, photo[:, :, 0])  # the background is blue
done, data = cv2.imencode(FORMAT, np.dstack([photo, alpha]))
Path(sys.argv[2]).write_bytes(data.tobytes())
"""
CONTRACT: dict[str, Any] = {
    "version": 1,
    "name": "cutter",
    "family": "matting",
    "call": {"command": {"argv": ["python", "cut.py", "{image}", "{output}"], "output": ".png"}, "warmup": 0},
    "suite": "suite",
    "policy": {
        "rules": [
            {"metric": "mae", "max": 0.02, "margin": "1 floor"},
            {"metric": "hd95", "worst": 3.2},
            {"metric": "uea", "slice": "hair", "min": 0.9},
        ]
    },
}


def png(picture: npt.NDArray[Any]) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def matte(number: int) -> npt.NDArray[np.uint8]:
    """A disc with a soft edge."""
    picture = np.zeros((96, 128), np.uint8)
    cv2.circle(picture, (50 + 4 * number, 48), 30, 255, -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.5), dtype=np.uint8)


def suite() -> dict[str, str | bytes]:
    """Photos whose blue is the background's share; two annotators, of whom the second sees a little less."""
    files: dict[str, str | bytes] = {}
    cases = []
    for number in range(CASES):
        alpha = matte(number)
        green, red = np.full_like(alpha, 90), np.full_like(alpha, 120)
        files |= {
            f"suite/photo-{number}.png": png(np.dstack([255 - alpha, green, red])),
            f"suite/truth-{number}-a.png": png(alpha),
            f"suite/truth-{number}-b.png": png((alpha.astype(np.uint32) * 257 * 9 // 10).astype(np.uint16)),
        }
        truths = [f"truth-{number}-a.png", f"truth-{number}-b.png"]
        cases.append(
            {"name": f"c{number}", "inputs": {"image": f"photo-{number}.png"}, "truth": truths, "slices": ["hair"]}
        )
    return files | {"suite/suite.yaml": yaml.safe_dump({"version": 1, "family": "matting", "cases": cases})}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = new_repository(tmp_path_factory.mktemp("models") / "cutter")
    good = {"penstock.yaml": yaml.safe_dump(CONTRACT), "cut.py": MODEL.replace("FORMAT", "'.png'")}
    commit(repository, suite() | good, "cut")
    git(repository, "tag", "v1.0.0")
    commit(repository, {"cut.py": MODEL.replace("FORMAT", "'.jpg'")}, "smaller answers")
    git(repository, "tag", "v1.1.0")
    return repository


def test_a_release_is_published_and_one_that_answers_jpeg_is_rejected(repository: Path, tmp_path: Path) -> None:
    code, bundle = run_release(repository, tmp_path, "v1.0.0")
    assert code == 0
    values = {(line.case, line.metric): line for line in bundle.measurements()}
    # the mean over both truths of the distance to each: 0 to the first, 0.1 alpha to the second
    mean_alpha = float(np.mean(matte(0) / 255))
    assert values["c0", "mae"].value == pytest.approx(0.05 * mean_alpha, rel=1e-3)
    assert values["c0", "mae"].floor == pytest.approx(0.1 * mean_alpha, rel=1e-3)
    assert values["c0", "fringe"].error == "the case names no foreground"
    log = (bundle.path / "logs" / "model.log").read_text(encoding="utf-8")
    assert "REFUSED truth-0-a.png" in log
    assert "READ" not in log

    code, bundle = run_release(repository, tmp_path, "v1.1.0")
    assert code == 1
    reasons = [rule.reason for rule in bundle.verdict().rules]
    assert all("no value of" in reason and "JPEG" in reason for reason in reasons), reasons
