"""What recognition is: a picture in, what is in it out: objects, a description, the text."""

from __future__ import annotations

from penstock.families.family import Agreement, Family
from penstock.families.recognition.metrics import METRICS
from penstock.families.recognition.presets import PRESETS
from penstock.families.recognition.template import TEMPLATE
from penstock.families.recognition.view import VIEW

FAMILY = Family(
    name="recognition",
    description="a picture in, JSON out: the objects in it, a description, the text that can be read in it",
    inputs={"image": ("image",)},
    answers=("application/json",),
    presets=PRESETS,
    metrics=METRICS,
    template=TEMPLATE,
    case="penstock.families.recognition.case:RecognitionCase",
    check="penstock.families.recognition.fitting_files:check_files",
    measurer="penstock.families.recognition.measurer:RecognitionMeasurer",
    commands={"cer": "penstock.families.recognition.score_cer:cer"},
    view=VIEW,
    figures="penstock.families.recognition.figures:figures",
    agreement=Agreement(
        limits={"labels": 0.0, "confidence": 0.02, "boxes": 0.1, "text": 0.02, "description": 0.02},
        compare="penstock.families.recognition.agreement:compare",
    ),
    unmeasurable="penstock.families.recognition.measurable:unmeasurable",
)
