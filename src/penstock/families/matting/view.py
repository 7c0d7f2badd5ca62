"""What the report shows of a cut-out: photo and true alpha, each side's cut-out, alpha and error."""

from __future__ import annotations

from penstock.families.family import Still, Stills, View

VIEW = View(
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
        ),
        painter="penstock.families.matting.paint_case:paint_case",
        worst="worst edge",
    )
)
