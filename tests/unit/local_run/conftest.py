"""The runs of the tests of ``cli``."""

from __future__ import annotations

from tests.unit.cli.conftest import out

__all__ = ["out"]
