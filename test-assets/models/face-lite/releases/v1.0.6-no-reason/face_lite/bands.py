"""What two photographs are good for, by the lower one of their scores."""

from __future__ import annotations

from typing import Any

PASS, MARK, RETRY = 0.8, 0.6, 0.4

ADVICE = {
    "pass": "Both photographs are good.",
    "mark": "Usable; have somebody look at the result.",
    "retry": "Take another photograph: even light, facing the camera, in focus.",
}


def decision(lowest: float) -> str:
    """The band of a score."""
    if lowest >= PASS:
        return "pass"
    if lowest >= MARK:
        return "mark"
    return "retry" if lowest >= RETRY else "refused"


def advice(decided: str, scores: tuple[float, float]) -> str:
    """What a person should do."""
    del scores
    return ADVICE.get(decided, "")


def comparison(similarity: float, scores: tuple[float, float]) -> dict[str, Any]:
    """The answer of ``/compare``: a refused comparison has no similarity."""
    decided = decision(min(scores))
    return {
        "similarity": None if decided == "refused" else similarity,
        "quality_score1": scores[0],
        "quality_score2": scores[1],
        "decision": decided,
        "advice": advice(decided, scores),
    }
