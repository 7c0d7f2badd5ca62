"""What the report shows of a model that recognises faces: the photo, and below it what each side said."""

from __future__ import annotations

from penstock.families.family import Still, Stills, View

VIEW = View(
    stills=Stills(
        of_case=(Still("photo", "photo", photo=True),),
        of_answer=(
            Still(
                "said",
                "what was said",
                "Green: as it should be; red: not; blue: what the case says, and what nobody judges here.",
                over="photo",
            ),
        ),
        painter="penstock.families.face.paint_case:paint_case",
        worst="middle",
    ),
    slice_metrics=("fnmr", "fmr", "eer", "auroc", "band_calibration", "bands", "face_quality", "drift"),
)
