"""What face recognition is: an image in, a vector and a quality score out; two images in, whether to trust them."""

from __future__ import annotations

from penstock.families.face.metrics import METRICS
from penstock.families.face.presets import PRESETS
from penstock.families.face.template import TEMPLATE
from penstock.families.face.view import VIEW
from penstock.families.family import Agreement, Family

FAMILY = Family(
    name="face",
    description="an image in, a vector and a quality score out; or two images in, their similarity and a decision",
    inputs={"image": ("image",), "first": ("image",), "second": ("image",)},
    answers=("application/json",),
    presets=PRESETS,
    metrics=METRICS,
    template=TEMPLATE,
    case="penstock.families.face.case:FaceCase",
    measurer="penstock.families.face.measurer:FaceMeasurer",
    view=VIEW,
    figures="penstock.families.face.figures:figures",
    agreement=Agreement(
        limits={"vector": 0.001, "quality": 0.01, "similarity": 0.01, "decision": 0.0},
        compare="penstock.families.face.agreement:compare",
    ),
    unmeasurable="penstock.families.face.measurable:unmeasurable",
)
