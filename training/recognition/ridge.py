"""What is solved for rather than trained."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def solved(features: Floats, wanted: Floats, ridge: float) -> Floats:
    """The weights, ``(features, outputs)``, that bring features, ``(n, f)``, nearest to ``(n, outputs)``."""
    gram = features.T @ features + np.float32(ridge) * np.eye(features.shape[1], dtype=np.float32)
    return np.asarray(np.linalg.solve(gram, features.T @ wanted), np.float32)


def calibrated(logits: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Slope and shift of the logistic curve through what was right, 0 or 1 (Platt 1999), by Newton's method."""
    at = np.array([1.0, 0.0])
    inputs = np.stack([logits, np.ones_like(logits)], axis=1)
    for _ in range(50):
        likely = 1 / (1 + np.exp(-inputs @ at))
        slope = inputs.T @ (likely - right) + 1e-3 * (at - [1, 0])
        bend = (inputs * (likely * (1 - likely))[:, None]).T @ inputs + 1e-3 * np.eye(2)
        at = at - np.linalg.solve(bend, slope)
    return float(at[0]), float(at[1])
