"""A model that cuts out photos and clips goes through whole releases: a rule over flicker counts the clips alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from tests.pipeline.pipeline_runs import run_release
from tests.unit.families.matting.drawn_clips import discs, write_clip
from tests.unit.sources.source_servers import commit, git, new_repository

MODEL = """
import sys
from fractions import Fraction
from pathlib import Path
import av
import cv2
import numpy as np


def cut(picture, weak=0):
    alpha = cv2.subtract(255, picture[:, :, 2])  # RGB: the background is blue
    return np.dstack([picture, cv2.subtract(alpha, weak)])


if sys.argv[1].endswith(".png"):
    photo = cv2.imread(sys.argv[1])[:, :, ::-1]
    cutout = cut(photo)[:, :, [2, 1, 0, 3]]
    Path(sys.argv[2]).write_bytes(cv2.imencode(".png", cutout)[1].tobytes())
else:
    with av.open(sys.argv[1]) as source, av.open(sys.argv[2], "w", format="webm") as target:
        stream = target.add_stream("libvpx-vp9", rate=25, options={"auto-alt-ref": "0", "crf": "4", "b": "0"})
        stream.width, stream.height, stream.pix_fmt = 80, 60, "yuva420p"
        for number, frame in enumerate(source.decode(video=0)):
            weak = FLICKER if number % 2 else 0
            made = av.VideoFrame.from_ndarray(cut(frame.to_ndarray(format="rgb24"), weak), format="rgba")
            made.pts, made.time_base = number, Fraction(1, 25)
            target.mux(stream.encode(made))
        target.mux(stream.encode(None))
"""
CONTRACT: dict[str, Any] = {
    "version": 1,
    "name": "cutter",
    "family": "matting",
    "call": {"command": {"argv": ["python", "cut.py", "{shot}", "{output}"], "output": ".webm"}, "warmup": 0},
    "suite": "suite",
    "policy": {"rules": [{"metric": "mae", "max": 0.1}, {"metric": "dtssd", "max": 2.0}]},
}


def case(name: str, kind: str, suffix: str, true: str) -> dict[str, Any]:
    inputs = dict.fromkeys(("shot", kind), f"{name}{suffix}")
    return {"name": name, "inputs": inputs, "truth": f"{name}-truth{true}"}


def suite(folder: Path) -> dict[str, str | bytes]:
    """Photos and clips whose blue is the background's share. Either is the input ``shot`` of the program."""
    files: dict[str, str | bytes] = {}
    cases = []
    for number in range(2):
        alphas = discs(6)[number:]
        frames = [np.dstack([np.full_like(a, 120), np.full_like(a, 90), 255 - a]) for a in alphas]
        shot = write_clip(folder / "shot.mov", frames, codec="png", pix_fmt="rgb24", source="rgb24")
        truth = write_clip(folder / "truth.mkv", alphas)
        files |= {f"suite/clip-{number}.mov": shot.read_bytes(), f"suite/clip-{number}-truth.mkv": truth.read_bytes()}
        files[f"suite/photo-{number}.png"] = cv2.imencode(".png", frames[0][:, :, ::-1])[1].tobytes()
        files[f"suite/photo-{number}-truth.png"] = cv2.imencode(".png", alphas[0])[1].tobytes()
        cases += [
            case(f"clip-{number}", "video", ".mov", ".mkv"),
            case(f"photo-{number}", "image", ".png", ".png"),
        ]
    return files | {"suite/suite.yaml": yaml.safe_dump({"version": 1, "family": "matting", "cases": cases})}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = new_repository(tmp_path_factory.mktemp("models") / "cutter")
    good = {"penstock.yaml": yaml.safe_dump(CONTRACT), "cut.py": MODEL.replace("FLICKER", "0")}
    commit(repository, suite(tmp_path_factory.mktemp("suite")) | good, "cut")
    git(repository, "tag", "v1.0.0")
    commit(repository, {"cut.py": MODEL.replace("FLICKER", "30")}, "every second frame is weaker")
    git(repository, "tag", "v1.1.0")
    return repository


def test_a_release_is_published_and_one_that_flickers_is_rejected(repository: Path, tmp_path: Path) -> None:
    code, bundle = run_release(repository, tmp_path, "v1.0.0")
    assert code == 0
    rules = {rule.metric: rule for rule in bundle.verdict().rules}
    assert (rules["mae"].n, rules["dtssd"].n) == (4, 2)
    values = {(line.case, line.metric): line for line in bundle.measurements()}
    photo = values["photo-0", "dtssd"]
    assert (photo.value, photo.applies, photo.error) == (None, False, "a photograph has no motion")
    assert values["clip-0", "dtssd"].value == pytest.approx(0, abs=2)
    assert values["clip-0", "dtssd"].applies
    series = bundle.series_file.read_text(encoding="utf-8")
    assert '"case":"clip-0"' in series
    assert '"worst_frame"' in series

    code, bundle = run_release(repository, tmp_path, "v1.1.0")
    assert code == 1
    rules = {rule.metric: rule for rule in bundle.verdict().rules}
    assert (rules["mae"].verdict, rules["dtssd"].verdict, rules["dtssd"].n) == ("pass", "fail", 2)
