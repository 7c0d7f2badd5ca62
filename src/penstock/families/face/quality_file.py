"""A CSV file of quality scores: ``quality``, ``ood``, perhaps ``error``; and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.families.score_columns import flag, number, read_columns
from penstock.foundation.errors import UsageError
from penstock.metrics.quality import (
    BANDS,
    accepted_ood95,
    auroc,
    band_counts,
    band_of,
    discard_curve,
    fpr95,
)
from penstock.metrics.wilson import wilson

MOST_POINTS = 500
"""Of the discard curve in JSON; the area is of all."""
MOST_ERROR = 1e9
"""The sum of a few much larger ones is no number."""
SHOWN_SHARES = (0.05, 0.1, 0.2)
WRONG_WAY = "images out of distribution have the higher quality: is low good here? Quality is high for what can be used"
OUTSIDE = "is outside 0 to 1, which the bands divide (exp(log-variance) of RTS has no bound: map it first)"


@dataclass(frozen=True)
class Qualities:
    """Scores of images.

    Attributes:
        quality: float64 (n,), n ≥ 1.
        ood: bool (n,): out of distribution.
        error: float64 (n,), or ``None``.
    """

    quality: npt.NDArray[np.float64]
    ood: npt.NDArray[np.bool_]
    error: npt.NDArray[np.float64] | None


def read_qualities(path: Path) -> Qualities:
    """Read quality scores.

    Raises:
        UsageError: the file cannot be read, a field is not what it must be, an error is beyond 1e9, or there is nothing
            that could be said: all images are of one kind, and there are no errors.
    """
    table = read_columns(path, {"quality": number, "ood": flag}, {"error": number})
    found = Qualities(table.numbers["quality"], table.flags["ood"], table.numbers.get("error"))
    if found.error is not None and len(beyond := np.flatnonzero(np.abs(found.error) > MOST_ERROR)):
        row = int(beyond[0])
        what = f"error: {found.error[row]:g} is outside -1e9 to 1e9"
        raise table.error(row, what, "Give 0 or 1, or a distance in a larger unit.")
    if found.error is None and (why := _one_kind(found)) is not None:
        raise UsageError(why, where=str(path), todo="Give images of both kinds, or a column 'error'.")
    return found


def quality_content(found: Qualities) -> dict[str, Any]:
    """The keys of ``--json``."""
    reasons: dict[str, str] = {}
    values: dict[str, float | None] = dict.fromkeys(("auroc", "fpr95", "accepted_ood95"))
    if (why := _one_kind(found)) is None:
        for metric in (auroc, fpr95, accepted_ood95):
            values[metric.__name__] = metric(found.quality, found.ood)
    else:
        reasons = dict.fromkeys(values, why)
    curve = discard_curve(found.quality, found.ood.astype(np.float64) if found.error is None else found.error)
    points = curve.thinned(MOST_POINTS)
    bands = _bands(found)
    if isinstance(bands, str):
        reasons["bands"] = bands
    area_under = values["auroc"]
    return {
        **values,
        "positive": "ood",
        "discard": [
            list(map(float, each)) for each in zip(points.discarded, points.error, points.quality, strict=True)
        ],
        "discard_of": "ood" if found.error is None else "error",
        "discard_area": curve.area,
        "error_at": {f"{share:g}": curve.at(share) for share in (0.0, *SHOWN_SHARES)},
        "bands": None if isinstance(bands, str) else bands,
        "n": len(found.quality),
        "n_ood": int(found.ood.sum()),
        "reasons": reasons,
        "notes": [WRONG_WAY] if area_under is not None and area_under < 0.5 else [],
    }


def quality_lines(content: Mapping[str, Any]) -> list[str]:
    """A line a value, from :func:`quality_content`."""
    reasons, lines = content["reasons"], []
    meanings = {
        "auroc": "",
        "fpr95": "of the usable images are lost where 95 % of the others are found",
        "accepted_ood95": "of the others pass where 95 % of the usable images do",
    }
    for name, meaning in meanings.items():
        value = content[name]
        lines.append(
            f"{name:<15} -  ({reasons[name]})" if value is None else f"{name:<15} {value:.5g}  {meaning}".rstrip()
        )
    at = ", ".join(f"{error:.5g} at {float(share):.0%}" for share, error in content["error_at"].items())
    lines.append(f"error kept      {at} discarded (of the column {content['discard_of']})")
    lines.append(f"discard_area    {content['discard_area']:.5g}")
    lines.append(f"images          {content['n']:,}, {content['n_ood']:,} of them out of distribution")
    if content["bands"] is None:
        lines.append(f"bands           -  ({reasons['bands']})")
    for name, band in (content["bands"] or {}).items():
        shares = ", ".join(f"{kind} {part['share']:.1%}" for kind, part in band.items() if isinstance(part, dict))
        lines.append(f"band {name:<10} {shares}")
    return [*lines, *(f"note: {note}" for note in content["notes"])]


def _one_kind(found: Qualities) -> str | None:
    if found.ood.all() or not found.ood.any():
        return f"all images are {'out of' if found.ood.all() else 'in'} distribution"
    return None


def _bands(found: Qualities) -> dict[str, Any] | str:
    """Band → the share of each kind of image in it with its interval, and the mean error; or why there are none."""
    outside = found.quality[(found.quality < 0.0) | (found.quality > 1.0)]
    if len(outside):
        return f"a quality of {outside[0]:g} {OUTSIDE}"
    kinds = {"usable": found.quality[~found.ood], "ood": found.quality[found.ood]}
    counted = {kind: band_counts(values) for kind, values in kinds.items() if len(values)}
    of = band_of(found.quality)
    bands: dict[str, Any] = {}
    for number_, (band, least) in enumerate(BANDS.items()):
        bands[band] = {"from": least}
        for kind, counts in counted.items():
            total = len(kinds[kind])
            bands[band][kind] = {
                "n": counts[band],
                "share": counts[band] / total,
                "interval": wilson(counts[band] / total, total),
            }
        if found.error is not None:
            inside = found.error[of == number_]
            bands[band]["error"] = float(inside.mean()) if len(inside) else None
    return bands
