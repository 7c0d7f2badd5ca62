"""How the picture is finished."""

SOFTNESS = 0.5
"""Sigma, in 1/256 of the picture's side, of the blur that hides the seams of the blend; 0 for none."""
PRESET = "veryfast"
CRF = 18
"""H.264's constant rate factor: lower is finer."""
