"""What the report shows of a recognition: the picture, what is true, and what each side found over it."""

from __future__ import annotations

from penstock.families.family import Still, Stills, View

VIEW = View(
    stills=Stills(
        of_case=(
            Still("photo", "picture", photo=True),
            Still(
                "truth",
                "what is true",
                "The true boxes, where the case has some; below, labels and text.",
                over="photo",
            ),
        ),
        of_answer=(
            Still(
                "found",
                "what was found",
                "Green: true; red: not there, or read otherwise; blue: nobody says. Below, all that was found and "
                "read, and what was missed.",
                over="photo",
            ),
        ),
        painter="penstock.families.recognition.paint_case:paint_case",
        worst="surest wrong label",
    ),
    slice_metrics=("label_f1", "top1", "ece", "aurc", "cer", "phrases", "label_recall", "brier"),
)
