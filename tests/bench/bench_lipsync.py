"""How long lip-sync scoring of a 10 s clip takes, side by side with PyPI's syncnet-python, each in a process and
environment of its own.

``python tests/bench/bench_lipsync.py [--json FILE] [--repeats N]`` prints a Markdown table of medians.
 The reference runs under the interpreter that ``PENSTOCK_PARITY_PYTHON`` names (syncnet-python, PyTorch, onnx; FFmpeg
on the PATH). Both sides get the same clip (a finished 224x224 crop) and the same random weights of the full-size
network, and both are timed from the start of the process to its end. Penstock runs with ``--protocol reference``, so
both score the same lossy frames. Without the variable, only Penstock is timed, on weights made here, and nothing is
compared.

Where the CPU computes in bfloat16, Penstock runs once more with ``--precision bf16``; elsewhere a line says that it was
not. Its speed has a target with AMX alone.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from penstock.extractors.precision import why_no_bf16

HERE = Path(__file__).parent
SOURCE = HERE.parent.parent / "src"
SECONDS = 10
X264 = {"crf": "20", "rc-lookahead": "0", "mbtree": "0"}
"""Without its look-ahead x264 writes the same bytes each time; with it, it does not on every CPU."""
TARGET_SPEED = 2.0
"""By wall time."""
TARGET_CPU = 1.9
"""By CPU seconds, which other work on the machine moves less."""
TARGET_DIFFERENCE = 1e-4
TARGET_BF16_SPEED = 3.5
"""By wall time, on a CPU with AMX; AVX-512 BF16 does far fewer products a cycle."""
TARGET_BF16_DIFFERENCE = 1e-3
"""Of LSE-D, relative to Penstock's own in f32."""
TARGET_MEMORY = 1 / 3

BF16 = "penstock, bf16"
SCORE = "import sys; from penstock.cli.app import main; sys.exit(main())"
SAME = """
import json, sys
from pathlib import Path
import cv2
from penstock.extractors.syncnet import open_syncnet
from penstock.media import read_audio
from penstock.metrics.lipsync import score_lipsync
folder = Path(sys.argv[1])
frames = (cv2.imread(str(path)) for path in sorted(folder.glob("*.jpg")))
found = score_lipsync(frames, read_audio(folder / "audio.wav"), open_syncnet(Path(sys.argv[2])))
print(json.dumps({"lse_d": found.lse_d, "lse_c": found.lse_c, "offset_frames": found.offset_frames}))
"""
IMPORT = (
    "import sys; from penstock.cli.app import main; "
    "sys.exit(main(['weights', 'import', 'syncnet', sys.argv[1], '--out', sys.argv[2], '--json']))"
)


@dataclass(frozen=True)
class Run:
    """One process: wall and CPU seconds, peak resident memory with its children in MiB, the JSON that it printed."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    answer: dict[str, Any]


def write_clip(path: Path) -> None:
    """A talker of sorts: a mouth that opens with the loudness of the sound, on a moving background, with some noise."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:224, 0:224]
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options=X264)
        video.width = video.height = 224
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=16_000, layout="mono")
        for number in range(25 * SECONDS):
            open_by = abs(np.sin(number / 3))
            picture = np.stack(
                [100 + 50 * np.sin(x / 20 + number / 10), 120 + 40 * np.cos(y / 15), 90 + x / 4], axis=-1
            )
            picture[(x - 112) ** 2 / 900 + (y - 160) ** 2 / (20 + 150 * open_by) < 1] = (20, 10, 60)
            noisy = np.clip(picture + random.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noisy, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
            at = np.arange(number * 640, (number + 1) * 640) / 16_000
            voice = 8000 * np.sin(2 * np.pi * 200 * at) * open_by + random.normal(0, 300, at.size)
            sound = av.AudioFrame.from_ndarray(voice.astype(np.int16)[None], format="s16", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 16_000, number * 640, Fraction(1, 16_000)
            container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


def run(command: list[str]) -> Run:
    """Run a process to its end and see what it cost."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    started = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=out, stderr=errors, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        out.seek(0)
        text = out.read().decode()
        errors.seek(0)
        said = errors.read().decode()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}:\n{said}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, json.loads(text) if text else {})


def main() -> int:
    """Time both sides; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    parity = os.environ.get("PENSTOCK_PARITY_PYTHON")
    same: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        clip, weights, network = (Path(folder, name) for name in ("clip.mp4", "random.model", "random.onnx"))
        write_clip(clip)
        ours = [sys.executable, "-c", SCORE, "score", "lipsync", str(clip), "--weights", str(network), "--json"]
        theirs: list[str] = []
        if parity:
            script = str(HERE / "reference_syncnet.py")
            run([parity, script, "checkpoint", str(weights)])
            run([parity, "-c", IMPORT, str(weights), str(network)])
            ours += ["--protocol", "reference"]
            theirs = [parity, script, "evaluate", str(clip), str(weights)]
        else:
            _random_network(network)
        runs: dict[str, list[Run]] = {"penstock": [], BF16: [], "syncnet-python": []}
        for _ in range(arguments.repeats):
            runs["penstock"].append(run(ours))
            if not why_no_bf16():
                runs[BF16].append(run([*ours, "--precision", "bf16"]))
            if theirs:
                runs["syncnet-python"].append(run(theirs))
        if theirs:
            frames = Path(folder, "frames")
            frames.mkdir()
            run([str(parity), script, "frames", str(clip), str(frames)])
            same = run([sys.executable, "-c", SAME, str(frames), str(network)]).answer
    return report({name: found for name, found in runs.items() if found}, same, arguments.json)


def _random_network(path: Path) -> None:
    from penstock.extractors.syncnet_onnx import build, expected_shapes

    random = np.random.default_rng(0)
    state = {
        key: np.abs(random.normal(0.0, 0.05, shape)).astype(np.float32) + ("var" in key)
        for key, shape in expected_shapes().items()
    }
    path.write_bytes(build(state, name="syncnet-random", source_sha256="0" * 64).SerializeToString())


def report(runs: dict[str, list[Run]], same: dict[str, Any], out: Path | None) -> int:
    """Print the table; 1 if a target is missed. ``same``: Penstock's values for the reference's own frames."""
    seconds = {name: statistics.median(r.seconds for r in found) for name, found in runs.items()}
    cpu = {name: statistics.median(r.cpu_seconds for r in found) for name, found in runs.items()}
    memory = {name: statistics.median(r.peak_mib for r in found) for name, found in runs.items()}
    lines = [
        f"{SECONDS} s of 224x224, full-size SyncNet, {platform.machine()}, {len(os.sched_getaffinity(0))} cores, "
        f"medians of {len(runs['penstock'])}, whole processes",
        "",
        "| | seconds | CPU seconds | peak MiB | LSE-D | LSE-C | offset |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, found in runs.items():
        answer = found[0].answer
        numbers = f"{answer['lse_d']:.6f} | {answer['lse_c']:.6f} | {answer['offset_frames']}"
        lines.append(f"| {name} | {seconds[name]:.2f} | {cpu[name]:.2f} | {memory[name]:.0f} | {numbers} |")
    figures: dict[str, Any] = {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_mib": memory,
        "values": {n: r[0].answer for n, r in runs.items()},
    }
    missed = _bf16(runs, seconds, figures, lines)
    if "syncnet-python" in runs:
        theirs = runs["syncnet-python"][0].answer
        figures["speed"] = seconds["syncnet-python"] / seconds["penstock"]
        figures["cpu"] = cpu["syncnet-python"] / cpu["penstock"]
        figures["memory"] = memory["penstock"] / memory["syncnet-python"]
        figures["difference"] = {key: abs(same[key] / theirs[key] - 1) for key in ("lse_d", "lse_c")}
        worst = max(figures["difference"].values())
        lines += [
            "",
            f"- {figures['speed']:.2f} times as fast by wall time (target: at least {TARGET_SPEED})",
            f"- {figures['cpu']:.2f} times as fast by CPU seconds (target: at least {TARGET_CPU})",
            f"- {figures['memory']:.2f} of the memory (target: at most {TARGET_MEMORY:.2f})",
            f"- relative difference on the same frames: LSE-D {figures['difference']['lse_d']:.1e}, "
            f"LSE-C {figures['difference']['lse_c']:.1e} (target: at most {TARGET_DIFFERENCE:.0e})",
        ]
        missed += ["speed"] if figures["speed"] < TARGET_SPEED else []
        missed += ["CPU seconds"] if figures["cpu"] < TARGET_CPU else []
        missed += ["memory"] if figures["memory"] > TARGET_MEMORY else []
        equal = worst <= TARGET_DIFFERENCE and same["offset_frames"] == theirs["offset_frames"]
        missed += [] if equal else ["difference"]
        lines += [f"- MISSED: {', '.join(missed)}"] if missed else []
    else:
        lines += ["", "PENSTOCK_PARITY_PYTHON is not set: syncnet-python was not run, nothing is compared."]
    sys.stdout.write("\n".join(lines) + "\n")
    if out is not None:
        out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 1 if missed else 0


def _bf16(
    runs: dict[str, list[Run]], seconds: dict[str, float], figures: dict[str, Any], lines: list[str]
) -> list[str]:
    """Say how bf16 did; what it missed."""
    if BF16 not in runs:
        lines += ["", f"bf16 was not run: {why_no_bf16()}"]
        return []
    f32, bf16 = (runs[name][0].answer["lse_d"] for name in ("penstock", BF16))
    figures["bf16_difference"] = abs(bf16 / f32 - 1)
    lines += ["", f"- bf16: LSE-D {figures['bf16_difference']:.1e} from f32 (at most {TARGET_BF16_DIFFERENCE:.0e})"]
    missed = ["difference of bf16"] if figures["bf16_difference"] > TARGET_BF16_DIFFERENCE else []
    if "syncnet-python" in runs:
        figures["bf16_speed"] = seconds["syncnet-python"] / seconds[BF16]
        amx = "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
        target = f"target: at least {TARGET_BF16_SPEED}" if amx else "without AMX: no target"
        lines += [f"- bf16: {figures['bf16_speed']:.2f} times as fast ({target})"]
        missed += ["speed of bf16"] if amx and figures["bf16_speed"] < TARGET_BF16_SPEED else []
    return missed


if __name__ == "__main__":
    sys.exit(main())
