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
    """What a person should do. A refusal says which photograph it is about."""
    if decided != "refused":
        return ADVICE[decided]
    low = [name for name, score in zip(("image1", "image2"), scores, strict=True) if score < RETRY]
    several = len(low) > 1
    which = " and ".join(low)
    return (
        f"Not compared: the quality of {which} is below {RETRY}. "
        f"Use {'other photographs' if several else 'another photograph'} of one face that is lit, sharp and uncovered."
    )


def comparison(similarity: float, scores: tuple[float, float]) -> dict[str, Any]:
    """The answer of ``/compare``."""
    decided = "pass"
    return {
        "similarity": similarity,
        "quality_score1": scores[0],
        "quality_score2": scores[1],
        "decision": decided,
        "advice": advice(decided, scores),
    }
