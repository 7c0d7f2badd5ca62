"""What scoring a suite costs: 50 clips of 10 s against one, all metrics, and the share of it that decoding takes.

``python tests/bench/bench_scoring.py [--json FILE] [--clips N] [--seconds N] [--side N]`` prints Markdown.

Clips are made of the test assets: a portrait that sways, its mouth moving with real speech, H.264 and AAC. Each suite
is measured in a process of its own (`penstock.evaluation.measure`), whole: loading the networks, decoding, lip sync,
sharpness, jitter, image features, FID and KID with their resamples. *Decoding* is the CPU time of decoding the same
files alone, sound and picture. Where ONNX Runtime has a card, the same is run there. ``--lipsync`` and ``--frechet``
take other networks than those that come with Penstock.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation
from penstock.contract.arithmetic import Arithmetic
from penstock.contract.models import Contract, suite_model
from penstock.evaluation.measure import measure
from penstock.media import read_audio, read_frames

ASSETS = Path(__file__).parent.parent.parent / "test-assets"
EXTRACTORS = ASSETS / "extractors"
DISTINCT = 5
"""Clips that are made; the suite repeats them under other names."""
TARGET_RATIO = 1.1
"""A suite of n clips costs at most 1.1 n times one clip: 55 of 50."""
TARGET_MEMORY = 2.0
"""And at most so many times the memory."""
FPS, RATE = 25, 16_000


@dataclass(frozen=True)
class Cost:
    """Of one process: wall and CPU seconds of the work, peak memory in MiB."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def write_clip(path: Path, number: int, seconds: int, side: int, *, photo: bool = False) -> None:
    """A portrait (the one photo, or any) that sways, with a mouth that opens with the loudness of the speech."""
    portraits = sorted((ASSETS / "portraits").glob("astronaut.png" if photo else "*.png"))
    speech = sorted((ASSETS / "speech").glob("*.flac"))
    picture = cv2.resize(cv2.imread(str(portraits[number % len(portraits)])), (side, side))
    sound = np.resize(read_audio(speech[number % len(speech)], rate=RATE), seconds * RATE)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "20", "preset": "veryfast"})
        video.width = video.height = side
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        loudest = float(np.abs(sound.astype(np.int32)).max()) or 1.0
        for index in range(seconds * FPS):
            piece = sound[index * RATE // FPS : (index + 1) * RATE // FPS]
            sway = np.float32([[1, 0, 0.01 * side * np.sin(index / 9)], [0, 1, 0.01 * side * np.cos(index / 13)]])
            image = cv2.warpAffine(picture, sway, (side, side), borderMode=cv2.BORDER_REPLICATE)
            wide = 1 + int(side * 0.05 * np.abs(piece.astype(np.int32)).mean() / loudest * 4)
            cv2.ellipse(image, (side // 2, side * 5 // 8), (side // 14, wide), 0, 0, 360, (30, 20, 70), -1)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(frame))
            heard = av.AudioFrame.from_ndarray(piece[None], format="s16", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = RATE, index * RATE // FPS, Fraction(1, RATE)
            container.mux(audio.encode(heard))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


def make_model(folder: Path, networks: dict[str, Path]) -> None:
    """A model's repository with nothing but what measuring needs: the networks, a reference, speech."""
    reference = folder / "suite" / "reference"
    reference.mkdir(parents=True)
    for portrait in (ASSETS / "portraits").glob("*.png"):
        shutil.copy(portrait, reference)
    shutil.copy(next(iter((ASSETS / "portraits").glob("*.png"))), folder / "suite" / "face.png")
    shutil.copy(next(iter((ASSETS / "speech").glob("*.flac"))), folder / "suite" / "speech.flac")
    for role, path in networks.items():
        shutil.copy(path, folder / f"{role}.onnx")


def contract(folder: Path) -> Contract:
    """The contract of that repository."""
    weights = {
        role: {"path": f"{role}.onnx", "source": "lfs", "sha256": _sha256(folder / f"{role}.onnx")}
        for role in ("lipsync", "frechet")
    }
    http = {"argv": ["true", "{port}"], "path": "/", "response": "video/mp4"}
    rules = [{"metric": "latency", "max": 100}]
    named: dict[str, Any] = {"version": 1, "name": "bench", "family": "talking-head", "suite": "suite"}
    return Contract.model_validate({**named, "call": {"http": http}, "extractors": weights, "policy": {"rules": rules}})


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def score(folder: Path, clips: int, seconds: int, box: bool, device: str) -> None:
    """Measure ``clips`` answers in a bundle of their own: what a child process does."""
    cases = []
    calls = []
    bundle = Bundle(folder / f"bundle-{clips}-{device}-{box}")
    for number in range(clips):
        name = f"case-{number:03}"
        output = bundle.outputs / name / "output.mp4"
        output.parent.mkdir(parents=True)
        shutil.copy(folder / f"clip-{number % DISTINCT}.mp4", output)
        where = {"face_box": [0.3, 0.25, 0.4, 0.5]} if box else {}
        inputs = {"image": "face.png", "audio": "speech.flac"}
        cases.append({"name": name, "inputs": inputs, "parameters": {"duration": float(seconds)}, **where})
        relative = output.relative_to(bundle.path).as_posix()
        calls.append(Invocation(case=name, status="ok", output=relative, latency_s=1.0, peak_memory_mib=1.0))
    bundle.write_invocations(calls)
    suite = suite_model("talking-head").model_validate(
        {"version": 1, "family": "talking-head", "cases": cases, "reference": "reference"}
    )
    started, cpu = time.perf_counter(), time.process_time()
    arithmetic: Arithmetic = "f32-cuda" if device == "cuda" else "f32"
    lines = measure(contract(folder / "model"), suite, bundle, folder / "model", arithmetic=arithmetic)
    missing = sorted({f"{line.metric}: {line.error}" for line in lines if line.value is None and line.applies})
    spent = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu, "missing": missing}
    sys.stdout.write(json.dumps(spent))


def decode(folder: Path) -> None:
    """Decode the distinct clips alone, picture and sound: what another child does."""
    started, cpu, frames = time.perf_counter(), time.process_time(), 0
    for number in range(DISTINCT):
        path = folder / f"clip-{number}.mp4"
        read_audio(path, with_video=True)
        frames += sum(1 for _ in read_frames(path, fps=FPS))
    spent = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu, "frames": frames}
    sys.stdout.write(json.dumps(spent))


def child(*arguments: object) -> tuple[Cost, dict[str, Any]]:
    """Run this file with other arguments and see what it cost."""
    with tempfile.TemporaryFile() as out:
        process = os.posix_spawn(
            sys.executable,
            [sys.executable, __file__, *map(str, arguments)],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)],
        )
        _, status, usage = os.wait4(process, 0)
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"{' '.join(map(str, arguments))} failed")
        out.seek(0)
        said = json.loads(out.read())
    return Cost(said["seconds"], said["cpu_seconds"], usage.ru_maxrss / 1024), said


def devices() -> list[str]:
    """Where the networks can run."""
    import onnxruntime

    return ["cpu", *(["cuda"] if "CUDAExecutionProvider" in onnxruntime.get_available_providers() else [])]


def main() -> int:
    """Print the table; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--clips", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=10, help="of a clip")
    parser.add_argument("--side", type=int, default=512, help="of its square picture, in pixels")
    parser.add_argument("--lipsync", type=Path, default=EXTRACTORS / "syncnet-compact.onnx")
    parser.add_argument("--frechet", type=Path, default=EXTRACTORS / "portrait-features.onnx")
    parser.add_argument(
        "--look-for-faces", action="store_true", help="cases do not say where the face is (a photo's clips)"
    )
    options = parser.parse_args()

    figures: dict[str, Any] = {}
    lines = [
        f"{options.seconds} s at {options.side}×{options.side} and {FPS} frames a second, all metrics, "
        f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "",
        "| | one clip | clips | seconds | ratio | by CPU | peak of one | peak of all | frames a second "
        "| decoding's share |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    missed = []
    with tempfile.TemporaryDirectory(prefix="bench-scoring-") as name:
        folder = Path(name)
        for number in range(DISTINCT):
            clip = folder / f"clip-{number}.mp4"
            write_clip(clip, number, options.seconds, options.side, photo=options.look_for_faces)
        make_model(folder / "model", {"lipsync": options.lipsync, "frechet": options.frechet})
        decoded, _ = child("decode", folder)
        for device in devices():
            box = not options.look_for_faces
            one, found = child("score", folder, 1, options.seconds, int(box), device)
            many, found = child("score", folder, options.clips, options.seconds, int(box), device)
            ratio, cpu_ratio = many.seconds / one.seconds, many.cpu_seconds / one.cpu_seconds
            rate = options.clips * options.seconds * FPS / many.seconds
            share = decoded.cpu_seconds / DISTINCT * options.clips / many.cpu_seconds
            lines.append(
                f"| {device} | {one.seconds:.2f} s | {options.clips} | {many.seconds:.1f} s | **{ratio:.1f}** | "
                f"{cpu_ratio:.1f} | {one.peak_mib:.0f} MiB | {many.peak_mib:.0f} MiB | {rate:.0f} | "
                f"{100 * share:.0f} % |"
            )
            figures[device] = {
                "one": vars(one),
                "all": vars(many),
                "ratio": ratio,
                "cpu_ratio": cpu_ratio,
                "rate": rate,
            }
            figures[device]["decoding"] = share
            missed += [f"{device} ratio"] if ratio > TARGET_RATIO * options.clips else []
            missed += [f"{device} ratio by CPU"] if cpu_ratio > TARGET_RATIO * options.clips else []
            missed += [f"{device} memory"] if many.peak_mib > TARGET_MEMORY * one.peak_mib else []
            missed += [f"{device}: {what}" for what in found["missing"]]
    target = f"at most {TARGET_RATIO * options.clips:.0f} × one clip, {TARGET_MEMORY:.0f} × its memory"
    lines += ["", f"MISSED: {', '.join(missed)}" if missed else f"met: {target}"]
    sys.stdout.write("\n".join(lines) + "\n")
    if options.json:
        options.json.write_text(json.dumps({"benchmark": "scoring", **figures}, indent=2) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["score"]:
        place, count, length, has_box, where = sys.argv[2:]
        score(Path(place), int(count), int(length), bool(int(has_box)), where)
    elif sys.argv[1:2] == ["decode"]:
        decode(Path(sys.argv[2]))
    else:
        raise SystemExit(main())
