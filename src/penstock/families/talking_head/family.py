"""What a talking head is: a portrait and a speech recording in, a video of the portrait speaking out."""

from __future__ import annotations

from penstock.families.family import Agreement, Family, Filled, Role
from penstock.families.talking_head.metrics import METRICS
from penstock.families.talking_head.presets import PRESETS
from penstock.families.talking_head.template import TEMPLATE
from penstock.families.talking_head.view import VIEW

FAMILY = Family(
    name="talking-head",
    description="a portrait and a speech recording in, a video of the portrait speaking out",
    inputs={"image": ("image",), "audio": ("audio", "video"), "video": ("video",)},
    answers=("video/mp4", "video/webm", "video/quicktime", "video/x-matroska"),
    presets=PRESETS,
    roles={
        "lipsync": Role("penstock.extractors.syncnet:open_syncnet", stand_in="syncnet-compact"),
        "frechet": Role("penstock.extractors.image_features:ImageFeatures.load", stand_in="portrait-features"),
        "lips": Role("penstock.extractors.lips:open_lips", stand_in="lip-opening"),
    },
    metrics=METRICS,
    filled={"duration": Filled("audio", "penstock.families.talking_head.duration:seconds_of_sound")},
    template=TEMPLATE,
    case="penstock.families.talking_head.case:TalkingHeadCase",
    measurer="penstock.families.talking_head.measurer:TalkingHeadMeasurer",
    view=VIEW,
    agreement=Agreement(
        limits={"mae": 0.005, "worst_frame": 0.02}, compare="penstock.families.talking_head.agreement:compare"
    ),
    commands={
        "lipsync": "penstock.families.talking_head.score_lipsync:lipsync",
        "frechet": "penstock.families.talking_head.score_frechet:frechet",
    },
)
