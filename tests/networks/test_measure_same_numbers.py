"""The same answers have the same numbers: in parallel, on one core, by ``penstock score``, and however often."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from tests.unit.metrics.drawn_faces import drawn_face

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation
from penstock.evaluation.measure import measure

CASES = 4
FRAMES = 10
MORE_THAN_CORES = 4 * len(os.sched_getaffinity(0))
ONE_CORE = """
import os, pickle, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from penstock.contract.models import suite_model
from penstock.evaluation.measure import measure
contract, suite, bundle, source = pickle.load(sys.stdin.buffer)
for line in measure(contract, suite_model(contract.family).model_validate(suite), bundle, source):
    print(line.model_dump_json())
"""
Values = dict[tuple[str, str], float | str | None]


def talking(case: int) -> bytes:
    """A drawn face that wanders and moves its mouth, with a rising tone; each case has a picture size of its own."""
    height, width = 110 + 12 * case, 130 + 10 * case
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        track = container.add_stream("aac", rate=16_000, layout="mono")
        for number in range(FRAMES):
            mouth = 5 + number * (case + 2) % 7
            large = drawn_face(number - FRAMES // 2, size=(2 * height, 2 * width), down=case, mouth=mouth)
            image = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        time = np.arange(FRAMES * 640) / 16_000
        tone = (8000 * np.sin(2 * np.pi * (200 + 60 * case + 300 * time) * time)).astype(np.int16)
        for start in range(0, tone.size, 1024):
            piece = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="s16", layout="mono")
            piece.rate, piece.pts, piece.time_base = 16_000, start, Fraction(1, 16_000)
            container.mux(track.encode(piece))
        container.mux(track.encode(None))
    return file.getvalue()


@pytest.fixture
def answered(repository: Any, bundle: Bundle) -> tuple[Any, ...]:
    """What *measure* takes: a contract, a suite that says of no face where it is, the answers, the repository."""
    calls = []
    for case in range(CASES):
        path = bundle.outputs / f"case-{case}" / "output.mp4"
        path.parent.mkdir(parents=True)
        path.write_bytes(talking(case))
        output = path.relative_to(bundle.path).as_posix()
        calls.append(Invocation(case=f"case-{case}", status="ok", output=output, latency_s=0.5, peak_memory_mib=100.0))
    bundle.write_invocations(calls)
    suite = repository.suite(*map(str, range(CASES)), face_box=None)
    return repository.contract(extractors=True), suite, bundle, repository.path


def values(lines: list[Any]) -> Values:
    return {(line["case"], line["metric"]): line["value"] if line["error"] is None else line["error"] for line in lines}


def same(one: Values, other: Values) -> bool:
    assert one.keys() == other.keys()
    return all(
        value == pytest.approx(other[key], rel=1e-9, abs=1e-9) if isinstance(value, float) else value == other[key]
        for key, value in one.items()
    )


def test_in_parallel_on_one_core_and_by_score(answered: tuple[Any, ...]) -> None:
    runs = [values([line.model_dump() for line in measure(*answered, workers=MORE_THAN_CORES)]) for _ in range(3)]
    numbers = runs[0]
    assert {metric for (_, metric), value in numbers.items() if not isinstance(value, float)} == {"size_error"}, (
        "no case asks for a size"
    )
    assert same(numbers, runs[1])
    assert same(numbers, runs[2])
    assert same(numbers, on_one_core(answered))
    assert same(numbers | by_score(answered), numbers)


def on_one_core(answered: tuple[Any, ...]) -> Values:
    contract, suite, bundle, source = answered
    given = pickle.dumps((contract, suite.model_dump(), bundle, source))
    done = subprocess.run([sys.executable, "-c", ONE_CORE], input=given, capture_output=True, check=True)
    return values([json.loads(line) for line in done.stdout.splitlines()])


def by_score(answered: tuple[Any, ...]) -> Values:
    """LSE-D, LSE-C and the offset of each answer, FID and KID of all, as the commands print them."""
    _, _, bundle, source = answered
    folder = bundle.path / "answers"
    folder.mkdir()
    found: Values = {}
    for case in range(CASES):
        video = bundle.outputs / f"case-{case}" / "output.mp4"
        (folder / f"case-{case}.mp4").write_bytes(video.read_bytes())
        result = score("lipsync", video, "--weights", source / "syncnet.onnx")
        offset = float(result["offset_frames"])
        found |= {
            (f"case-{case}", "lse_d"): result["lse_d"],
            (f"case-{case}", "lse_c"): result["lse_c"],
            (f"case-{case}", "av_offset"): offset,
            (f"case-{case}", "av_offset_abs"): abs(offset),
        }
    result = score("frechet", folder, source / "suite" / "reference", "--weights", source / "features.onnx")
    return found | {("*", "fid"): result["fid"], ("*", "kid"): result["kid"]}


def score(command: str, *arguments: str | Path) -> dict[str, Any]:
    from typer.testing import CliRunner

    from penstock.cli.app import application

    done = CliRunner().invoke(application(), ["score", command, *map(str, arguments), "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))
