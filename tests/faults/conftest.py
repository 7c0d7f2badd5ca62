"""The programs of test-assets are importable here."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT, ROOT / "test-assets"):
    sys.path.insert(0, str(place))
