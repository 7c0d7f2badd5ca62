"""A suite of 5,000 images of faces, answered by a service that takes 10 ms for each: what Penstock adds to it.

``python tests/bench/bench_images.py [--json FILE] [--images N] [--keep FOLDER]`` prints a Markdown table. The images
are JPEG files of 640x480, of 1,000 people, a fifth of them out of distribution; the service answers one at a time with
512 numbers and a quality score, 10 ms after a request is there. Each step is a process of its own, as in a run. The
service's own time is what it took by its own clock from a request that is whole to its answer: beside other work of the
machine that is more than 10 ms each. It exits 1 if a target is missed: *infer* and *collect* together at most 1.6 times
the service's own time, *measure* at most 25 s.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.bench_many_cases import Took, begin_run, step

from penstock.bundle.directory import Bundle

IMAGES, PEOPLE, OUT_OF_DISTRIBUTION = 5_000, 1_000, 5
"""Every fifth image is out of distribution."""
TARGET_RATIO = 1.6
TARGET_MEASURE_S = 25.0
WIDTH, HEIGHT = 640, 480

SERVICE = """
import json, socket, sys, threading, time
answers = [line.encode() for line in open("answers.jsonl", encoding="utf-8").read().splitlines()]
own = []
def serve(peer):
    stream = peer.makefile("rb")
    while line := stream.readline():
        length = 0
        while (header := stream.readline()) not in (b"\\r\\n", b""):
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        content = stream.read(length)
        began = time.perf_counter()
        if line.startswith(b"GET"):
            body = b"{}"
        else:
            place = content.index(b"number ")  # a comment in the JPEG says which image it is
            body = answers[int(content[place + 7 : place + 12])]
            time.sleep(max(0.0, 0.010 - (time.perf_counter() - began)))
            own.append(time.perf_counter() - began)
            print(f"own {len(own)} {sum(own):.6f}", flush=True) if len(own) % 100 == 0 else None
        head = f"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n"
        peer.sendall(head.encode() + body)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""

CONTRACT = """\
version: 1
name: images
family: face
call:
  preset: face-ood
  http:
    argv: [python, service.py, "{port}"]
suite: suite
policy:
  rules:
    - {metric: eer, max: 0.2}
    - {metric: auroc, min: 0.5}
    - {metric: latency, max: 1}
"""


def main() -> int:
    """Run the steps, print, and hold them against the targets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--keep", type=Path, help="leave what the steps made in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as temporary:
        folder = arguments.keep or Path(temporary)
        steps = run(folder, arguments.images)
        own_s = arguments.images * own_each_s(folder / "bundle" / "logs" / "model.log")
    by_name = {took.step: took for took in steps}
    asked_s = by_name["infer"].seconds + by_name["collect"].seconds
    figures = {"images": arguments.images, "service_s": own_s, "steps": [asdict(took) for took in steps]}
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    machine = f"{platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} cores"
    lines = [
        f"{arguments.images:,} images; the service's own time: {own_s:.0f} s; {machine}, load {os.getloadavg()[0]:.1f}",
        "",
        "| step | s | CPU s | MiB |",
        "|---|---:|---:|---:|",
        *(f"| {took.step} | {took.seconds:.1f} | {took.cpu_s:.1f} | {took.peak_bytes >> 20} |" for took in steps),
        "",
        f"*infer* and *collect*: {asked_s / own_s:.2f} × the service's own time (target: <= {TARGET_RATIO}); "
        f"*measure*: {by_name['measure'].seconds:.1f} s (target: <= {TARGET_MEASURE_S:.0f})",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(asked_s > TARGET_RATIO * own_s or by_name["measure"].seconds > TARGET_MEASURE_S)


def own_each_s(log: Path) -> float:
    """What the service took for an answer, on average, as it says itself."""
    said = [line.split() for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("own ")]
    _, count, seconds = said[-1]
    return float(seconds) / int(count)


def run(folder: Path, images: int) -> list[Took]:
    """The steps from *check* to *measure*."""
    source, bundle, cache = (folder / name for name in ("source", "bundle", "cache"))
    write_repository(source, images)
    begin_run(Bundle(bundle), "run-1", "1.0.0")
    common = {"source": source, "bundle": bundle}
    return [
        step("check", **common),
        step("plan", **common, cache=cache),
        step("infer", **common, runtime=cache / "runtime", image="penstock.local/infer", runtime_id="0" * 12),
        step("collect", **common, cache=cache),
        step("measure", **common, cache=cache),
    ]


def write_repository(path: Path, images: int) -> None:
    """A repository with the suite, the service, and what it answers to each image."""
    suite = path / "suite"
    suite.mkdir(parents=True)
    (path / "service.py").write_text(SERVICE, encoding="utf-8")
    (path / "penstock.yaml").write_text(CONTRACT, encoding="utf-8")
    random = np.random.default_rng(1)
    people = random.normal(size=(PEOPLE, 512))
    lines = ["version: 1", "family: face", "cases:"]
    with (path / "answers.jsonl").open("w", encoding="utf-8") as answers:
        for number in range(images):
            person, bad = number % PEOPLE, number % OUT_OF_DISTRIBUTION == number // PEOPLE % OUT_OF_DISTRIBUTION
            (suite / f"{number:05}.jpg").write_bytes(jpeg(number, random))
            said = "ood: blur" if bad else f"identity: person-{person}"
            lines.append(f"  - {{name: case-{number:05}, inputs: {{image: {number:05}.jpg}}, {said}}}")
            vector = people[person] + (8.0 if bad else 2.0) * random.normal(size=512)
            answers.write(json.dumps(answer(vector, random.beta(2, 4) if bad else random.beta(6, 2))) + "\n")
    (suite / "suite.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def answer(vector: npt.NDArray[np.float64], quality: float) -> dict[str, object]:
    """What ``/feature`` says: single precision, as services print it."""
    unit = (vector / np.linalg.norm(vector)).astype(np.float32)
    return {
        "feature": unit.astype(np.float64).tolist(),
        "quality_score": float(quality),
        "resolution": "112x112",
        "detected_face_area_ratio": 0.3,
    }


def jpeg(number: int, random: np.random.Generator) -> bytes:
    """An image of some 30 kB, with its number as a comment."""
    rough = random.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
    picture = cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    found = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    comment = f"number {number:05}".encode()
    return found[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + found[2:]


if __name__ == "__main__":
    sys.exit(main())
