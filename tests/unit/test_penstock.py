"""The package's public names: each is loaded when it is first used, and no other is there."""

from __future__ import annotations

import pytest

import penstock


def test_public_names_are_there_and_no_others() -> None:
    assert set(penstock.__all__) <= set(dir(penstock))
    assert all(getattr(penstock, name) is not None for name in penstock.__all__)
    with pytest.raises(AttributeError):
        _ = penstock.no_such_name
