"""What each metric is called, measured in, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["lower", "higher"]
TIMED = ("latency", "real_time_factor", "peak_memory", "gpu_memory")
"""Metrics that speak about the machine as well as about the model: what else runs there moves them."""
WHOLE_SUITE_METRICS = ("fid", "kid")
"""Metrics that have one value for all cases together, and none for a slice."""


@dataclass(frozen=True)
class Metric:
    """A metric that Penstock knows.

    ``direction`` is the way that is better; ``None`` marks a value that is shown, never ranked (a signed offset).
    ``digits`` is how many decimals a person wants to see.
    """

    name: str
    title: str
    unit: str
    direction: Direction | None
    digits: int
    summary: str


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("lse_d", "LSE-D", "", "lower", 3, "lip-sync error, distance (SyncNet): least mean distance over shifts"),
        Metric("lse_c", "LSE-C", "", "higher", 3, "lip-sync error, confidence (SyncNet): median minus least distance"),
        Metric("av_offset", "A/V offset", "frames", None, 1, "shift at which sound and lips fit; above 0: sound leads"),
        Metric("av_offset_abs", "|A/V offset|", "frames", "lower", 1, "absolute audio-video offset"),
        Metric("fid", "FID", "", "lower", 3, "Fréchet distance of frame features to the reference frames"),
        Metric("kid", "KID", "", "lower", 5, "kernel distance of frame features to the reference frames (unbiased)"),
        Metric("duration_error", "duration error", "s", "lower", 3, "absolute difference of video and asked duration"),
        Metric("sharpness", "sharpness", "", "higher", 1, "variance of the Laplacian of the luma"),
        Metric("jitter", "jitter", "", "lower", 3, "frame-to-frame change that motion does not explain"),
        Metric("real_time_factor", "real-time factor", "", "lower", 3, "seconds of inference a second of video"),
        Metric("latency", "latency", "s", "lower", 3, "seconds from request to whole answer"),
        Metric("peak_memory", "peak memory", "MiB", "lower", 1, "largest resident memory of the model during a call"),
        Metric("gpu_memory", "GPU memory", "MiB", "lower", 1, "largest GPU memory of the model during a call"),
    )
}
