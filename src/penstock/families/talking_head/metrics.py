"""What is measured of a talking head."""

from __future__ import annotations

from penstock.families.family import Metric

METRICS = (
    Metric(
        *("lse_d", "LSE-D", "", "lower", 3),
        "How far apart lips and sound are in the eyes of SyncNet, at the shift that fits best; lower is better.",
        role="lipsync",
    ),
    Metric(
        *("lse_c", "LSE-C", "", "higher", 3),
        "How much better the best shift of lips and sound fits than a typical one: how sure SyncNet is of it; "
        "higher is better.",
        role="lipsync",
    ),
    Metric(
        *("av_offset", "A/V offset", "frames", None, 1),
        "The shift, in frames of 40 ms, at which lips and sound fit best; above 0 the sound leads, and 0 is ideal.",
        role="lipsync",
    ),
    Metric(
        *("av_offset_abs", "|A/V offset|", "frames", "lower", 1),
        "How many frames of 40 ms the sound leads or lags, whichever it is; lower is better.",
        role="lipsync",
    ),
    Metric(
        *("lip_closure", "lips closed at p b m", "", "higher", 3),
        "In how many of the sounds p, b and m, for which lips must meet, they do; higher is better, and of English "
        "speech alone.",
        role="lips",
        share=True,
    ),
    Metric(
        *("mouth_opening", "mouth's opening", "", "lower", 3),
        "How wide the mouth opens, as a share of its width, exceeded in one frame of twenty; much more than the "
        "released model's for the same sound is an exaggerated mouth.",
        role="lips",
    ),
    Metric(
        *("fid", "FID", "", "lower", 3),
        "How different the frames are, as a set, from the reference frames, compared by the mean and the spread of "
        "a network's features; lower is better, and few frames make it too high.",
        role="frechet",
        whole_suite=True,
        needs_reference=True,
        instead="kid",
    ),
    Metric(
        *("kid", "KID", "", "lower", 5),
        "As FID, how different the frames are from the reference frames, but without its bias for few frames; "
        "lower is better, and it may be a little below 0.",
        role="frechet",
        whole_suite=True,
        needs_reference=True,
        near_zero=True,
    ),
    Metric(
        *("duration_error", "duration error", "s", "lower", 3),
        "How many seconds the video is longer or shorter than was asked for; lower is better.",
    ),
    Metric(
        *("size_error", "size error", "px", "lower", 0),
        "How many pixels the video is off the size that was asked for, by the side that is further off; 0 is as asked.",
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
        timed=True,
    ),
)
