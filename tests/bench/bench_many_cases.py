"""A suite of as many cases as there may be, 10,000, through every step: what each takes, and whether it grows evenly.

``python tests/bench/bench_many_cases.py [--json FILE] [--cases N] [--keep FOLDER]`` prints a Markdown table. Every case
has a picture and a sound of its own, 20 kB together; the model is a service that answers at once with a video of a few
frames, and no metric looks through a network, so that what is left is Penstock's own work and the decoding. Each step
is a process of its own, as in a run. The same is done with half of the cases: twice the cases may take twice the time,
and little more. It exits 1 if a target is missed: 4 minutes from *plan* to *report* and 1 GiB at 10,000 cases (as much
less for fewer), and at most 2.4 times the time for twice the cases.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image, Source
from penstock.bundle.steps import begin

MOST_CASES = 10_000
TARGET_S = 240.0
TARGET_BYTES = 1 << 30
TARGET_GROWTH = 2.4
COUNTED = ("plan", "infer", "collect", "measure", "gate", "report")
"""The steps whose time has a target."""
SIDE = 128
SOUND_SAMPLES = 3_200
"""A fifth of a second at 16 kHz."""
FRAMES = 5
ANSWERS = 8
"""How many different videos the service answers with, in turns."""

SERVICE = """
import pathlib, socket, sys, threading
answers = [path.read_bytes() for path in sorted(pathlib.Path(".").glob("answer-*.mp4"))]
turn = 0
def serve(peer):
    global turn
    stream = peer.makefile("rb")
    while line := stream.readline():
        length = 0
        while (header := stream.readline()) not in (b"\\r\\n", b""):
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        stream.read(length)
        body = b"" if line.startswith(b"GET") else answers[turn % len(answers)]
        turn += line.startswith(b"POST")
        head = f"HTTP/1.1 200 OK\\r\\nContent-Type: video/mp4\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n"
        peer.sendall(head.encode() + body)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""

CONTRACT = """\
version: 1
name: many
family: talking-head
call:
  http:
    argv: [python, service.py, "{port}"]
    path: /generate
    files: {image: image, audio: audio}
    response: video/mp4
suite: suite
policy:
  rules:
    - {metric: sharpness, min: 0, margin: 5%}
    - {metric: jitter, margin: 5%}
    - {metric: jitter, slice: even, margin: 5%}
    - {metric: latency, max: 100}
"""


@dataclass(frozen=True)
class Took:
    """What one step took."""

    step: str
    seconds: float
    cpu_s: float
    peak_bytes: int


def main() -> int:
    """Run both sizes, print, and hold them against the targets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--cases", type=int, default=MOST_CASES)
    parser.add_argument("--keep", type=Path, help="leave what the steps made in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as temporary:
        folder = arguments.keep or Path(temporary)
        half = run(folder / "half", arguments.cases // 2)
        whole = run(folder / "whole", arguments.cases)
        page = (folder / "whole" / "bundle" / "report" / "index.html").stat().st_size
    figures = {
        "cases": arguments.cases,
        "page_mb": page / 1e6,
        "half": {took.step: asdict(took) for took in half},
        "whole": {took.step: asdict(took) for took in whole},
    }
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(table(arguments.cases, half, whole, page))
    share = arguments.cases / MOST_CASES
    slow = total(whole) > TARGET_S * max(share, 0.1)
    large = max(took.peak_bytes for took in whole) > TARGET_BYTES
    return int(slow or large or growth(half, whole) > TARGET_GROWTH)


def total(steps: list[Took]) -> float:
    """Seconds of the steps that are counted."""
    return sum(took.seconds for took in steps if took.step in COUNTED)


def growth(half: list[Took], whole: list[Took]) -> float:
    """How many times the CPU time of all steps is what half of the cases took: other work does not move it."""
    return sum(took.cpu_s for took in whole) / sum(took.cpu_s for took in half)


def table(cases: int, half: list[Took], whole: list[Took], page: int) -> str:
    """Both sizes side by side, as Markdown."""
    machine = f"{platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} cores"
    lines = [
        f"{cases} cases, no network; a page of {page / 1e6:.1f} MB; {machine}, load {os.getloadavg()[0]:.1f}",
        "",
        f"| step | {cases // 2} cases: s | CPU s | {cases} cases: s | CPU s | CPU grew | MiB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for small, large in zip(half, whole, strict=True):
        lines.append(
            f"| {large.step} | {small.seconds:.1f} | {small.cpu_s:.1f} | {large.seconds:.1f} | {large.cpu_s:.1f} "
            f"| {large.cpu_s / small.cpu_s:.2f} × | {large.peak_bytes >> 20} |"
        )
    limit, peak = TARGET_S * max(cases / MOST_CASES, 0.1), max(took.peak_bytes for took in whole)
    lines += [
        "",
        f"*plan* to *report*: {total(whole):.0f} s (target: < {limit:.0f}); at most {peak >> 20} MiB (target: < 1024); "
        f"twice the cases: {growth(half, whole):.2f} × the CPU time (target: < {TARGET_GROWTH})",
    ]
    return "\n".join(lines) + "\n"


def run(folder: Path, cases: int) -> list[Took]:
    """All steps over so many cases, against a release of the same outputs."""
    source, bundle, cache, store = (folder / name for name in ("source", "bundle", "cache", "store"))
    write_repository(source, cases)
    begin_run(Bundle(bundle), "run-2", "1.1.0")
    common = {"source": source, "bundle": bundle}
    found = [
        step("check", **common),
        step("plan", **common, cache=cache),
        step("infer", **common, runtime=cache / "runtime", image="penstock.local/infer", runtime_id="0" * 12),
        step("collect", **common, cache=cache),
        step("measure", **common, cache=cache),
    ]
    release(folder, source, bundle, store)
    found.append(step("gate", **common, store=store, baseline=folder / "baseline"))
    found.append(step("report", **common, baseline=folder / "baseline"))
    found.append(step("archive", bundle=bundle, store=store))
    return found


def release(folder: Path, source: Path, bundle: Path, store: Path) -> None:
    """What the candidate is compared with: a release of the very same outputs."""
    released = folder / "released"
    shutil.copytree(bundle, released)
    run = Bundle(released).run()
    if run.source is None:
        raise AssertionError("the run has no source")
    earlier = run.source.model_copy(update={"version": "1.0.0", "commit": "1" * 40})
    Bundle(released).update_run(run.model_copy(update={"run_id": "run-1", "source": earlier}))
    step("gate", source=source, bundle=released, store=store, baseline=folder / "none")
    step("report", source=source, bundle=released, baseline=folder / "none")
    step("archive", bundle=released, store=store)
    step("publish", verdict="pass", bundle=released, store=store)
    shutil.rmtree(released)


def step(name: str, **arguments: Any) -> Took:
    """Run one step's entrypoint in a process of its own."""
    argv = [sys.executable, "-m", f"penstock_tasks.{name}.entrypoint"]
    argv += [f"--{key.replace('_', '-')}={value}" for key, value in arguments.items()]
    start = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, log.fileno(), 1)])
        _, status, usage = os.wait4(pid, 0)
        seconds = time.perf_counter() - start
        if status:
            log.seek(0)
            sys.exit(f"the step {name} failed:\n{log.read().decode(errors='replace')[-2000:]}")
    return Took(name, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10)


def begin_run(bundle: Bundle, run_id: str, version: str) -> None:
    """What the steps *clone* and *build* would leave."""
    source = Source(
        url="https://example.org/many.git",
        revision=f"v{version}",
        commit="0" * 40,
        committer_date="2026-01-01T00:00:00+00:00",
        version=version,
        tree="0" * 64,
    )
    image = Image(kind="process", digest=f"sha256:{'0' * 64}")
    run = begin(bundle, run_id=run_id, track="release")
    bundle.update_run(run.model_copy(update={"source": source, "image": image, "model": "many"}))


def write_repository(path: Path, cases: int) -> None:
    """A repository whose every case has a picture and a sound of its own."""
    suite = path / "suite"
    suite.mkdir(parents=True)
    (path / "service.py").write_text(SERVICE, encoding="utf-8")
    (path / "penstock.yaml").write_text(CONTRACT, encoding="utf-8")
    for number in range(ANSWERS):
        (path / f"answer-{number}.mp4").write_bytes(video(number))
    rng = np.random.default_rng(1)
    lines = ["version: 1", "family: talking-head", "cases:"]
    for number in range(cases):
        write_inputs(suite, number, rng)
        inputs = f"{{image: {number:05}.jpg, audio: {number:05}.wav}}"
        lines.append(f"  - {{name: case-{number:05}, inputs: {inputs}, slices: [{'odd' if number % 2 else 'even'}]}}")
    (suite / "suite.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_inputs(suite: Path, number: int, rng: np.random.Generator) -> None:
    """A picture of about 13 kB and a sound of 6.4 kB."""
    picture = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    cv2.imwrite(str(suite / f"{number:05}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 70])
    sound = (3000 * np.sin(np.arange(SOUND_SAMPLES) / (9 + number % 50))).astype("<i2").tobytes()
    (suite / f"{number:05}.wav").write_bytes(wav(sound))


def wav(sound: bytes) -> bytes:
    """Samples of 16 bits, mono, 16 kHz, as a WAV file."""
    import wave

    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(sound)
    return file.getvalue()


def video(number: int) -> bytes:
    """A video of a few small frames with sound."""
    rng = np.random.default_rng(number)
    ground = rng.integers(0, 200, (64, 64, 3), dtype=np.uint8)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for index in range(FRAMES):
            image = np.roll(ground, index, axis=1)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
