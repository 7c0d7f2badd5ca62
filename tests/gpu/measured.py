"""sonic-lite, released on a CPU and then measured with ``device=cuda``: the stored values are measured again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from tests.gpu.checks import Check, limit
from tests.gpu.served import ROOT, Place, mean

from penstock.bundle.directory import Bundle

METRICS = ("lse_d", "lse_c", "fid", "kid")


def check(place: Place) -> Iterator[Check]:
    """Two releases: both have the same answers, only the second is measured on the card."""
    made = place.folder / "sonic-lite.git"
    words = [
        sys.executable,
        str(ROOT / "test-assets" / "make_repository.py"),
        "--model",
        "sonic-lite",
        "--out",
        str(made),
    ]
    subprocess.run(words, check=True, capture_output=True, timeout=200)
    bundles = []
    for tag, device in (("v1.0.0", "cpu"), ("v1.0.5", place.device)):
        more = ("--repo", str(made), "--revision", tag, "--name", device + tag, "--param", f"device={device}")
        code, _, said = place.penstock("run", "release", *more, "--out", "sonic", "--quiet")
        yield Check(
            f"sonic-lite {tag}, device={device}: exit code", f"{code} {said[-200:] if code else ''}", "0", code == 0
        )
        if code:
            return
        bundles.append(Bundle(place.folder / "sonic" / "runs" / (device + tag) / "bundle"))
    processor, card = bundles
    labels = sorted({label.partition("+")[2] for label in card.run().extractors.values()})
    wanted = ["f32-cuda"] if place.device == "cuda" else [""]
    yield Check("arithmetic of its networks", ", ".join(labels), ", ".join(wanted), labels == wanted)
    for metric in METRICS:
        one, other = mean(processor, metric), mean(card, metric)
        yield limit(f"{metric} of the same answers, relative ({one:.5g})", abs(other / one - 1), 1e-4)
    for bundle, name in ((processor, "CPU"), (card, "card")):
        seconds = {step.name: step.seconds for step in bundle.run().steps}
        yield Check(f"the step measure on the {name}", f"{seconds.get('measure', float('nan')):.2f} s")
