"""What the report shows of a model that recognises faces."""

from __future__ import annotations

from penstock.families.family import View

VIEW = View(slice_metrics=("fnmr", "fmr", "bands", "face_quality", "drift"))
