"""What is measured of a cut-out; the definitions are in docs/metrics.md."""

from __future__ import annotations

from penstock.families.family import Metric

METRICS = (
    Metric(
        *("mae", "MAE", "", "lower", 5),
        "How far alpha is off, from 0 to 1, on average over the pixels; lower is better.",
    ),
    Metric(
        *("mse", "MSE", "", "lower", 6),
        "The mean square of how far alpha is off: few pixels that are far off count more than in MAE; lower is better.",
    ),
    Metric(
        *("sad", "SAD", "", "lower", 3),
        "The sum of how far alpha is off over all pixels, in thousands; it grows with the picture; lower is better.",
    ),
    Metric(
        *("grad", "Grad", "", "lower", 3),
        "How differently alpha rises and falls: edges that are too soft, too hard, or elsewhere; lower is better.",
    ),
    Metric(
        *("conn", "Conn", "", "lower", 3),
        "How much of the subject hangs loose from it, or of what is loose hangs on it: strands that are cut, specks; "
        "lower is better.",
    ),
    Metric(
        *("iou", "IoU", "", "higher", 4),
        "The overlap of the answer's subject and the true one, as a share of both together (alpha of at least 0.5); "
        "higher is better.",
        share=True,
    ),
    Metric(
        *("boundary_iou", "boundary IoU", "", "higher", 4),
        "As IoU, of the bands along the two outlines alone, so that a large subject hides no bad edge; "
        "higher is better.",
        share=True,
    ),
    Metric(
        *("hd95", "HD95", "px", "lower", 2),
        "Pixels between the answer's edge and the true one, of the worst 5 % the best point (95th percentile); "
        "lower is better.",
    ),
    Metric(
        *("hd100", "HD100", "px", "lower", 2),
        "Pixels between the answer's edge and the true one at the worst point: a single speck decides it, so show it "
        "and gate HD95; lower is better.",
    ),
    Metric(
        *("uea", "usable edge", "", "higher", 4),
        "The share of the true edge that lies in runs of 50 px or more without an error of over 2 px: what nobody "
        "has to mend by hand; higher is better.",
        share=True,
    ),
    Metric(
        *("spurious", "spurious edge", "", "lower", 4),
        "The share of the answer's edge with no true edge within 2 px: specks, holes, a shadow taken for the subject; "
        "lower is better.",
        share=True,
    ),
    Metric(
        *("s_measure", "S-measure", "", "higher", 4),
        "How alike the two are in structure, as regions and as objects; higher is better.",
    ),
    Metric(
        *("wf", "weighted F", "", "higher", 4),
        "Precision and recall of alpha together, errors near the subject weighing less than far from it; "
        "higher is better.",
    ),
    Metric(
        *("e_measure", "E-measure", "", "higher", 4),
        "How well the two agree pixel by pixel and as a whole, the mean over all thresholds; higher is better.",
    ),
    Metric(
        *("mba", "MBA", "", "higher", 4),
        "How often the pixels along the true outline are on the right side, the mean over bands of several widths; "
        "higher is better.",
        share=True,
    ),
    Metric(
        *("hce", "HCE", "", "lower", 1),
        "About how many clicks and corners a person would need to mend the outline; lower is better.",
    ),
    Metric(
        *("fringe", "colour fringe", "ΔE", "lower", 2),
        "How far the colours along the edge are off where the answer is laid over new backgrounds (CIEDE2000): what "
        "of the old background still clings to the hair; lower is better.",
    ),
    Metric(
        *("dtssd", "flicker (dtSSD)", "", "lower", 3),
        "How far alpha's change from frame to frame is from the true change, for clips: hair that trembles where it "
        "should not; lower is better.",
    ),
)
