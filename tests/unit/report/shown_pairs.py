"""A candidate and its baseline with small real videos or pictures, and what the gate said."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from tests.unit.report.case_values import result

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, Run, Source
from penstock.bundle.verdict_record import RuleResult, Verdict

SIDE = 32
FELL = result(metric="lse_d", limit="≤ 9", maximum=9.0, better="lower", reason="LSE-D rose from 7 to 9.5")


def write_video(path: Path, greys: list[int], side: int = SIDE) -> Path:
    """A video whose frames are as grey as said, 25 a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10", "preset": "ultrafast"})
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        for number, grey in enumerate(greys):
            frame = av.VideoFrame.from_ndarray(np.full((side, side, 3), grey, np.uint8), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_picture(path: Path, colour: tuple[int, ...], size: tuple[int, int] = (24, 16)) -> Path:
    """A picture of one colour: BGR or BGRA; ``size`` is width and height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    path.write_bytes(cv2.imencode(".png", np.full((height, width, len(colour)), colour, np.uint8))[1].tobytes())
    return path


def write_side(
    path: Path, version: str, values: dict[str, float | None], *, family: str = "", suffix: str = ".mp4"
) -> Bundle:
    """A bundle with one value of LSE-D a case; of a case without one the call failed. The answers are not written."""
    bundle = Bundle(path)
    path.mkdir(parents=True)
    origin = Source(url="", revision="", commit="c" * 40, committer_date="", version=version, tree="")
    bundle.update_run(Run(penstock="0", run_id=f"run-{version}", model="sonic", family=family, source=origin))
    bundle.write_measurements(
        Measurement(case=case, metric="lse_d", value=value, slices=["all"], error=None if value else "no answer")
        for case, value in values.items()
    )
    bundle.write_invocations(
        Invocation(case=case, status="ok", output=f"outputs/{case}/output{suffix}")
        if value is not None
        else Invocation(case=case, status="failed", error="answered 500")
        for case, value in values.items()
    )
    return bundle


def write_series(bundle: Bundle, case: str, sync: list[float]) -> None:
    """Sync distances of a case's video."""
    line = json.dumps({"case": case, "fps": 25, "sync_distance": sync, "face": [0.25, 0.25, 0.5, 0.5]})
    with bundle.series_file.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def judge(bundle: Bundle, *rules: RuleResult, verdict: str = "fail") -> None:
    """What the gate said."""
    said = {"verdict": verdict, "baseline": "run-1", "candidate": "run-2", "level": 0.05, "rules": list(rules)}
    bundle.write_verdict(Verdict.model_validate(said))


def video_pair(folder: Path) -> tuple[Bundle, Bundle]:
    """``bad`` worsened by 2.5, its lips fit worst at frame 6; ``good`` hardly did."""
    candidate = write_side(folder / "new", "2", {"good": 7.1, "bad": 9.5}, family="talking-head")
    baseline = write_side(folder / "old", "1", {"good": 7.0, "bad": 7.0}, family="talking-head")
    for bundle, shift in ((candidate, 100), (baseline, 0)):
        for case in ("good", "bad"):
            write_video(bundle.outputs / case / "output.mp4", [20 + shift + 5 * n for n in range(12)])
    write_series(candidate, "bad", [7.0] * 4 + [19.0] + [7.0] * 3)
    write_series(baseline, "bad", [7.0] * 8)
    judge(candidate, FELL)
    return candidate, baseline
