"""What is measured of a model that recognises faces; the definitions are in docs/metrics.md."""

from __future__ import annotations

from penstock.families.engine_metrics import SCHEMA_METRIC
from penstock.families.family import Metric
from penstock.metrics.false_accept_rates import ONE_IN


def tar_name(far: str) -> str:
    """The metric of the TAR at a FAR as :data:`ONE_IN` writes it: ``tar_1e-3``."""
    return f"tar_{far}"


METRICS = (
    Metric(
        *("eer", "EER", "", "lower", 4),
        "The error rate where as large a share of the comparisons of one person is rejected as of two people is "
        "accepted, over all pairs of good images; lower is better.",
        whole_suite=True,
        by_slice=True,
        share=True,
    ),
    *(
        Metric(
            *(tar_name(far), f"TAR at FAR {far}", "", "higher", 4),
            f"The share of the comparisons of one person that is accepted where at most 1 in {one_in:,} comparisons of "
            "two people is; higher is better.",
            whole_suite=True,
            by_slice=True,
            share=True,
        )
        for far, one_in in ONE_IN.items()
    ),
    Metric(
        *("fnmr", "false non-matches", "", "lower", 4),
        "The share of an image's comparisons with others of the same person that are rejected, at the threshold of the "
        "EER; by slice it says who is rejected more often; lower is better.",
        across_cases=True,
        share=True,
    ),
    Metric(
        *("fmr", "false matches", "", "lower", 4),
        "The share of an image's comparisons with other people that are accepted, at the threshold of the EER; by "
        "slice it says who is mistaken more often; lower is better.",
        across_cases=True,
        share=True,
    ),
    Metric(
        *("pair_eer", "EER of /compare", "", "lower", 4),
        "The EER of the similarities that the service itself gives for the suite's pairs of good images; one that it "
        "refuses is not accepted at any threshold; lower is better.",
        whole_suite=True,
        by_slice=True,
        share=True,
    ),
    Metric(
        *("auroc", "AUROC of OOD", "", "higher", 4),
        "How often an image that should not be asked about has the lower quality score of two; below 0.5 the score "
        "looks inverted; higher is better.",
        whole_suite=True,
        by_slice=True,
        share=True,
    ),
    Metric(
        *("fpr95", "FPR95 of OOD", "", "lower", 4),
        "The share of the good images that is lost where at least 95 % of those that should not be asked about are "
        "found by the quality score; lower is better.",
        whole_suite=True,
        by_slice=True,
        share=True,
    ),
    Metric(
        *("band_calibration", "calibration of the bands", "", "lower", 4),
        "How far the quality score is from the share of good images in each of its four bands (from 0.8, 0.6, 0.4, and "
        "below), weighed by how many images are there; lower is better.",
        whole_suite=True,
        by_slice=True,
        share=True,
    ),
    Metric(
        *("discard", "area under discard", "", "lower", 4),
        "The share of rejected comparisons of one person among what is kept, on average over how much is discarded by "
        "quality score, lowest first; lower is better.",
        whole_suite=True,
        share=True,
    ),
    Metric(
        *("bands", "follows the bands", "", "higher", 4),
        "Whether a comparison is decided as the lower of its quality scores says: 0.8 pass, 0.6 mark, 0.4 retry, below "
        "refused with advice, whatever the similarity; higher is better.",
        share=True,
    ),
    Metric(
        *("repeatable", "same answer again", "", "higher", 4),
        "The share of the images put to the service more than once that got the same answer each time; higher is "
        "better.",
        whole_suite=True,
        share=True,
    ),
    Metric(*("face_quality", "quality score", "", None, 3), "The quality score that the service gives an image."),
    Metric(
        *("drift", "drift", "", "lower", 4),
        "How far an image's vector is from the released model's, as 1 minus their cosine; lower is better.",
        needs_released=True,
    ),
    Metric(
        *("gallery", "TAR over the stored gallery", "", "higher", 4),
        "The share of comparisons of one person that is accepted where new vectors meet a gallery of the released "
        "model's, at the released model's threshold; higher is better.",
        whole_suite=True,
        needs_released=True,
        share=True,
    ),
    Metric(
        *("gallery_eer", "EER over the stored gallery", "", "lower", 4),
        "The EER where new vectors meet a gallery of the released model's; lower is better.",
        whole_suite=True,
        needs_released=True,
        share=True,
    ),
    SCHEMA_METRIC,
)
OF_A_CASE = tuple(
    metric.name for metric in METRICS if not (metric.whole_suite or metric.across_cases or metric.needs_released)
)
"""What one answer says, without any other."""
