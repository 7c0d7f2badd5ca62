"""The tiny repository of the unit tests of ``evaluation``."""

from __future__ import annotations

from tests.unit.evaluation.conftest import bundle, repository

__all__ = ["bundle", "repository"]
