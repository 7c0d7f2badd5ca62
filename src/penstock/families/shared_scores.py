"""Commands ``penstock score …`` that belong to no one family: what they read says not which kind of model made it."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.foundation.references import Reference

SHARED_SCORES: Mapping[str, Reference] = {
    "verification": "penstock.families.face.score_verification:verification",
    "quality": "penstock.families.face.score_quality:quality",
    "face": "penstock.families.face.score_face:face",
}
"""``penstock score NAME`` → the function that does it."""
