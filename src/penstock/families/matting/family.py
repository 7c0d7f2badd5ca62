"""What matting is: a photo or a clip in, the same with its background removed out."""

from __future__ import annotations

from penstock.families.family import Agreement, Family
from penstock.families.matting.metrics import METRICS
from penstock.families.matting.presets import PRESETS
from penstock.families.matting.template import TEMPLATE
from penstock.families.matting.view import VIEW

FAMILY = Family(
    name="matting",
    description="a photo in, a PNG with alpha out: the photo without its background; or a clip in, one with alpha out",
    inputs={"image": ("image",), "video": ("video",)},
    answers=("image/png", "video/webm", "video/quicktime", "video/x-matroska", "video/mp4"),
    presets=PRESETS,
    metrics=METRICS,
    template=TEMPLATE,
    case="penstock.families.matting.case:MattingCase",
    check="penstock.families.matting.fitting_files:check_files",
    measurer="penstock.families.matting.measurer:MattingMeasurer",
    view=VIEW,
    agreement=Agreement(
        limits={"mae": 0.005, "edge_p999": 0.05, "edge_max": 0.2},
        compare="penstock.families.matting.agreement:compare",
    ),
    commands={"matte": "penstock.families.matting.score_matte:matte"},
)
