"""A runner as the unit tests of ``tekton`` have it."""

from __future__ import annotations

from tests.unit.tekton.conftest import run

__all__ = ["run"]
