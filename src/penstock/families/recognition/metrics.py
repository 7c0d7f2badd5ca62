"""What is measured of a recognition; the definitions are in docs/metrics.md."""

from __future__ import annotations

from penstock.families.engine_metrics import SCHEMA_METRIC
from penstock.families.family import Metric

METRICS = (
    Metric(
        *("label_f1", "label F1", "", "higher", 4),
        "How well the labels that were found and those that are true agree: precision and recall together; "
        "higher is better.",
        share=True,
    ),
    Metric(
        *("label_precision", "label precision", "", "higher", 4),
        "The share of the labels found that are true; higher is better.",
        share=True,
    ),
    Metric(
        *("label_recall", "label recall", "", "higher", 4),
        "The share of the true labels that were found; higher is better.",
        share=True,
    ),
    Metric(
        *("top1", "top-1 accuracy", "", "higher", 4),
        "How often the label that the model is surest of is true; higher is better.",
        share=True,
    ),
    Metric(
        *("phrases", "phrases of the description", "", "higher", 4),
        "The share of the phrases that a description must have and has; 0 where it has a forbidden one; "
        "higher is better.",
        share=True,
    ),
    Metric(
        *("cer", "character error rate", "", "lower", 4),
        "Characters that must be changed to turn the text that was read into the true one, by the true one's; "
        "lower is better.",
        near_zero=True,
    ),
    Metric(
        *("brier", "Brier score", "", "lower", 4),
        "How far confidence is from being right, squared, over the labels found and those missed: right and unsure "
        "costs as wrong and sure does; lower is better.",
    ),
    Metric(
        *("map", "mAP@[.5:.95]", "", "higher", 4),
        "How many boxes are right, and how exactly, over all overlaps from 0.5 to 0.95 (COCO); higher is better.",
        whole_suite=True,
        by_slice=True,
    ),
    Metric(
        *("map50", "mAP@0.5", "", "higher", 4),
        "How many boxes are right where an overlap of a half is enough (COCO); higher is better.",
        whole_suite=True,
        by_slice=True,
    ),
    Metric(
        *("ece", "calibration error", "", "lower", 4),
        "How far the model's confidence is from how often it is right, over all labels that it found (15 bins); "
        "lower is better.",
        whole_suite=True,
        by_slice=True,
        near_zero=True,
    ),
    Metric(
        *("aurc", "risk over coverage", "", "lower", 4),
        "How often the surest label is wrong if the least sure answers are refused, over all shares of refusals; "
        "lower is better.",
        whole_suite=True,
        by_slice=True,
        near_zero=True,
    ),
    SCHEMA_METRIC,
)
