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
    ``digits`` is how many decimals a person wants to see; ``meaning`` is the glossary's sentence for people who do not
    know the metric.
    """

    name: str
    title: str
    unit: str
    direction: Direction | None
    digits: int
    meaning: str


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            *("lse_d", "LSE-D", "", "lower", 3),
            "How far apart lips and sound are in the eyes of SyncNet, at the shift that fits best; lower is better.",
        ),
        Metric(
            *("lse_c", "LSE-C", "", "higher", 3),
            "How much better the best shift of lips and sound fits than a typical one: how sure SyncNet is of it; "
            "higher is better.",
        ),
        Metric(
            *("av_offset", "A/V offset", "frames", None, 1),
            "The shift, in frames of 40 ms, at which lips and sound fit best; above 0 the sound leads, and 0 is ideal.",
        ),
        Metric(
            *("av_offset_abs", "|A/V offset|", "frames", "lower", 1),
            "How many frames of 40 ms the sound leads or lags, whichever it is; lower is better.",
        ),
        Metric(
            *("fid", "FID", "", "lower", 3),
            "How different the frames are, as a set, from the reference frames, compared by the mean and the spread of "
            "a network's features; lower is better, and few frames make it too high.",
        ),
        Metric(
            *("kid", "KID", "", "lower", 5),
            "As FID, how different the frames are from the reference frames, but without its bias for few frames; "
            "lower is better, and it may be a little below 0.",
        ),
        Metric(
            *("duration_error", "duration error", "s", "lower", 3),
            "How many seconds the video is longer or shorter than was asked for; lower is better.",
        ),
        Metric(
            *("sharpness", "sharpness", "", "higher", 1),
            "How much fine detail the face has (the variance of the Laplacian of its brightness); higher is sharper, "
            "but noise counts as detail, too.",
        ),
        Metric(
            *("jitter", "jitter", "", "lower", 3),
            "How much changes from frame to frame that motion does not explain: flicker and trembling, in steps of "
            "0 to 255; lower is better.",
        ),
        Metric(
            *("real_time_factor", "real-time factor", "", "lower", 3),
            "Seconds that the model takes for one second of video; below 1 it is faster than real time.",
        ),
        Metric(
            *("latency", "latency", "s", "lower", 3),
            "Seconds from the request to the whole answer; lower is better.",
        ),
        Metric(
            *("peak_memory", "peak memory", "MiB", "lower", 1),
            "The most main memory that the model held during a call; lower is better.",
        ),
        Metric(
            *("gpu_memory", "GPU memory", "MiB", "lower", 1),
            "The most memory of the graphics card that the model held during a call; lower is better.",
        ),
    )
}
STAND_INS = frozenset({"syncnet-compact", "portrait-features"})
"""Extractors that come with Penstock in place of the published ones."""
STAND_IN = (
    "Measured through a small network that comes with Penstock in place of the published one: such values compare "
    "releases with each other, and are not the values of papers."
)
"""What "stand-in" beside a number means."""


def is_stand_in(extractor: str | None) -> bool:
    """Whether a value that was measured through ``extractor`` (``name@sha256:…``) is one of a stand-in."""
    return extractor is not None and extractor.partition("@")[0] in STAND_INS


def shown_extractor(extractor: str) -> str:
    """An extractor's label as people read it: with the word "stand-in" where it is one."""
    return f"{extractor} (stand-in)" if is_stand_in(extractor) else extractor
