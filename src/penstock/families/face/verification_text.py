"""Error rates of comparisons as the commands show them: in JSON, and for people."""

from __future__ import annotations

from typing import Any

from penstock.metrics.verification_scores import Interval, VerificationScores

WRONG_WAY = "genuine pairs score lower than impostor pairs: a score is a similarity here, the higher the more alike"


def verification_content(found: VerificationScores) -> dict[str, Any]:
    """The keys of ``--json``."""
    return {
        "eer": found.eer,
        "eer_interval": found.eer_interval,
        "tar": found.tar,
        "tar_interval": found.tar_interval,
        "threshold": found.threshold,
        "d_prime": found.d_prime,
        "n_genuine": found.n_genuine,
        "n_impostor": found.n_impostor,
        "n_identities": found.n_identities,
        "n_impostor_identities": found.n_impostor_identities,
        "intervals_by": "pair" if found.n_identities is None else "identity",
        "reasons": found.reasons,
        "notes": notes_on(found),
    }


def notes_on(found: VerificationScores) -> list[str]:
    """What makes the values other than they look."""
    return [WRONG_WAY] if found.eer > 0.5 else []


def verification_lines(found: VerificationScores) -> list[str]:
    """A line a value."""
    lines = [f"EER           {found.eer:.5g}{_interval(found.eer_interval)}"]
    for far, tar in found.tar.items():
        name = f"TAR@FAR={far}"
        if tar is None:
            lines.append(f"{name}  -  ({found.reasons[f'tar {far}']})")
        else:
            threshold = found.threshold[far]
            at = "no genuine pair is accepted" if threshold is None else f"threshold {threshold:.5g}"
            lines.append(f"{name}  {tar:.5g}{_interval(found.tar_interval[far])}  {at}")
    lines.append(
        "d'            " + (f"-  ({found.reasons['d_prime']})" if found.d_prime is None else f"{found.d_prime:.4g}")
    )
    lines.append(f"pairs         {found.n_genuine:,} genuine, {found.n_impostor:,} impostor")
    if found.n_identities is None:
        lines.append("identities    not known: intervals are by pair, too narrow where people have several pairs")
    else:
        pairs = found.n_impostor_identities
        lines.append(
            f"identities    {found.n_identities:,}, {pairs:,} impostor pairs of them; intervals are by identity"
        )
    if (why := found.reasons.get("interval eer")) is not None:
        lines.append(f"no intervals  {why}")
    return [*lines, *(f"note: {note}" for note in notes_on(found))]


def _interval(interval: Interval | None) -> str:
    return "" if interval is None else f"  ({interval[0]:.5g} to {interval[1]:.5g})"
