"""How long the report of a large suite takes to build, and to open in a real headless Chromium.

``python tests/bench/bench_report.py [--json FILE] [--cases N] [--repeats N]`` prints a Markdown table of medians; it
exits 1 if a median misses its target. The build is timed as the step runs it, from the start of Python to its end.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.browser.bundles import EXTRACTOR, LOOKS, Look, rule, write_bundle, write_frames, write_history, write_video

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement
from penstock.bundle.verdict_record import Verdict

SECONDS = 10
FPS = 25
BUILD_TARGET_S = 5.0
OPEN_TARGET_S = 2.0
METRICS = ("lse_d", "lse_c", "av_offset", "av_offset_abs", "duration_error", "sharpness", "jitter", "latency")
BUILD = (
    "from pathlib import Path; import sys; from penstock.bundle.directory import Bundle; "
    "from penstock.report.page import write_report; write_report(*(Bundle(Path(path)) for path in sys.argv[1:]))"
)
OPENED = """() => ({
  loaded: performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd,
  painted: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
})"""


def suite(path: Path, cases: int, *, candidate: bool) -> Bundle:
    """A side of so many cases, each with a video of 10 s, all metrics and its frames."""
    looks = [replace(LOOKS[1], name=f"case-{number:04}", after=7.0 + number / 100) for number in range(cases)]
    bundle = write_bundle(path, "1.1.0" if candidate else "1.0.0", looks[:1], candidate=candidate, frames=FPS)
    video = bundle.outputs / looks[0].name / "output.mp4"
    write_video(video, frames=SECONDS * FPS, side=256, grain=6)
    for number, look in enumerate(looks):
        folder = bundle.outputs / look.name
        folder.mkdir(exist_ok=True)
        if number:
            shutil.copy(video, folder / "output.mp4")
        dip = 40 if candidate else None
        write_frames(folder / "frames.json", frames=SECONDS * FPS, level=7.0, dip=dip, seed=number)
    bundle.write_invocations(Invocation(case=k.name, status="ok", output=f"outputs/{k.name}/output.mp4") for k in looks)
    bundle.write_measurements(_measurements(looks, candidate=candidate))
    return bundle


def _measurements(looks: list[Look], *, candidate: bool) -> list[Measurement]:
    return [
        Measurement(
            case=look.name,
            metric=metric,
            value=(look.after or 0.0) + place if candidate else look.before + place,
            slices=list(look.slices),
            extractor=EXTRACTOR if metric.startswith(("lse", "av")) else None,
        )
        for look in looks
        for place, metric in enumerate(METRICS)
    ]


def main() -> int:
    """Make two bundles, build their report, open it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("no Chromium on PATH: install the package 'chromium'")
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        candidate = suite(Path(folder) / "candidate", arguments.cases, candidate=True)
        baseline = suite(Path(folder) / "baseline", arguments.cases, candidate=False)
        write_history(candidate)
        over = "no more than +5 % over the baseline"
        rules = [rule(metric, "fail", f"{metric} rose", f"≤ 9, {over}", baseline=7.0, change=1.0) for metric in METRICS]
        candidate.write_verdict(Verdict(verdict="fail", baseline="run-1.0.0", level=0.05, rules=rules))
        builds = []
        for _ in range(arguments.repeats):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", BUILD, str(candidate.path), str(baseline.path)], check=True)
            builds.append(time.perf_counter() - start)
        page = candidate.report / "index.html"
        opens = _open(browser, page, arguments.repeats)
        videos = [file for side in (candidate, baseline) for file in side.outputs.rglob("*.mp4")]
        media = sum(file.stat().st_size for file in videos)
        figures = {
            "cases": arguments.cases,
            "media_mb": media / 1e6,
            "page_mb": page.stat().st_size / 1e6,
            "build_s": statistics.median(builds),
            **{f"{name}_s": statistics.median(entry[name] for entry in opens) for name in opens[0]},
        }
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(_table(figures))
    slow = figures["build_s"] > BUILD_TARGET_S or max(figures["loaded_s"], figures["painted_s"]) > OPEN_TARGET_S
    return 1 if slow else 0


def _open(browser: str, page: Path, repeats: int) -> list[dict[str, float]]:
    """Seconds from the request to the parsed page, its first paint, and both videos showing their frame."""
    found = []
    with sync_playwright() as playwright:
        for _ in range(repeats):  # a new browser each time: nothing is warm but the disk
            started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            shown = started.new_page(viewport={"width": 1280, "height": 800})
            start = time.perf_counter()
            shown.goto(page.as_uri(), wait_until="domcontentloaded")
            shown.wait_for_function("() => document.querySelectorAll('video').length === 2")
            shown.wait_for_function("() => [...document.querySelectorAll('video')].every((v) => v.readyState >= 2)")
            ready = time.perf_counter() - start
            shown.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length === 1")
            times: dict[str, float] = shown.evaluate(OPENED)
            found.append({name: value / 1000 for name, value in times.items()} | {"ready": ready})
            started.close()
    return found


def _table(figures: dict[str, float]) -> str:
    machine = f"{platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} cores"
    rows = (
        ("built (median, with the start of Python)", "build_s", BUILD_TARGET_S),
        ("parsed (DOMContentLoaded)", "loaded_s", OPEN_TARGET_S),
        ("first paint", "painted_s", OPEN_TARGET_S),
        ("both videos of the worst case show their frame", "ready_s", None),
    )
    lines = [
        f"{figures['cases']:.0f} cases, {figures['media_mb']:.1f} MB of video, a page of {figures['page_mb']:.1f} MB; "
        f"{machine}, load {os.getloadavg()[0]:.1f}",
        "",
        "| | s | target |",
        "|---|---:|---:|",
    ]
    for label, key, target in rows:
        lines.append(f"| {label} | {figures[key]:.2f} | {f'< {target:.0f}' if target else ''} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
