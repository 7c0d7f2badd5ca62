"""What the report shows of a cut-out: photo, true alpha, and what came back in several ways; of a clip, its frames."""

from __future__ import annotations

from penstock.families.family import Lane, Still, Stills, View

VIEW = View(
    lanes=(
        Lane("flicker", "flicker (dtSSD)", "dtssd", "f", "that flicker most"),
        Lane("alpha", "alpha error (MAE)", "mae", "a", "whose alpha is farthest off"),
    ),
    stills=Stills(
        of_case=(Still("photo", "photo", photo=True), Still("truth", "true alpha")),
        of_answer=(
            Still("cutout", "cut-out", see_through=True),
            Still("alpha", "alpha"),
            Still(
                "error",
                "error",
                "red: too much is kept, blue: too little; faint grey: the true subject. "
                "The colour grows with the root of the error, so that small ones show.",
            ),
            Still(
                "edge",
                "edge",
                "the true edge over the answer's alpha; green: runs of 50 px or more without an error of over 2 px, "
                "which nobody has to mend; red: the rest.",
            ),
        ),
        painter="penstock.families.matting.paint_case:paint_case",
        worst="worst edge",
    ),
    slice_metrics=("iou", "uea", "spurious", "mae", "hd95", "fringe"),
)
